//! Addresses of GitHub, whichever one this is: github.com, GitHub Enterprise Cloud with its own host, or a GHES.

use crate::env::Env;

/// The two addresses that a runner names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHub {
    /// `GITHUB_SERVER_URL`, for people; without a slash at its end.
    pub server: String,
    /// `GITHUB_API_URL`, for programs; without a slash at its end.
    pub api: String,
}

impl GitHub {
    /// Reads both; an absent or unusable one becomes github.com's.
    #[must_use]
    pub fn of(env: &Env) -> Self {
        let address = |name, default: &str| {
            env.get(name)
                .map(|url| url.trim_end_matches('/'))
                .filter(|url| is_plain(url))
                .unwrap_or(default)
                .to_owned()
        };
        Self {
            server: address("GITHUB_SERVER_URL", "https://github.com"),
            api: address("GITHUB_API_URL", "https://api.github.com"),
        }
    }

    /// The page of a run's attempt.
    #[must_use]
    pub fn run(&self, repository: &str, run_id: &str, attempt: &str) -> String {
        format!(
            "{}/{}/actions/runs/{}/attempts/{}",
            self.server,
            path(repository),
            path(run_id),
            path(attempt)
        )
    }

    /// The page of a commit.
    #[must_use]
    pub fn commit(&self, repository: &str, sha: &str) -> String {
        format!("{}/{}/commit/{}", self.server, path(repository), path(sha))
    }
}

/// Whether an address is an HTTP one with nothing in it that could end a link.
fn is_plain(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://"))
        && url
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '(' | ')' | '|' | '`' | '@'))
}

/// A path of names, each character that is none of a name's percent-encoded.
fn path(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ghes_is_linked_by_its_own_address() {
        let env: Env = [
            ("GITHUB_SERVER_URL", "https://ghe.example.com/"),
            ("GITHUB_API_URL", "https://ghe.example.com/api/v3"),
        ]
        .into_iter()
        .collect();
        let github = GitHub::of(&env);
        assert_eq!(
            github.run("a/b", "7", "2"),
            "https://ghe.example.com/a/b/actions/runs/7/attempts/2"
        );
        assert_eq!(github.api, "https://ghe.example.com/api/v3");
    }

    #[test]
    fn what_is_no_address_is_not_linked() {
        for url in [
            "",
            "javascript:x",
            "https://a b",
            "https://x)](y",
            "https://u:p@host",
        ] {
            let env: Env = [("GITHUB_SERVER_URL", url)].into_iter().collect();
            assert_eq!(GitHub::of(&env).server, "https://github.com", "{url}");
        }
        let github = GitHub::of(&Env::default());
        assert_eq!(
            github.commit("a/b)", "x y"),
            "https://github.com/a/b%29/commit/x%20y"
        );
    }
}
