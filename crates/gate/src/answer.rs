//! What an HTTP target answered.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

/// An answer as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case with their values, in order.
    pub headers: Vec<(String, String)>,
    /// The body's beginning, unpacked, at most [`BODY_LIMIT`] bytes.
    pub body: Vec<u8>,
    /// Whether the body went on.
    pub cut: bool,
}

/// The most that is read of a body; a health page is far smaller.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// A body says that it is gzip and is not (RFC 1952).
#[derive(Debug, thiserror::Error)]
#[error("the body is not the gzip that it says it is: {0}")]
pub struct NotGzip(#[from] std::io::Error);

impl Answer {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The same with a gzip body unpacked, up to `limit` bytes: what it unpacks to counts, not what was sent. Other
    /// encodings are not asked for, and left as they are.
    ///
    /// # Errors
    /// When the body is not what its header says.
    pub fn unpacked(self, limit: usize) -> Result<Self, NotGzip> {
        let gzip = |encoding: &str| {
            let encoding = encoding.trim();
            encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip")
        };
        if self.body.is_empty() || !self.header("content-encoding").is_some_and(gzip) {
            return Ok(self);
        }
        let mut body = Vec::new();
        let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let unpacking = MultiGzDecoder::new(self.body.as_slice())
            .take(one_more)
            .read_to_end(&mut body);
        // What was cut while it was read ends in the middle.
        unpacking
            .map(drop)
            .or_else(|error| if self.cut { Ok(()) } else { Err(error) })?;
        let cut = self.cut || body.len() > limit;
        body.truncate(limit);
        Ok(Self { body, cut, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::{any, proptest};

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn answer(encoding: &str, body: Vec<u8>, cut: bool) -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-encoding".to_owned(), encoding.to_owned())],
            body,
            cut,
        }
    }

    #[test]
    fn what_a_body_unpacks_to_is_bounded() {
        let bomb = gzip(&vec![0; 32 * BODY_LIMIT]);
        assert!(bomb.len() < BODY_LIMIT);
        let unpacked = answer("gzip", bomb, false).unpacked(BODY_LIMIT).unwrap();
        assert_eq!((unpacked.body.len(), unpacked.cut), (BODY_LIMIT, true));
        let exact = answer("X-GZIP", gzip(b"12345"), false).unpacked(5).unwrap();
        assert_eq!((exact.body.as_slice(), exact.cut), (b"12345".as_slice(), false));
    }

    #[test]
    fn what_is_no_gzip_is_left_or_named() {
        let plain = answer("br", b"as it is".to_vec(), false);
        assert_eq!(plain.clone().unpacked(10).unwrap(), plain);
        assert!(
            answer("gzip", Vec::new(), false)
                .unpacked(10)
                .unwrap()
                .body
                .is_empty()
        );
        let half = gzip(b"a text that is long enough")[..20].to_vec();
        let error = answer("gzip", half.clone(), false)
            .unpacked(100)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("the body is not the gzip"), "{error}");
        assert!(answer("gzip", half, true).unpacked(100).unwrap().cut);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in any::<Vec<u8>>(), cut in any::<bool>(), limit in 0usize..100) {
            let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].as_slice();
            for body in [body.clone(), [head, &body].concat(), gzip(&body)] {
                if let Ok(unpacked) = answer("gzip", body, cut).unpacked(limit) {
                    assert!(unpacked.body.len() <= limit);
                }
            }
        }
    }
}
