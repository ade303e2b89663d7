//! The command line that gives the same run on a laptop, for the person whose deploy just failed.

/// A command line for a POSIX shell with bash's `$'…'` for control characters. Secrets stand in it as `"$NAME"`.
#[must_use]
pub fn line(tool: &str, arguments: &[String], secrets: &[String]) -> String {
    let secrets = secrets.iter().map(|name| format!("{name}=\"${name}\""));
    let arguments = arguments.iter().map(|argument| argument_word(argument));
    secrets
        .chain([tool.to_owned()])
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// An argument as a shell word; of `--flag=value` only the value is quoted, as a person would.
fn argument_word(argument: &str) -> String {
    match argument.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") && crate::outputs::is_name(&flag[2..]) => {
            format!("{flag}={}", quote(&without_secrets(value)))
        }
        _ => quote(&without_secrets(argument)),
    }
}

/// An address without user, password and the values of its query, any of which may be a secret; the reader knows them.
/// Anything else as it is.
fn without_secrets(value: &str) -> String {
    // Of any scheme: `redis://:password@host` is written where a host is wanted, too.
    let is_scheme = |scheme: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        !scheme.is_empty() && scheme.chars().all(plain)
    };
    let address = value
        .trim_start()
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme));
    let Some((scheme, rest)) = address else {
        return value.to_owned();
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority
        .rsplit_once('@')
        .map_or(authority.to_owned(), |(_, host)| format!("***@{host}"));
    let hide = |pair: &str| {
        pair.split_once('=')
            .map_or("***".to_owned(), |(name, _)| format!("{name}=***"))
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&")));
    format!("{scheme}://{authority}{path}{}", query.unwrap_or_default())
}

/// One shell word.
#[must_use]
pub fn quote(word: &str) -> String {
    if !word.chars().any(crate::text::is_hidden) {
        // A word fails to be quoted only for a NUL, which is a control character.
        return shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned);
    }
    let mut quoted = "$'".to_owned();
    for c in word.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\0' => {}
            c if crate::text::is_hidden(c) => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use std::process::Command;

    #[test]
    fn shows_secrets_by_name() {
        let arguments = ["--status=failure".to_owned(), "--title=it's; rm -rf".to_owned()];
        assert_eq!(
            line("notify", &arguments, &["SLACK_WEBHOOK_URL".to_owned()]),
            "SLACK_WEBHOOK_URL=\"$SLACK_WEBHOOK_URL\" notify --status=failure --title=\"it's; rm -rf\""
        );
        assert_eq!(quote("a\nb'c"), "$'a\\nb\\'c'");
    }

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (value, shown) in [
            ("https://example.com/health", "https://example.com/health"),
            (
                "https://u:p@example.com/health?token=abc&x#f",
                "https://***@example.com/health?token=***&***",
            ),
            (
                "a text with https://example.com/?token=abc",
                "a text with https://example.com/?token=abc",
            ),
            (
                "https://u:p w@example.com/a b?token=T x",
                "https://***@example.com/a b?token=***",
            ),
            ("redis://:p@cache:6379", "redis://***@cache:6379"),
            ("type=raw,value=a", "type=raw,value=a"),
        ] {
            assert_eq!(without_secrets(value), shown);
        }
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
        #[test]
        fn bash_reads_the_word_back(word in any::<String>()) {
            let word = word.replace('\0', "");
            let script = format!("LC_ALL=C.UTF-8; printf %s {}", quote(&word));
            assert!(!script.contains('\n') && !script.contains('\u{1b}'));
            let output = Command::new("bash").env("LC_ALL", "C.UTF-8").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
