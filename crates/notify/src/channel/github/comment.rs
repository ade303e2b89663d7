//! One comment on a pull request, which each run brings up to date
//! (<https://docs.github.com/en/rest/issues/comments>). It is known by a mark that nobody sees; what others wrote with the same mark is
//! not touched. Two runs that began at once leave one comment: the oldest stays, with what the newer run has to say.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Repository, Run, hint, is_of_github, key, listed, mark, marked, newer};
use crate::channel::{Call, Channel, Fate, Heard, summary};
use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

/// The name in results.
pub const NAME: &str = "github-comment";

/// Longest comment, in bytes; the limit is 65,536 characters.
const LONGEST: usize = 60_000;

/// A pull request.
pub struct Comment {
    /// Where.
    pub repository: Repository,
    /// Its number.
    pub number: u64,
    /// The run that comments.
    pub run: Run,
}

/// A comment of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ours {
    id: u64,
    run: Run,
}

impl Channel for Comment {
    fn name(&self) -> &'static str {
        NAME
    }

    fn github(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    /// Where there is no comment yet.
    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        vec![self.post(message)]
    }

    fn turn(&self, message: &Message, _before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        let Some((who, heard)) = heard.split_first() else {
            return Some(self.who());
        };
        let (there, heard) = match self.ours(message, who, heard) {
            Ok(found) => found,
            Err(call) => return Some(*call),
        };
        let (there, heard, posted) = match (there.is_empty(), heard) {
            (false, heard) => (there, heard, false),
            (true, []) => return Some(self.post(message)),
            // It is looked again: another run may have done the same.
            (true, [_, heard @ ..]) => match self.ours(message, who, heard) {
                Ok((there, heard)) => (there, heard, true),
                Err(call) => return Some(*call),
            },
        };
        let (oldest, others) = there.split_first()?;
        let mut todo = Vec::new();
        let is_newest = !there.iter().any(|ours| ours.run.stays_before(self.run));
        if is_newest && !(posted && others.is_empty()) {
            todo.push(self.patch(message, oldest.id));
        }
        if is_newest {
            todo.extend(others.iter().map(|ours| self.delete(ours.id)));
        }
        if posted && !is_newest {
            // A newer run was faster by a moment, and what it says stays.
            let own = there.iter().filter(|ours| ours.run == self.run);
            todo.extend(own.map(|ours| self.delete(ours.id)));
        }
        todo.into_iter().nth(heard.len())
    }

    fn fate(&self, _before: Option<&Posted>, heard: &[Heard]) -> Fate {
        let is_new = heard.iter().any(|heard| heard.code == 201);
        // The first answer says who we are; lists are no objects.
        let mut after = heard.iter().skip(1);
        let is_changed = after.any(|heard| heard.code == 200 && heard.body.is_object());
        let is_gone = heard.iter().any(|heard| heard.code == 204);
        match (is_new && (is_changed || !is_gone), is_changed) {
            (true, _) => Fate::Sent,
            (false, true) => Fate::Updated,
            (false, false) => newer(),
        }
    }

    fn accepted(&self, answer: &Answer) -> bool {
        is_of_github(answer)
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        hint(body, "give the job `permissions: pull-requests: write`")
    }

    fn asks(&self) -> Option<Call> {
        Some(self.repository.get(&["issues", &self.number.to_string()], &[]))
    }
}

impl Comment {
    /// Who we are: a token of a workflow may not ask, and is a bot.
    fn who(&self) -> Call {
        let mut call = self.repository.get(&[], &[]);
        call.url = self.repository.api.clone();
        if let Ok(mut parts) = call.url.path_segments_mut() {
            parts.pop_if_empty().push("user");
        }
        Call {
            heeds: &[403, 404],
            ..call
        }
    }

