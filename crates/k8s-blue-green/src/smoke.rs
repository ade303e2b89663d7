//! A command of the user's that must succeed before the new version has traffic. It is started without a shell, in our folder and
//! environment but for our secrets, with nothing to read, and its whole process group is ended with it.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::edge::process::{ProcessError, Surroundings, Watched, watch};
use gha::env::Env;
use gha::interface::{SecretSpec, variable};
use gha::{Runner, duration, text};

/// How much is kept of the end of each stream, in bytes.
const KEPT: usize = 64 * 1024;

/// How many of its last lines are shown.
const LINES: usize = 20;

/// How much of its last line is quoted, in characters.
const QUOTED: usize = 200;

/// A smoke command, read but not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smoke {
    program: String,
    arguments: Vec<String>,
}

/// What it is told of the new version.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// Where the new version is: `PREVIEW_URL`. What is empty is not in the command's environment.
    pub url: &'a str,
    /// The Service: `PREVIEW_SERVICE`.
    pub service: &'a str,
    /// The namespace: `PREVIEW_NAMESPACE`.
    pub namespace: &'a str,
    /// The colour: `PREVIEW_COLOR`.
    pub color: &'a str,
    /// The image: `PREVIEW_IMAGE`.
    pub image: &'a str,
}

/// Why there is no command, or no verdict of it.
#[derive(Debug, thiserror::Error)]
pub enum SmokeError {
    /// It is no command.
    #[error("`--smoke` is no command: {0}")]
    Words(&'static str),
    /// It could not be started.
    #[error("`--smoke`: {0}")]
    Start(String),
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It succeeded.
    Passed,
    /// It failed; why, in words, with its last ones.
    Failed(String),
}

impl Smoke {
    /// The words of a command, by the rules of a shell for quotes and backslashes; no shell reads it.
    ///
    /// # Errors
    /// When it has none, or a quote has no end.
    pub fn of(command: &str) -> Result<Self, SmokeError> {
        let words = shlex::split(command).ok_or(SmokeError::Words("a quote has no end"))?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or(SmokeError::Words("it is empty"))?;
        let arguments = words.collect();
        Ok(Self { program, arguments })
    }

    /// Runs it; its last lines are in the log.
    ///
    /// # Errors
    /// When it can't be started, or the run is cancelled.
    pub async fn run(
        &self,
        about: &About<'_>,
        limit: Duration,
        runner: &Runner,
    ) -> Result<Verdict, SmokeError> {
        let surroundings = surroundings(about, runner.env(), runner.interface().secrets);
        let name = self.name();
        runner.info(&match about.url {
            "" => format!("smoke: {name}"),
            url => format!("smoke: {name} against {}", text::line(url)),
        });
        let ran = watch(
            &self.program,
            &self.arguments,
            &surroundings,
            KEPT,
            limit,
            runner.cancel(),
        );
        let ended = match ran.await {
            Ok(ended) => ended,
            Err(ProcessError::Cancelled(cancelled)) => return Err(cancelled.into()),
            Err(error) => return Err(SmokeError::Start(text::line(&gha::failure::chain(&error)))),
        };
        let said = said(&ended, runner);
        if !said.is_empty() {
            runner.group(&format!("smoke: the last words of {name}"));
            runner.block(&said, LINES);
            runner.end_group();
        }
        Ok(verdict(&name, ended.status, &said, limit))
    }

    /// It for people: its program's file name. Its arguments may hold secrets.
    fn name(&self) -> String {
        let file = Path::new(&self.program).file_name();
        let file = file.map_or_else(|| self.program.as_str().into(), |file| file.to_string_lossy());
        format!("`{}`", text::line(&file))
    }
}

/// The last lines of both streams, without secrets.
fn said(ended: &Watched, runner: &Runner) -> String {
    let end = |bytes: &[u8]| {
        let text = runner.hide(&String::from_utf8_lossy(bytes));
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(LINES / 2)..].join("\n")
    };
    let parts = [end(&ended.stdout), end(&ended.stderr)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn verdict(name: &str, status: Option<ExitStatus>, said: &str, limit: Duration) -> Verdict {
    let how = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(0), _)) => return Verdict::Passed,
        Some((Some(code), _)) => format!("exited with {code}"),
        Some((None, signal)) => format!("was ended by signal {}", signal.unwrap_or_default()),
        None => format!("did not end within {}", duration::display(limit)),
    };
    let last = said
        .lines()
        .next_back()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let last = last.map(|line| format!(": `{}`", text::cut(&text::line(line), QUOTED)));
    Verdict::Failed(format!("smoke: {name} {how}{}", last.unwrap_or_default()))
}

