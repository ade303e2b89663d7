//! Which messages of a service a person has not seen yet. For display: the texts are no contract, so the one fact that
//! is taken from them, that there is no room for a task, only starts a clock that other facts stop.

use std::collections::HashSet;

use gha::text;
use jiff::Timestamp;

use crate::observed::Event;

/// As many messages as ECS keeps.
const KEPT: usize = 100;

/// The most that is shown of a message.
const SHOWN: usize = 400;

/// Words of messages that are bad news.
const FAILURE_WORDS: [&str; 9] = [
    "fail",
    "unhealthy",
    "error",
    "throttl",
    "unable",
    "missing",
    "alarm detected",
    "rolling back",
    "interrupt",
];

/// What was shown already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    ids: HashSet<String>,
}

/// A message to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it happened.
    pub at: Option<Timestamp>,
    /// What happened, as one inert line.
    pub text: String,
    /// Whether it is bad news.
    pub bad: bool,
}

/// The messages since the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// The messages, oldest first.
    pub lines: Vec<Line>,
    /// Whether more happened than ECS keeps, so that some were never seen.
    pub gap: bool,
}

impl Shown {
    /// Takes the messages that are there before the run as seen.
    #[must_use]
    pub fn before(events: &[Event]) -> Self {
        let mut shown = Self::default();
        let _ = shown.fresh(events);
        shown
    }

    /// The messages, newest first as ECS gives them, that are new since the last look.
    pub fn fresh(&mut self, events: &[Event]) -> Fresh {
        let events = &events[..events.len().min(KEPT)];
        let mut lines: Vec<Line> = events
            .iter()
            .filter(|event| !self.ids.contains(&event.id))
            .map(line)
            .collect();
        lines.reverse();
        let gap = events.len() == KEPT && lines.len() == KEPT && !self.ids.is_empty();
        self.ids = events.iter().map(|event| event.id.clone()).collect();
        Fresh { lines, gap }
    }
}

/// Whether a message says that there is no room for a task.
#[must_use]
pub fn is_about_placement(event: &Event) -> bool {
    event.message.contains("unable to place a task")
}

fn line(event: &Event) -> Line {
    let lower = event.message.to_lowercase();
    Line {
        at: event.created_at,
        text: text::line(&text::cut(event.message.trim(), SHOWN)),
        bad: FAILURE_WORDS.iter().any(|word| lower.contains(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};

    fn event(id: usize, message: &str) -> Event {
        Event {
            id: id.to_string(),
            created_at: None,
            message: message.to_owned(),
        }
    }

    /// Messages `from` to `to`, newest first.
    fn events(from: usize, to: usize) -> Vec<Event> {
        (from..to).rev().map(|id| event(id, &id.to_string())).collect()
    }

    fn texts(fresh: &Fresh) -> Vec<&str> {
        fresh.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn only_new_ones_are_shown_oldest_first() {
        let mut shown = Shown::before(&events(0, 3));
        assert_eq!(texts(&shown.fresh(&events(0, 3))), [""; 0]);
        assert_eq!(texts(&shown.fresh(&events(1, 6))), ["3", "4", "5"]);
        assert_eq!(texts(&shown.fresh(&events(1, 7))), ["6"]);
    }

    #[test]
    fn a_gap_is_told() {
        let mut shown = Shown::before(&events(0, 100));
        assert!(!shown.fresh(&events(99, 199)).gap);
        let fresh = shown.fresh(&events(300, 400));
        assert_eq!((fresh.lines.len(), fresh.gap), (100, true));
    }

    #[test]
    fn bad_news_are_marked() {
        for (message, bad) in [
            ("(service web) has reached a steady state.", false),
            ("(service web) has started 2 tasks: (task 1).", false),
            (
                "(service web) is unable to consistently start tasks successfully.",
                true,
            ),
            (
                "(service web) (deployment ecs-svc/1) deployment failed: tasks failed to start.",
                true,
            ),
            ("(service web) rolling back to deployment ecs-svc/0.", true),
            ("(service web) operations are being Throttled on ELB.", true),
        ] {
            assert_eq!(line(&event(0, message)).bad, bad, "{message}");
        }
        let placement = "(service web) was unable to place a task because no container instance met all of its requirements.";
        assert!(is_about_placement(&event(0, placement)));
        assert_eq!(line(&event(0, "::error::x\nb")).text, "| ::error::x\\nb");
    }

    proptest! {
        #[test]
        fn each_is_shown_once(looks in vec(0usize..5, 1..20)) {
            let (mut shown, mut seen, mut last) = (Shown::default(), Vec::new(), 0);
            for more in looks {
                last += more;
                let fresh = shown.fresh(&events(last.saturating_sub(10), last));
                seen.extend(texts(&fresh).iter().map(|text| text.parse::<usize>().unwrap()));
            }
            assert_eq!(seen, (0..last).collect::<Vec<_>>());
        }

        #[test]
        fn foreign_text_stays_one_line(message in any::<String>()) {
            let line = line(&event(0, &message));
            assert!(!line.text.contains('\n') && !line.text.trim_start().starts_with("::"));
        }
    }
}
