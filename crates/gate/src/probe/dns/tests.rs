//! The probe against name servers of its own.

use std::cell::RefCell;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, TXT};
use hickory_resolver::proto::rr::{RData, Record};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// A name server on one port for UDP and TCP, and what it was asked over.
struct Server {
    udp: UdpSocket,
    tcp: TcpListener,
    asked: RefCell<Vec<&'static str>>,
}

/// What a name server answers to everything.
#[derive(Clone)]
enum Reply {
    Records(Vec<RData>),
    Code(ResponseCode),
    /// Over UDP only that there is more.
    OverTcp(Vec<RData>),
    Nothing,
    Garbage,
}

impl Server {
    async fn start() -> Self {
        loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            // The port may be taken for TCP.
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                let asked = RefCell::default();
                return Self { udp, tcp, asked };
            }
        }
    }

    fn resolver(&self) -> Resolver {
        self.udp.local_addr().unwrap().to_string().parse().unwrap()
    }

    /// Answers until it is dropped.
    async fn serve(&self, reply: Reply) {
        let mut buffer = [0; 4096];
        loop {
            tokio::select! {
                Ok((length, from)) = self.udp.recv_from(&mut buffer) => {
                    self.asked.borrow_mut().push("udp");
                    if let Some(answer) = answer(&buffer[..length], &reply, true) {
                        self.udp.send_to(&answer, from).await.unwrap();
                    }
                }
                Ok((mut stream, _)) = self.tcp.accept() => {
                    self.asked.borrow_mut().push("tcp");
                    let length = stream.read_u16().await.unwrap();
                    let mut question = vec![0; length.into()];
                    stream.read_exact(&mut question).await.unwrap();
                    if let Some(answer) = answer(&question, &reply, false) {
                        stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                        stream.write_all(&answer).await.unwrap();
                    }
                }
            }
        }
    }
}

fn answer(question: &[u8], reply: &Reply, udp: bool) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).unwrap();
    let name = question.queries[0].name().clone();
    let mut answer = question.into_response();
    match reply {
        Reply::Nothing => return None,
        Reply::Garbage => return Some(vec![0xff; 40]),
        Reply::Code(code) => answer.metadata.response_code = *code,
        Reply::OverTcp(_) if udp => answer.metadata.truncation = true,
        Reply::Records(records) | Reply::OverTcp(records) => {
            for data in records {
                answer.add_answer(Record::from_rdata(name.clone(), 60, data.clone()));
            }
        }
    }
    Some(answer.to_vec().unwrap())
}

fn a(last: u8) -> RData {
    RData::A(A::new(192, 0, 2, last))
}

/// Looks at a name as some name servers see it.
async fn looked(
    change: impl FnOnce(Dns) -> Dns,
    limit: Duration,
    replies: &[Reply],
) -> (Look, Vec<String>, Vec<Vec<&'static str>>) {
    let mut servers = Vec::new();
    for _ in replies {
        servers.push(Server::start().await);
    }
    let resolvers: Vec<Resolver> = servers.iter().map(Server::resolver).collect();
    let dns = change(Dns::new("example.com", Kind::A).unwrap())
        .resolvers(&resolvers)
        .unwrap();
    let serve = join_all(
        servers
            .iter()
            .zip(replies)
            .map(|(server, reply)| server.serve(reply.clone())),
    );
    let look = tokio::select! {
        look = dns.look(limit) => look,
        _ = serve => unreachable!(),
    };
    let asked = servers.iter().map(|server| server.asked.take()).collect();
    (
        look,
        resolvers.iter().map(|resolver| resolver.shown()).collect(),
        asked,
    )
}

#[tokio::test]
async fn records_are_compared_as_a_set() {
    let change = |dns: Dns| {
        dns.equals(&["192.0.2.2".to_owned(), "192.0.2.1".to_owned()])
            .unwrap()
            .at_least(2)
    };
    let (look, ..) = looked(change, LIMIT, &[Reply::Records(vec![a(1), a(2)])]).await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(look.excerpt.as_deref(), Some("`192.0.2.1`, `192.0.2.2`"));
    assert!(look.phases.dns.is_some());
    let (look, at, _) = looked(change, LIMIT, &[Reply::Records(vec![a(1)])]).await;
    assert_eq!(
        look.finding,
        Finding::bad(
            crate::finding::FaultKind::Name,
            format!(
                "expected `192.0.2.1`, `192.0.2.2`: {} answered `192.0.2.1`",
                at[0]
            )
        )
    );
}

