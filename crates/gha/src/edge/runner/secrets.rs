//! Secrets: where they are read from. Each is masked before anybody has it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use secrecy::SecretString;

use super::{Runner, read_limited, read_stream};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interface::{SecretSpec, variable};

/// The shortest secret that is taken, but for [`SecretSpec::short`].
const SHORTEST_SECRET: usize = 6;

/// Where a secret is that a configuration file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// In this variable of the environment.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

impl Runner {
    /// Reads a secret: from the file that its flag names (`-` is standard input), else from its input, else from its
    /// own variable. It is masked before this returns, but for a short one of a [`SecretSpec::short`].
    ///
    /// # Errors
    /// When the file can't be read or is empty, when the value is too short, or the run is cancelled while standard
    /// input is awaited.
    pub async fn secret(
        &self,
        spec: &SecretSpec,
        file: Option<&Path>,
    ) -> Result<Option<SecretString>, Failure> {
        let input = variable(spec.name);
        let given = |name: &str| self.env.get(name).filter(|value| !value.trim().is_empty());
        let found = match file {
            Some(path) => {
                let help = format!(
                    "name a file that holds nothing but the secret, or set `{}`",
                    spec.env
                );
                let flag = format!("`--{}`", spec.file_flag());
                Some(self.secret_file(&flag, path, help).await?)
            }
            None => given(&input).or_else(|| given(spec.env)).map(str::to_owned),
        };
        let Some(value) = found
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
        else {
            return Ok(None);
        };
        self.hold(value, spec.name, spec.short, file.is_none().then_some(spec.env))
            .map(Some)
    }

    /// Reads a secret that a configuration file names: from a variable, or from a file. `said` is what the user calls it. It is masked
    /// before this returns.
    ///
    /// # Errors
    /// When it is not there or too short, or the run is cancelled meanwhile.
    pub async fn named_secret(&self, said: &str, from: &SecretFrom) -> Result<SecretString, Failure> {
        let (value, variable) = match from {
            SecretFrom::File(path) => {
                let help = "name a file that holds nothing but the secret".to_owned();
                (self.secret_file(&format!("`{said}`"), path, help).await?, None)
            }
            SecretFrom::Variable(name) => {
                let value = self.env.get(name).filter(|value| !value.trim().is_empty());
                let missing = || {
                    Failure::new(
                        Exit::Usage,
                        format!("`{said}` names the variable `{name}`, which is not set"),
                    )
                    .help(format!(
                        "set `{name}`; in a workflow under `env` of the step, from `secrets`"
                    ))
                };
                (value.ok_or_else(missing)?.to_owned(), Some(name.as_str()))
            }
        };
        self.hold(value.trim().to_owned(), said, false, variable)
    }

    /// Takes a secret into keeping: masked, unless it is a short one that may be.
    fn hold(
        &self,
        value: String,
        said: &str,
        may_be_short: bool,
        variable: Option<&str>,
    ) -> Result<SecretString, Failure> {
        let short = value.len() < SHORTEST_SECRET;
        if short && !may_be_short {
            let reason = format!("the secret `{said}` is shorter than {SHORTEST_SECRET} characters");
            return Err(Failure::new(Exit::Usage, reason)
                .help("hiding it would hide parts of ordinary words; check its value"));
        }
        if !short {
            self.mask(&value);
        }
        if let Some(variable) = variable {
            self.secrets_used
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(variable.to_owned());
        }
        Ok(SecretString::from(value))
    }

    /// The content of the file that holds a secret; `named` is what named the file.
    async fn secret_file(&self, named: &str, path: &Path, help: String) -> Result<String, Failure> {
        let owned = path.to_owned();
        // On a thread of its own, so that a signal is heard while standard input is awaited.
        let read = tokio::task::spawn_blocking(move || {
            let bytes = if owned.as_os_str() == "-" {
                read_stream(std::io::stdin())
            } else {
                read_limited(&owned)
            };
            bytes.and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8 text"))
            })
        });
        let content = self
            .cancel
            .guard(read)
            .await?
            .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let name = path.display().to_string();
        let refuse = |reason: String, help: String| {
            let reason = format!("failed to read {named} from `{name}`: {reason}");
            Failure::new(Exit::Usage, reason).help(help)
        };
        match content {
            Ok(text) if text.trim().is_empty() => Err(refuse("it is empty".to_owned(), help)),
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound && may_be_the_secret(&name) => {
                self.mask(&name);
                let help = format!("that looks like the secret itself; {help}");
                Err(refuse(error.to_string(), help))
            }
            Err(error) => Err(refuse(error.to_string(), help)),
        }
    }
}

/// Whether somebody gave the secret for its file's name: an address, or a long word that is no path.
fn may_be_the_secret(name: &str) -> bool {
    let is_word = !name.contains(['/', '.', '\\']);
    name.contains("://") || (is_word && name.len() > 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::testing::runner;
    use secrecy::ExposeSecret as _;

    #[tokio::test]
    async fn a_short_secret_is_taken_only_where_it_can_be_none() {
        for (short, value, taken, masked) in [
            (false, "12345", false, false),
            (false, "123456", true, true),
            (true, "12345", true, false),
            (true, "123456", true, true),
        ] {
            let (name, env, description) = ("token", "DEMO_TOKEN", "");
            let spec = &SecretSpec {
                name,
                env,
                description,
                default: None,
                short,
            };
            let (runner, _) = runner(&[("INPUT_TOKEN", value)]);
            let secret = runner.secret(spec, None).await;
            assert_eq!(secret.is_ok_and(|secret| secret.is_some()), taken, "{value}");
            assert_eq!(runner.hide(value) == "***", masked, "{value}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_a_file_names_is_there_and_hidden() {
        let (runner, _) = runner(&[("OPS_TOKEN", " xoxb-123 ")]);
        let named = |name: &str| SecretFrom::Variable(name.to_owned());
        let found = runner
            .named_secret("receivers.ops.token-env", &named("OPS_TOKEN"))
            .await;
        assert_eq!(found.unwrap().expose_secret(), "xoxb-123");
        assert_eq!(runner.hide("it is xoxb-123"), "it is ***");
        assert_eq!(runner.secrets_used(), ["OPS_TOKEN"]);
        let runner = &runner;
        let refused = async |from: SecretFrom| {
            let failure = runner
                .named_secret("receivers.ops.token-env", &from)
                .await
                .unwrap_err();
            failure.error.to_string()
        };
        let missing = refused(named("OPS")).await;
        assert_eq!(
            missing,
            "`receivers.ops.token-env` names the variable `OPS`, which is not set"
        );
        let address = refused(SecretFrom::File("https://x.example/secret".into())).await;
        assert!(runner.hide(&address).contains("from `***`"), "{address}");
        let token = refused(SecretFrom::File("xoxb-1234567890-abcdefgh".into())).await;
        assert!(runner.hide(&token).contains("from `***`"), "{token}");
        let path = refused(SecretFrom::File("secrets/slack-token-of-production".into())).await;
        assert!(runner.hide(&path).contains("of-production`"), "{path}");
    }
}
