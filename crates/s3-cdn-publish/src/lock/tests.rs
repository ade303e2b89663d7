use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn lock(stage: Stage) -> Lock {
    Lock {
        schema: SCHEMA,
        nonce: "n".to_owned(),
        run: "acme/shop:1.1".to_owned(),
        link: Some("https://github.com/acme/shop/actions/runs/1".to_owned()),
        trace: "t".to_owned(),
        command: "publish".to_owned(),
        began: at(0),
        seen: at(0),
        stage,
        release: "R".to_owned(),
        base: None,
        pending: None,
    }
}

#[test]
fn a_lock_is_its_runs_until_it_is_over_or_silent_for_long() {
    for (stage, trace, seconds, holder) in [
        (Stage::Adding, None, 0, Holder::Another),
        (Stage::Adding, None, 119, Holder::Another),
        (Stage::Switching, None, 120, Holder::Nobody),
        (Stage::Left, None, 0, Holder::Nobody),
        (Stage::Left, Some("t"), 0, Holder::Nobody),
        (Stage::Switching, Some("t"), 1, Holder::This),
        (Stage::Switching, Some("u"), 1, Holder::Another),
    ] {
        assert_eq!(
            lock(stage).holder(trace, Duration::from_secs(seconds)),
            holder,
            "{stage:?} {trace:?} {seconds}"
        );
    }
}

#[test]
fn how_old_it_is_the_store_says_and_this_machine_only_where_it_does_not() {
    let one = lock(Stage::Switching);
    for (said, now, age) in [
        (Some(7), 0, 7),
        (Some(7), 600, 7),
        (Some(7), -600, 7),
        (Some(700), 0, 700),
        (None, 119, 119),
        // The clock of who wrote it runs ahead.
        (None, -120, 120),
    ] {
        let said = said.map(Duration::from_secs);
        assert_eq!(one.age(said, at(now)), Duration::from_secs(age), "{said:?} {now}");
    }
}

#[test]
fn what_it_says_is_one_line() {
    let hostile = Lock {
        run: "a\n::error::b".to_owned(),
        ..lock(Stage::Adding)
    };
    assert!(!hostile.whose().contains('\n'));
    assert!(lock(Stage::Adding).whose().contains("runs/1"));
}

#[test]
fn a_newer_one_and_none_are_told_apart() {
    let newer = br#"{"schema":2,"anything":"else"}"#;
    assert_eq!(Lock::read(newer), Err(LockError::Newer(2)));
    for damaged in [&b""[..], b"{}", b"[]", br#"{"schema":1}"#, br#"{"schema":-1}"#] {
        assert!(matches!(Lock::read(damaged), Err(LockError::Damaged(_))));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(text in any::<String>(), items in prop::collection::vec(any::<String>(), 0..5)) {
        let one = Lock {
            release: text.clone(),
            base: Some(text.clone()),
            pending: Some(Pending { distribution: text.clone(), reference: text, items }),
            ..lock(Stage::Switching)
        };
        prop_assert_eq!(Lock::read(&one.bytes().unwrap()), Ok(one));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Lock::read(&bytes);
    }
}