/// What its environment has that ours has not, and the other way round: nothing of ours that is secret, and no input, which the
/// command did not ask for. A proxy must not stand before the preview, which is on this machine.
fn surroundings(about: &About<'_>, env: &Env, secrets: &[SecretSpec]) -> Surroundings {
    let named = [
        ("PREVIEW_URL", about.url),
        ("PREVIEW_SERVICE", about.service),
        ("PREVIEW_NAMESPACE", about.namespace),
        ("PREVIEW_COLOR", about.color),
        ("PREVIEW_IMAGE", about.image),
    ];
    let mut set: Vec<(String, String)> = named
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if env
        .iter()
        .any(|(name, _)| name.to_ascii_lowercase().ends_with("_proxy"))
    {
        for name in ["NO_PROXY", "no_proxy"] {
            let others = env.get("NO_PROXY").or_else(|| env.get("no_proxy"));
            let others = others.map(|others| format!("{others},")).unwrap_or_default();
            set.push((name.to_owned(), format!("{others}127.0.0.1")));
        }
    }
    let ours = secrets
        .iter()
        .flat_map(|secret| [variable(secret.name), secret.env.to_owned()]);
    let inputs = env
        .iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("INPUT_"));
    let mut unset: Vec<String> = ours.chain(inputs.map(str::to_owned)).collect();
    unset.sort();
    unset.dedup();
    Surroundings { set, unset }
}

#[cfg(test)]
mod tests {
    use gha::edge::cancel::Signal;
    use gha::edge::testing::{runner, runner_of};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    const ABOUT: About<'_> = About {
        url: "http://127.0.0.1:1",
        service: "web",
        namespace: "shop",
        color: "green",
        image: "web:2",
    };

    fn sh(script: &str) -> Smoke {
        Smoke::of(&format!("sh -c {}", shlex::try_quote(script).unwrap())).unwrap()
    }

    #[test]
    fn a_command_is_words_and_no_shell() {
        let smoke = Smoke::of("./smoke.sh 'a b' $HOME \"c\\\"d\"").unwrap();
        assert_eq!(smoke.arguments, ["a b", "$HOME", "c\"d"]);
        for (command, words) in [
            ("", "it is empty"),
            ("  ", "it is empty"),
            ("'' x", "it is empty"),
            ("a 'b", "a quote has no end"),
        ] {
            let error = Smoke::of(command).unwrap_err().to_string();
            assert_eq!(error, format!("`--smoke` is no command: {words}"));
        }
    }

    #[tokio::test]
    async fn it_knows_the_new_version_and_none_of_our_secrets() {
        let (runner, log) = runner_of(
            crate::cli::INTERFACE,
            &[("HTTPS_PROXY", "http://p"), ("NO_PROXY", "inside")],
        );
        let script =
            "echo $PREVIEW_URL $PREVIEW_SERVICE $PREVIEW_NAMESPACE $PREVIEW_COLOR $PREVIEW_IMAGE $no_proxy";
        assert_eq!(
            sh(script).run(&ABOUT, LIMIT, &runner).await.unwrap(),
            Verdict::Passed
        );
        let shown = log.text();
        assert!(
            shown.contains("| http://127.0.0.1:1 web shop green web:2 inside,127.0.0.1"),
            "{shown}"
        );
        let env = [
            ("KUBE_CONFIG", "x"),
            ("INPUT_KUBECONFIG", "x"),
            ("INPUT_SERVICE", "x"),
            ("AWS_PROFILE", "x"),
        ];
        let env = env.into_iter().collect();
        let without = surroundings(&ABOUT, &env, crate::cli::INTERFACE.secrets).unset;
        assert_eq!(without, ["INPUT_KUBECONFIG", "INPUT_SERVICE", "KUBE_CONFIG"]);
    }

    #[tokio::test]
    async fn a_failure_has_its_last_words() {
        let (runner, log) = runner(&[]);
        runner.mask("hunter2-secret");
        for (script, words) in [
            ("exit 3", "smoke: `sh` exited with 3"),
            (
                "echo a; echo 'b hunter2-secret' >&2; exit 1",
                "smoke: `sh` exited with 1: `b ***`",
            ),
            (
                "echo '::error::x'; kill -9 $$",
                "smoke: `sh` was ended by signal 9: `",
            ),
        ] {
            let Verdict::Failed(why) = sh(script).run(&ABOUT, LIMIT, &runner).await.unwrap() else {
                panic!("it passed");
            };
            assert!(why.starts_with(words), "{why}");
        }
        assert!(
            !log.text().contains("hunter2") && !log.text().contains("\n::error::"),
            "{}",
            log.text()
        );
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_and_says_where() {
        let (runner, _) = runner(&[]);
        let limit = Duration::from_millis(300);
        let verdict = sh("echo waiting for the cart; sleep 61.000726")
            .run(&ABOUT, limit, &runner)
            .await;
        let words = "smoke: `sh` did not end within 300ms: `waiting for the cart`";
        assert_eq!(verdict.unwrap(), Verdict::Failed(words.to_owned()));
    }

    #[tokio::test]
    async fn a_cancel_and_a_missing_program_are_no_verdict() {
        let (runner, _) = runner(&[]);
        let missing = Smoke::of("/no/such/program").unwrap();
        let error = missing.run(&ABOUT, LIMIT, &runner).await.unwrap_err().to_string();
        assert!(
            error.starts_with("`--smoke`: failed to start `/no/such/program`: No such file"),
            "{error}"
        );
        runner.cancel().trigger(Signal::Terminate);
        let error = sh("sleep 61.000727")
            .run(&ABOUT, LIMIT, &runner)
            .await
            .unwrap_err();
        assert!(
            matches!(error, SmokeError::Cancelled(Cancelled(Signal::Terminate))),
            "{error}"
        );
    }
}
