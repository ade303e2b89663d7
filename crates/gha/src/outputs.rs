//! Step outputs in the file that `GITHUB_OUTPUT` names, and variables for later steps in that of `GITHUB_ENV`, which has
//! the same form
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings>).
//!
//! Always in the heredoc form with a random delimiter, so that no value, whatever it holds, can end itself early
//! and add an output of its own.

/// Why an output can't be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OutputError {
    /// The name is not one the runner takes everywhere.
    #[error("`{0}` can't name an output: letters, digits, `-` and `_` only, and no digit first")]
    Name(String),
    /// The value holds the delimiter.
    #[error("the value of output `{0}` holds the delimiter")]
    Delimiter(String),
    /// A NUL can't travel through the environment of the next step.
    #[error("the value of output `{0}` holds a NUL character")]
    Nul(String),
}

/// One output as the runner reads it, to be appended with one write.
///
/// # Errors
/// When the name is refused, or the value holds the delimiter or a NUL.
pub fn entry(name: &str, value: &str, delimiter: &str) -> Result<String, OutputError> {
    if !is_name(name) {
        return Err(OutputError::Name(crate::text::visible(name)));
    }
    if value.contains(delimiter) || name.contains(delimiter) {
        return Err(OutputError::Delimiter(name.to_owned()));
    }
    if value.contains('\0') {
        return Err(OutputError::Nul(name.to_owned()));
    }
    Ok(format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

/// Whether a name is taken by the runner, by expressions and by shells alike.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Whether a name is one for a variable of the environment: capitals, digits and `_`, as every shell takes it.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn writes_the_heredoc_form() {
        assert_eq!(
            entry("tags", "a\nb", "EOF1").as_deref(),
            Ok("tags<<EOF1\na\nb\nEOF1\n")
        );
        assert_eq!(entry("tags", "", "EOF1").as_deref(), Ok("tags<<EOF1\n\nEOF1\n"));
    }

    #[test]
    fn refuses_what_could_be_read_otherwise() {
        for name in ["", "1a", "a b", "a=b", "a\nb", "ä", "a<<b", "-a"] {
            assert!(
                matches!(entry(name, "v", "EOF1"), Err(OutputError::Name(_))),
                "{name}"
            );
        }
        assert_eq!(
            entry("a", "xEOF1y", "EOF1"),
            Err(OutputError::Delimiter("a".to_owned()))
        );
        assert_eq!(entry("a", "x\0", "EOF1"), Err(OutputError::Nul("a".to_owned())));
    }

    #[test]
    fn a_variable_is_what_every_shell_takes() {
        for name in ["A", "_A1", "DOCKER_METADATA_OUTPUT_BAKE_FILE"] {
            assert!(is_variable(name), "{name}");
        }
        for name in ["", "1A", "a", "A-B", "A B", "A=B", "A\nB", "Ä", "A<<B", "PATHé"] {
            assert!(!is_variable(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(value in any::<String>()) {
            if let Ok(text) = entry("name", &value, "ghadelimiter_x") {
                let inside = text.strip_prefix("name<<ghadelimiter_x\n").and_then(|rest| rest.strip_suffix("\nghadelimiter_x\n"));
                assert_eq!(inside, Some(value.as_str()));
                assert!(!inside.unwrap().lines().any(|line| line == "ghadelimiter_x"));
            }
        }
    }
}
