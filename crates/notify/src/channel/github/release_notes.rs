//! A section of a release's notes that says where it serves
//! (<https://docs.github.com/en/rest/releases/releases#update-a-release>). What people wrote around it stays as it is.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Repository, hint, key};
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
        vec![self.patch(0, &notes("", message))]
    }

    fn turn(&self, message: &Message, _before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        if message.phase == Phase::Started {
            return None;
        }
        match heard {
            [] => Some(self.look()),
            [release] => {
                let notes = fitting(release.body["body"].as_str().unwrap_or_default(), message)?;
                Some(self.patch(release.body["id"].as_u64()?, &notes))
            }
            _ => None,
        }
    }

    fn fate(&self, _before: Option<&Posted>, heard: &[Heard]) -> Fate {
        match heard.len() {
            2.. => Fate::Updated,
            _ => Fate::Left("there is no room for more in the notes".to_owned()),
        }
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
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

/// The notes with the section, where they are not too long with it.
fn fitting(old: &str, message: &Message) -> Option<String> {
    Some(notes(old, message)).filter(|notes| notes.chars().count() <= NOTES)
}

/// The notes with the section in the place of the earlier one, else at their end.
fn notes(old: &str, message: &Message) -> String {
    let key = key(&message.about);
    let (begin, end) = (
        format!("<!-- deploy-actions/notify {key} -->"),
        format!("<!-- /deploy-actions/notify {key} -->"),
    );
    let told = summary::render(message, &[]).within(LONGEST);
    let section = format!("{begin}\n{}\n{end}", told.trim());
    let place = old.find(&begin).and_then(|from| {
        let length = old[from..].find(&end)?;
        Some((from, from + length + end.len()))
    });
    match place {
        Some((from, to)) => format!("{}{section}{}", &old[..from], &old[to..]),
        None if old.trim().is_empty() => section,
        None => format!("{}\n\n{section}\n", old.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{heard, line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::message;
    use proptest::prelude::{any, proptest};

    fn good() -> Message {
        message(Some(JobStatus::Success), vec![]).unwrap()
    }

    #[test]
    fn the_release_of_the_tag_is_changed() {
        let channel = ReleaseNotes {
            repository: repository(),
            tag: "v1.2.3".to_owned(),
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
        let full = heard(200, json!({"id": 8, "body": "x".repeat(124_900)}));
        assert!(channel.turn(&good(), None, std::slice::from_ref(&full)).is_none());
        assert!(matches!(channel.fate(None, &[full]), Fate::Left(_)));
    }

    proptest! {
        #[test]
        fn what_people_wrote_stays(before in any::<String>(), after in any::<String>()) {
            let message = good();
            let first = notes(&before, &message);
            assert!(first.starts_with(before.trim_end()));
            let with = format!("{first}{after}");
            let mut later = message.clone();
            later.headline = "later".to_owned();
            let second = notes(&with, &later);
            assert!(second.starts_with(before.trim_end()) && second.ends_with(&after));
            assert_eq!(second.matches("<!-- deploy-actions/notify ").count(), 1);
            assert!(second.contains("later") && !second.contains("deployed to production"));
        }
    }
}
