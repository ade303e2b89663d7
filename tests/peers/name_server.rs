//! A name server with one answer, for what two judges make of it. It speaks as
//! [RFC 1035](https://www.rfc-editor.org/rfc/rfc1035#section-4) has it, by UDP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread::{self, JoinHandle};

/// What is answered to every question.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// The name has this address.
    Address(Ipv4Addr),
    /// There is the name, and no record of this kind.
    Nothing,
    /// There is no such name (NXDOMAIN).
    NoName,
    /// It could not find out (SERVFAIL).
    Failed,
}

/// A name server on loopback that answers until it is dropped.
pub(crate) struct NameServer {
    address: SocketAddr,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl NameServer {
    pub(crate) fn start(says: Says) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        Self {
            address,
            thread: Some(thread::spawn(move || serve(&socket, says))),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        // An empty message ends it.
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&[], self.address).unwrap();
        let ended = self.thread.take().unwrap().join();
        assert!(matches!(ended, Ok(Ok(()))), "{ended:?}");
    }
}

fn serve(socket: &UdpSocket, says: Says) -> io::Result<()> {
    let mut question = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut question)?;
        if length == 0 {
            return Ok(());
        }
        socket.send_to(&answer(&question[..length], says), from)?;
    }
}

/// The question's number and itself, then one record at most, whose name points at that of the question.
fn answer(question: &[u8], says: Says) -> Vec<u8> {
    const HEADER: usize = 12;
    let (code, records) = match says {
        Says::Address(_) => (0, 1),
        Says::Nothing => (0, 0),
        Says::NoName => (3, 0),
        Says::Failed => (2, 0),
    };
    let name = question[HEADER..].iter().position(|byte| *byte == 0).unwrap();
    let question_end = HEADER + name + 5;
    let mut answer = question[..2].to_vec();
    // A response of one who may be asked for others; one question, so many answers.
    answer.extend([0x81, 0x80 | code, 0, 1, 0, records, 0, 0, 0, 0]);
    answer.extend(&question[HEADER..question_end]);
    if let Says::Address(address) = says {
        // Type A, class IN, a minute to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    answer
}