#[tokio::test]
async fn every_resolver_is_asked_and_named() {
    let same = Reply::Records(vec![a(1)]);
    let (look, _, asked) = looked(|dns| dns, LIMIT, &[same.clone(), same.clone()]).await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(asked, [["udp"], ["udp"]]);
    let (look, at, _) = looked(|dns| dns, LIMIT, &[same.clone(), Reply::Records(vec![a(2)])]).await;
    assert_eq!(
        look.finding.text(),
        format!(
            "the resolvers do not agree: {} answered `192.0.2.1`; {} answered `192.0.2.2`",
            at[0], at[1]
        )
    );
    let (look, at, _) = looked(|dns| dns, LIMIT, &[same, Reply::Code(ResponseCode::NXDomain)]).await;
    assert_eq!(
        look.finding.text(),
        format!(
            "{} answered `192.0.2.1`; {} knows no such name (NXDOMAIN)",
            at[0], at[1]
        )
    );
}

#[tokio::test]
async fn each_kind_of_no_answer_is_told_apart() {
    for (reply, reason) in [
        (
            Reply::Code(ResponseCode::NXDomain),
            "knows no such name (NXDOMAIN)",
        ),
        (
            Reply::Code(ResponseCode::NoError),
            "knows no A records of the name",
        ),
        (
            Reply::Code(ResponseCode::ServFail),
            "could not find out (SERVFAIL)",
        ),
        (Reply::Code(ResponseCode::Refused), "refused to answer (REFUSED)"),
        (
            Reply::Records(vec![RData::TXT(TXT::new(vec!["x".to_owned()]))]),
            "knows no A records of the name",
        ),
    ] {
        let (look, at, asked) = looked(|dns| dns, LIMIT, &[reply]).await;
        assert_eq!(look.finding.text(), format!("{} {reason}", at[0]));
        assert!(asked[0].len() <= 4, "{asked:?}");
    }
}

#[tokio::test]
async fn one_that_stays_silent_or_talks_nonsense_is_not_waited_for() {
    let limit = Duration::from_millis(200);
    for reply in [Reply::Nothing, Reply::Garbage] {
        let (look, at, _) = looked(|dns| dns, limit, &[reply]).await;
        assert_eq!(look.finding.text(), format!("{} did not answer in time", at[0]));
        assert!(look.phases.dns.unwrap() <= limit);
    }
}

#[tokio::test]
async fn what_does_not_fit_is_asked_for_over_tcp() {
    let many: Vec<RData> = (0..200).map(a).collect();
    let (look, _, asked) = looked(|dns| dns.at_least(200), LIMIT, &[Reply::OverTcp(many)]).await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(asked, [["udp", "tcp"]]);
}

#[tokio::test]
async fn nothing_is_kept_between_looks() {
    let server = Server::start().await;
    let dns = Dns::new("example.com", Kind::A).unwrap();
    let dns = dns.resolvers(&[server.resolver()]).unwrap();
    for reply in [Reply::Records(vec![a(1)]), Reply::Records(vec![a(2)])] {
        let Reply::Records(records) = &reply else {
            unreachable!()
        };
        let expected = dns.kind.value(&records[0]).unwrap();
        tokio::select! {
            look = dns.look(LIMIT) => assert_eq!(look.excerpt, Some(format!("`{expected}`"))),
            () = server.serve(reply.clone()) => unreachable!(),
        }
    }
}

#[tokio::test]
async fn an_alias_alone_is_no_address() {
    let alias = RData::CNAME(CNAME(Name::from_ascii("example.com.").unwrap()));
    let (look, ..) = looked(|dns| dns, LIMIT, &[Reply::Records(vec![alias])]).await;
    assert!(!look.finding.is_good(), "{look:?}");
}

#[test]
fn resolvers_are_addresses() {
    for (written, shown) in [
        ("10.0.0.2", "10.0.0.2"),
        (" 10.0.0.2:53 ", "10.0.0.2"),
        ("10.0.0.2:5353", "10.0.0.2:5353"),
        ("::1", "::1"),
        ("[::1]:5353", "[::1]:5353"),
    ] {
        assert_eq!(written.parse::<Resolver>().unwrap().shown(), shown);
    }
    for written in ["", "dns.example.com", "10.0.0.2:0", "10.0.0.2:x", "[::1]"] {
        assert!(written.parse::<Resolver>().is_err(), "{written}");
    }
    let many = vec!["10.0.0.2".parse().unwrap(); RESOLVERS + 1];
    let dns = Dns::new("example.com", Kind::Txt).unwrap();
    assert_eq!(dns.target(), "dns example.com TXT");
    assert!(dns.resolvers(&many).is_err());
}
