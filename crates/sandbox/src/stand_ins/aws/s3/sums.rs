//! The checksums that S3 checks bodies with, besides MD5:
//! [checking object integrity](https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
//!
//! Limits: those five that SDKs send; not the MD5, SHA-512 and XXHash kinds of 2026.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest, Table};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `CRC32`
    Crc32,
    /// `CRC32C`
    Crc32c,
    /// `CRC64NVME`, which S3 uses where nothing was asked for.
    Crc64nvme,
    /// `SHA1`
    Sha1,
    /// `SHA256`
    Sha256,
}

/// What S3 keeps beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Of which kind.
    pub algorithm: Algorithm,
    /// In base64; with the number of parts behind it where it is composite.
    pub value: String,
    /// Whether it is of the checksums of parts instead of the bytes.
    pub composite: bool,
}

/// A checksum under way.
#[derive(Clone)]
pub(crate) enum Summing {
    Crc32(Digest<'static, u32, Table<16>>),
    Crc64(Digest<'static, u64, Table<16>>),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// As headers and XML name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The one of that name, in whatever case.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// The header that carries it.
    pub(crate) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// The one that a header is for.
    pub(crate) fn of_header(header: &str) -> Option<Self> {
        Self::of(
            header
                .trim()
                .to_ascii_lowercase()
                .strip_prefix("x-amz-checksum-")?,
        )
    }

    /// Bytes of a value.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether the checksum of a whole follows from those of its parts.
    pub(crate) fn adds_up(self) -> bool {
        matches!(self, Self::Crc32 | Self::Crc32c | Self::Crc64nvme)
    }

    pub(crate) fn begin(self) -> Summing {
        match self {
            Self::Crc32 => Summing::Crc32(CRC32.digest()),
            Self::Crc32c => Summing::Crc32(CRC32C.digest()),
            Self::Crc64nvme => Summing::Crc64(CRC64.digest()),
            Self::Sha1 => Summing::Sha1(Sha1::new()),
            Self::Sha256 => Summing::Sha256(Sha256::new()),
        }
    }

    /// The checksum of bytes that are there whole.
    pub(crate) fn of_bytes(self, bytes: &[u8]) -> Vec<u8> {
        let mut summing = self.begin();
        summing.add(bytes);
        summing.end()
    }

    /// The checksum of a whole from that of its beginning, and that and the length of its rest.
    ///
    /// As zlib's `crc32_combine`: the register after the beginning goes through as many zero bytes as the rest has; what is
    /// put in before and after all bytes falls out.
    pub(crate) fn joined(self, begin: &[u8], rest: &[u8], length: u64) -> Vec<u8> {
        let polynomial: u64 = match self {
            Self::Crc32 => 0xedb8_8320,
            Self::Crc32c => 0x82f6_3b78,
            Self::Crc64nvme => 0x9a6c_9329_ac4b_c9b5,
            Self::Sha1 | Self::Sha256 => return Vec::new(),
        };
        let bits = self.width() * 8;
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        // One zero bit: a column for each bit of the register.
        let mut shift: Vec<u64> = (0..bits)
            .map(|bit| if bit == 0 { polynomial } else { 1 << (bit - 1) })
            .collect();
        let mut register = number(begin);
        let mut zeros = u128::from(length) * 8;
        while zeros > 0 {
            if zeros & 1 == 1 {
                register = times(&shift, register);
            }
            shift = shift.iter().map(|column| times(&shift, *column)).collect();
            zeros >>= 1;
        }
        let joined = register ^ number(rest);
        joined.to_be_bytes()[8 - self.width()..].to_vec()
    }
}

/// A matrix of bits times a vector.
fn times(matrix: &[u64], vector: u64) -> u64 {
    let columns = matrix.iter().enumerate();
    columns
        .filter(|(bit, _)| vector >> bit & 1 == 1)
        .fold(0, |sum, (_, column)| sum ^ column)
}

impl Summing {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(digest) => digest.update(bytes),
            Self::Crc64(digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    pub(crate) fn end(self) -> Vec<u8> {
        match self {
            Self::Crc32(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Crc64(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.trim()).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_catalogue() {
        // The check values of the catalogue of CRCs, https://reveng.sourceforge.io/crc-catalogue/all.htm, and of FIPS 180.
        let cases = [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Algorithm::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ];
        for (algorithm, expected) in cases {
            assert_eq!(hex(&algorithm.of_bytes(b"123456789")), expected, "{algorithm:?}");
        }
    }

    #[test]
    fn checksums_of_parts_join_to_that_of_the_whole() {
        let bytes: Vec<u8> = (0..5000_u32).map(|number| (number * 7 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
            for at in [0, 1, 77, 4999, 5000] {
                let (begin, rest) = bytes.split_at(at);
                let joined = algorithm.joined(
                    &algorithm.of_bytes(begin),
                    &algorithm.of_bytes(rest),
                    rest.len() as u64,
                );
                assert_eq!(joined, algorithm.of_bytes(&bytes), "{algorithm:?} {at}");
            }
        }
    }
}
