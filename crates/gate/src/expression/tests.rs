use super::*;
use proptest::prelude::{any, proptest};
use serde_json::json;

fn program(written: &str) -> Expression {
    let variables = [("sha", json!("4f2a")), ("limit", json!(3))];
    Expression::new(written, &variables).unwrap()
}

#[test]
fn a_condition_that_assigns_is_refused() {
    let error = Expression::condition(".status = \"ok\"", &[])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "`.status = \"ok\"` is no condition: `=` at column 9 assigns; write `==` to compare"
    );
    assert!(Expression::condition(".status == \"ok\"", &[]).is_ok());
    assert!(
        Expression::new(".status = \"ok\"", &[]).is_ok(),
        "a value may be made so"
    );
}

#[test]
fn holds_only_where_every_output_is_true() {
    let page = json!({
        "status": "ok", "commit": "4f2a", "n": 3, "none": null, "version": "v1.10.2",
        "checks": [{"name": "db", "up": true}, {"name": "queue", "up": true}],
    });
    for (written, holds) in [
        (".status == \"ok\"", Ok(true)),
        (".commit == $sha and .n <= $limit", Ok(true)),
        (".n", Ok(false)),
        (".status", Ok(false)),
        (".none", Ok(false)),
        (".checks[].up", Ok(true)),
        (".checks[] | .up, .name == \"db\"", Ok(false)),
        ("all(.checks[]; .up)", Ok(true)),
        (".version | test(\"^v1\\\\.\\\\d+\\\\.\\\\d+$\")", Ok(true)),
        (
            ".version | capture(\"v(?<major>[0-9]+)\") | .major | tonumber == 1",
            Ok(true),
        ),
        (
            ".version | [match(\"[0-9]+\"; \"g\") | .offset] == [1, 3, 6]",
            Ok(true),
        ),
        (
            ".version | test(\"^V\"; null) or split(\"[V.]\"; \"i\") == [\"\",\"1\",\"10\",\"2\"]",
            Ok(true),
        ),
        (".version | gsub(\"[.]\"; \"-\") == \"v1-10-2\"", Ok(true)),
        (
            "[range(3)] == [0,1,2] and ([range(0;6;2)] | length) == 3",
            Ok(true),
        ),
        (
            "[limit(2; repeat(1))] == [1,1] and (1 | until(. > 100; . * 2)) == 128",
            Ok(true),
        ),
        ("[.. | strings] | length == 5", Ok(true)),
        ("[recurse | strings] | length == 5", Ok(true)),
        (
            "pow(2; 10) == 1024 and (9 | sqrt) == 3 and (-2 | abs) == 2 and (2.7 | floor) == 2",
            Ok(true),
        ),
        ("(.status | length) as $l | $l == 2", Ok(true)),
        ("[1,2] | (first == 1) and (@json == \"[1,2]\")", Ok(true)),
        (".checks[] | select(.up | not) | false", Err("gives no output")),
        (".status.x", Err("cannot index")),
        ("error(\"\\u001b[31mno\\nmore\")", Err("\\u001b[31mno\\nmore")),
        ("range(20000) | true", Err("more than 10000 outputs")),
        (".version | test(\"(\")", Err("invalid regular expression")),
    ] {
        match (program(written).holds(&page), holds) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{written}"),
            (Err(Unjudged::Failed(reason)), Err(part)) => {
                assert!(reason.contains(part) && !reason.contains('\n'), "{reason}");
            }
            (found, _) => panic!("{written}: {found:?}"),
        }
    }
}

