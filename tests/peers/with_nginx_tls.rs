//! nginx: what the gate makes of the certificates of a real web server.

use std::net::SocketAddr;

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Nginx, Place};

use crate::gate::{Gate, check, check_as, url, wait_url};

fn site(certificate: &Certificate, server: &str) -> (Nginx, Place) {
    let place = Place::new().unwrap();
    certificate.write(&place).unwrap();
    (Nginx::start_tls(&place, server).unwrap(), place)
}

/// A look at the certificate alone.
fn look(address: SocketAddr, certificate: &Certificate) -> Gate {
    check(&["--tls", &address.to_string()]).trusting(certificate.authority())
}

#[test]
fn one_of_a_named_authority_passes() {
    let certificate = Certificate::signed(Valid::Now).unwrap();
    let (nginx, _place) = site(&certificate, "return 200 \"ready\\n\";");
    let address = nginx.address();
    wait_url(&url("https", address, "/"))
        .trusting(certificate.authority())
        .passes();
    look(address, &certificate).ends(0);
    // It is for `localhost`, not for this.
    check_as(&format!("{{ tls: \"{address}\", server_name: shop.example }}"))
        .trusting(certificate.authority())
        .ends(3)
        .says(&["the certificate is for", "not for `shop.example`"]);
}

#[test]
fn a_self_signed_one_is_refused_where_it_is_not_trusted() {
    let certificate = Certificate::self_signed().unwrap();
    let (nginx, _place) = site(&certificate, "return 200;");
    let other = Certificate::signed(Valid::Now).unwrap();
    wait_url(&url("https", nginx.address(), "/"))
        .trusting(other.authority())
        .fails()
        .says(&["TLS failed", "self-signed"]);
    look(nginx.address(), &other).ends(3).says(&["self-signed"]);
    look(nginx.address(), &certificate).ends(0);
}

#[test]
fn one_out_of_its_time_is_refused_for_that() {
    for (valid, reason) in [
        (Valid::Once, "ended on 2020-01-31"),
        (Valid::Later, "not valid before 4000-01-01"),
    ] {
        let certificate = Certificate::signed(valid).unwrap();
        let (nginx, _place) = site(&certificate, "return 200;");
        wait_url(&url("https", nginx.address(), "/"))
            .trusting(certificate.authority())
            .fails()
            .says(&["TLS failed", reason]);
        look(nginx.address(), &certificate)
            .with(&["--min-days", "14"])
            .ends(3)
            .says(&[reason]);
    }
}

#[test]
fn one_that_ends_soon_passes_until_days_are_asked_for() {
    let certificate = Certificate::signed(Valid::Days(9)).unwrap();
    let (nginx, _place) = site(&certificate, "return 200;");
    let address = nginx.address();
    let https = url("https", address, "/");
    for (days, code) in [("9", 0), ("10", 3)] {
        look(address, &certificate)
            .with(&["--min-days", days])
            .ends(code)
            .says(if code == 0 {
                &[]
            } else {
                &["ends in 9 days", "at least 10 days"]
            });
        check(&["--url", &https, "--min-days", days])
            .trusting(certificate.authority())
            .ends(code);
    }
    look(address, &certificate).ends(0);
    // Who is not trusted has days left all the same.
    let other = Certificate::self_signed().unwrap();
    let seen = look(address, &other)
        .with(&["--min-days", "10"])
        .ends(3)
        .says(&["not trusted"]);
    let target = &seen.report["wait"]["targets"][0];
    assert_eq!(target["days_left"], 9, "{:#}", seen.report);
}

#[test]
fn one_of_an_authority_made_anew_is_refused_for_its_key() {
    let certificate = Certificate::signed(Valid::Now).unwrap();
    let (nginx, _place) = site(&certificate, "return 200;");
    // Of the same name, with another key.
    let old = Certificate::signed(Valid::Now).unwrap();
    look(nginx.address(), &old).ends(3).says(&["signature", "key"]);
}

#[test]
fn a_server_that_wants_the_clients_own_is_good_by_its_certificate_alone() {
    let certificate = Certificate::signed(Valid::Now).unwrap();
    let server = "ssl_verify_client on; ssl_client_certificate cert.pem; return 200;";
    let (nginx, _place) = site(&certificate, server);
    look(nginx.address(), &certificate).ends(0);
    check(&["--url", &url("https", nginx.address(), "/")])
        .trusting(certificate.authority())
        .ends(3)
        .says(&["400"]);
}
