//! The start of PostgreSQL's protocol 3.0, as bytes:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>. Pure; messages after the session is ready
//! are not read.

/// Asks whether the server speaks TLS; it answers one byte.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Ends a session that has begun.
pub(super) const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];

/// The longest message that is read, with its kind: libpq's `MAX_ERRLEN` and the byte in front.
pub(super) const MESSAGE_LIMIT: usize = 30_001;

/// The longest request to authenticate that libpq takes.
const AUTHENTICATION_LIMIT: usize = 2000;

/// What the server's next message means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// It asks for a password or another proof.
    Asks,
    /// It lets the user in without (more) proof.
    Admits,
    /// It refuses.
    Refuses(Refusal),
    /// The session has begun.
    Ready,
    /// One that says nothing about being ready: a setting, a notice.
    Other,
}

/// An error of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its SQLSTATE, five characters.
    pub(super) code: String,
    /// Its text. Foreign.
    pub(super) message: String,
}

/// What the bytes hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A message and its length.
    Message(Message, usize),
    /// The beginning of one.
    Partly,
    /// Nothing that PostgreSQL sends here.
    Foreign,
}

/// The message that opens a session.
pub(super) fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut body = vec![0, 3, 0, 0];
    let settings = [
        ("user", user),
        ("database", database),
        ("application_name", "health-gate"),
    ];
    for (name, value) in settings {
        for text in [name, value] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut body);
    message
}

/// Reads the first message. Until the user is let in (`admitted`) only what libpq takes there is one of PostgreSQL's.
pub(super) fn read(bytes: &[u8], admitted: bool) -> Read {
    let Some((&kind, rest)) = bytes.split_first() else {
        return Read::Partly;
    };
    let known = if admitted { &b"RSKNEZv"[..] } else { &b"REv"[..] };
    if !known.contains(&kind) {
        return Read::Foreign;
    }
    let Some((length, rest)) = rest.split_first_chunk() else {
        return Read::Partly;
    };
    let length = u32::from_be_bytes(*length) as usize;
    let valid = match kind {
        b'R' => 8..=AUTHENTICATION_LIMIT,
        b'E' => 8..=MESSAGE_LIMIT - 1,
        _ => 4..=MESSAGE_LIMIT - 1,
    };
    if !valid.contains(&length) {
        return Read::Foreign;
    }
    let Some(body) = rest.get(..length - 4) else {
        return Read::Partly;
    };
    let message = match kind {
        b'R' if body.starts_with(&[0; 4]) => Message::Admits,
        b'R' => Message::Asks,
        b'E' => match refusal(body) {
            Some(refusal) => Message::Refuses(refusal),
            None => return Read::Foreign,
        },
        b'Z' => Message::Ready,
        _ => Message::Other,
    };
    Read::Message(message, length + 1)
}

/// An error's fields: each a letter and a text that ends with NUL. libpq counts one without a SQLSTATE as no answer.
fn refusal(body: &[u8]) -> Option<Refusal> {
    let field = |letter: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        let text = fields.find_map(|field| field.strip_prefix(&[letter]))?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    Some(Refusal {
        code: field(b'C').filter(|code| code.len() == 5)?,
        message: field(b'M').unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    #[test]
    fn a_session_opens_as_the_protocol_says() {
        assert_eq!(
            startup("u", "d"),
            b"\0\0\0\x38\0\x03\0\0user\0u\0database\0d\0application_name\0health-gate\0\0"
        );
    }

    #[test]
    fn messages_are_told_apart() {
        let starting = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0Fpostmaster.c\0\0";
        let refusal = Refusal {
            code: "57P03".to_owned(),
            message: "the database system is starting up".to_owned(),
        };
        for (bytes, admitted, read_as) in [
            (
                message(b'R', &[0, 0, 0, 10, b'S', 0, 0]),
                false,
                Some(Message::Asks),
            ),
            (message(b'R', &[0; 4]), false, Some(Message::Admits)),
            (message(b'E', starting), false, Some(Message::Refuses(refusal))),
            (message(b'v', &[0; 8]), false, Some(Message::Other)),
            (message(b'S', b"TimeZone\0UTC\0"), true, Some(Message::Other)),
            (message(b'Z', b"I"), true, Some(Message::Ready)),
            // What libpq does not take before the user is let in.
            (message(b'Z', b"I"), false, None),
            (message(b'S', b"TimeZone\0UTC\0"), false, None),
            (message(b'R', &[]), false, None),
            (message(b'R', &[1; 2000]), false, None),
            (message(b'E', &[b'x'; 30_000]), false, None),
            // An error as servers before 7.4 sent it, and those that cannot start a process.
            (b"EFATAL: sorry\n\0".to_vec(), false, None),
            (message(b'E', b"SFATAL\0Msorry\0\0"), false, None),
            (message(b'E', b"C57\0Msorry\0\0"), false, None),
            (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), false, None),
        ] {
            let expected = match read_as {
                Some(message) => Read::Message(message, bytes.len()),
                None => Read::Foreign,
            };
            assert_eq!(read(&bytes, admitted), expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>(), admitted in any::<bool>()) {
            if let Read::Message(_, length) = read(&bytes, admitted) {
                assert!((5..=bytes.len()).contains(&length));
            }
        }

        #[test]
        fn part_of_a_message_is_none_yet(body in proptest::collection::vec(any::<u8>(), 4..200), cut in any::<proptest::sample::Index>()) {
            let whole = message(b'R', &body);
            assert_eq!(read(&whole[..cut.index(whole.len())], false), Read::Partly);
        }
    }
}
