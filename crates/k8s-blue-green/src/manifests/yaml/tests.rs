//! Documents as Kubernetes reads them, and what is wrong with others.

use super::*;
use proptest::prelude::{any, proptest};
use serde_json::json;

fn read(source: &str) -> Vec<(u64, Value)> {
    let read = documents(source.as_bytes()).unwrap_or_else(|fault| panic!("{fault:?}"));
    read.into_iter()
        .map(|document| (document.line, document.value))
        .collect()
}

#[test]
fn documents_know_their_lines_and_empty_ones_are_left_out() {
    let source = "# first\n---\na: 1\n---\n---\n# nothing\n---\nb: |\n  --- x\n  y\n...\n---\nnull\n";
    assert_eq!(
        read(source),
        [(3, json!({"a": 1})), (8, json!({"b": "--- x\ny\n"}))]
    );
    assert_eq!(read(""), []);
    assert_eq!(
        read("{\"a\": 1}\n{\"b\": \"\\/\"}\n"),
        [(1, json!({"a": 1})), (2, json!({"b": "/"}))]
    );
    assert_eq!(
        read("{a: 1, b: [on]}\n---\nc: 2"),
        [(1, json!({"a": 1, "b": [true]})), (3, json!({"c": 2}))]
    );
}

#[test]
fn scalars_keys_and_aliases_are_those_of_kubernetes() {
    let source = "m: {on: 1, 5: 2, \"off\": 3, x: &x {mode: 0644, s: '0644', t: \"on\", u: !!str 12}}\n\
                  q: {<<: *x, mode: 07}\np: *x\nt: !!str on\nbig: 9007199254740993\nd: |\n  on\ne: 1__0\nf: 0899\ng: y\n";
    let x = json!({"mode": 420, "s": "0644", "t": "on", "u": "12"});
    let expected = json!({
        "m": {"true": 1, "5": 2, "off": 3, "x": x}, "q": {"mode": 7, "s": "0644", "t": "on", "u": "12"}, "p": x,
        "t": "on", "big": 9007199254740993_u64, "d": "on\n", "e": "1__0", "f": 899, "g": true,
    });
    assert_eq!(read(source), [(1, expected)]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (source, line, words) in [
        (
            "a: 1\n---\nb: 1\nb: 2\n",
            4,
            "the key `b` stands here a second time",
        ),
        ("on: 1\ny: 2\n", 2, "the key `true` stands here a second time"),
        ("a: .inf\n", 1, "`.inf` has no value in JSON"),
        ("a: 1\nb: 99999999999999999999\n", 2, "more than 64 bits"),
        ("1.5: x\n", 1, "the key `1.5` is no text"),
        ("a: 1\nimage: {{ .Values.image }}\n", 2, "not rendered"),
        ("{{- if .Values.x }}\na: 1\n", 1, "not rendered"),
        ("a: *x\n", 1, "no anchor"),
    ] {
        let fault = documents(source.as_bytes()).unwrap_err();
        assert!(fault.reason.contains(words), "{source}: {fault:?}");
        assert_eq!(fault.line, line, "{source}: {fault:?}");
    }
    assert_eq!(documents(b"a: 1\nb: \xff").unwrap_err().line, 2);
}

#[test]
fn hostile_files_end_early() {
    let laughs: String = (1..30).fold("a0: &a0 [lol, lol]\n".to_owned(), |text, n| {
        let before = n - 1;
        text + &format!("a{n}: &a{n} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
    });
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let braces = "{\"a\":".repeat(100_000);
    let many = format!("a: [{}]\n", "1,".repeat(500_000));
    let documents_of = "a: 1\n---\n".repeat(5_000);
    for source in [laughs, deep, braces, many, documents_of] {
        let fault = documents(source.as_bytes()).unwrap_err();
        assert!(
            fault.reason.len() < 500 && !fault.reason.contains('\n'),
            "{fault:?}"
        );
    }
    assert!(
        documents(&vec![b'a'; LARGEST + 1])
            .unwrap_err()
            .reason
            .contains("8 MiB")
    );
}

#[test]
fn what_is_deep_but_allowed_is_read() {
    let deep: String = (0..46).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert_eq!(read(&deep).len(), 1);
}

proptest! {
    #[test]
    fn nothing_panics(bytes in any::<Vec<u8>>(), text in "[a-c0-2yn:\\-\\[\\]{}&*<|>'\"#~! \n\t.]{0,80}") {
        let _ = documents(&bytes);
        let _ = documents(text.as_bytes());
    }
}
