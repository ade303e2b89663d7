//! RESP2, the protocol of Redis (<https://redis.io/docs/latest/develop/reference/protocol-spec/>): a command as bytes, and
//! replies from bytes. Pure.

/// The most that is read of a reply, in bytes.
pub(super) const REPLY_LIMIT: usize = 64 * 1024;

/// How deep arrays may be nested; the replies that are read here need two.
const DEPTH: usize = 4;

/// A reply. Texts are foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+PONG`.
    Status(String),
    /// `-NOAUTH Authentication required.`
    Error(String),
    /// `:1`.
    Integer(i64),
    /// `$4`, or nothing (`$-1`).
    Bulk(Option<String>),
    /// `*2`, or nothing (`*-1`).
    Array(Option<Vec<Self>>),
}

/// What the bytes hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A reply and its length.
    Reply(Reply, usize),
    /// The beginning of one.
    Partly,
    /// Nothing that Redis says.
    Foreign,
}

/// A command and its arguments.
pub(super) fn command(parts: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        bytes.extend_from_slice(format!("${}\r\n{part}\r\n", part.len()).as_bytes());
    }
    bytes
}

/// Reads the first reply.
pub(super) fn read(bytes: &[u8]) -> Read {
    let mut rest = bytes;
    match reply(&mut rest, DEPTH) {
        Ok(reply) => Read::Reply(reply, bytes.len() - rest.len()),
        Err(Stop::Partly) => Read::Partly,
        Err(Stop::Foreign) => Read::Foreign,
    }
}

enum Stop {
    Partly,
    Foreign,
}

fn reply(rest: &mut &[u8], depth: usize) -> Result<Reply, Stop> {
    let kind = *rest.first().ok_or(Stop::Partly)?;
    if !b"+-:$*".contains(&kind) {
        return Err(Stop::Foreign);
    }
    let line = line(rest)?;
    let text = String::from_utf8_lossy(&line[1..]).into_owned();
    Ok(match kind {
        b'+' => Reply::Status(text),
        b'-' => Reply::Error(text),
        b':' => Reply::Integer(number(&text)?),
        b'$' => Reply::Bulk(match length(&text)? {
            Some(length) => Some(bulk(rest, length)?),
            None => None,
        }),
        _ => Reply::Array(match length(&text)? {
            Some(_) if depth == 0 => return Err(Stop::Foreign),
            // Nothing is reserved for what is only announced.
            Some(length) => Some(
                (0..length)
                    .map(|_| reply(rest, depth - 1))
                    .collect::<Result<_, _>>()?,
            ),
            None => None,
        }),
    })
}

/// Takes a line without its end.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Stop> {
    let end = rest
        .windows(2)
        .position(|pair| pair == b"\r\n")
        .ok_or(Stop::Partly)?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    Ok(line)
}

fn bulk(rest: &mut &[u8], length: usize) -> Result<String, Stop> {
    let text = rest.get(..length).ok_or(Stop::Partly)?;
    match rest.get(length..length + 2) {
        Some(b"\r\n") => {
            *rest = &rest[length + 2..];
            Ok(String::from_utf8_lossy(text).into_owned())
        }
        Some(_) => Err(Stop::Foreign),
        None => Err(Stop::Partly),
    }
}

fn number(text: &str) -> Result<i64, Stop> {
    text.parse().map_err(|_| Stop::Foreign)
}

/// A length; -1 is none. One over the limit can't come whole.
fn length(text: &str) -> Result<Option<usize>, Stop> {
    match number(text)? {
        -1 => Ok(None),
        length => usize::try_from(length)
            .ok()
            .filter(|length| *length <= REPLY_LIMIT)
            .map(Some)
            .ok_or(Stop::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn text(text: &str) -> Reply {
        Reply::Bulk(Some(text.to_owned()))
    }

    #[test]
    fn a_command_is_an_array_of_texts() {
        assert_eq!(
            command(&["AUTH", "p\u{e4}"]),
            "*2\r\n$4\r\nAUTH\r\n$3\r\np\u{e4}\r\n".as_bytes()
        );
    }

    #[test]
    fn replies_are_read_whole() {
        for (bytes, reply) in [
            ("+PONG\r\n", Reply::Status("PONG".to_owned())),
            ("-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (":-7\r\n", Reply::Integer(-7)),
            ("$4\r\na\r\nb\r\n", text("a\r\nb")),
            ("$-1\r\n", Reply::Bulk(None)),
            ("*-1\r\n", Reply::Array(None)),
            ("*0\r\n", Reply::Array(Some(vec![]))),
            (
                "*3\r\n$6\r\nmaster\r\n:0\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
                Reply::Array(Some(vec![
                    text("master"),
                    Reply::Integer(0),
                    Reply::Array(Some(vec![Reply::Array(Some(vec![text("a"), text("b")]))])),
                ])),
            ),
        ] {
            assert_eq!(
                read(format!("{bytes}+next").as_bytes()),
                Read::Reply(reply, bytes.len())
            );
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes.as_bytes()[..end]), Read::Partly, "{bytes:?} to {end}");
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_foreign() {
        for bytes in [
            "HTTP/1.1 400",
            ":x\r\n",
            "$-2\r\n",
            "$65537\r\n",
            "*99999999999\r\n",
            "$1\r\nab\r\n",
            "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
            "*2\r\n+a\r\nx",
        ] {
            assert_eq!(read(bytes.as_bytes()), Read::Foreign, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>(), like in "[+\\-:$*0-9a\r\n]{0,60}") {
            for bytes in [&bytes[..], like.as_bytes()] {
                if let Read::Reply(_, length) = read(bytes) {
                    assert!((3..=bytes.len()).contains(&length));
                }
            }
        }
    }
}
