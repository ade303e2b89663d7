//! Which reply comes when: an ordered list for each path.

use std::collections::VecDeque;

use super::log::Request;
use super::reply::Reply;

/// What a server is to answer.
///
/// The first rule that fits a request answers it with its first reply that is not used up; the last reply of a rule
/// is never used up. A request that no rule fits gets 404 with a text that says so.
#[derive(Clone, Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// None for any method.
    method: Option<String>,
    /// None for any path.
    path: Option<String>,
    replies: VecDeque<Reply>,
}

impl Script {
    /// A script that answers everything with 404.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replies for a path, compared without its query: `/health` for any method, or `POST /hook`.
    #[must_use]
    pub fn on(self, target: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        let (method, path) = match target.split_once(' ') {
            Some((method, path)) => (Some(method.to_owned()), path),
            None => (None, target),
        };
        self.rule(method, Some(path.to_owned()), replies)
    }

    /// Replies for every request that no rule before this one fits.
    #[must_use]
    pub fn any(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.rule(None, None, replies)
    }

    fn rule(
        mut self,
        method: Option<String>,
        path: Option<String>,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        self.rules.push(Rule {
            method,
            path,
            replies: replies.into_iter().collect(),
        });
        self
    }

    /// The reply to this request.
    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        let rule = self.rules.iter_mut().find(|rule| rule.fits(request));
        rule.and_then(Rule::next).unwrap_or_else(|| {
            Reply::text(
                404,
                format!("no reply in the script for {} {}", request.method, request.path),
            )
        })
    }
}

impl Rule {
    fn fits(&self, request: &Request) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|path| path == request.path_only())
    }

    fn next(&mut self) -> Option<Reply> {
        while self.replies.len() > 1 && self.replies.front().is_some_and(|reply| reply.times == 0) {
            self.replies.pop_front();
        }
        let reply = self.replies.front_mut()?;
        reply.times = reply.times.saturating_sub(1);
        Some(reply.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::reply::Kind;

    fn ask(script: &mut Script, method: &str, path: &str) -> u16 {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            at: Duration::ZERO,
        };
        match script.answer(&request).kind {
            Kind::Response(response) => response.status,
            _ => 0,
        }
    }

    #[test]
    fn replies_are_used_in_order_and_the_last_stays() {
        let mut script = Script::new()
            .on("POST /a", [Reply::status(201)])
            .on(
                "/a",
                [Reply::status(503).times(2), Reply::reset(), Reply::status(200)],
            )
            .any([Reply::status(500), Reply::status(404).times(0)]);
        let asked: Vec<u16> = (0..6).map(|_| ask(&mut script, "GET", "/a?x=1")).collect();
        assert_eq!(asked, [503, 503, 0, 200, 200, 200]);
        assert_eq!(
            [ask(&mut script, "POST", "/a"), ask(&mut script, "POST", "/a")],
            [201, 201]
        );
        assert_eq!(
            [ask(&mut script, "GET", "/b"), ask(&mut script, "GET", "/c")],
            [500, 404]
        );
        assert_eq!(ask(&mut Script::new(), "GET", "/"), 404);
    }
}