    /// Our comments about the same thing, the oldest first.
    fn ours<'a>(
        &self,
        message: &Message,
        who: &Heard,
        heard: &'a [Heard],
    ) -> Result<(Vec<Ours>, &'a [Heard]), Box<Call>> {
        let number = self.number.to_string();
        let first = self
            .repository
            .get(&["issues", &number, "comments"], &[("per_page", "100")]);
        let (comments, heard) = listed(first, heard)?;
        let key = key(&message.about.to_string());
        let mut ours: Vec<Ours> = comments
            .into_iter()
            .filter_map(|comment| ours(comment, who, &key))
            .collect();
        ours.sort_by_key(|ours| ours.id);
        Ok((ours, heard))
    }

    fn post(&self, message: &Message) -> Call {
        let number = self.number.to_string();
        // Where it comes twice, the next look finds both and takes one away.
        let call = self
            .repository
            .call(Method::POST, &["issues", &number, "comments"], self.body(message));
        call.repeatable()
    }

    fn patch(&self, message: &Message, id: u64) -> Call {
        let path = ["issues", "comments", &id.to_string()];
        self.repository
            .call(Method::PATCH, &path, self.body(message))
            .repeatable()
    }

    fn delete(&self, id: u64) -> Call {
        let path = ["issues", "comments", &id.to_string()];
        let call = self.repository.call(Method::DELETE, &path, Value::Null);
        Call {
            // It is gone already.
            heeds: &[404],
            ..call.repeatable()
        }
    }

    fn body(&self, message: &Message) -> Value {
        let mark = mark(&key(&message.about.to_string()), self.run);
        let told = summary::within(message, LONGEST);
        json!({"body": format!("{mark}\n{}", told.trim_start())})
    }
}

