//! Names, kinds and values of DNS records, each value in one form so that it can be compared. Pure.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hickory_resolver::proto::rr::{Name, RData, RecordType};

use gha::text;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// The name that this one is an alias of.
    Cname,
    /// Texts; the parts of one record are joined.
    Txt,
    /// Services: `priority weight port target` (RFC 2782).
    Srv,
    /// Mail exchanges: `preference exchange`.
    Mx,
    /// Name servers.
    Ns,
}

/// What is written is no question to DNS, or no value that could be its answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DnsError {
    /// Not a name.
    #[error("`{0}` is no host name; write for example `example.com`")]
    Name(String),
    /// A name that no resolver is asked for.
    #[error("`{0}` is never asked of a resolver (RFC 6761); name one that is in DNS")]
    Special(String),
    /// Not a kind.
    #[error("`{0}` is no kind of record; there are `A`, `AAAA`, `CNAME`, `TXT`, `SRV`, `MX` and `NS`")]
    Kind(String),
    /// Not a value of the kind.
    #[error("`{value}` is no value of {kind} records; write for example `{example}`")]
    Value {
        /// The text.
        value: String,
        /// The kind.
        kind: Kind,
        /// A value of the kind.
        example: &'static str,
    },
    /// Not a resolver.
    #[error("`{0}` is no address of a resolver; write for example `10.0.0.2`, `10.0.0.2:5353` or `[::1]:53`")]
    Resolver(String),
    /// Too many resolvers.
    #[error("{0} resolvers are more than the {max} that are asked", max = super::RESOLVERS)]
    Resolvers(usize),
}

impl Kind {
    /// All of them, with the names that DNS has for them.
    const ALL: [(&'static str, Self); 7] = [
        ("A", Self::A),
        ("AAAA", Self::Aaaa),
        ("CNAME", Self::Cname),
        ("TXT", Self::Txt),
        ("SRV", Self::Srv),
        ("MX", Self::Mx),
        ("NS", Self::Ns),
    ];

    /// The same for the resolver.
    pub(super) fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Cname => RecordType::CNAME,
            Self::Txt => RecordType::TXT,
            Self::Srv => RecordType::SRV,
            Self::Mx => RecordType::MX,
            Self::Ns => RecordType::NS,
        }
    }

    /// A written value in the form that [`Kind::value`] gives.
    ///
    /// # Errors
    /// When no record of this kind can have it.
    pub(super) fn written(self, value: &str) -> Result<String, DnsError> {
        let fields: Vec<&str> = value.split_whitespace().collect();
        let found = match (self, &fields[..]) {
            (Self::Txt, _) => Some(value.to_owned()),
            (Self::A, [address]) => address
                .parse::<Ipv4Addr>()
                .ok()
                .map(|address| address.to_string()),
            (Self::Aaaa, [address]) => address
                .parse::<Ipv6Addr>()
                .ok()
                .map(|address| address.to_string()),
            (Self::Cname | Self::Ns, [name]) => target(name),
            (Self::Mx, [preference, name]) => numbered(&[preference], name),
            (Self::Srv, [priority, weight, port, name]) => numbered(&[priority, weight, port], name),
            _ => None,
        };
        found.ok_or_else(|| DnsError::Value {
            value: inert(value),
            kind: self,
            example: match self {
                Self::A => "192.0.2.1",
                Self::Aaaa => "2001:db8::1",
                Self::Cname | Self::Ns => "ns1.example.com",
                Self::Txt => "v=spf1 -all",
                Self::Srv => "10 5 443 a.example.com",
                Self::Mx => "10 mail.example.com",
            },
        })
    }

    /// The value of a record, if it is of this kind. Foreign text.
    pub(super) fn value(self, data: &RData) -> Option<String> {
        Some(match (self, data) {
            (Self::A, RData::A(address)) => address.to_string(),
            (Self::Aaaa, RData::AAAA(address)) => address.to_string(),
            (Self::Cname, RData::CNAME(name)) => shown(name),
            (Self::Ns, RData::NS(name)) => shown(name),
            (Self::Mx, RData::MX(mx)) => format!("{} {}", mx.preference, shown(&mx.exchange)),
            (Self::Srv, RData::SRV(srv)) => {
                let target = shown(&srv.target);
                format!("{} {} {} {target}", srv.priority, srv.weight, srv.port)
            }
            (Self::Txt, RData::TXT(txt)) => String::from_utf8_lossy(&txt.txt_data.concat()).into_owned(),
            _ => return None,
        })
    }
}

/// Reads the name that is asked for. One that ends in a dot is whole; another may be completed by the search list of the
/// system's resolver.
///
/// # Errors
/// When it is no name, or one that is never asked of a resolver.
pub(super) fn asked(written: &str) -> Result<Name, DnsError> {
    let refuse = || DnsError::Name(inert(written));
    let trimmed = written.trim();
    if trimmed == "." || trimmed.parse::<Ipv4Addr>().is_ok() {
        return Err(refuse());
    }
    let name = name(trimmed).ok_or_else(refuse)?;
    let last = name.iter().next_back().unwrap_or_default();
    let special = [&b"localhost"[..], b"invalid", b"onion"];
    if special.iter().any(|special| last.eq_ignore_ascii_case(special)) {
        return Err(DnsError::Special(inert(written)));
    }
    Ok(name)
}

