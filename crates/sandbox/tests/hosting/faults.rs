//! Faults strike the calls that a selector means; others act beside calls; the log has the order.

use std::time::Duration;

use sandbox::stand_ins::aws::{End, Fault, Heard, Object, Refusal, Turn};

use crate::client::{hosting, s3, signed};

#[test]
fn faults_strike_by_operation_and_key() {
    let hosting = hosting();
    hosting.fault("PutObject assets/*", Turn::Nth(2), Fault::Denied);
    hosting.fault("GetObject", Turn::Every, Fault::Throttled);
    let put = |key: &str| s3(&hosting, &format!("PUT /site/{key}"), &[], b"x").status;
    assert_eq!(
        [
            put("assets/a"),
            put("index.html"),
            put("assets/b"),
            put("assets/b")
        ],
        [200, 200, 403, 200]
    );
    assert_eq!(
        s3(&hosting, "GET /site/index.html", &[], b"").refusal(),
        (503, "SlowDown")
    );
    hosting.heal();
    assert_eq!(s3(&hosting, "GET /site/index.html", &[], b"").status, 200);
    hosting.fault("s3:writes", Turn::EveryNth(2), Fault::Internal);
    hosting.forget();
    assert_eq!([put("a"), put("b"), put("c"), put("d")], [200, 500, 200, 500]);
    let lines: Vec<String> = hosting
        .calls("PutObject *")
        .iter()
        .map(|entry| entry.line())
        .collect();
    assert_eq!(
        lines,
        ["PutObject a", "PutObject b", "PutObject c", "PutObject d"]
    );
}

#[test]
fn a_broken_connection_comes_before_or_after_it_is_done() {
    let hosting = hosting();
    for (fault, expected, done, end) in [
        (Fault::Reset, Heard::Reset, false, End::Reset),
        (Fault::Hang, Heard::Silence, false, End::Hung),
        (Fault::Lost, Heard::Reset, true, End::Lost),
        (Fault::Cut(1), Heard::Reset, true, End::Done),
    ] {
        hosting.stock(|stock| stock.s3.remove("site", "k"));
        hosting.heal();
        hosting.fault("PutObject", Turn::Every, fault.clone());
        let heard = hosting.hear(&signed(&hosting, "s3", "PUT /site/k", &[], b"x"));
        assert_eq!(heard, expected, "{fault:?}");
        let there = hosting.stock(|stock| stock.s3.object("site", "k").is_some());
        assert_eq!(
            (there, &hosting.log().last().unwrap().end),
            (done, &end),
            "{fault:?}"
        );
    }
    hosting.heal();
    hosting.settings(|settings| settings.latency = Duration::from_millis(30));
    hosting.fault("PutObject", Turn::Every, Fault::Slow(Duration::from_secs(1)));
    let answer = s3(&hosting, "PUT /site/k", &[], b"x");
    assert_eq!((answer.status, answer.delay), (200, Duration::from_millis(1030)));
}

#[test]
fn an_error_may_come_with_status_200_or_for_one_key_of_a_batch() {
    let hosting = hosting();
    hosting.stock(|stock| {
        for key in ["k", "old/a", "old/b", "new"] {
            stock.s3.put("site", key, Object::new(key));
        }
    });
    let late = Refusal::new("InternalError", "We encountered an internal error.").status(200);
    hosting.fault("CopyObject", Turn::Nth(1), Fault::Refused(late));
    let source = [("x-amz-copy-source", "site/k")];
    let answer = s3(&hosting, "PUT /site/copy", &source, b"");
    assert_eq!(
        (answer.refusal(), answer.body.contains("<Error>")),
        ((200, "InternalError"), true)
    );
    assert_eq!(hosting.log()[0].end, End::Refused("InternalError".to_owned()));
    hosting.fault("DeleteObjects old/a", Turn::Every, Fault::Denied);
    let items = "<Object><Key>old/a</Key></Object><Object><Key>old/b</Key></Object>";
    let body = format!("<Delete>{items}</Delete>");
    let md5 = [("content-md5", "RITDCgmIrI3gAWW7kfFkrA==")];
    let answer = s3(&hosting, "POST /site?delete", &md5, body.as_bytes());
    assert_eq!(
        (answer.status, answer.elements("Code")),
        (200, vec!["AccessDenied"]),
        "{}",
        answer.body
    );
    assert_eq!(
        hosting.stock(|stock| stock.s3.keys("site")),
        ["k", "new", "old/a"]
    );
    assert_eq!(hosting.log()[1].keys, ["old/a", "old/b"]);
}

#[test]
fn somebody_else_acts_right_before_and_right_after_a_call() {
    let hosting = hosting();
    hosting.before("PutObject k", 2, |stock| {
        stock.s3.put("site", "k", Object::new("theirs"));
    });
    hosting.after("GetObject", 1, |stock| {
        stock.s3.remove("site", "k");
    });
    let once = [("if-none-match", "*")];
    assert_eq!(s3(&hosting, "PUT /site/other", &once, b"x").status, 200);
    assert_eq!(s3(&hosting, "PUT /site/k", &[], b"mine").status, 200);
    hosting.stock(|stock| stock.s3.remove("site", "k"));
    assert_eq!(s3(&hosting, "PUT /site/k", &once, b"mine").status, 412);
    assert_eq!(s3(&hosting, "GET /site/k", &[], b"").body, "theirs");
    assert_eq!(s3(&hosting, "GET /site/k", &[], b"").status, 404);
}

#[test]
fn a_store_has_a_pace() {
    let hosting = hosting();
    hosting.settings(|settings| settings.rate = Some(2));
    let put = || s3(&hosting, "PUT /site/k", &[], b"x").status;
    assert_eq!([put(), put(), put()], [200, 200, 503]);
    hosting.skip(Duration::from_secs(1));
    assert_eq!(put(), 200);
}
