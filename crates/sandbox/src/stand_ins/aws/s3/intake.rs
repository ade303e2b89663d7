//! A body on its way in: hashed as the request names, kept if it is small enough.
//!
//! Limits: of a body above what is kept only length and SHA-256 remain.

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::chunked::Chunked;
use super::object::Content;
use super::sums::{Algorithm, Summing, hex};
use crate::http::Request;

/// What is known of a body before it comes, and what came of it so far.
pub(crate) struct Intake {
    md5: Md5,
    sha256: Option<Sha256>,
    sums: Vec<(Algorithm, Summing)>,
    kept: Option<Vec<u8>>,
    limit: u64,
    size: u64,
    chunked: Option<Chunked>,
}

/// A body that has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) size: u64,
    pub(crate) md5: Vec<u8>,
    /// Where it was asked for.
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) sums: Vec<(Algorithm, Vec<u8>)>,
    pub(crate) content: Content,
    /// None for a body in chunks that broke off.
    pub(crate) trailers: Option<Vec<(String, String)>>,
}

impl Intake {
    /// Gets ready for the body of a request, of which at most so many bytes are kept. A body of S3 always gets the checksum
    /// that S3 itself adds.
    pub(crate) fn of(head: &Request, limit: u64) -> Self {
        let number = |name: &str| head.header(name).and_then(|value| value.parse::<u64>().ok());
        let announced = number("x-amz-decoded-content-length").or(number("content-length"));
        let hash = head.header("x-amz-content-sha256").unwrap_or_default();
        let trailer = head.header("x-amz-trailer");
        let named = head.headers.iter().map(|(name, _)| name.as_str()).chain(trailer);
        let mut algorithms: Vec<Algorithm> = named.filter_map(Algorithm::of_header).collect();
        if !algorithms.contains(&Algorithm::Crc64nvme) {
            algorithms.push(Algorithm::Crc64nvme);
        }
        let kept = announced.is_none_or(|announced| announced <= limit);
        let digest = !kept || hash.len() == 64 || head.header("x-amz-content-sha256").is_none();
        let room = announced.unwrap_or_default().min(limit);
        Self {
            md5: Md5::new(),
            sha256: digest.then(Sha256::new),
            sums: algorithms
                .into_iter()
                .filter(|algorithm| *algorithm != Algorithm::Sha256 || !digest)
                .map(|algorithm| (algorithm, algorithm.begin()))
                .collect(),
            kept: kept.then(|| Vec::with_capacity(usize::try_from(room).unwrap_or_default())),
            limit,
            size: 0,
            chunked: hash.starts_with("STREAMING-").then(Chunked::default),
        }
    }

    /// Takes more of it.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        match self.chunked.take() {
            None => self.payload(bytes),
            Some(mut chunked) => {
                chunked.add(bytes, |payload| self.payload(payload));
                self.chunked = Some(chunked);
            }
        }
    }

    fn payload(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.md5.update(bytes);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        for (_, summing) in &mut self.sums {
            summing.add(bytes);
        }
        match &mut self.kept {
            Some(kept) if self.size <= self.limit => kept.extend_from_slice(bytes),
            kept => *kept = None,
        }
    }

    /// What came.
    pub(crate) fn end(self) -> Taken {
        let sha256 = self.sha256.map(|sha256| sha256.finalize().to_vec());
        let mut sums: Vec<_> = self
            .sums
            .into_iter()
            .map(|(algorithm, summing)| (algorithm, summing.end()))
            .collect();
        if let Some(sha256) = &sha256 {
            sums.push((Algorithm::Sha256, sha256.clone()));
        }
        let content = match self.kept {
            Some(kept) => Content::Whole(Bytes::from(kept)),
            None => Content::Digest {
                sha256: sha256.as_deref().map(hex).unwrap_or_default(),
                size: self.size,
            },
        };
        Taken {
            size: self.size,
            md5: self.md5.finalize().to_vec(),
            sha256,
            sums,
            content,
            trailers: match self.chunked {
                None => Some(Vec::new()),
                Some(chunked) => chunked.end(),
            },
        }
    }
}

impl Taken {
    /// The whole of a small body that is no object; nothing for a large one.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.content.bytes()
    }

    pub(crate) fn sum(&self, algorithm: Algorithm) -> Option<&[u8]> {
        let found = self.sums.iter().find(|(known, _)| *known == algorithm);
        found.map(|(_, value)| value.as_slice())
    }
}
