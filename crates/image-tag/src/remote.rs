//! What the address of a git remote says about its repository: the name, and the page a person can open. Never the
//! credentials in it.
//!
//! The forms are those of git (<https://git-scm.com/docs/git-clone#URLS>). A path on this machine says nothing. The
//! page stands where the address points to; of hosts that are known to show it elsewhere it is left empty.

use crate::facts::Repository;

/// A repository as its remote's address tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// `owner/name`, or with groups `group/sub/name`.
    pub(crate) full_name: String,
    /// Address of its page; empty where it is not known.
    pub(crate) html_url: String,
}

impl Remote {
    /// Whether it is the address of this repository; where the page is not known, its name decides.
    pub(crate) fn is_of(&self, repository: &Repository) -> bool {
        self.full_name.eq_ignore_ascii_case(&repository.full_name)
            && (self.html_url.is_empty() || self.html_url.eq_ignore_ascii_case(&repository.html_url))
    }
}

/// Hosts that a forge offers for SSH beside the one that people open.
const SSH_HOSTS: [(&str, &str); 3] = [
    ("altssh.bitbucket.org", "bitbucket.org"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("ssh.github.com", "github.com"),
];

/// The port of SSH on Bitbucket Data Center.
const BITBUCKET_SSH_PORT: &str = "7999";

/// Reads `address`, such as `https://user:token@host/o/r.git`, `git@host:o/r.git` or `ssh://git@host:22/o/r.git`.
/// `None` for local paths, and for what can't be told apart from credentials.
pub(crate) fn remote(address: &str) -> Option<Remote> {
    let address = address.trim();
    if address.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return None;
    }
    match address.split_once("://") {
        Some((scheme, rest)) => by_url(scheme, rest),
        None => by_scp(address),
    }
}

/// `SCHEME://[USER[:PASSWORD]@]HOST[:PORT]/PATH`
fn by_url(scheme: &str, rest: &str) -> Option<Remote> {
    let (authority, path) = rest.split_once('/')?;
    // A password with a `/` in it would have ended up there, with the `@` that follows it.
    if path.contains('@') {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = split_port(host_and_port)?;
    let name = Name::read(host, path)?;
    let over_ssh = match scheme.to_ascii_lowercase().as_str() {
        // A web server's port is the page's port too.
        "https" | "git+https" => return Some(name.on_web("https", port)),
        "http" => return Some(name.on_web("http", port)),
        "ssh" | "git+ssh" | "ssh+git" => true,
        "git" => false,
        _ => return None,
    };
    Some(if over_ssh && port == Some(BITBUCKET_SSH_PORT) {
        name.without_page()
    } else {
        name.on_web("https", None)
    })
}

/// `[USER@]HOST:PATH`
fn by_scp(address: &str) -> Option<Remote> {
    let (user_and_host, path) = match address.split_once("]:") {
        // `[HOST:PORT]:PATH`
        Some((bracketed, path)) => (bracketed.replacen('[', "", 1), path),
        None => {
            let (host, path) = address.split_once(':')?;
            (host.to_owned(), path)
        }
    };
    // A `/` before the colon makes it a local path, one letter a drive.
    if user_and_host.contains('/') || user_and_host.len() < 2 {
        return None;
    }
    let host_and_port = user_and_host.rsplit('@').next().unwrap_or_default();
    let (host, _) = split_port(host_and_port)?;
    Some(Name::read(host, path.trim_start_matches('/'))?.on_web("https", None))
}

/// Host and port, both made of what they may be made of.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let bracket = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority.rfind(':').filter(|colon| *colon > bracket) {
        Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
        None => (authority, None),
    };
    let port = port.filter(|port| !port.is_empty());
    let is_number = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let is_host = |host: &str| match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(ip) => {
            !ip.is_empty()
                && ip
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
        }
        None => {
            host.starts_with(char::is_alphanumeric)
                && host
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    (is_host(host) && port.is_none_or(is_number)).then_some((host, port))
}

/// Where a repository is on its host.
struct Name<'a> {
    host: &'a str,
    path: &'a str,
}

impl<'a> Name<'a> {
    fn read(host: &'a str, path: &'a str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        (!path.contains('@') && !path.split('/').any(odd)).then_some(Self { host, path })
    }

    fn on_web(&self, scheme: &str, port: Option<&str>) -> Remote {
        // Bitbucket Data Center clones from `/scm/`, and Azure over SSH from another host; their pages are elsewhere.
        if self.path.starts_with("scm/") || self.host == "ssh.dev.azure.com" {
            return self.without_page();
        }
        let host = SSH_HOSTS
            .iter()
            .find(|(ssh, _)| *ssh == self.host)
            .map_or(self.host, |(_, web)| web);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Remote {
            full_name: self.path.to_owned(),
            html_url: format!("{scheme}://{host}{port}/{}", self.path),
        }
    }

