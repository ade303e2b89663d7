//! One HTTP request without TLS, for what a server is asked or told by a test itself.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any server here takes for an answer.
const LIMIT: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// Asks for a path, by HTTP/1.0, whose answers end with the connection.
///
/// # Errors
/// When there is no answer.
pub fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(address, "GET", path)
}

/// Posts nothing to a path.
///
/// # Errors
/// When there is no answer.
pub fn post(address: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(address, "POST", path)
}

fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("no answer of HTTP"))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: body.to_owned(),
    })
}

/// A value of a query, with everything but letters and digits encoded.
#[must_use]
pub fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Reply, Script, Server};

    #[test]
    fn status_and_body_of_an_answer() {
        let server = Server::start(Script::new().any([Reply::text(503, "not yet")])).unwrap();
        let answer = get(server.address(), "/a?b=c").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "not yet"));
        assert_eq!(parse("nothing of HTTP"), None);
        assert_eq!(encoded("a b&c"), "a%20b%26c");
    }
}
