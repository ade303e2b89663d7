//! Redis: up, behind a password, loading, full, down; as `redis-cli` sees it.

use std::net::TcpStream;

use sandbox::peers::{Place, Redis};

use crate::gate::{Gate, check, check_as, wait, wait_tcp};

const PASSWORD: &str = "open-sesame";

fn look(redis: &Redis) -> Gate {
    check(&["--redis", &redis.address().to_string()])
}

#[test]
fn one_that_is_up_answers_ping() {
    let place = Place::new().unwrap();
    let redis = Redis::start(&place, &[]).unwrap();
    assert_eq!(redis.cli(&["ping"]).unwrap(), "PONG");
    look(&redis).ends(0);
    wait_tcp(redis.address())
        .with(&["--send", "PING\\r\\n", "--expect-body", "^\\+PONG"])
        .passes();
    // It has no password, and says so to one who has.
    look(&redis)
        .with(&["--password-env", "PASSWORD"])
        .env("PASSWORD", PASSWORD)
        .ends(3)
        .says(&["without any password"])
        .hides(PASSWORD);
}

#[test]
fn one_with_a_password_refuses_and_takes_it() {
    let place = Place::new().unwrap();
    let settings = [
        "requirepass open-sesame",
        "user probe on >its-own-sesame -@all +ping",
    ];
    let redis = Redis::start(&place, &settings).unwrap();
    let address = redis.address();
    let with = |password: &str| {
        look(&redis)
            .with(&["--password-env", "PASSWORD"])
            .env("PASSWORD", password)
    };

    let refused = redis.cli(&["ping"]).unwrap();
    assert!(refused.starts_with("NOAUTH"), "{refused}");
    look(&redis).ends(3).says(&["NOAUTH"]);
    check_as(&format!("{{ redis: \"{address}\", allow_noauth: true }}")).ends(0);

    let taken = redis.cli(&["--no-auth-warning", "-a", PASSWORD, "ping"]);
    assert_eq!(taken.unwrap(), "PONG");
    let seen = with(PASSWORD).ends(0).hides(PASSWORD);
    assert_eq!(seen.lines("::add-mask::open-sesame"), 1);

    let wrong = redis.cli(&["--no-auth-warning", "-a", "open-barley", "ping"]);
    assert!(wrong.unwrap().contains("NOAUTH"));
    with("open-barley")
        .ends(3)
        .says(&["WRONGPASS"])
        .hides("open-barley");
    // A wrong password is never good, not even where none is.
    check_as(&format!(
        "{{ redis: \"{address}\", password_env: PASSWORD, allow_noauth: true }}"
    ))
    .env("PASSWORD", "open-barley")
    .ends(3)
    .says(&["WRONGPASS"]);

    check_as(&format!(
        "{{ redis: \"{address}\", user_env: USER_NAME, password_env: PASSWORD }}"
    ))
    .env("USER_NAME", "probe")
    .env("PASSWORD", "its-own-sesame")
    .ends(0)
    .hides("its-own-sesame");
}

#[test]
fn one_that_loads_is_waited_for() {
    let place = Place::new().unwrap();
    let redis = Redis::start_loading(&place).unwrap();
    let answer = redis.cli(&["ping"]).unwrap();
    assert!(answer.starts_with("LOADING"), "{answer}");
    // Why an open port says little about a store.
    wait_tcp(redis.address()).passes();
    look(&redis).ends(3).says(&["LOADING"]);
    let address = redis.address().to_string();
    let mut waiting = wait(&["--redis", &address, "--timeout", "60s"]).start();
    waiting.wait_for("LOADING");
    // The rest comes at once.
    assert_eq!(
        redis.cli(&["config", "set", "key-load-delay", "0"]).unwrap(),
        "OK"
    );
    waiting.ends(0);
    assert_eq!(redis.cli(&["ping"]).unwrap(), "PONG");
}

#[test]
fn one_without_room_says_so() {
    let place = Place::new().unwrap();
    let redis = Redis::start(&place, &["maxclients 1"]).unwrap();
    let held = TcpStream::connect(redis.address()).unwrap();
    look(&redis).ends(3).says(&["max number of clients reached"]);
    drop(held);
    wait(&["--redis", &redis.address().to_string()]).passes();
}

#[test]
fn one_that_is_down_refuses_connections() {
    let place = Place::new().unwrap();
    let redis = Redis::start(&place, &[]).unwrap();
    let (address, look) = (redis.address(), look(&redis));
    drop(redis);
    wait_tcp(address).fails().says(&["connection refused"]);
    look.ends(3).says(&["connection refused"]);
}
