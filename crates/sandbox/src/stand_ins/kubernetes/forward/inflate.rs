//! The compressed headers of SPDY: one stream of zlib with a dictionary that is agreed on, over all frames of a connection.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Names that come in headers, each with its length before it when they are packed; `_` stands for a space.
const NAMES: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow \
                     authorization cache-control connection content-base content-encoding content-language content-length \
                     content-location content-md5 content-range content-type date etag expect expires from host if-match \
                     if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
                     proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
                     user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
                     keep-alive origin";
/// What else does.
const VALUES: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative \
                      Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 \
                      Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec \
                      00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, \
                      GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
                      text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
/// All headers of one connection, which holds thousands of streams.
const ROOM: usize = 1024 * 1024;

/// Unpacks headers.
pub(super) struct Inflate {
    core: Box<DecompressorOxide>,
    /// The dictionary, and all that was unpacked after it.
    out: Vec<u8>,
    at: usize,
    begun: bool,
}

impl Inflate {
    pub(super) fn new() -> Self {
        let mut out = dictionary();
        let at = out.len();
        out.resize(at + ROOM, 0);
        Self {
            core: Box::default(),
            out,
            at,
            begun: false,
        }
    }

    /// What the next piece unpacks to; none where it is damaged or too much.
    pub(super) fn next(&mut self, mut packed: &[u8]) -> Option<&[u8]> {
        if !self.begun {
            self.begun = true;
            // The head of the stream, and the sum of the dictionary where it says that there is one.
            let has_dictionary = packed.get(1)? & 0x20 != 0;
            packed = packed.get(if has_dictionary { 6 } else { 2 }..)?;
        }
        let from = self.at;
        while !packed.is_empty() {
            let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let (status, read, written) = decompress(&mut self.core, packed, &mut self.out, self.at, flags);
            self.at += written;
            packed = packed.get(read..)?;
            match status {
                TINFLStatus::NeedsMoreInput => break,
                TINFLStatus::Done => return None,
                TINFLStatus::HasMoreOutput if self.at >= self.out.len() => return None,
                status if (status as i32) < 0 => return None,
                _ => {}
            }
        }
        self.out.get(from..self.at)
    }
}

/// A piece of a stream of zlib that is not compressed at all; the first one has the head of the stream before it.
pub(super) fn stored(plain: &[u8], first: bool) -> Vec<u8> {
    let mut packed = if first { vec![0x78, 0x01] } else { Vec::new() };
    let length = u16::try_from(plain.len()).unwrap_or(u16::MAX);
    packed.push(0);
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&(!length).to_le_bytes());
    packed.extend_from_slice(&plain[..usize::from(length)]);
    // An empty piece says that what came before it is to be read now.
    packed.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
    packed
}

fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in NAMES.split(' ') {
        let name = name.replace('_', " ");
        bytes.extend_from_slice(&u32::try_from(name.len()).unwrap_or_default().to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.extend_from_slice(VALUES.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_that_of_spdy() {
        let (mut a, mut b) = (1_u32, 0_u32);
        for byte in dictionary() {
            a = (a + u32::from(byte)) % 65521;
            b = (b + a) % 65521;
        }
        assert_eq!((b << 16) | a, 0xe3c6_a7c2);
    }

    #[test]
    fn pieces_of_one_stream_are_unpacked_in_turn() {
        let mut inflate = Inflate::new();
        assert_eq!(inflate.next(&stored(b"abc", true)), Some(&b"abc"[..]));
        assert_eq!(inflate.next(&stored(b"de", false)), Some(&b"de"[..]));
        assert_eq!(inflate.next(&[0xff; 8]), None);
    }
}
