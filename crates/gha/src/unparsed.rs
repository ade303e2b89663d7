//! clap's answer to a command line that it does not take, in our words: one line that names the flag, and what to write
//! instead. Pure. A word behind the command that belongs to no flag is never repeated: it may be a secret that was pasted in the
//! wrong place.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::interface::{Interface, input_flags, is_boolean};
use crate::{reproduce, text};

/// How many flags a help names.
const NAMED: usize = 6;

/// Why there are no flags.
pub(crate) enum Unparsed {
    /// Help or version was asked for.
    Shown(String),
    /// Something is wrong with them.
    Wrong(Failure),
}

/// A command line that was not taken.
pub(crate) struct Line<'a> {
    /// The tool.
    pub(crate) interface: &'a Interface,
    /// Its definition.
    pub(crate) command: &'a Command,
    /// The words, the subcommand first.
    pub(crate) words: &'a [String],
}

impl Unparsed {
    /// What clap says of a line.
    pub(crate) fn new(line: &Line<'_>, error: &clap::Error) -> Self {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Self::Shown(error.to_string());
        }
        let (message, help) = line.told(error);
        let failure = Failure::new(Exit::Usage, message);
        Self::Wrong(match help {
            Some(help) => failure.help(help),
            None => failure,
        })
    }
}

impl Line<'_> {
    /// What is wrong, and what to write instead.
    fn told(&self, error: &clap::Error) -> (String, Option<String>) {
        let argument = context(error, ContextKind::InvalidArg).unwrap_or_default();
        let flag = argument
            .split([' ', '=', ','])
            .next()
            .unwrap_or_default()
            .trim_start_matches('-')
            .to_owned();
        if error.kind() == ErrorKind::UnknownArgument {
            return self.unknown(&argument, &flag, context(error, ContextKind::SuggestedArg));
        }
        let value = context(error, ContextKind::InvalidValue);
        let value = value.map(|value| text::cut(&text::visible(&value), 60));
        let message = match (error.kind(), &value) {
            (ErrorKind::InvalidSubcommand, _) => format!(
                "there is no command `{}`",
                text::visible(&context(error, ContextKind::InvalidSubcommand).unwrap_or_default())
            ),
            (ErrorKind::ArgumentConflict, _) => {
                let other = context(error, ContextKind::PriorArg).unwrap_or_default();
                match other.split(' ').next().unwrap_or_default() {
                    other if other == format!("--{flag}") => format!("`--{flag}` is given twice"),
                    other => format!("`--{flag}` and `{other}` can't be used together"),
                }
            }
            (ErrorKind::MissingRequiredArgument, _) => format!("`--{flag}` is missing"),
            (ErrorKind::InvalidValue, Some(value)) if value.is_empty() => {
                format!("`--{flag}` has no value")
            }
            (ErrorKind::InvalidValue, Some(value)) => {
                let allowed = context(error, ContextKind::ValidValue).unwrap_or_default();
                format!("`--{flag}` can't be `{value}`; it is one of {allowed}")
            }
            (ErrorKind::ValueValidation, Some(value)) => match std::error::Error::source(error) {
                Some(reason) => format!("`--{flag}`: {}", text::visible(&reason.to_string())),
                None => format!("`--{flag}` can't be `{value}`"),
            },
            _ => first_line(&error.to_string()),
        };
        if error.kind() == ErrorKind::ArgumentConflict || message.contains("; write ") {
            // It says what works already.
            return (message, None);
        }
        let help = match context(error, ContextKind::SuggestedSubcommand) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => self.example(&flag).unwrap_or_else(|| self.lists()),
        };
        (message, Some(help))
    }

    /// A word that is no flag of this command, and no value of one.
    fn unknown(&self, argument: &str, flag: &str, nearest: Option<String>) -> (String, Option<String>) {
        if !argument.starts_with('-') {
            let first = input_flags(self.chosen()).find(|(arg, _)| !is_boolean(arg));
            let example = first.and_then(|(_, long)| self.example(long));
            let help = example.map_or_else(
                || self.lists(),
                |example| format!("name its flag, {example}; {}", self.lists()),
            );
            return ("there is a word that belongs to no flag".to_owned(), Some(help));
        }
        if !argument.starts_with("--")
            && let Some(before) = self.before(argument)
        {
            let example = self
                .example(before)
                .map(|example| format!("{example}; "))
                .unwrap_or_default();
            return (
                format!("`--{before}` has no value: the word behind it begins with `-`"),
                Some(format!(
                    "{example}a value that begins with `-` stands behind a `=`: `--{before}=-…`"
                )),
            );
        }
        let shown = match argument.starts_with("--") {
            true => format!("--{flag}"),
            false => format!("-{flag}"),
        };
        let message = format!("there is no flag `{shown}`");
        let begin = self.beginning_with(flag);
        let help = match &begin[..] {
            [] => nearest.map(|nearest| format!("did you mean `{nearest}`?")),
            [one] => Some(format!("did you mean `--{one}`?")),
            several => {
                let more = if several.len() > NAMED { " and others" } else { "" };
                let named: Vec<String> = several
                    .iter()
                    .take(NAMED)
                    .map(|long| format!("`--{long}`"))
                    .collect();
                Some(format!("these begin so: {}{more}", named.join(", ")))
            }
        };
        match self.takers(&shown) {
            takers if takers.is_empty() => (message, Some(help.unwrap_or_else(|| self.lists()))),
            takers => (
                format!(
                    "{message} of `{}`, only of {}",
                    self.chosen().get_name(),
                    takers.join(", ")
                ),
                Some(self.lists()),
            ),
        }
    }

    /// The command that was chosen, or the only one.
    fn chosen(&self) -> &Command {
        let sub = self
            .words
            .first()
            .and_then(|word| self.command.find_subcommand(word));
        sub.unwrap_or(self.command)
    }

    /// The flag that stands before a word and takes a value.
    fn before(&self, argument: &str) -> Option<&str> {
        let at = self
            .words
            .iter()
            .position(|word| word.starts_with(argument) && !word.starts_with("--"))?;
        let before = self.words.get(at.checked_sub(1)?)?.strip_prefix("--")?;
        let mut flags = input_flags(self.chosen()).chain(input_flags(self.command));
        let (_, long) = flags.find(|(arg, long)| *long == before && !is_boolean(arg))?;
        Some(long)
    }

    /// The flags of the command with such a beginning.
    fn beginning_with(&self, start: &str) -> Vec<&str> {
        let flags = input_flags(self.chosen()).map(|(_, long)| long);
        flags
            .filter(|long| !start.is_empty() && long.starts_with(start))
            .collect()
    }

    /// The other commands that take a flag, `--long` or `-s`.
    fn takers(&self, flag: &str) -> Vec<String> {
        let is_it = |arg: &clap::Arg, long: &str| match flag.strip_prefix("--") {
            Some(flag) => long == flag,
            None => arg.get_short().is_some_and(|short| format!("-{short}") == flag),
        };
        let others = self.command.get_subcommands();
        others
            .filter(|other| input_flags(other).any(|(arg, long)| is_it(arg, long)))
            .map(|other| format!("`{}`", other.get_name()))
            .collect()
    }

    /// A value that works.
    fn example(&self, flag: &str) -> Option<String> {
        let sample = self.interface.sample(flag)?;
        Some(format!(
            "for example `--{flag} {}`, or in a workflow `{flag}: {sample}`",
            reproduce::quote(sample)
        ))
    }

    /// Where everything stands.
    fn lists(&self) -> String {
        let (tool, chosen) = (self.interface.name, self.chosen().get_name());
        let command = match chosen == self.command.get_name() {
            true => tool.to_owned(),
            false => format!("{tool} {chosen}"),
        };
        format!("`{command} --help` lists what it takes")
    }
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    }
}

