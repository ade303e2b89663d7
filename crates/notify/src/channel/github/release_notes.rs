//! A section of a release's notes that says where it serves
//! (<https://docs.github.com/en/rest/releases/releases#update-a-release>). What people wrote around it stays as it is.

use reqwest::Method;
use serde_json::{Value, json};

use super::{MARK, Repository, Run, hint, is_of_github, key, mark, marked, newer};
use crate::channel::{Call, Channel, Fate, Heard, summary};
use crate::delivery::Answer;
use crate::message::Message;
use crate::phase::Phase;
use crate::state::Posted;

/// The name in results.
pub const NAME: &str = "github-release-notes";

/// Longest section, in bytes.
const LONGEST: usize = 20_000;

/// Longest notes, in characters, beyond which GitHub refuses them.
const NOTES: usize = 125_000;

/// A release.
pub struct ReleaseNotes {
    /// Where.
    pub repository: Repository,
    /// Its tag.
    pub tag: String,
    /// What is deployed where.
    pub about: String,
    /// The run that writes.
    pub run: Run,
}

impl Channel for ReleaseNotes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn github(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    /// What a release without notes would get.
    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        vec![self.patch(0, &notes("", message, self.run))]
    }

    fn turn(&self, message: &Message, _before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        if message.phase == Phase::Started {
            return None;
        }
        match heard {
            [] => Some(self.look()),
            [release] if !self.is_late(written(release)) => {
                let notes = notes(written(release), message, self.run);
                let id = release.body["id"].as_u64()?;
                (notes.chars().count() <= NOTES).then(|| self.patch(id, &notes))
            }
            _ => None,
        }
    }

    fn fate(&self, _before: Option<&Posted>, heard: &[Heard]) -> Fate {
        match heard {
            [release] if self.is_late(written(release)) => newer(),
            [_] => Fate::Left("there is no room for more in the notes".to_owned()),
            _ => Fate::Updated,
        }
    }

    fn accepted(&self, answer: &Answer) -> bool {
        is_of_github(answer)
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        let body_of: Value = serde_json::from_str(body).ok()?;
        if body_of["message"] == "Not Found" {
            return Some("there is no release of this tag that is published, or the token may not see it");
        }
        hint(body, "give the job `permissions: contents: write`")
    }

    fn asks(&self) -> Option<Call> {
        Some(self.look())
    }
}

impl ReleaseNotes {
    /// Whether a newer run has written.
    fn is_late(&self, notes: &str) -> bool {
        section(notes, &key(&self.about)).is_some_and(|(_, _, run)| run.stays_before(self.run))
    }

    fn look(&self) -> Call {
        self.repository.get(&["releases", "tags", &self.tag], &[])
    }

    fn patch(&self, id: u64, notes: &str) -> Call {
        let call = self.repository.call(
            Method::PATCH,
            &["releases", &id.to_string()],
            json!({"body": notes}),
        );
        call.repeatable()
    }
}

/// What the release has.
fn written(release: &Heard) -> &str {
    release.body["body"].as_str().unwrap_or_default()
}

/// The section of this key in the notes: where it begins and ends, and the run that wrote it.
fn section(notes: &str, key: &str) -> Option<(usize, usize, Run)> {
    let end = end(key);
    let ends = notes.find(&end)?;
    // The last mark before the end: where somebody took away the end of an earlier one, what stands between is theirs.
    let from = notes[..ends].rfind(&format!("{MARK} {key} "))?;
    let run = marked(notes[from..].lines().next()?.trim_end(), key)?;
    Some((from, ends + end.len(), run))
}

/// The line that ends a section.
fn end(key: &str) -> String {
    format!("<!-- /deploy-actions/notify {key} -->")
}

/// The notes with the section in the place of the earlier one, else at their end.
fn notes(old: &str, message: &Message, run: Run) -> String {
    let key = key(&message.about.to_string());
    let told = summary::within(message, LONGEST);
    let new = format!("{}\n{}\n{}", mark(&key, run), told.trim(), end(&key));
    match section(old, &key) {
        Some((from, to, _)) => format!("{}{new}{}", &old[..from], &old[to..]),
        None if old.trim().is_empty() => new,
        None => format!("{}\n\n{new}\n", old.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{heard, line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::message;
    use proptest::prelude::{any, proptest};

    const NOW: Run = Run { id: 7, attempt: 1 };

    fn good() -> Message {
        message(Some(JobStatus::Success), vec![]).unwrap()
    }

    #[test]
    fn the_release_of_the_tag_is_changed() {
        let channel = ReleaseNotes {
            repository: repository(),
            tag: "v1.2.3".to_owned(),
            about: good().about.to_string(),
            run: NOW,
        };
        let look = channel.turn(&good(), None, &[]).unwrap();
        assert_eq!(line(&look), "GET /releases/tags/v1.2.3");
        let release = heard(200, json!({"id": 8, "body": null}));
        let patch = channel
            .turn(&good(), None, std::slice::from_ref(&release))
            .unwrap();
        assert_eq!(line(&patch), "PATCH /releases/8");
        assert!(
            channel
                .turn(&good(), None, &[release, heard(200, json!({}))])
                .is_none()
        );
        let of = |body: &str| [heard(200, json!({"id": 8, "body": body}))];
        let full = of(&"x".repeat(124_900));
        assert!(channel.turn(&good(), None, &full).is_none());
        assert!(matches!(channel.fate(None, &full), Fate::Left(why) if why.contains("no room")));
        // What it wrote itself makes room.
        let own = notes(&"x".repeat(124_000), &good(), NOW);
        assert!(channel.turn(&good(), None, &of(&own)).is_some());
        let later = notes("", &good(), Run { id: 8, attempt: 1 });
        let later = heard(200, json!({"id": 8, "body": later}));
        assert!(
            channel
                .turn(&good(), None, std::slice::from_ref(&later))
                .is_none()
        );
        assert_eq!(channel.fate(None, &[later]), newer());
    }

    #[test]
    fn what_stands_before_the_last_mark_is_somebodys() {
        let first = notes("mine", &good(), NOW);
        let broken = first.replace(&end(&key(&good().about.to_string())), "and this too");
        let again = notes(&notes(&broken, &good(), NOW), &good(), NOW);
        assert!(
            again.contains("mine") && again.contains("and this too"),
            "{again}"
        );
        assert_eq!(again.matches("<!-- /deploy-actions").count(), 1);
    }

    proptest! {
        #[test]
        fn what_people_wrote_stays(before in any::<String>(), after in any::<String>()) {
            let message = good();
            let first = notes(&before, &message, NOW);
            assert!(first.starts_with(before.trim_end()));
            let with = format!("{first}{after}");
            let mut later = message.clone();
            later.headline = "later".to_owned();
            let second = notes(&with, &later, NOW);
            assert!(second.starts_with(before.trim_end()) && second.ends_with(&after));
            assert_eq!(second.matches("<!-- deploy-actions/notify ").count(), 1);
            assert!(second.contains("later") && !second.contains("deployed to production"));
        }
    }
}
