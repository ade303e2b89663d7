use super::*;
use proptest::prelude::{any, proptest};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// A self-signed certificate for these names, valid in 2026.
fn der(common: &str, names: Vec<String>) -> Vec<u8> {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 12, 31);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn at(written: &str) -> i64 {
    format!("{written}T12:00:00Z")
        .parse::<Timestamp>()
        .unwrap()
        .as_second()
}

fn certificate(subject: &str, not_before: &str, not_after: &str) -> Certificate {
    Certificate {
        subject: subject.to_owned(),
        issuer: "Some CA".to_owned(),
        self_signed: false,
        not_before: at(not_before),
        not_after: at(not_after),
        names: vec!["a.example".to_owned()],
        more: 0,
    }
}

fn chain(seen: &str) -> Chain {
    chain_at(at(seen))
}

fn chain_at(seen: i64) -> Chain {
    Chain {
        certificates: vec![
            certificate("a.example", "2026-10-01", "2026-12-01"),
            certificate("Some CA", "2026-01-01", "2026-11-20"),
        ],
        seen,
    }
}

#[test]
fn reads_dates_and_names() {
    let der = der(
        "x",
        vec![
            "a.example".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
            "*.b.example".to_owned(),
        ],
    );
    let chain = Chain::read(&[der.as_slice(), b"no certificate"], at("2026-12-30")).unwrap();
    let leaf = chain.leaf().unwrap();
    assert_eq!(leaf.hosts(), "`a.example`, `127.0.0.1`, `::1` and 1 more");
    assert_eq!(
        (date(leaf.not_before), date(leaf.not_after)),
        ("2026-01-01".to_owned(), "2026-12-31".to_owned())
    );
    assert!(leaf.self_signed && leaf.subject == "x");
    assert_eq!(chain.days_left(), Some(0));
    assert_eq!(
        chain.summary().unwrap(),
        "certificate for `a.example`, `127.0.0.1`, `::1` and 1 more, signed by `x`, until 2026-12-31, 0 days left"
    );
}

#[test]
fn a_thousand_names_are_one_short_line() {
    let names = (0..1000).map(|number| format!("host-{number}.example")).collect();
    let chain = Chain::read(&[der("x\n::error::", names)], at("2026-06-01")).unwrap();
    let refused = chain.refused(&CertificateError::NotValidForName, "elsewhere.example");
    assert_eq!(
        refused,
        "the certificate is for `host-0.example`, `host-1.example`, `host-2.example` and 997 more, not for `elsewhere.example`"
    );
    assert!(!chain.summary().unwrap().contains('\n'));
}

#[test]
fn the_first_end_in_the_chain_counts() {
    for (seen, left) in [
        ("2026-11-01", 19),
        ("2026-11-19", 1),
        ("2026-11-20", 0),
        ("2026-11-21", -1),
        ("2026-11-25", -5),
    ] {
        assert_eq!(chain(seen).days_left(), Some(left), "{seen}");
    }
    let ended = at("2026-11-20");
    for (since, left) in [(0, 0), (1, -1), (DAY - 1, -1), (DAY + 3600, -1), (2 * DAY, -2)] {
        assert_eq!(
            chain_at(ended + since).days_left(),
            Some(left),
            "{since} s after its end"
        );
    }
    assert_eq!(chain("2026-11-01").too_few_days(19), None);
    for (seen, reason) in [
        (
            "2026-11-19",
            "the chain's certificate of `Some CA` ends in 1 day, on 2026-11-20; at least 14 days are expected",
        ),
        (
            "2026-11-22",
            "the chain's certificate of `Some CA` ended on 2026-11-20, 2 days ago; at least 14 days are expected",
        ),
    ] {
        assert_eq!(chain(seen).too_few_days(14).as_deref(), Some(reason));
    }
}

#[test]
fn what_is_refused_has_its_words() {
    let refused = |seen: &str, error: CertificateError| chain(seen).refused(&error, "b.example");
    for (seen, error, words) in [
        (
            "2026-12-03",
            CertificateError::Expired,
            "the certificate ended on 2026-12-01, 2 days ago",
        ),
        (
            "2026-11-23",
            CertificateError::Expired,
            "the chain's certificate of `Some CA` ended on 2026-11-20, 3 days ago",
        ),
        (
            "2026-09-01",
            CertificateError::NotValidYet,
            "the certificate is not valid before 2026-10-01",
        ),
        (
            "2026-11-01",
            CertificateError::UnknownIssuer,
            "the certificate's authority is not trusted (UnknownIssuer): `Some CA`",
        ),
        (
            "2026-11-01",
            CertificateError::NotValidForName,
            "the certificate is for `a.example`, not for `b.example`",
        ),
    ] {
        assert_eq!(refused(seen, error), words);
    }
    let an_hour_late = Chain {
        seen: at("2026-12-01") + 3600,
        ..chain("2026-12-01")
    };
    assert_eq!(
        an_hour_late.refused(&CertificateError::Expired, "a.example"),
        "the certificate ended on 2026-12-01, less than a day ago"
    );
}

#[test]
fn a_certificate_without_end_has_a_day() {
    assert_eq!(date(253_402_300_799), "9999-12-30");
    assert!(date(i64::MIN).starts_with("-9999-"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>(), seen in any::<i64>()) {
        assert!(Chain::read(&[bytes], seen).is_none());
    }

    #[test]
    fn no_damage_panics(at in 0usize..400, with in any::<u8>(), seen in any::<i64>(), wanted in any::<i64>()) {
        thread_local! {
            static GOOD: Vec<u8> = der("x", vec!["a.example".to_owned()]);
        }
        let mut bytes = GOOD.with(Clone::clone);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = with;
        }
        if let Some(chain) = Chain::read(&[bytes], seen) {
            for error in [CertificateError::Expired, CertificateError::UnknownIssuer, CertificateError::NotValidForName] {
                assert!(!chain.refused(&error, "\n").contains('\n'));
            }
            assert!(!chain.summary().unwrap().contains('\n'));
            let _ = chain.too_few_days(wanted);
        }
    }
}
