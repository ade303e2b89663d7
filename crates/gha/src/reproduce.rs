//! The command line that gives the same run on a laptop, for the person whose deploy just failed.

/// A command line for a POSIX shell with bash's `$'…'` for control characters. Secrets stand in it as `"$NAME"`.
#[must_use]
pub fn line(tool: &str, arguments: &[String], secrets: &[&str]) -> String {
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
            format!("{flag}={}", quote(value))
        }
        _ => quote(argument),
    }
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
            line("notify", &arguments, &["SLACK_WEBHOOK_URL"]),
            "SLACK_WEBHOOK_URL=\"$SLACK_WEBHOOK_URL\" notify --status=failure --title=\"it's; rm -rf\""
        );
        assert_eq!(quote("a\nb'c"), "$'a\\nb\\'c'");
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
