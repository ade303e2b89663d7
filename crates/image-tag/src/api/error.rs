//! Why GitHub did not say what it was asked: what was asked, of whom, why it failed, and what to do.

use std::fmt;

use gha::edge::cancel::Cancelled;
use gha::edge::http::HttpError;
use gha::{Exit, Failure, text};
use jiff::Timestamp;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The base is unusable; its value may hold a password, so it is not shown.
    #[error("`GITHUB_API_URL` {0}")]
    Address(&'static str),
    /// The repository's name is none.
    #[error("`{0}` is no name of a repository")]
    Repository(String),
    /// The token can't be sent.
    #[error("the token for GitHub's API holds a character that no header may hold")]
    Token,
    /// There is no HTTP client.
    #[error("failed to prepare for GitHub's API")]
    Client(#[from] HttpError),
    /// A question was not answered.
    #[error("failed to get {question} from `{host}`: {why}")]
    Unanswered {
        /// What was asked.
        question: Question,
        /// Host and port of the API.
        host: String,
        /// Why.
        why: Box<Why>,
    },
    /// The run was cancelled meanwhile.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What is asked. Names and text come from outside, and are shown on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// What a repository is.
    Repository(String),
    /// When a commit was made.
    Commit { sha: String, repository: String },
    /// The tags that begin with a prefix.
    Tags { prefix: String, repository: String },
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// Nothing came back, or not all of it.
    #[error("{reason}{}", times(*tries))]
    NoAnswer { reason: String, tries: u32 },
    /// A refusal.
    #[error("it answered {status}{}{}{}", quoted(message), permissions.as_deref().map(|need| format!(", needed is `{need}`")).unwrap_or_default(), times(*tries))]
    Refused {
        status: u16,
        message: String,
        /// What GitHub says that the token needs.
        permissions: Option<String>,
        tries: u32,
    },
    /// Too many requests.
    #[error("it answered {status}{}: the limit of requests is reached{}", quoted(message), until.map(|until| format!(" until {until:.0}")).unwrap_or_default())]
    Limited {
        status: u16,
        message: String,
        until: Option<Timestamp>,
    },
    /// Sent elsewhere, but not to where we go.
    #[error("it sent us elsewhere, but {0}")]
    Redirect(String),
    /// More than an answer may have.
    #[error("its answer is larger than {} MiB", .0 / 1024 / 1024)]
    TooLarge(usize),
    /// An answer of another kind.
    #[error("its answer can't be read: {0}")]
    Unreadable(String),
    /// A list without an end; a part of it must not be taken for the whole.
    #[error("the list has more than {0} pages")]
    Pages(usize),
}

impl ApiError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Address(_) => {
                "it is `https://api.github.com`, or `https://HOST/api/v3` on GitHub Enterprise Server"
                    .to_owned()
            }
            Self::Repository(_) => "`GITHUB_REPOSITORY` is `owner/name`".to_owned(),
            Self::Token => "pass the token alone as `github-token`, without quotes or a line end".to_owned(),
            Self::Client(_) => "check `SSL_CERT_FILE` and the proxy's address".to_owned(),
            Self::Cancelled(_) => "run it again".to_owned(),
            Self::Unanswered { question, why, .. } => why.help(question),
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match &error {
            ApiError::Cancelled(cancelled) => return Self::from(*cancelled),
            ApiError::Address(_) | ApiError::Repository(_) | ApiError::Token | ApiError::Client(_) => {
                Exit::Usage
            }
            ApiError::Unanswered { .. } => Exit::Access,
        };
        let help = error.help();
        Self::new(exit, error).help(help)
    }
}

impl Why {
    fn help(&self, question: &Question) -> String {
        let otherwise = question.otherwise();
        match self {
            Self::Refused { status: 401, .. } => {
                format!(
                    "the token is wrong or has expired; in a workflow leave out `github-token`, or {otherwise}"
                )
            }
            Self::Refused { status: 403, .. } => {
                format!(
                    "give the job `permissions: {}`, or {otherwise}",
                    question.permission()
                )
            }
            Self::Refused {
                status: 404 | 422, ..
            } => format!(
                "it is not there, or the token may not see it: give the job `permissions: {}`; the token of a workflow sees \
                 its own repository alone; or {otherwise}",
                question.permission()
            ),
            Self::Limited { .. } => format!("run it again later, or {otherwise}"),
            Self::NoAnswer { .. } | Self::Redirect(_) => {
                format!("check `GITHUB_API_URL`, the proxy and what is between, or {otherwise}")
            }
            Self::Refused { .. } => format!("run it again (<https://www.githubstatus.com>), or {otherwise}"),
            Self::TooLarge(_) | Self::Unreadable(_) => {
                format!("check that `GITHUB_API_URL` is GitHub's API, or {otherwise}")
            }
            Self::Pages(_) => format!("ask for fewer with a longer `tag-prefix`, or {otherwise}"),
        }
    }
}

