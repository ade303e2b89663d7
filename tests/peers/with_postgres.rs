//! PostgreSQL: up, starting, without room, over TLS, down; each time with the answer of `pg_isready`.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Place, Postgres};

use crate::gate::{Finished, check, check_as, wait, wait_tcp};

/// Asks `pg_isready`, which must say this (0 accepting, 1 rejecting, 2 no answer), and the gate, which must say the same.
#[track_caller]
fn both_say(postgres: &Postgres, code: i32) -> Finished {
    let (said, line) = postgres.is_ready().unwrap();
    assert_eq!(said, Some(code), "{line}");
    let exit = if code == 0 { 0 } else { 3 };
    check(&["--postgres", &postgres.address().to_string()]).ends(exit)
}

/// A gate file's target with more keys.
fn target(postgres: &Postgres, keys: &str) -> String {
    format!("{{ postgres: \"{}\", {keys} }}", postgres.address())
}

#[test]
fn one_that_is_up_accepts_connections() {
    let place = Place::new().unwrap();
    let postgres = Postgres::start(&place, &[]).unwrap();
    both_say(&postgres, 0);
    assert_eq!(postgres.query("select 6 * 7").unwrap(), "42");
    wait_tcp(postgres.address()).passes();
    // Nobody has to exist for it: what is asked is the server.
    check_as(&target(&postgres, "user: nobody, database: nothing")).ends(0);
    check_as(&target(&postgres, "room: true")).ends(0);
    check_as(&target(&postgres, "tls: require"))
        .ends(3)
        .says(&["does not offer TLS"]);
}

#[test]
fn one_that_starts_is_waited_for() {
    let place = Place::new().unwrap();
    let postgres = Postgres::start_starting(&place).unwrap();
    both_say(&postgres, 1).says(&["57P03"]);
    // Why an open port says little about a database.
    wait_tcp(postgres.address()).passes();
    let address = postgres.address().to_string();
    let mut waiting = wait(&["--postgres", &address, "--timeout", "60s"]).start();
    waiting.wait_for("57P03");
    postgres.promote().unwrap();
    waiting.ends(0);
    both_say(&postgres, 0);
}

#[test]
fn one_without_room_is_ready_to_pg_isready() {
    let place = Place::new().unwrap();
    let settings = [("max_connections", "2"), ("superuser_reserved_connections", "0")];
    let postgres = Postgres::start(&place, &settings).unwrap();
    let held = [postgres.hold().unwrap(), postgres.hold().unwrap()];
    let refused = postgres.query("select 1").unwrap_err().to_string();
    assert!(refused.contains("too many clients already"), "{refused}");
    both_say(&postgres, 0);
    check_as(&target(&postgres, "room: true"))
        .ends(3)
        .says(&["too many clients already", "53300"]);
    drop(held);
    wait(&["--postgres", &postgres.address().to_string()]).passes();
}

#[test]
fn over_tls_its_certificate_counts_where_that_is_asked_for() {
    let place = Place::new().unwrap();
    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(&place).unwrap();
    // A key that others can read is refused.
    let key = place.path().join("key.pem");
    set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let file = place.path().join("cert.pem");
    let (file, key) = (file.display().to_string(), key.display().to_string());
    let settings = [
        ("ssl", "on"),
        ("ssl_cert_file", file.as_str()),
        ("ssl_key_file", &key),
    ];
    let postgres = Postgres::start(&place, &settings).unwrap();
    let mine = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    assert_eq!(postgres.query(mine).unwrap(), "t");
    both_say(&postgres, 0);
    // Encrypted, whoever it is: as libpq's `require`.
    check_as(&target(&postgres, "tls: require")).ends(0);
    check_as(&target(&postgres, "tls: disable")).ends(0);
    check_as(&target(&postgres, "tls: verify-full"))
        .trusting(certificate.authority())
        .ends(0);
    let other = Certificate::self_signed().unwrap();
    check_as(&target(&postgres, "tls: verify-full"))
        .trusting(other.authority())
        .ends(3)
        .says(&["TLS failed", "UnknownIssuer"]);
}

#[test]
fn one_that_is_down_does_not_answer() {
    let place = Place::new().unwrap();
    let mut postgres = Postgres::start(&place, &[]).unwrap();
    postgres.stop().unwrap();
    both_say(&postgres, 2).says(&["connection refused"]);
}
