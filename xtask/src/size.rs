//! Sizes as a user meets them: the file, and the file as GitHub sends it (gzip).

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The largest release tree as one gzip archive, in bytes: what each job downloads (`docs` promise it).
pub const TREE_BUDGET: u64 = 40_000_000;

/// How many bytes `gzip -9` makes of `data`.
///
/// # Errors
/// Never in practice; the signature is the encoder's.
pub fn gzip(data: &[u8]) -> io::Result<u64> {
    let mut meter = Meter::default();
    meter.write_all(data)?;
    meter.finish()
}

/// Counts what gzip makes of everything written to it, and keeps nothing.
pub struct Meter(GzEncoder<Count>);

impl Default for Meter {
    fn default() -> Self {
        Self(GzEncoder::new(Count(0), Compression::best()))
    }
}

impl Meter {
    /// The number of compressed bytes.
    ///
    /// # Errors
    /// Never in practice; the signature is the encoder's.
    pub fn finish(self) -> io::Result<u64> {
        Ok(self.0.finish()?.0)
    }
}

impl Write for Meter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 += data.len() as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A number with its thousands apart, to be read at a glance.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_repeats_is_small_and_noise_is_not() {
        assert!(gzip(&[0; 100_000]).unwrap() < 500);
        let noise: Vec<u8> = (0..100_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        assert!(gzip(&noise).unwrap() > 100_000);
    }
}