impl Question {
    /// The permission that GitHub wants
    /// (<https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens>).
    fn permission(&self) -> &'static str {
        match self {
            // Every token has this one where it has any.
            Self::Repository(_) => "metadata: read",
            Self::Commit { .. } | Self::Tags { .. } => "contents: read",
        }
    }

    /// How to do without the answer.
    fn otherwise(&self) -> &'static str {
        match self {
            Self::Repository(_) | Self::Commit { .. } => {
                "set `metadata: event` or `metadata: none` to not ask"
            }
            Self::Tags { .. } => "do without `latest=highest`, which needs all tags",
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| text::cut(&text::visible(text), 100);
        match self {
            Self::Repository(name) => write!(f, "the repository `{}`", shown(name)),
            Self::Commit { sha, repository } => {
                write!(f, "the commit `{}` of `{}`", shown(sha), shown(repository))
            }
            Self::Tags { prefix, repository } => {
                write!(f, "the tags `{}*` of `{}`", shown(prefix), shown(repository))
            }
        }
    }
}

/// A message behind a number.
fn quoted(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" `{message}`")
    }
}

/// How often it was tried, where that was more than once.
fn times(tries: u32) -> String {
    if tries > 1 {
        format!(", {tries} times")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_asked_of_whom_and_why() {
        let tags = Question::Tags {
            prefix: "svc/\n".to_owned(),
            repository: "org/shop".to_owned(),
        };
        let refused = |status, message: &str, permissions: Option<&str>, tries| Why::Refused {
            status,
            message: message.to_owned(),
            permissions: permissions.map(str::to_owned),
            tries,
        };
        for (why, said, help) in [
            (
                refused(
                    403,
                    "Resource not accessible by integration",
                    Some("contents=read"),
                    1,
                ),
                "it answered 403 `Resource not accessible by integration`, needed is `contents=read`",
                "`permissions: contents: read`",
            ),
            (
                refused(502, "", None, 3),
                "it answered 502, 3 times",
                "githubstatus",
            ),
            (
                refused(401, "Bad credentials", None, 1),
                "it answered 401 `Bad credentials`",
                "has expired",
            ),
            (
                refused(404, "Not Found", None, 1),
                "it answered 404 `Not Found`",
                "may not see it",
            ),
            (
                Why::Limited {
                    status: 403,
                    message: "API rate limit exceeded".to_owned(),
                    until: Some(Timestamp::from_second(1_700_000_000).unwrap()),
                },
                "it answered 403 `API rate limit exceeded`: the limit of requests is reached until 2023-11-14T22:13:20Z",
                "later",
            ),
            (
                Why::NoAnswer {
                    reason: "connection reset".to_owned(),
                    tries: 3,
                },
                "connection reset, 3 times",
                "the proxy",
            ),
            (
                Why::TooLarge(8 * 1024 * 1024),
                "its answer is larger than 8 MiB",
                "GITHUB_API_URL",
            ),
            (Why::Pages(100), "the list has more than 100 pages", "tag-prefix"),
        ] {
            let error = ApiError::Unanswered {
                question: tags.clone(),
                host: "api.github.com".to_owned(),
                why: Box::new(why),
            };
            assert_eq!(
                error.to_string(),
                format!("failed to get the tags `svc/\\n*` of `org/shop` from `api.github.com`: {said}")
            );
            assert!(
                error.help().contains(help) && error.help().contains("latest=highest"),
                "{}",
                error.help()
            );
            assert_eq!(Failure::from(error).exit, Exit::Access);
        }
        assert_eq!(Failure::from(ApiError::Token).exit, Exit::Usage);
    }
}
