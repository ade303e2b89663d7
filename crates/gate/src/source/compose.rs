//! A Docker Compose project as a metric source: how often its containers were restarted since the first asking.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::Timestamp;

use crate::probe::Probe as _;
use crate::probe::compose::Compose;
use crate::source::{Asking, Query, Question, Reading, Source};
use crate::trouble::Trouble;

/// The only question.
const RESTARTS: &str = "restarts";

/// A project whose restarts are counted. The window of a question does not matter: the engine knows totals only.
pub struct ComposeSource {
    project: Compose,
    seen: RefCell<Option<Restarts>>,
}

/// The restarts of each container: at the first sight of it, and at the last.
#[derive(Debug, Default)]
struct Restarts(HashMap<String, (u64, u64)>);

impl Restarts {
    /// What was there at the first asking.
    fn since(counts: Vec<(String, u64)>) -> Self {
        Self(
            counts
                .into_iter()
                .map(|(id, count)| (id, (count, count)))
                .collect(),
        )
    }

    /// Takes note of the counts and gives the restarts since the start, those of containers that are gone included. A
    /// container that came later counts from its creation; where a count falls, it was set back, and what was counted
    /// stays.
    fn now(&mut self, counts: Vec<(String, u64)>) -> u64 {
        for (id, count) in counts {
            let (_, last) = self.0.entry(id).or_insert((0, 0));
            *last = count.max(*last);
        }
        self.0.values().map(|(first, last)| last - first).sum()
    }
}

impl ComposeSource {
    /// Counts the restarts of a project.
    #[must_use]
    pub fn new(project: Compose) -> Self {
        Self {
            project,
            seen: RefCell::default(),
        }
    }

    async fn restarts(&self) -> Result<Reading, Trouble> {
        let counts = self.project.restart_counts().await?;
        Ok(reading(&mut self.seen.borrow_mut(), counts))
    }
}

/// What the counts of one asking say. A project without containers has nothing that could restart, at any time.
fn reading(seen: &mut Option<Restarts>, counts: Vec<(String, u64)>) -> Reading {
    if counts.is_empty() {
        return Reading::nothing("the project has no containers");
    }
    let restarts = match seen {
        Some(seen) => seen.now(counts),
        None => {
            *seen = Some(Restarts::since(counts));
            0
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "no engine restarts that often")]
    Reading::number(restarts as f64)
}

impl Source for ComposeSource {
    fn shown(&self) -> &str {
        self.project.target()
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        match query {
            Query::Text(text) if text == RESTARTS => Ok(()),
            _ => Err(format!("a Compose project answers `{RESTARTS}` only")),
        }
    }

    fn ask<'a>(&'a self, questions: &'a [Question], _at: Timestamp) -> Asking<'a> {
        Box::pin(async move {
            let reading = self.restarts().await;
            let answer = |question: &Question| match self.accepts(&question.query) {
                Ok(()) => reading.clone(),
                Err(reason) => Err(Trouble::question(reason)),
            };
            questions.iter().map(answer).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::compose::ComposeOptions;
    use proptest::prelude::{any, prop, proptest};

    fn counts(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts
            .iter()
            .map(|(id, count)| ((*id).to_owned(), *count))
            .collect()
    }

    #[test]
    fn restarts_count_from_the_first_asking() {
        let mut seen = Restarts::since(counts(&[("old", 7), ("kept", 1)]));
        assert_eq!(seen.now(counts(&[("old", 7), ("kept", 1)])), 0);
        assert_eq!(seen.now(counts(&[("old", 8), ("kept", 1)])), 1);
        // `old` was replaced; its restart stays counted, and the new one's are all new.
        assert_eq!(seen.now(counts(&[("new", 2), ("kept", 1)])), 3);
        assert_eq!(seen.now(counts(&[("new", 0), ("kept", 0)])), 3);
        assert_eq!(seen.now(vec![]), 3);
    }

    #[test]
    fn a_project_without_containers_is_no_data_at_any_time() {
        let none = Reading::nothing("the project has no containers");
        let mut seen = None;
        assert_eq!(reading(&mut seen, vec![]), none);
        assert_eq!(reading(&mut seen, counts(&[("web", 3)])), Reading::number(0.0));
        assert_eq!(reading(&mut seen, counts(&[("web", 4)])), Reading::number(1.0));
        assert_eq!(reading(&mut seen, vec![]), none);
        // What was counted stays.
        assert_eq!(reading(&mut seen, counts(&[("new", 1)])), Reading::number(2.0));
    }

    proptest! {
        #[test]
        fn it_never_falls(looks in prop::collection::vec(prop::collection::vec((0..5_u8, any::<u32>()), 0..6), 1..8)) {
            let counts = |look: &Vec<(u8, u32)>| look.iter().map(|(id, count)| (id.to_string(), u64::from(*count))).collect();
            let mut seen = Restarts::since(counts(&looks[0]));
            let mut last = 0;
            for look in &looks {
                let now = seen.now(counts(look));
                assert!(now >= last);
                last = now;
            }
        }
    }

    #[tokio::test]
    async fn only_restarts_are_answered() {
        let options = ComposeOptions {
            project: "shop".to_owned(),
            host: Some("unix:///no/such/engine.sock".to_owned()),
            ..ComposeOptions::default()
        };
        let source = ComposeSource::new(Compose::new(options).unwrap());
        assert_eq!(source.shown(), "compose shop");
        let question = |text: &str| Question {
            query: Query::Text(text.to_owned()),
            window: std::time::Duration::from_secs(60),
        };
        assert!(source.accepts(&question("restarts").query).is_ok());
        let answers = source
            .ask(&[question("restarts"), question("exits")], Timestamp::UNIX_EPOCH)
            .await;
        assert!(
            answers[0]
                .as_ref()
                .unwrap_err()
                .reason
                .contains("no Docker engine's socket")
        );
        assert!(
            answers[1]
                .as_ref()
                .unwrap_err()
                .reason
                .contains("`restarts` only")
        );
    }
}