#[test]
fn gives_numbers_and_values() {
    for (written, input, number) in [
        (".a", json!({"a": 1.5}), Ok(Some(1.5))),
        (".a", json!({}), Ok(None)),
        (".[]", json!([]), Ok(None)),
        (".a", json!({"a": "1"}), Err("gives `\"1\"`, expected a number")),
        (".a | tonumber", json!({"a": "1e3"}), Ok(Some(1000.0))),
        (".a", json!({"a": u64::MAX}), Ok(Some(u64::MAX as f64))),
        (
            ".a * .a",
            json!({"a": u64::MAX}),
            Ok(Some((u64::MAX as f64).powi(2))),
        ),
        ("nan", json!(null), Ok(None)),
        (
            "[.[].n] | add / length",
            json!([{"n": 1}, {"n": 2}]),
            Ok(Some(1.5)),
        ),
    ] {
        match (program(written).number(&input), number) {
            (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{written}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{written}: {found:?}"),
        }
    }
    assert_eq!(
        program("{b: [.a], n: 1e400}").value(&json!({"a": "x"})),
        Ok(Some(json!({"b": ["x"], "n": null})))
    );
}

#[test]
fn what_is_no_expression_says_where() {
    for (written, reason) in [
        ("", "expected term, found the end"),
        (".a ==", "expected term, found the end"),
        (".a | | .b", "expected term, found `|` (column 6)"),
        (".a == \"x", "expected closing quote, found"),
        (".[\"ä\"] == § 1", "(column 11)"),
        (".a\n | (.b", "closing parenthesis"),
        (".a == $shaa", "there is no variable `$shaa` (column 7)"),
        (
            ".a ==\n nope(1; 2)",
            "there is no filter `nope` of 2 arguments (line 2, column 2)",
        ),
        ("def f: f; f", "definitions are not taken (column 1)"),
        (
            "\"\\([def f: 1 + f; f])\"",
            "definitions are not taken (column 5)",
        ),
        ("include \"x\"; .", "modules are not taken"),
        ("input", "there is no filter `input`"),
        ("env.HOME", "there is no filter `env`"),
        ("$ENV.HOME", "there is no variable `$ENV`"),
        ("now", "there is no filter `now`"),
        ("halt", "there is no filter `halt`"),
        ("halt_error", "there is no filter `halt_error`"),
        ("debug", "there is no filter `debug`"),
        ("stderr", "there is no filter `stderr`"),
        ("input_filename", "there is no filter"),
        ("@base64d", "`@base64d`"),
    ] {
        let error = Expression::new(written, &[("sha", json!(""))])
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason) && !error.contains('\n'), "{error}");
    }
    let long = format!("{}.", " ".repeat(LONGEST));
    assert!(
        long.parse::<Expression>()
            .unwrap_err()
            .to_string()
            .contains("16385 bytes")
    );
}

