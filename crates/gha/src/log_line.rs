//! How one event of a run looks in the log.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::command;
use crate::text;
use crate::trace::TraceId;

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A terminal; colour unless `NO_COLOR` is set (<https://no-color.org>).
    Screen {
        /// Whether to colour.
        colour: bool,
    },
    /// A GitHub runner: workflow commands, groups, annotations.
    Runner,
    /// A pipe or a file.
    Plain,
    /// One JSON object per line.
    Json,
}

/// The weight of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It happened.
    Info,
    /// It may need a look.
    Warning,
    /// It failed.
    Error,
}

/// When an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock.
    pub at: Timestamp,
    /// Since the tool started.
    pub elapsed: Duration,
}

/// One event as one line, without its line end. The text may be foreign.
#[must_use]
pub fn render(
    format: Format,
    tool: &str,
    trace: TraceId,
    weight: Weight,
    moment: Moment,
    message: &str,
) -> String {
    let seconds = moment.elapsed.as_secs_f64();
    let clock = moment.at.strftime("%H:%M:%SZ");
    let shown = text::line(message);
    match (format, weight) {
        (Format::Json, _) => text::json_line(&json!({
            "time": moment.at.to_string(),
            "level": match weight { Weight::Info => "info", Weight::Warning => "warning", Weight::Error => "error" },
            "tool": tool,
            "trace_id": trace.to_string(),
            "elapsed_ms": u64::try_from(moment.elapsed.as_millis()).unwrap_or(u64::MAX),
            "message": message,
        }).to_string()),
        (Format::Runner, Weight::Warning) => command::annotation(command::Level::Warning, tool, message),
        (Format::Runner, Weight::Error) => command::annotation(command::Level::Error, tool, message),
        (Format::Screen { colour: true }, Weight::Info) => format!("\u{1b}[2m{clock} {seconds:6.1}s\u{1b}[0m  {shown}"),
        (Format::Screen { colour: true }, Weight::Warning) => format!("\u{1b}[33mwarning:\u{1b}[0m {shown}"),
        (Format::Screen { colour: true }, Weight::Error) => format!("\u{1b}[1;31merror:\u{1b}[0m {shown}"),
        (_, Weight::Info) => format!("{clock} {seconds:6.1}s  {shown}"),
        (_, Weight::Warning) => format!("warning: {shown}"),
        (_, Weight::Error) => format!("error: {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Env;
    use proptest::prelude::{any, proptest};

    fn line(format: Format, weight: Weight, message: &str) -> String {
        let moment = Moment {
            at: "2026-11-22T04:45:38Z".parse().unwrap(),
            elapsed: Duration::from_millis(3210),
        };
        render(
            format,
            "gate",
            TraceId::of(&Env::default(), [1; 16]),
            weight,
            moment,
            message,
        )
    }

    #[test]
    fn every_format_says_the_same() {
        for (format, weight, expected) in [
            (Format::Plain, Weight::Info, "04:45:38Z    3.2s  up\\n::error::x"),
            (Format::Runner, Weight::Info, "04:45:38Z    3.2s  up\\n::error::x"),
            (
                Format::Runner,
                Weight::Warning,
                "::warning title=gate::up%0A::error::x",
            ),
            (Format::Plain, Weight::Error, "error: up\\n::error::x"),
            (
                Format::Screen { colour: false },
                Weight::Warning,
                "warning: up\\n::error::x",
            ),
        ] {
            assert_eq!(line(format, weight, "up\n::error::x"), expected);
        }
    }

    #[test]
    fn json_lines_hold_no_command_and_lose_nothing() {
        let line = line(Format::Json, Weight::Info, "a ##[error]b");
        assert!(!line.contains("##["), "{line}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["message"], "a ##[error]b");
    }

    #[test]
    fn json_lines_carry_the_trace() {
        let object: serde_json::Value =
            serde_json::from_str(&line(Format::Json, Weight::Info, "a\nb")).unwrap();
        assert_eq!(object["trace_id"], "01".repeat(16));
        assert_eq!(object["elapsed_ms"], 3210);
        assert_eq!(object["message"], "a\nb");
    }

    proptest! {
        #[test]
        fn an_event_is_one_line_and_no_command(message in any::<String>()) {
            for format in [Format::Plain, Format::Runner, Format::Json] {
                let line = line(format, Weight::Info, &message);
                assert!(!line.contains(['\n', '\r', '\u{1b}']));
                assert!(!line.starts_with("::"));
            }
            for format in [Format::Plain, Format::Runner, Format::Json] {
                assert!(!line(format, Weight::Warning, &message).contains("##["));
            }
        }
    }
}