    fn without_page(&self) -> Remote {
        let path = self.path.strip_prefix("scm/").unwrap_or(self.path);
        let path = match self.host {
            "ssh.dev.azure.com" => path.strip_prefix("v3/").unwrap_or(path),
            _ => path,
        };
        Remote {
            full_name: path.to_owned(),
            html_url: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(address: &str) -> Option<(String, String)> {
        remote(address).map(|remote| (remote.full_name, remote.html_url))
    }

    #[test]
    fn addresses_of_forges() {
        let cases = [
            ("https://git.example/o/r.git", "o/r", "https://git.example/o/r"),
            ("https://git.example/o/r", "o/r", "https://git.example/o/r"),
            ("https://git.example/o/r/", "o/r", "https://git.example/o/r"),
            (
                "https://git.example/g/s/r.git/",
                "g/s/r",
                "https://git.example/g/s/r",
            ),
            ("HTTPS://git.example/o/r.git", "o/r", "https://git.example/o/r"),
            (
                "http://git.example:8080/o/r.git",
                "o/r",
                "http://git.example:8080/o/r",
            ),
            (
                "https://user:token@git.example/o/r.git",
                "o/r",
                "https://git.example/o/r",
            ),
            (
                "https://u:p@ss@git.example:8443/o/r.git",
                "o/r",
                "https://git.example:8443/o/r",
            ),
            (
                "https://git.example/o/r.git?token=x#y",
                "o/r",
                "https://git.example/o/r",
            ),
            ("git@git.example:o/r.git", "o/r", "https://git.example/o/r"),
            ("git.example:o/r.git", "o/r", "https://git.example/o/r"),
            ("git@git.example:/o/r.git", "o/r", "https://git.example/o/r"),
            ("git@[git.example:2222]:o/r.git", "o/r", "https://git.example/o/r"),
            (
                "ssh://git@git.example:22/o/r.git",
                "o/r",
                "https://git.example/o/r",
            ),
            (
                "git+ssh://git@git.example/o/r.git",
                "o/r",
                "https://git.example/o/r",
            ),
            ("git://git.example/o/r.git", "o/r", "https://git.example/o/r"),
            (
                "https://[2001:db8::1]:8443/o/r.git",
                "o/r",
                "https://[2001:db8::1]:8443/o/r",
            ),
            (
                "ssh://git@ssh.github.com:443/o/r.git",
                "o/r",
                "https://github.com/o/r",
            ),
            ("https://git.example/repo.git", "repo", "https://git.example/repo"),
            (
                "https://org@dev.azure.com/org/shop/_git/api",
                "org/shop/_git/api",
                "https://dev.azure.com/org/shop/_git/api",
            ),
            ("git@ssh.dev.azure.com:v3/org/shop/api", "org/shop/api", ""),
            ("ssh://git@git.example:7999/shop/api.git", "shop/api", ""),
            ("https://git.example/scm/shop/api.git", "shop/api", ""),
        ];
        for (address, full_name, html_url) in cases {
            let expected = Some((full_name.to_owned(), html_url.to_owned()));
            assert_eq!(found(address), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_forge_says_nothing() {
        let cases = [
            "",
            "/srv/git/r.git",
            "../r.git",
            "./o:r",
            "r.git",
            "C:\\git\\r",
            "C:/git/r",
            "file:///srv/git/r.git",
            "https://git.example",
            "https://git.example/",
            "https:///o/r.git",
            "https://git.example/o//r.git",
            "https://git.example/o/../r.git",
            "https://git.example:port/o/r.git",
            "https://git.example/o/r.git\nx",
            "ftp://git.example/o/r.git",
            // A password that is not encoded must not end up in a name.
            "https://user:12/34@git.example/o/r.git",
            "https://user:12/34?5@git.example/o/r.git",
            "user:secret@git.example:o/r.git",
        ];
        for address in cases {
            assert_eq!(found(address), None, "{address:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(address in "\\PC{0,60}") {
            if let Some(remote) = remote(&address) {
                prop_assert!(!remote.full_name.is_empty());
                prop_assert!(remote.html_url.is_empty() || remote.html_url.ends_with(&remote.full_name));
            }
        }

        #[test]
        fn credentials_never_come_out(
            scheme in "https|http|ssh|git",
            user in "[a-z]{0,8}",
            secret in "20261122[!-~]{0,12}",
            path in "[a-z]{1,8}/[a-z]{1,8}",
        ) {
            let addresses = [
                format!("{scheme}://{user}:{secret}@git.example/{path}.git"),
                format!("{user}:{secret}@git.example:{path}.git"),
            ];
            for address in addresses {
                if let Some(remote) = remote(&address) {
                    prop_assert!(!format!("{remote:?}").contains("20261122"), "{address} gave {remote:?}");
                }
            }
        }
    }
}
