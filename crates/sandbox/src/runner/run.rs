//! The body of a `run:` step: its script as a real process, and what its command files say afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use uuid::Uuid;

use super::commands::{Effect, Interpreter};
use super::contexts::Frame;
use super::evaluate::Scope;
use super::expression;
use super::files::{self, CommandFiles, SUMMARY_LIMIT};
use super::job::Runner;
use super::process::{self, Before, Notice};
use super::report::Outcome;
use super::script;
use super::step::{Attempt, env_of, first_line};
use super::survivors;

impl Runner<'_> {
    /// Runs a `run:` to its end. An error is one of the runner, for the log.
    pub(crate) fn run_script(
        &mut self,
        frame: &Frame,
        scope: Scope<'_>,
        script: &str,
        shell: Option<&str>,
        folder: Option<&str>,
    ) -> Result<Attempt, String> {
        let text =
            |template: &str| expression::interpolate(template, scope).map_err(|error| error.to_string());
        let outside = frame.action.is_none();
        let shell = shell
            .or(self.plan.shell.as_deref().filter(|_| outside))
            .map(text)
            .transpose()?;
        let folder = folder
            .or(self.plan.working_directory.as_deref().filter(|_| outside))
            .map(text)
            .transpose()?;
        let folder = self.setup.workspace.join(folder.unwrap_or_default());
        let script = text(script)?;
        let env = env_of(scope);
        let search = self.search_path(&env);
        let launch = script::prepare(&script, shell.as_deref(), &search, &self.folders.temp)?;
        self.print_script(&script, &launch.shown, &env);
        let files = CommandFiles::create(&self.folders.temp)
            .map_err(|error| format!("failed to make the command files: {error}"))?;
        let marker = Uuid::new_v4().to_string();
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .current_dir(&folder)
            .env_clear()
            .envs(&self.setup.machine);
        if !self.setup.machine.contains_key("HOME") {
            command.env("HOME", &self.folders.home);
        }
        command.env("CI", "true").envs(env).env("PATH", search);
        command.envs(self.fixed.variables(scope.contexts, &files));
        command
            .env("GITHUB_ACTIONS", "true")
            .env(survivors::MARKER, &marker);
        let mut attempt = self.run_process(command, &folder, &marker)?;
        self.read_files(&files, &mut attempt);
        files.remove();
        Ok(attempt)
    }

    fn run_process(&mut self, command: Command, folder: &Path, marker: &str) -> Result<Attempt, String> {
        let mut interpreter = Interpreter::new(self.journal.debugs);
        let mut attempt = Attempt::default();
        let before = Before {
            cancelled: self.running.is_stopped(),
            known: self.status == Outcome::Cancelled,
        };
        let cancel = self.cancel.clone();
        let ended = process::run(
            command,
            self.setup.grace,
            &cancel,
            before,
            |notice| match notice {
                Notice::Line(line) => {
                    self.journal.watch(&line);
                    for effect in interpreter.read(&line) {
                        self.apply(effect, &mut attempt);
                    }
                    false
                }
                Notice::CancelRequested => {
                    self.status = Outcome::Cancelled;
                    self.running.cancel()
                }
            },
        );
        let ended =
            ended.map_err(|error| format!("failed to start the shell in `{}`: {error}", folder.display()))?;
        attempt.survivors = survivors::find(marker);
        survivors::kill(&attempt.survivors);
        attempt.exit_code = Some(ended.code());
        if ended.cancelled {
            attempt.cancelled = true;
            self.journal.error("The operation was canceled.");
        } else if ended.code() != 0 {
            attempt.failed = true;
            self.journal
                .error(&format!("Process completed with exit code {}.", ended.code()));
        }
        Ok(attempt)
    }

    fn apply(&mut self, effect: Effect, attempt: &mut Attempt) {
        match effect {
            Effect::Print(text) => self.journal.print(&text),
            Effect::Debug(text) => self.journal.debug(&text),
            Effect::Issue {
                level,
                properties,
                message,
            } => self.journal.issue(level, &properties, &message),
            Effect::Mask(value) => self.journal.masker.add(&value),
            Effect::Output { name, value } => {
                attempt.outputs.insert(name, value);
            }
            Effect::Warn(text) => self.journal.warn(&text),
            Effect::Fail(reasons) => {
                attempt.failed = true;
                reasons.iter().for_each(|reason| self.journal.error(reason));
            }
        }
    }

    /// Takes what the step wrote for the runner, also after a failure or a cancel.
    fn read_files(&mut self, files: &CommandFiles, attempt: &mut Attempt) {
        for path in files::read_paths(&files.path) {
            self.paths.retain(|known| *known != path);
            self.paths.insert(0, path);
        }
        let env = files::read_entries(&files.env);
        for (name, value) in env.pairs {
            if name.eq_ignore_ascii_case("NODE_OPTIONS") {
                self.journal
                    .error("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
            } else {
                self.globals.insert(name, Value::from(value));
            }
        }
        let output = files::read_entries(&files.output);
        attempt.outputs.extend(output.pairs);
        let state = files::read_entries(&files.state);
        for (file, broken) in [
            ("env", env.broken),
            ("output", output.broken),
            ("state", state.broken),
        ] {
            if let Some(reason) = broken {
                self.journal
                    .error(&format!("Unable to process file command '{file}' successfully."));
                self.journal.error(&reason);
                attempt.failed = true;
            }
        }
        attempt.summary = self.read_summary(&files.summary);
    }

    fn read_summary(&mut self, path: &Path) -> String {
        let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
        if bytes > SUMMARY_LIMIT as u64 {
            self.journal.error(&format!(
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k.",
                SUMMARY_LIMIT / 1024,
                bytes / 1024
            ));
            return String::new();
        }
        let text = files::read_text(path);
        text.split('\n')
            .map(|line| self.journal.masker.mask(line))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn search_path(&self, env: &BTreeMap<String, String>) -> String {
        let base = env
            .get("PATH")
            .or_else(|| self.setup.machine.get("PATH"))
            .map_or("", String::as_str);
        let folders = self.paths.iter().map(String::as_str).chain([base]);
        folders
            .filter(|folder| !folder.is_empty())
            .collect::<Vec<_>>()
            .join(":")
    }

    fn print_script(&mut self, script: &str, shell: &str, env: &BTreeMap<String, String>) {
        self.journal
            .print(&format!("##[group]Run {}", first_line(script)));
        for line in script.trim_end_matches('\n').split('\n') {
            self.journal.print(&format!("\x1b[36;1m{line}\x1b[0m"));
        }
        self.journal.print(&format!("shell: {shell}"));
        self.print_env(env);
    }

    /// The end of a step's head: its environment.
    pub(crate) fn print_env(&mut self, env: &BTreeMap<String, String>) {
        if !env.is_empty() {
            self.journal.print("env:");
        }
        for (name, value) in env {
            self.journal.print(&format!("  {name}: {value}"));
        }
        self.journal.print("##[endgroup]");
    }
}
