//! Frames of SPDY/3.1, as far as port-forward has them: streams with headers, data, pings.
//!
//! By [its draft](https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/).

use super::inflate::{Inflate, stored};

/// Bytes of one frame at most.
const LARGEST: usize = 4 * 1024 * 1024;
const FIN: u8 = 1;

/// A frame that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Open {
        stream: u32,
        headers: Vec<(String, String)>,
    },
    Data {
        stream: u32,
        bytes: Vec<u8>,
        last: bool,
    },
    Reset(u32),
    Ping(Vec<u8>),
    GoAway,
    Other,
}

/// Reads frames out of bytes that come in pieces, and writes them.
pub(super) struct Codec {
    bytes: Vec<u8>,
    headers: Inflate,
    has_replied: bool,
}

impl Codec {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            headers: Inflate::new(),
            has_replied: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame; an error for what is none.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, ()> {
        let Some(head) = self.bytes.first_chunk::<8>().copied() else {
            return Ok(None);
        };
        let length = usize::from(head[5]) << 16 | usize::from(head[6]) << 8 | usize::from(head[7]);
        if length > LARGEST {
            return Err(());
        }
        if self.bytes.len() < 8 + length {
            return Ok(None);
        }
        let payload: Vec<u8> = self.bytes.drain(..8 + length).skip(8).collect();
        if head[0] & 0x80 == 0 {
            let stream = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            return Ok(Some(Frame::Data {
                stream,
                bytes: payload,
                last: head[4] & FIN != 0,
            }));
        }
        let stream = || number(&payload).ok_or(());
        Ok(Some(match u16::from_be_bytes([head[2], head[3]]) {
            1 => Frame::Open {
                stream: stream()?,
                headers: self.read_headers(payload.get(10..).ok_or(())?).ok_or(())?,
            },
            3 => Frame::Reset(stream()?),
            6 => Frame::Ping(payload),
            7 => Frame::GoAway,
            _ => Frame::Other,
        }))
    }

    /// The answer to a stream that was opened: no headers.
    pub(super) fn reply(&mut self, stream: u32) -> Vec<u8> {
        let headers = stored(&0_u32.to_be_bytes(), !self.has_replied);
        self.has_replied = true;
        let mut payload = stream.to_be_bytes().to_vec();
        payload.extend_from_slice(&headers);
        control(2, &payload)
    }

    fn read_headers(&mut self, packed: &[u8]) -> Option<Vec<(String, String)>> {
        let mut plain = self.headers.next(packed)?;
        let count = take_number(&mut plain)?;
        let mut headers = Vec::new();
        for _ in 0..count.min(64) {
            headers.push((take_text(&mut plain)?, take_text(&mut plain)?));
        }
        Some(headers)
    }
}

/// A data frame.
pub(super) fn data(stream: u32, bytes: &[u8], last: bool) -> Vec<u8> {
    let mut frame = stream.to_be_bytes().to_vec();
    frame.push(if last { FIN } else { 0 });
    frame.extend_from_slice(&length(bytes));
    frame.extend_from_slice(bytes);
    frame
}

/// The answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    control(6, payload)
}

fn control(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80, 3, 0, kind, 0];
    frame.extend_from_slice(&length(payload));
    frame.extend_from_slice(payload);
    frame
}

fn length(bytes: &[u8]) -> [u8; 3] {
    let [_, high, middle, low] = u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    [high, middle, low]
}

fn number(bytes: &[u8]) -> Option<u32> {
    let four = bytes.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*four) & 0x7fff_ffff)
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let found = number(bytes)?;
    *bytes = bytes.get(4..)?;
    Some(found)
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let text = String::from_utf8_lossy(bytes.get(..length)?).into_owned();
    *bytes = bytes.get(length..)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_are_read_in_whatever_pieces_they_come() {
        let mut plain = 1_u32.to_be_bytes().to_vec();
        for text in ["port", "80"] {
            plain.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        let mut payload = 1_u32.to_be_bytes().to_vec();
        payload.extend_from_slice(&[0; 6]);
        payload.extend_from_slice(&stored(&plain, true));
        let mut bytes = control(1, &payload);
        bytes.extend_from_slice(&data(1, b"hello", true));
        let mut codec = Codec::new();
        let mut frames = Vec::new();
        for byte in bytes {
            codec.push(&[byte]);
            frames.extend(codec.next().unwrap());
        }
        assert_eq!(
            frames,
            [
                Frame::Open {
                    stream: 1,
                    headers: vec![("port".to_owned(), "80".to_owned())]
                },
                Frame::Data {
                    stream: 1,
                    bytes: b"hello".to_vec(),
                    last: true
                },
            ]
        );
    }

    proptest! {
        #[test]
        fn foreign_bytes_do_not_panic(bytes: Vec<u8>) {
            let mut codec = Codec::new();
            codec.push(&bytes);
            while let Ok(Some(_)) = codec.next() {}
        }
    }
}
