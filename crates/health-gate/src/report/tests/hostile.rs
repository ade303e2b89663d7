//! Foreign text in names, reasons and answers stays text, wherever it is shown.

use super::super::live;
use super::*;
use gha::mask::Masker;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};

/// Any text, and such as would end what it stands in.
fn foreign() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[\\n\\r\\t ]{1,3}",
        proptest::sample::select(vec![
            "```",
            "````",
            "|",
            "\n```\n",
            "\"",
            "%%{init: {}}%%",
            "]]>",
            "<!--",
            "</testsuite>",
            "</details>",
            "&#0;",
            "#quot;",
            "::error::x",
            "\u{1b}[2J",
            "\u{0}",
            "\u{fffe}",
            "\u{ffff}",
            "`",
            "\\",
            "]",
            "line [1]",
            "\u{202e}",
            "@team",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A report in which everything foreign is this text.
fn report(text: &str) -> Report {
    let failing = Look {
        excerpt: Some(text.to_owned()),
        status: Some(503),
        ..Look::without_answer(Finding::bad(FaultKind::Status, text))
    };
    let (record, _) = record(&[(text, &[failing.clone(), good(), failing]), (text, &[good()])]);
    let mut observation = judged_by(
        vec![
            rule(
                text,
                number(),
                None,
                Some(Clause {
                    window: Some(secs(60)),
                    ..clause("> 1", &number())
                }),
            ),
            rule(text, ratio(), Some(clause("< 1%", &ratio())), None),
        ],
        0,
        Duration::ZERO,
    );
    for minute in 1..=3 {
        judge(&mut observation, 60 * minute, |query| match query {
            "count" => Ok(Reading {
                notes: vec![text.to_owned()],
                ..Reading::number(5.0)
            }),
            _ => Ok(Reading::nothing(text)),
        });
    }
    let ready = ending(End::TimedOut { target: 0 }, &[false, true]);
    let comparison = Comparison {
        name: text.to_owned(),
        verdict: gate::verdict::Verdict::Fail,
        advisory: false,
        cut_short: false,
        reason: text.to_owned(),
        numbers: vec![(text.to_owned(), 1.0)],
    };
    report_of(
        &run(),
        &record,
        Some(Waited {
            until: Until::All,
            ending: Some(&ready),
        }),
        Some(Watched {
            observation: &observation,
            ending: Some(&observed(180, true)),
            took: secs(180),
        }),
        vec![comparison],
    )
}

/// What the summary is made of: the kind of each line outside of fences, of a row its columns. Fences must be closed by
/// the marks that opened them.
fn skeleton(summary: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut fence: Option<&str> = None;
    for line in summary.lines() {
        if let Some(mark) = fence {
            fence = fence.filter(|_| line != mark);
            continue;
        }
        let marks = line.len() - line.trim_start_matches('`').len();
        let kind = match line {
            "" => continue,
            _ if marks >= 3 && (line.ends_with("`text") || line.ends_with("`mermaid")) => {
                fence = Some(&line[..marks]);
                "fence"
            }
            _ if line.starts_with("### ") => "title",
            _ if line.starts_with("| ") => {
                let bars = line.replace("\\|", "").matches('|').count();
                kinds.push(format!("row of {bars}"));
                continue;
            }
            _ if line.starts_with('|') => "rule",
            _ if line.starts_with("- ") => "item",
            _ if line.starts_with("<details>") => "open",
            "</details>" => "close",
            _ => "text",
        };
        kinds.push(kind.to_owned());
    }
    assert_eq!(fence, None, "a fence is open at the end");
    kinds
}

/// Well-formed as far as our own writer could fail: allowed characters, entities, and no markup but ours.
fn check_xml(xml: &str, cases: usize) {
    assert!(
        xml.chars()
            .all(|c| c == '\n' || !c.is_control() && c != '\u{fffe}' && c != '\u{ffff}')
    );
    assert_eq!(xml.matches("<testcase ").count(), cases);
    for part in xml.split('&').skip(1) {
        let entity = ["amp;", "lt;", "gt;", "quot;", "apos;"];
        assert!(entity.iter().any(|entity| part.starts_with(entity)), "&{part}");
    }
    for tag in xml.split('<').skip(1) {
        let ours = [
            "?xml ",
            "testsuites ",
            "testsuite ",
            "testcase ",
            "failure ",
            "error ",
            "skipped ",
            "/testsuites>",
            "/testsuite>",
            "/testcase>",
            "/failure>",
            "/error>",
        ];
        assert!(ours.iter().any(|name| tag.starts_with(name)), "<{tag}");
        let (inside, _) = tag.split_once('>').expect("a tag ends");
        assert_eq!(inside.matches('"').count() % 2, 0, "<{tag}");
    }
}

proptest! {
    #[test]
    fn a_summary_keeps_its_shape(text in foreign()) {
        let (plain, hostile) = (report("x").summary().fit(0), report(&text).summary().fit(0));
        assert_eq!(skeleton(&hostile), skeleton(&plain), "{hostile}");
    }

    #[test]
    fn a_chart_keeps_its_shape(text in foreign()) {
        let hostile = report(&text);
        let chart = super::super::chart::charts(&hostile.rules[0]).unwrap();
        let lines: Vec<&str> = chart.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[1], lines[7]), (10, "```mermaid", "xychart-beta", "```"));
        assert!(lines[9].starts_with("_The flat line is `"), "{chart}");
        let title = lines[2].strip_prefix("    title \"").and_then(|rest| rest.strip_suffix(", value\"")).unwrap();
        assert!(title.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c)), "{title:?}");
    }

    #[test]
    fn xml_stays_well_formed(text in foreign()) {
        check_xml(&report(&text).junit(&Masker::default()), 5);
    }

    #[test]
    fn outputs_and_annotations_are_inert(text in foreign()) {
        let report = report(&text);
        assert!(!report.reason.contains(['\n', '\r', '\u{1b}', '\0']) && report.reason.chars().count() <= 1200);
        assert!(report.annotations().iter().all(|one| !one.title.contains('\n')));
        assert!(serde_json::from_slice::<serde_json::Value>(&report.json(&Masker::default()).unwrap()).is_ok());
    }

    #[test]
    fn a_table_is_drawn_of_any_names(text in foreign()) {
        let (record, _) = record(&[(&text, &[bad(503, &text)])]);
        assert_eq!(live::lines(&record, false, secs(5)).len(), 2);
        assert!(live::heartbeat(&record, false, secs(5)).ends_with("5s left"));
    }
}
