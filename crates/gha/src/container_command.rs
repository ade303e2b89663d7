//! A command for one of several containers, in one line: `web=bin/migrate --all`. Pure; what has no such container finds out later.

/// A command, and for which container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerCommand {
    /// The container; `None` where the line names none.
    pub container: Option<String>,
    /// The words of the command; none leaves the command to the image.
    pub words: Vec<String>,
}

/// Why a line is no command. What was given is foreign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command `{}` {why}", crate::text::cut(&crate::text::visible(given), 80))]
pub struct CommandError {
    /// What stands where the command should.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl ContainerCommand {
    /// Reads `container=COMMAND` or a command alone: a JSON list of texts, or words as a POSIX shell would split them, with its
    /// quotes and backslashes (<https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_02>). No shell
    /// runs, so nothing is expanded. A line begins with a container where what stands before its first `=` could be the name of
    /// one; `[]` leaves the command to the image.
    ///
    /// # Errors
    /// When it is empty, a quote is open, or the list is of something else than texts.
    pub fn parse(line: &str) -> Result<Self, CommandError> {
        let line = line.trim();
        let named = line
            .split_once('=')
            .filter(|(container, _)| is_container_name(container.trim()));
        let (container, command) = match named {
            Some((container, command)) => (Some(container.trim().to_owned()), command.trim()),
            None => (None, line),
        };
        let refuse = |why| CommandError {
            given: command.to_owned(),
            why,
        };
        let words = if command.starts_with('[') {
            serde_json::from_str(command).map_err(|_| refuse("is no JSON list of texts"))?
        } else {
            let words = shlex::split(command).ok_or_else(|| refuse("has a quote that is not closed"))?;
            if words.is_empty() {
                return Err(refuse("is empty; write `[]` for the image's own"));
            }
            words
        };
        Ok(Self { container, words })
    }
}

/// A container's name is of at most 255 letters, digits, `_` and `-`
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>); Kubernetes has fewer of these.
fn is_container_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn read(line: &str) -> String {
        match ContainerCommand::parse(line) {
            Ok(read) => format!("{}:{:?}", read.container.as_deref().unwrap_or("-"), read.words),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lines_are_read() {
        for (line, expected) in [
            ("web=bin/migrate --all", r#"web:["bin/migrate", "--all"]"#),
            (" sh -c 'a=b c' ", r#"-:["sh", "-c", "a=b c"]"#),
            (r#"web = ["a", "b c"]"#, r#"web:["a", "b c"]"#),
            ("web=[]", "web:[]"),
            ("web=", "the command `` is empty; write `[]` for the image's own"),
            ("web=a 'b", "the command `a 'b` has a quote that is not closed"),
            ("web=[1]", "the command `[1]` is no JSON list of texts"),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(line in any::<String>()) {
            assert!(!read(&line).contains('\n') || ContainerCommand::parse(&line).is_ok());
        }
    }
}