/// A name of letters, digits, `-` and `_`, also beyond ASCII (IDNA).
fn name(written: &str) -> Option<Name> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !written.chars().all(plain) {
        return None;
    }
    Name::from_utf8(written).ok().filter(|name| name.num_labels() > 0)
}

/// A name as a value; `.` is none at all (RFC 7505, RFC 2782).
fn target(written: &str) -> Option<String> {
    if written == "." {
        return Some(written.to_owned());
    }
    name(written).map(|name| shown(&name))
}

fn numbered(numbers: &[&str], name: &str) -> Option<String> {
    let mut fields = Vec::new();
    for number in numbers {
        fields.push(number.parse::<u16>().ok()?.to_string());
    }
    fields.push(target(name)?);
    Some(fields.join(" "))
}

/// A name in lower case without its last dot. What is no letter in it is escaped.
fn shown(name: &Name) -> String {
    let ascii = name.to_ascii().to_ascii_lowercase();
    match ascii.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => ascii,
    }
}

pub(super) fn inert(written: &str) -> String {
    text::cut(&text::visible(written), 100)
}

impl FromStr for Kind {
    type Err = DnsError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let mut kinds = Self::ALL.iter();
        let found = kinds.find(|(name, _)| name.eq_ignore_ascii_case(written.trim()));
        found
            .map(|(_, kind)| *kind)
            .ok_or_else(|| DnsError::Kind(inert(written)))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, kind)| kind == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, SRV, TXT};
    use proptest::prelude::{any, proptest};

    #[test]
    fn names_are_read_and_what_is_none_is_refused() {
        for (written, whole, ascii) in [
            ("example.com", false, "example.com"),
            ("Example.com.", true, "example.com"),
            ("_sip._tcp.example.com", false, "_sip._tcp.example.com"),
            (" b\u{fc}cher.example ", false, "xn--bcher-kva.example"),
            ("db", false, "db"),
        ] {
            let name = asked(written).unwrap();
            assert_eq!(
                (name.is_fqdn(), shown(&name).as_str()),
                (whole, ascii),
                "{written}"
            );
        }
        let long = "a".repeat(64);
        for written in [
            "",
            ".",
            "a..b",
            "a b",
            "http://example.com",
            "example.com:53",
            "10.0.0.1",
            "::1",
            "a\nb",
            "*.example.com",
            "a\\.b",
            &long,
            &"abc.".repeat(70),
        ] {
            assert!(matches!(asked(written), Err(DnsError::Name(_))), "{written}");
        }
        for written in ["localhost", "a.LOCALHOST.", "x.invalid"] {
            assert!(matches!(asked(written), Err(DnsError::Special(_))), "{written}");
        }
    }

    #[test]
    fn kinds_are_read_as_shown() {
        for (name, kind) in Kind::ALL {
            assert_eq!(name.to_lowercase().parse::<Kind>().unwrap(), kind);
            assert_eq!(kind.to_string(), name);
            assert_eq!(kind.record_type().to_string(), name);
        }
        assert!("ANY".parse::<Kind>().is_err());
    }

    #[test]
    fn a_written_value_has_the_form_of_a_record() {
        let name = |name: &str| Name::from_ascii(name).unwrap();
        let txt = TXT::new(vec!["v=spf1 ".to_owned(), "-all".to_owned()]);
        for (kind, written, data) in [
            (Kind::A, "192.0.2.1", RData::A(A::new(192, 0, 2, 1))),
            (
                Kind::Aaaa,
                "2001:DB8:0::1",
                RData::AAAA("2001:db8::1".parse::<Ipv6Addr>().unwrap().into()),
            ),
            (
                Kind::Cname,
                "a.example.COM",
                RData::CNAME(CNAME(name("A.example.com."))),
            ),
            (Kind::Txt, "v=spf1 -all", RData::TXT(txt)),
            (
                Kind::Mx,
                "10  mail.example.com.",
                RData::MX(MX::new(10, name("mail.example.com."))),
            ),
            (Kind::Mx, "0 .", RData::MX(MX::new(0, name(".")))),
            (
                Kind::Srv,
                "1 2 443 a.example.com",
                RData::SRV(SRV::new(1, 2, 443, name("a.example.com."))),
            ),
        ] {
            assert_eq!(kind.written(written).unwrap(), kind.value(&data).unwrap());
        }
        assert_eq!(Kind::Aaaa.value(&RData::A(A::new(192, 0, 2, 1))), None);
        for (kind, written) in [
            (Kind::A, "::1"),
            (Kind::A, "10.0.0.1 10.0.0.2"),
            (Kind::Aaaa, "10.0.0.1"),
            (Kind::Cname, "a b"),
            (Kind::Mx, "mail.example.com"),
            (Kind::Mx, "70000 mail.example.com"),
            (Kind::Srv, "1 2 a.example.com"),
            (Kind::Ns, ""),
        ] {
            let error = kind.written(written).unwrap_err().to_string();
            assert!(error.contains("write for example"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(written in any::<String>()) {
            let _ = asked(&written);
            for (_, kind) in Kind::ALL {
                if let Ok(value) = kind.written(&written) {
                    assert_eq!(kind.written(&value).unwrap(), value);
                }
            }
        }
    }
}
