//! Redis over TLS: whom it is trusted by, its password, and clients without a certificate; as `redis-cli` sees it.

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Place, Redis};

use crate::gate::{Gate, check, check_as, wait_tcp};

const PASSWORD: &str = "open-sesame";
/// As most have it: the server's certificate is checked, and no client needs one.
const ANYBODY: &str = "tls-auth-clients no";

/// A server that has a certificate of an authority of its own.
fn started(place: &Place, settings: &[&str]) -> (Redis, Certificate) {
    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(place).unwrap();
    (Redis::start_tls(place, settings).unwrap(), certificate)
}

fn look(redis: &Redis) -> Gate {
    check(&["--redis", &redis.address().to_string(), "--secure"])
}

#[test]
fn one_of_a_named_authority_answers_ping() {
    let place = Place::new().unwrap();
    let (redis, certificate) = started(&place, &[ANYBODY]);
    assert_eq!(redis.cli(&["ping"]).unwrap(), "PONG");
    look(&redis).trusting(certificate.authority()).ends(0);
    check_as(&format!("{{ redis: \"{}\", tls: true }}", redis.address()))
        .trusting(certificate.authority())
        .ends(0);
}

#[test]
fn one_of_an_unknown_authority_is_refused() {
    let place = Place::new().unwrap();
    let (redis, _) = started(&place, &[ANYBODY, "requirepass open-sesame"]);
    let other = Certificate::self_signed().unwrap();
    look(&redis)
        .trusting(other.authority())
        .with(&["--password-env", "PASSWORD"])
        .env("PASSWORD", PASSWORD)
        .ends(3)
        .says(&["TLS failed", "authority is not trusted"])
        .hides(PASSWORD);
}

#[test]
fn one_out_of_its_time_is_refused_for_that() {
    let place = Place::new().unwrap();
    let certificate = Certificate::signed(Valid::Once).unwrap();
    certificate.write(&place).unwrap();
    let redis = Redis::start_tls(&place, &[ANYBODY]).unwrap();
    look(&redis)
        .trusting(certificate.authority())
        .ends(3)
        .says(&["TLS failed", "the certificate ended on"]);
}

#[test]
fn a_password_goes_over_it() {
    let place = Place::new().unwrap();
    let (redis, certificate) = started(&place, &[ANYBODY, "requirepass open-sesame"]);
    let refused = redis.cli(&["ping"]).unwrap();
    assert!(refused.starts_with("NOAUTH"), "{refused}");
    let taken = redis.cli(&["--no-auth-warning", "-a", PASSWORD, "ping"]);
    assert_eq!(taken.unwrap(), "PONG");

    let look = || look(&redis).trusting(certificate.authority());
    let with = |password| {
        look()
            .with(&["--password-env", "PASSWORD"])
            .env("PASSWORD", password)
    };
    look().ends(3).says(&["NOAUTH"]);
    with(PASSWORD).ends(0).hides(PASSWORD);
    with("open-barley")
        .ends(3)
        .says(&["WRONGPASS"])
        .hides("open-barley");
}

#[test]
fn asked_in_the_wrong_way_it_is_told_why() {
    let (place, plain_place) = (Place::new().unwrap(), Place::new().unwrap());
    let (redis, certificate) = started(&place, &[ANYBODY]);
    wait_tcp(redis.address()).passes();
    // It hangs up without a word.
    check(&["--redis", &redis.address().to_string()])
        .ends(3)
        .says(&["; does it want TLS?"]);

    let plain = Redis::start(&plain_place, &[]).unwrap();
    // It waits for the end of a command, which the greeting of TLS holds by chance alone.
    look(&plain)
        .with(&["--try-timeout", "500ms"])
        .trusting(certificate.authority())
        .ends(3)
        .says(&["TLS failed: ", "speak it at this port"]);
}

#[test]
fn one_that_wants_the_clients_certificate_says_so() {
    let place = Place::new().unwrap();
    let (redis, certificate) = started(&place, &[]);
    let shown = redis.cli(&["--cert", "cert.pem", "--key", "key.pem", "ping"]);
    assert_eq!(shown.unwrap(), "PONG");
    redis.cli(&["ping"]).unwrap_err();
    look(&redis)
        .trusting(certificate.authority())
        .ends(3)
        .says(&["TLS failed: the server demands a client certificate"]);
}