#[test]
fn a_deep_program_is_read_on_a_deep_stack() {
    let depth = LONGEST / 2 - 1;
    let written = format!("{}.{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(program(&written).holds(&json!(true)), Ok(true));
}

#[test]
fn loops_end_by_themselves() {
    for written in [
        "repeat(empty)",
        "last(repeat(1))",
        "[range(1e12)] | length",
        "until(false; [.])",
        "[recurse([.])] | length",
        "last(while(true; .))",
    ] {
        let error = program(written).holds(&json!(null)).unwrap_err().to_string();
        let bounds = [
            "over 1000000 rounds of its loops",
            "took longer than 1s",
            "it makes more than 64 MiB of values",
            "nested too deep",
        ];
        assert!(bounds.iter().any(|bound| error.contains(bound)), "{error}");
    }
}

#[test]
fn a_program_that_is_late_again_and_again_is_not_run_any_more() {
    let expression = program("[.[] as $a | .[] as $b | .[] as $c | .[] as $d | select($a == 2)] | length");
    let input = json!((0..300).map(|_| 1).collect::<Vec<_>>());
    let late = expression.holds(&input).unwrap_err();
    assert!(
        matches!(&late, Unjudged::Late(why) if why.contains("took longer than 1s")),
        "{late}"
    );
    assert!(!Trouble::from(late).lasts());
    // Runs in time end the row; what they give does not matter.
    expression.late.store(PATIENCE - 1, Ordering::Relaxed);
    assert_eq!(expression.holds(&json!([])), Ok(false));
    expression.late.store(PATIENCE - 1, Ordering::Relaxed);
    assert!(matches!(expression.holds(&json!(1)), Err(Unjudged::Failed(_))));
    assert_eq!(expression.late.load(Ordering::Relaxed), 0);
    expression.late.store(PATIENCE - 1, Ordering::Relaxed);
    let error = expression.holds(&input).unwrap_err();
    assert!(
        matches!(&error, Unjudged::Endless(why) if why.contains("does not end within 1s, 3 times in a row")),
        "{error}"
    );
    assert!(Trouble::from(error.clone()).lasts());
    let again = std::time::Instant::now();
    // A value on which it would end at once: it is not even tried, nor is its copy.
    assert_eq!(expression.clone().holds(&json!([])), Err(error));
    assert!(again.elapsed() < LIMIT / 2);
}

/// A page that tempts a harmless program.
fn greedy_page() -> Value {
    json!({
        "a": "xxxxxxxxxx", "b": 100_000_000_000_u64, "n": 60, "errors": "e".repeat(500_000), "total": 7,
        "list": vec![1; 50_000], "same": "a".repeat(400_000), "part": format!("{}b", "a".repeat(100_000)),
    })
}

/// Programs whose results are as large as a number of the page says, or far larger than the page.
const GREEDY: [(&str, &str); 28] = [
    (".a * .b < 100", "a text can't be multiplied"),
    (".b * .a < 100", "a text can't be multiplied"),
    (".errors * 100 / .total < 1", "a text can't be multiplied"),
    (".a *= .b | .a < 1", "a text can't be multiplied"),
    (
        "(\"x\" * 100000000000) | length > 1",
        "a text can't be multiplied",
    ),
    ("[limit(.b; repeat(.a))] | length > 1", "64 MiB"),
    ("reduce range(.n) as $i (\"x\"; . + .) | length > 1", "64 MiB"),
    ("reduce range(.n) as $i (\"x\"; . += .) | length > 1", "64 MiB"),
    (
        "reduce range(.n) as $i (\"x\"; \"\\(.)\\(.)\") | length > 1",
        "64 MiB",
    ),
    ("reduce range(.n) as $i ([1]; . + .) | length > 1", "64 MiB"),
    ("reduce range(.n) as $i ([1]; [.[], .[]]) | length > 1", "64 MiB"),
    (
        "reduce range(.n) as $i ([1]; .[] |= (., .)) | length > 1",
        "64 MiB",
    ),
    (
        "reduce range(.n) as $i (1; [., .]) | tojson | length > 1",
        "64 MiB",
    ),
    ("reduce range(.n) as $i (1; {a: ., b: .}) | .c.d == 1", "64 MiB"),
    (
        "reduce range(.n) as $i ({}; .a = . | .b = .) | length > 1",
        "64 MiB",
    ),
    (
        "reduce range(.n) as $i ({a: {}}; {a: .} * {b: .}) | length > 1",
        "64 MiB",
    ),
    (
        "reduce range(.n) as $i (10; . * .) > 1",
        "a whole number gets too large",
    ),
    ("reduce range(.b) as $i (1; [[[[.]]]]) | length > 1", "64 MiB"),
    ("[.list[] as $x | [.list[] | tojson]] | length > 1", "64 MiB"),
    ("[foreach .list[] as $x (\"\"; . + \"x\")] | length > 1", "64 MiB"),
    ("[.list | recurse(.[1:]; length > 0)] | length > 1", "64 MiB"),
    ("[range(.b)]? // true", "rounds of its loops"),
    (
        "[.errors, .same, .errors, .same | explode] | length > 1",
        "64 MiB",
    ),
    ("[.errors | match(\".\"; \"g\")] | length > 1", "64 MiB"),
    ("[.list[] as $x | .list[] as $y | 1]? // true", "64 MiB"),
    (
        ". as $page | .same | indices($page.part) | length > 1",
        "it compares too much",
    ),
    (
        ". as $page | .list | contains($page.list)",
        "it compares too much",
    ),
    (
        ". as $page | .list[$page.list] | length > 1",
        "a list of 50000 can't be an index",
    ),
];

#[test]
fn a_run_that_nobody_waits_for_ends_at_its_next_step() {
    let over = AtomicBool::new(true);
    for (written, _) in GREEDY {
        let found = program(written).program.run(&greedy_page(), 1, &over);
        assert!(found.is_err(), "{written}: {found:?}");
    }
    for written in ["[.[] as $a | .[] as $b | 1] | length", "first(.[]?) // true"] {
        let found = program(written).program.run(&json!(vec![1; 100_000]), 1, &over);
        assert_eq!(found, Err("it takes too long".to_owned()), "{written}");
    }
}

#[test]
fn large_pages_are_within_the_bounds() {
    let items = |n: u32| (0..n).map(|n| json!({"name": format!("service {n}"), "state": "up", "n": n}));
    let page = json!({"items": items(5_000).collect::<Vec<_>>()});
    for written in [
        "[.items[] | select(.state == \"up\")] | length == 5000",
        "all(.items[]; .n >= 0)",
        "[.items[].name] | join(\",\") | length > 50000",
        "[.items[] | \"\\(.name): \\(.state)\"] | add | length > 50000",
        "reduce .items[] as $item ({}; .[$item.state] += 1) | .up == 5000",
        ".items | group_by(.state) | map({(.[0].state): length}) | add == {\"up\": 5000}",
        "[.items[].n] | add / length > 2000 and (sort | .[0] == 0)",
        "tojson | contains(\"service 4999\")",
        "[.. | strings] | length == 10000",
        ".items |= map(del(.name)) | .items[0] == {state: \"up\", n: 0}",
        "[paths(type == \"string\")] | length == 10000",
        ".items | map(.name | test(\"^service [0-9]+$\")) | all",
    ] {
        let over = AtomicBool::new(false);
        let found = program(written).program.run(&page, 2, &over);
        assert_eq!(found, Ok(vec![json!(true)]), "{written}");
    }
    let dense = json!(vec![1; 500_000]);
    for written in [
        "[.[] | select(. > 0)] | length == 500000",
        "add == 500000",
        "tojson | length > 1000000",
    ] {
        let found = program(written).program.run(&dense, 2, &AtomicBool::new(false));
        assert_eq!(found, Ok(vec![json!(true)]), "{written}");
    }
}

#[test]
fn hostile_values_only_fail() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    for (written, reason) in GREEDY {
        match program(written).holds(&greedy_page()) {
            Err(Unjudged::Failed(error)) => {
                assert!(error.contains(reason) && error.len() < 600, "{written}: {error}");
            }
            // A slow machine comes to the other bound first.
            found => assert!(matches!(found, Err(Unjudged::Late(_))), "{written}: {found:?}"),
        }
    }
    for written in [
        ".x | fromjson",
        ".x | tonumber",
        ".x | test(\"(a+)+$\")",
        "[.. | fromjson?] | length == 0",
    ] {
        let found = program(written).holds(&json!({"x": deep}));
        assert!(
            !matches!(found, Ok(true) | Err(Unjudged::Endless(_))) || written.contains('?'),
            "{found:?}"
        );
    }
    let nested = (0..120).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(program("[.. | numbers] == [1]").holds(&nested), Ok(true));
    let error = program("[[[[[[[[[[.]]]]]]]]]]")
        .value(&nested)
        .unwrap_err()
        .to_string();
    assert!(error.contains("nested too deep"), "{error}");
    let digits = json!({"x": "9".repeat(100_000)});
    assert_eq!(program(".x | tonumber").number(&digits).ok().flatten(), None);
    let wide = json!(vec![0; 200_000]);
    assert!(
        program(".")
            .value(&wide)
            .unwrap_err()
            .to_string()
            .contains("too large")
    );
    assert_eq!(program("length").number(&wide), Ok(Some(200_000.0)));
}

proptest! {
    #[test]
    fn no_text_panics(written in "[-.|()\\[\\]{}\"$a-c0-9 ,:;=<>+*/?@\\\\]{0,24}", input in any::<String>()) {
        if let Ok(expression) = written.parse::<Expression>() {
            let shown = match expression.holds(&json!({"a": input, "b": [1, null]})) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            assert!(!shown.contains('\n'), "{shown}");
        }
    }
}
