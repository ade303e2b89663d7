//! Workflow commands in a step's output: `::name key=value::data` at the start of a line, `##[name key=value]data`
//! anywhere in it.
//!
//! Pure: a line goes in, what the runner would do comes out. Rules and texts follow `ActionCommand.cs` and
//! `ActionCommandManager.cs` in actions/runner.

use std::collections::BTreeMap;

use super::report::Level;

/// Commands the runner knows; any other name is plain output.
const KNOWN: [&str; 16] = [
    "stop-commands",
    "error",
    "warning",
    "notice",
    "group",
    "endgroup",
    "debug",
    "add-mask",
    "set-output",
    "save-state",
    "set-env",
    "add-path",
    "echo",
    "add-matcher",
    "remove-matcher",
    "internal-set-repo-path",
];

/// Commands whose line is never echoed.
const SILENT: [&str; 5] = ["error", "warning", "notice", "debug", "add-mask"];

const TOKEN_REFUSED: &str = "You cannot use a endToken that is an empty string, the string 'pause-logging', or \
    another workflow command.";

/// What the runner does about a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Write the line to the log.
    Print(String),
    /// Write it only when debugging.
    Debug(String),
    /// Annotate.
    Issue {
        level: Level,
        properties: BTreeMap<String, String>,
        message: String,
    },
    /// Hide this value from now on.
    Mask(String),
    /// Set a step output.
    Output { name: String, value: String },
    /// Annotate with the runner's own warning.
    Warn(String),
    /// The step fails, whatever its process says.
    Fail(Vec<String>),
}

/// Reads the lines of one step.
#[derive(Debug, Default)]
pub(crate) struct Interpreter {
    stopped_until: Option<String>,
    echo: bool,
}

impl Interpreter {
    /// With `echo`, command lines are shown too, as when step debugging is on.
    pub(crate) fn new(echo: bool) -> Self {
        Self {
            stopped_until: None,
            echo,
        }
    }

    /// What the runner does about this line.
    pub(crate) fn read(&mut self, line: &str) -> Vec<Effect> {
        let token = self.stopped_until.clone();
        let known = |name: &str| {
            KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
                || token
                    .as_deref()
                    .is_some_and(|token| token.eq_ignore_ascii_case(name))
        };
        let Some(command) = parse(line, known) else {
            return vec![Effect::Print(line.to_owned())];
        };
        match &token {
            Some(token) if command.name.eq_ignore_ascii_case(token) => {
                self.stopped_until = None;
                vec![
                    Effect::Print(line.to_owned()),
                    Effect::Debug("Resume processing commands".to_owned()),
                ]
            }
            Some(_) => vec![Effect::Print(line.to_owned())],
            None => self.obey(line, command),
        }
    }

    fn obey(&mut self, line: &str, command: Command) -> Vec<Effect> {
        let name = command.name.to_ascii_lowercase();
        let mut effects = Vec::new();
        if self.echo && !SILENT.contains(&name.as_str()) && name != "stop-commands" {
            effects.push(Effect::Print(line.to_owned()));
        }
        let failed = |reason: String| {
            Effect::Fail(vec![
                format!("Unable to process command '{line}' successfully."),
                reason,
            ])
        };
        effects.push(match name.as_str() {
            "error" | "warning" | "notice" => issue(&name, command),
            "group" => Effect::Print(format!("##[group]{}", command.data)),
            "endgroup" => Effect::Print("##[endgroup]".to_owned()),
            "debug" => Effect::Debug(command.data),
            "add-mask" if command.data.trim().is_empty() => {
                Effect::Warn("Can't add secret mask for empty string in ##[add-mask] command.".to_owned())
            }
            "add-mask" => Effect::Mask(command.data),
            "stop-commands" => return self.stop(line, command.data),
            "echo" => match command.data.trim().to_ascii_lowercase().as_str() {
                "on" => return self.set_echo(true, effects),
                "off" => return self.set_echo(false, effects),
                _ => failed(format!(
                    "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{}'.",
                    command.data
                )),
            },
            "set-output" | "save-state" => return deprecated(&name, command, effects, failed),
            "set-env" | "add-path" => failed(format!(
                "The `{name}` command is disabled. Please upgrade to using Environment Files."
            )),
            _ => Effect::Warn(format!("the fake runner does not support the command `{name}`")),
        });
        effects
    }

