//! Tests of the reading of workflow commands.

use proptest::prelude::*;

use super::*;

fn read(line: &str) -> Vec<Effect> {
    Interpreter::new(false).read(line)
}

fn print(line: &str) -> Vec<Effect> {
    vec![Effect::Print(line.to_owned())]
}

fn issue(level: Level, properties: &[(&str, &str)], message: &str) -> Vec<Effect> {
    let properties = properties
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    vec![Effect::Issue {
        level,
        properties,
        message: message.to_owned(),
    }]
}

#[test]
fn forms() {
    use Level::{Error, Notice, Warning};
    let table = [
        ("::error::boom", issue(Error, &[], "boom")),
        ("  \t::error::boom", issue(Error, &[], "boom")),
        ("::ERROR::boom", issue(Error, &[], "boom")),
        ("::warning title=A%2CB,file=x.rs,endLine=3::m", {
            issue(
                Warning,
                &[("title", "A,B"), ("file", "x.rs"), ("endline", "3")],
                "m",
            )
        }),
        ("::notice file=::m", issue(Notice, &[], "m")),
        ("::error::a%0Ab%25", issue(Error, &[], "a\nb%")),
        ("::error::%250A", issue(Error, &[], "%0A")),
        ("::error title=a::b::c", issue(Error, &[("title", "a")], "b::c")),
        ("text ::error::boom", print("text ::error::boom")),
        ("::nope::boom", print("::nope::boom")),
        ("::error:", print("::error:")),
        ("::::", print("::::")),
        ("text ##[error]boom", issue(Error, &[], "boom")),
        (
            "##[warning title=a;file=b]m%5D%3B",
            issue(Warning, &[("title", "a"), ("file", "b")], "m];"),
        ),
        ("##[nope]boom", print("##[nope]boom")),
        ("::nope ##[error]x", issue(Error, &[], "x")),
        ("::group::Title", print("##[group]Title")),
        ("::endgroup::", print("##[endgroup]")),
        ("::debug::hidden", vec![Effect::Debug("hidden".to_owned())]),
        ("::add-mask::s3cret", vec![Effect::Mask("s3cret".to_owned())]),
        ("plain", print("plain")),
        ("", print("")),
    ];
    for (line, expected) in table {
        assert_eq!(read(line), expected, "{line:?}");
    }
}

#[test]
fn old_and_refused_commands() {
    let fails = |line: &str, part: &str| {
        let effects = read(line);
        let found = effects.iter().any(
            |effect| matches!(effect, Effect::Fail(reasons) if reasons.iter().any(|reason| reason.contains(part))),
        );
        assert!(found, "{line:?} gave {effects:?}");
    };
    fails("::set-env name=A::b", "`set-env` command is disabled");
    fails("::add-path::/x", "`add-path` command is disabled");
    fails("::set-output::x", "'name' is missing");
    fails("::stop-commands::", "endToken");
    fails("::stop-commands::Warning", "endToken");
    fails("::stop-commands::pause-logging", "endToken");
    fails("::echo::maybe", "'maybe'");
    let output = Effect::Output {
        name: "a".to_owned(),
        value: "b".to_owned(),
    };
    let effects = read("::set-output name=a::b");
    assert_eq!(effects[0], output);
    assert!(
        matches!(&effects[1], Effect::Warn(text) if text.contains("deprecated")),
        "{effects:?}"
    );
    assert!(matches!(&read("::add-mask::")[0], Effect::Warn(_)));
}

#[test]
fn stop_and_resume() {
    let mut interpreter = Interpreter::new(false);
    assert_eq!(
        interpreter.read("::stop-commands::t0k3n"),
        print("::stop-commands::t0k3n")
    );
    for line in [
        "::error::no",
        "##[error]no",
        "::stop-commands::other",
        "::other::",
    ] {
        assert_eq!(interpreter.read(line), print(line));
    }
    assert_eq!(
        interpreter.read("::T0K3N::")[0],
        Effect::Print("::T0K3N::".to_owned())
    );
    assert_eq!(interpreter.read("::error::yes"), issue(Level::Error, &[], "yes"));
    assert_eq!(interpreter.read("::t0k3n::"), print("::t0k3n::"));
}

#[test]
fn echo_shows_command_lines() {
    let mut interpreter = Interpreter::new(false);
    assert_eq!(interpreter.read("::echo::on"), []);
    assert_eq!(
        interpreter.read("::group::x"),
        [
            Effect::Print("::group::x".to_owned()),
            Effect::Print("##[group]x".to_owned())
        ]
    );
    assert_eq!(interpreter.read("::add-mask::x"), [Effect::Mask("x".to_owned())]);
}

proptest! {
    #[test]
    fn escaped_messages_come_back(title in "(?s).+", message in "(?s).*") {
        let data = message.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        let property = title
            .replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace(':', "%3A").replace(',', "%2C");
        // The runner trims the list of properties and drops `=` at the start of a value.
        prop_assume!(property.trim() == property && !property.starts_with('='));
        let got = read(&format!("::error title={property}::{data}"));
        prop_assert_eq!(got, issue(Level::Error, &[("title", title.as_str())], &message));
    }

    #[test]
    fn a_line_is_printed_or_obeyed_but_never_lost(line in "[^\\r\\n]*") {
        let effects = read(&line);
        prop_assert!(!effects.is_empty());
    }

    #[test]
    fn a_prefixed_line_without_brackets_is_plain(line in "[^#\\r\\n]*") {
        let line = format!("| {line}");
        prop_assert_eq!(read(&line), print(&line));
    }
}
