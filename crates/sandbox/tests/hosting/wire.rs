//! Over sockets: signed writes, faults of connections, visitors by name, other services.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use sandbox::stand_ins::aws::{Clock, Distribution, Fault, Hosting, Object, Turn};

use crate::client::signed;

/// Sends a request and reads until the connection closes.
fn exchange(hosting: &Hosting, head: &str, body: &[u8]) -> Result<String, std::io::Error> {
    let address = hosting.url();
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap())?;
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn s3(hosting: &Hosting, line: &str, body: &[u8]) -> Result<String, std::io::Error> {
    let request = signed(hosting, "s3", line, &[], body);
    let headers: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    exchange(hosting, &format!("{line} HTTP/1.1\r\n{headers}"), body)
}

#[test]
fn bodies_go_in_and_come_back() {
    let hosting = Hosting::open(Clock::manual()).unwrap();
    hosting.stock(|stock| stock.s3.create("site"));
    let body = "x".repeat(300_000);
    let put = s3(&hosting, "PUT /site/k", body.as_bytes()).unwrap();
    assert!(put.starts_with("HTTP/1.1 200"), "{put}");
    let got = s3(&hosting, "GET /site/k", b"").unwrap();
    assert!(got.ends_with(&body));
    let entry = &hosting.calls("PutObject k")[0];
    assert_eq!((entry.size, entry.status, entry.begun), (300_000, 200, 0));
    assert_eq!(hosting.calls("GetObject")[0].begun, 1);
}

#[test]
fn connections_break_as_they_are_asked_to() {
    let hosting = Hosting::open(Clock::manual()).unwrap();
    hosting.stock(|stock| stock.s3.put("site", "k", Object::new("0123456789")));
    hosting.fault("GetObject", Turn::Nth(1), Fault::Reset);
    hosting.fault("GetObject", Turn::Nth(2), Fault::Cut(4));
    let reset = s3(&hosting, "GET /site/k", b"").unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    let cut = s3(&hosting, "GET /site/k", b"").unwrap();
    assert!(
        cut.contains("content-length: 10\r\n") && cut.ends_with("\r\n\r\n0123"),
        "{cut}"
    );
    assert!(s3(&hosting, "GET /site/k", b"").unwrap().ends_with("0123456789"));
}

#[test]
fn visitors_come_by_name_and_other_services_are_there_too() {
    let hosting = Hosting::open(Clock::manual()).unwrap();
    hosting.stock(|stock| {
        stock.s3.put("site", "index.html", Object::new("page"));
        let distribution = Distribution::of("site").root("index.html");
        stock.cloudfront.add(distribution.alias("www.example.com"))
    });
    let visit = |path: &str| {
        exchange(
            &hosting,
            &format!("GET {path} HTTP/1.1\r\nhost: www.example.com:80\r\n"),
            b"",
        )
        .unwrap()
    };
    assert!(visit("/").contains("x-cache: Miss from cloudfront") && visit("/").ends_with("\r\n\r\npage"));
    assert!(visit("/").contains("x-cache: Hit from cloudfront"));
    assert!(visit("/none").starts_with("HTTP/1.1 404"));
    assert_eq!(hosting.log(), []);
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
    let kind = "content-type: application/x-www-form-urlencoded";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\n{kind}\r\ncontent-length: {}\r\n",
        form.len()
    );
    let sts = exchange(&hosting, &head, form.as_bytes()).unwrap();
    assert!(sts.contains("https://sts.amazonaws.com/doc/2011-06-15/"), "{sts}");
    assert_eq!(hosting.cloud().log().len(), 1);
}