/// A comment of ours about this key: begun with the mark, and written by us.
fn ours(comment: &Value, who: &Heard, key: &str) -> Option<Ours> {
    let author = &comment["user"];
    let is_own = match who.body["login"].as_str() {
        Some(login) => author["login"] == login,
        None => author["type"] == "Bot",
    };
    let first = comment["body"].as_str()?.lines().next()?.trim();
    let run = marked(first, key)?;
    is_own.then_some(Ours {
        id: comment["id"].as_u64()?,
        run,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{heard, line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::message;
    use proptest::prelude::{any, proptest};

    const NOW: Run = Run { id: 7, attempt: 2 };

    fn channel() -> Comment {
        Comment {
            repository: repository(),
            number: 12,
            run: NOW,
        }
    }

    fn good() -> Message {
        message(Some(JobStatus::Success), vec![]).unwrap()
    }

    fn comment(id: u64, login: &str, run: Run) -> Value {
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let body = format!("{}\r\nold", mark(&key(&good().about.to_string()), run));
        json!({"id": id, "user": {"login": login, "type": kind}, "body": body})
    }

    /// What is done where a pull request has these comments; a posted one is there when it is looked again, beside `late`.
    fn told(login: Option<&str>, there: Vec<Value>, late: &[Value]) -> (Vec<String>, Fate) {
        let (channel, message) = (channel(), good());
        let (mut lines, mut all) = (Vec::new(), Vec::new());
        let mut there = there;
        while let Some(call) = channel.turn(&message, None, &all) {
            lines.push(line(&call));
            assert!(lines.len() < 20, "it has no end: {lines:?}");
            all.push(match call.method.as_str() {
                "POST" => {
                    there.extend(late.to_vec());
                    there.push(comment(50, login.unwrap_or("github-actions[bot]"), NOW));
                    heard(201, json!({"id": 50}))
                }
                "DELETE" => heard(204, Value::Null),
                "PATCH" => heard(200, json!({})),
                _ if call.url.path().ends_with("/user") => match login {
                    Some(login) => heard(200, json!({"login": login})),
                    None => heard(403, json!({"message": "Resource not accessible by integration"})),
                },
                _ => heard(200, Value::from(there.clone())),
            });
        }
        let fate = channel.fate(None, &all);
        (
            lines
                .into_iter()
                .filter(|line| !line.starts_with("GET"))
                .collect(),
            fate,
        )
    }

    #[test]
    fn there_is_one_comment() {
        let old = Run { id: 5, attempt: 1 };
        let bot = "github-actions[bot]";
        let (lines, fate) = told(None, vec![], &[]);
        assert_eq!(
            (lines.join(", "), fate),
            ("POST /issues/12/comments".to_owned(), Fate::Sent)
        );
        let (lines, fate) = told(None, vec![comment(3, bot, old)], &[]);
        assert_eq!(
            (lines.join(", "), fate),
            ("PATCH /issues/comments/3".to_owned(), Fate::Updated)
        );
        let (lines, _) = told(
            Some("ada"),
            vec![comment(3, "ada", old), comment(4, "ada", old)],
            &[],
        );
        assert_eq!(lines, ["PATCH /issues/comments/3", "DELETE /issues/comments/4"]);
        // Another run commented at the same moment.
        let (lines, _) = told(None, vec![], &[comment(49, bot, old)]);
        assert_eq!(
            lines,
            [
                "POST /issues/12/comments",
                "PATCH /issues/comments/49",
                "DELETE /issues/comments/50"
            ]
        );
    }

    #[test]
    fn one_that_a_newer_run_wrote_meanwhile_stays_alone() {
        let late = [comment(49, "github-actions[bot]", Run { id: 8, attempt: 1 })];
        let (channel, message) = (
            Comment {
                run: Run { id: 7, attempt: 1 },
                ..channel()
            },
            good(),
        );
        let ours = comment(50, "github-actions[bot]", Run { id: 7, attempt: 1 });
        let there = Value::from(vec![late[0].clone(), ours]);
        let mut all = vec![
            heard(403, json!({})),
            heard(200, json!([])),
            heard(201, json!({"id": 50})),
            heard(200, there),
        ];
        assert_eq!(
            line(&channel.turn(&message, None, &all).unwrap()),
            "DELETE /issues/comments/50"
        );
        all.push(heard(204, Value::Null));
        assert!(channel.turn(&message, None, &all).is_none());
        assert_eq!(channel.fate(None, &all), newer());
    }

    #[test]
    fn what_others_wrote_stays() {
        let old = Run { id: 5, attempt: 1 };
        for (login, author) in [
            (None, "eve"),
            (Some("ada"), "eve"),
            (Some("ada"), "github-actions[bot]"),
        ] {
            let (lines, _) = told(login, vec![comment(3, author, old)], &[]);
            assert_eq!(lines, ["POST /issues/12/comments"], "{author}");
        }
        let quoted = json!({"id": 3, "user": {"login": "x[bot]", "type": "Bot"}, "body": format!("> {}", mark(&key(&good().about.to_string()), old))});
        let other = json!({"id": 4, "user": {"login": "x[bot]", "type": "Bot"}, "body": mark(&key("acme/shop/staging"), old)});
        assert_eq!(
            told(None, vec![quoted, other], &[]).0,
            ["POST /issues/12/comments"]
        );
    }

    #[test]
    fn what_is_newer_stays() {
        let later = Run { id: 7, attempt: 3 };
        let (lines, fate) = told(None, vec![comment(3, "github-actions[bot]", later)], &[]);
        assert_eq!((lines, fate), (vec![], newer()));
        // The same attempt, and an old run that is run again.
        for earlier in [NOW, Run { id: 8, attempt: 1 }] {
            let (lines, _) = told(None, vec![comment(3, "github-actions[bot]", earlier)], &[]);
            assert_eq!(lines, ["PATCH /issues/comments/3"]);
        }
    }

    proptest! {
        #[test]
        fn a_comment_is_within_the_limit_and_begins_with_the_mark(text in any::<String>(), times in 0usize..3_000) {
            let mut message = good();
            message.text = Some(text.repeat(times.min(120_000 / text.len().max(1))));
            let body = channel().body(&message);
            let body = body["body"].as_str().unwrap();
            assert!(body.chars().count() <= 65_536 && body.starts_with("<!-- deploy-actions/notify "));
            let first = json!({"id": 1, "user": {"type": "Bot"}, "body": body});
            let nobody = heard(403, Value::Null);
            assert_eq!(ours(&first, &nobody, &key(&message.about.to_string())).map(|ours| ours.run), Some(NOW));
        }

        #[test]
        fn no_comment_panics(body in any::<String>()) {
            let comment = json!({"id": 1, "user": {"type": "Bot"}, "body": body});
            assert_eq!(ours(&comment, &heard(403, Value::Null), "k"), None);
        }
    }
}
