//! Bodies in [`aws-chunked`](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html) form, taken apart as
//! they come: chunks of unsigned payload, and trailers behind them.
//!
//! Limits: signatures of single chunks are not known.

/// How long a line of a size or a trailer may be.
const LINE: usize = 8 * 1024;

/// Where the reader stands.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    at: At,
    line: Vec<u8>,
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    Data(u64),
    /// The line end behind the data.
    Seam,
    Trailers,
    End,
    Broken,
}

impl Chunked {
    /// Takes more bytes; hands on what is payload.
    pub(crate) fn add(&mut self, mut bytes: &[u8], mut payload: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if let At::Data(left) = self.at {
                let length = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (data, rest) = bytes.split_at(length);
                payload(data);
                bytes = rest;
                self.at = match left - length as u64 {
                    0 => At::Seam,
                    left => At::Data(left),
                };
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            self.line.extend_from_slice(piece);
            bytes = rest;
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                self.take(line.trim_ascii_end());
            } else if self.line.len() > LINE {
                self.at = At::Broken;
                self.line.clear();
            }
        }
    }

    /// The trailers, once all has come; none where it was not whole.
    pub(crate) fn end(self) -> Option<Vec<(String, String)>> {
        let ended = matches!(self.at, At::End | At::Trailers) && self.line.is_empty();
        ended.then_some(self.trailers)
    }

    fn take(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        self.at = match self.at {
            At::Size => {
                let digits = text.split(';').next().unwrap_or_default();
                match u64::from_str_radix(digits.trim(), 16) {
                    Ok(0) => At::Trailers,
                    Ok(size) => At::Data(size),
                    Err(_) => At::Broken,
                }
            }
            At::Seam if line.is_empty() => At::Size,
            At::Trailers if line.is_empty() => At::End,
            At::Trailers => match text.split_once(':') {
                Some((name, value)) => {
                    self.trailers
                        .push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                    At::Trailers
                }
                None => At::Broken,
            },
            At::End if line.is_empty() => At::End,
            _ => At::Broken,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Trailers = Vec<(String, String)>;

    fn read(bytes: &[u8], step: usize) -> Option<(Vec<u8>, Trailers)> {
        let (mut chunked, mut payload) = (Chunked::default(), Vec::new());
        for piece in bytes.chunks(step.max(1)) {
            chunked.add(piece, |data| payload.extend_from_slice(data));
        }
        Some((payload, chunked.end()?))
    }

    #[test]
    fn chunks_and_trailers_are_read_however_they_are_cut() {
        let body = b"4\r\nab\r\n\r\n3;x=y\r\ncde\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        for step in 1..body.len() {
            let (payload, trailers) = read(body, step).unwrap();
            assert_eq!(payload, b"ab\r\ncde", "{step}");
            assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "AAAA".to_owned())]);
        }
        for broken in [
            "",
            "4\r\nab",
            "zz\r\n",
            "1\r\nab\r\n0\r\n\r\n",
            "0\r\nno trailer\r\n",
        ] {
            assert_eq!(read(broken.as_bytes(), 3), None, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), step in 1_usize..9) {
            let _ = read(&bytes, step);
        }
    }
}
