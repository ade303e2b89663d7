//! By what a one-off task is known: the token with which a repeated `RunTask` starts no second one, and who started it.

use sha2::{Digest as _, Sha256};

/// As many characters as `RunTask` takes for a client token
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html>).
const TOKEN: usize = 64;

/// As many characters as it takes for `startedBy`.
const STARTED_BY: usize = 128;

/// The client token of a task: the same for the same parts, in the same order. The parts are the run and its attempt, so
/// that a second attempt runs the task again, and all that is asked for, because a token that comes with other parameters
/// is a conflict.
#[must_use]
pub fn client_token(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    }
    let mut token = String::with_capacity(TOKEN);
    for byte in hash.finalize() {
        token.push_str(&format!("{byte:02x}"));
    }
    token
}

/// Who started a task, in the letters that ECS takes: `deploy-actions/acme/shop/42/1`. A long one loses its middle, never
/// the end that names the run.
#[must_use]
pub fn started_by(parts: &[&str]) -> String {
    let taken = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_') {
            c
        } else {
            '_'
        }
    };
    let all: String = std::iter::once("deploy-actions")
        .chain(parts.iter().copied())
        .collect::<Vec<_>>()
        .join("/")
        .chars()
        .map(taken)
        .collect();
    match all.len().checked_sub(STARTED_BY) {
        None | Some(0) => all,
        Some(over) => format!("{}{}", &all[..15], &all[15 + over..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_token_is_that_of_its_parts() {
        let token = client_token(&["acme/shop", "42", "1", "web:7"]);
        assert_eq!(token, client_token(&["acme/shop", "42", "1", "web:7"]));
        assert_ne!(token, client_token(&["acme/shop", "42", "2", "web:7"]));
        assert_ne!(client_token(&["a", "bc"]), client_token(&["ab", "c"]));
    }

    #[test]
    fn a_person_reads_who_started_it() {
        assert_eq!(
            started_by(&["acme/my.shop", "42", "1"]),
            "deploy-actions/acme/my_shop/42/1"
        );
        let long = started_by(&[&"x".repeat(300), "42", "1"]);
        assert!(
            long.starts_with("deploy-actions/x") && long.ends_with("x/42/1"),
            "{long}"
        );
        assert_eq!(long.len(), STARTED_BY);
    }

    proptest! {
        #[test]
        fn ecs_takes_what_comes_out(parts in vec(any::<String>(), 0..5)) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let token = client_token(&parts);
            assert!(token.len() <= TOKEN && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let by = started_by(&parts);
            assert!(by.len() <= STARTED_BY && by.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/_".contains(&b)));
        }
    }
}