    fn stop(&mut self, line: &str, token: String) -> Vec<Effect> {
        let taken = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(&token));
        if token.is_empty() || taken || token.eq_ignore_ascii_case("pause-logging") {
            return vec![Effect::Fail(vec![TOKEN_REFUSED.to_owned()])];
        }
        self.stopped_until = Some(token);
        vec![Effect::Print(line.to_owned())]
    }

    fn set_echo(&mut self, echo: bool, effects: Vec<Effect>) -> Vec<Effect> {
        self.echo = echo;
        effects
    }
}

fn issue(name: &str, command: Command) -> Effect {
    let level = match name {
        "error" => Level::Error,
        "warning" => Level::Warning,
        _ => Level::Notice,
    };
    Effect::Issue {
        level,
        properties: command.properties,
        message: command.data,
    }
}

fn deprecated(
    name: &str,
    command: Command,
    mut effects: Vec<Effect>,
    failed: impl Fn(String) -> Effect,
) -> Vec<Effect> {
    match command.properties.get("name").filter(|name| !name.is_empty()) {
        None => effects.push(failed(format!(
            "Required field 'name' is missing in ##[{name}] command."
        ))),
        Some(output) if name == "set-output" => {
            effects.push(Effect::Output {
                name: output.clone(),
                value: command.data,
            });
        }
        Some(_) => {}
    }
    effects.push(Effect::Warn(format!(
        "The `{name}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files."
    )));
    effects
}

/// A command as written, unescaped. Property names are lower-case, since the runner compares them without case.
#[derive(Clone, Debug, PartialEq)]
struct Command {
    name: String,
    properties: BTreeMap<String, String>,
    data: String,
}

fn parse(line: &str, known: impl Fn(&str) -> bool) -> Option<Command> {
    parse_colons(line, &known).or_else(|| parse_brackets(line, &known))
}

fn parse_colons(line: &str, known: impl Fn(&str) -> bool) -> Option<Command> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = split_head(head);
    known(name).then(|| Command {
        name: name.to_owned(),
        properties: read_properties(properties.trim(), ',', unescape_property),
        data: unescape_data(data),
    })
}

fn parse_brackets(line: &str, known: impl Fn(&str) -> bool) -> Option<Command> {
    let (_, tail) = line.split_once("##[")?;
    let (head, data) = tail.split_once(']')?;
    let (name, properties) = split_head(head);
    known(name).then(|| Command {
        name: name.to_owned(),
        properties: read_properties(properties, ';', unescape_bracketed),
        data: unescape_bracketed(data),
    })
}

fn split_head(head: &str) -> (&str, &str) {
    head.split_once(' ').unwrap_or((head, ""))
}

fn read_properties(
    text: &str,
    separator: char,
    unescape: impl Fn(&str) -> String,
) -> BTreeMap<String, String> {
    let pairs = text.split(separator).filter_map(|pair| {
        // .NET drops empty parts when it splits: leading and doubled `=` count for nothing.
        let (key, value) = pair.trim_start_matches('=').split_once('=')?;
        let value = value.trim_start_matches('=');
        (!value.is_empty()).then(|| (key.to_ascii_lowercase(), unescape(value)))
    });
    pairs.collect()
}

fn unescape_data(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

fn unescape_property(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%3A", ":")
        .replace("%2C", ",")
        .replace("%25", "%")
}

fn unescape_bracketed(text: &str) -> String {
    text.replace("%3B", ";")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%5D", "]")
        .replace("%25", "%")
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