/// The first line of clap's own rendering, without its prefix.
fn first_line(rendered: &str) -> String {
    text::visible(
        rendered
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    /// The line that a person reads.
    fn said(line: &str) -> String {
        let interface = Interface {
            samples: &[("url", "http://x"), ("timeout", "5m"), ("file", "gate.yml")],
            ..Interface::named("demo")
        };
        let flag = |name: &'static str| Arg::new(name).long(name);
        let quiet = flag("quiet").action(clap::ArgAction::SetTrue);
        let wait = Command::new("wait").args([
            quiet,
            flag("url"),
            flag("expect-status"),
            flag("expect-body"),
            flag("timeout"),
        ]);
        let run = Command::new("run").args([flag("file").short('f'), flag("timeout")]);
        let command = Command::new("demo").subcommands([wait, run]);
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let all = std::iter::once("demo".to_owned()).chain(words.clone());
        let error = command.clone().try_get_matches_from(all).unwrap_err();
        let line = Line {
            interface: &interface,
            command: &command,
            words: &words,
        };
        match Unparsed::new(&line, &error) {
            Unparsed::Wrong(failure) => [Some(failure.error.to_string()), failure.help]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
            Unparsed::Shown(text) => panic!("{text}"),
        }
    }

    #[test]
    fn each_says_what_to_write() {
        let timeout = "for example `--timeout 5m`, or in a workflow `timeout: 5m`";
        for (line, expected) in [
            ("wait --urk x", "there is no flag `--urk`; did you mean `--url`?".to_owned()),
            ("wait --u x", "there is no flag `--u`; did you mean `--url`?".to_owned()),
            (
                "wait --expect x",
                "there is no flag `--expect`; these begin so: `--expect-status`, `--expect-body`".to_owned(),
            ),
            (
                "wait --nothing",
                "there is no flag `--nothing`; `demo wait --help` lists what it takes".to_owned(),
            ),
            (
                "wait --f x",
                "there is no flag `--f`; `demo wait --help` lists what it takes".to_owned(),
            ),
            ("run --f x", "there is no flag `--f`; did you mean `--file`?".to_owned()),
            (
                "wait -f x",
                "there is no flag `-f` of `wait`, only of `run`; `demo wait --help` lists what it takes".to_owned(),
            ),
            (
                "run --url x",
                "there is no flag `--url` of `run`, only of `wait`; `demo run --help` lists what it takes".to_owned(),
            ),
            (
                "run secret",
                "there is a word that belongs to no flag; name its flag, for example `--file gate.yml`, or in a workflow `file: gate.yml`; `demo run --help` lists what it takes".to_owned(),
            ),
            (
                "wait --timeout -1s",
                format!("`--timeout` has no value: the word behind it begins with `-`; {timeout}; a value that begins with `-` stands behind a `=`: `--timeout=-…`"),
            ),
            (
                "wait --quiet -1s",
                "there is no flag `-1`; `demo wait --help` lists what it takes".to_owned(),
            ),
            ("wait --timeout", format!("`--timeout` has no value; {timeout}")),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }
}
