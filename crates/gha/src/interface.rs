//! What a tool offers beside its flags, and the whole of it as data.
//!
//! The clap definition is the interface. What clap has no place for stands here: outputs, secrets, a sample of each
//! flag. From both, [`describe`] makes the description that `action.yml` files are compared with.

use clap::{Arg, ArgAction, Command};
use serde_json::{Value, json};

/// A tool's interface, apart from its flags.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// The program's name.
    pub name: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// The subcommand that runs when none is named.
    pub default_command: Option<&'static str>,
    /// Every output, beside `result`, which all tools have.
    pub outputs: &'static [OutputSpec],
    /// The secrets it takes.
    pub secrets: &'static [SecretSpec],
    /// For each flag that takes a value, one that works; shown when a value does not.
    pub samples: &'static [(&'static str, &'static str)],
    /// Variables that it reads beside its flags and secrets, and what they mean, for the help text.
    pub environment: &'static [(&'static str, &'static str)],
    /// Inputs that are handed over as they stand, because they have a grammar of their own.
    pub whole: &'static [&'static str],
    /// With what the names of the variables begin that it may set for later steps, see [`Runner::export`]; only names
    /// that a drop-in has to keep.
    ///
    /// [`Runner::export`]: crate::Runner::export
    pub exports: &'static [&'static str],
}

/// The version that is baked in at build time: `DEPLOY_ACTIONS_VERSION` in a release, the workspace's version with
/// `-dev` otherwise.
#[macro_export]
macro_rules! version {
    () => {
        match option_env!("DEPLOY_ACTIONS_VERSION") {
            Some(version) => version,
            None => concat!(env!("CARGO_PKG_VERSION"), "-dev"),
        }
    };
}

/// The template of every help text: examples first.
pub const HELP_TEMPLATE: &str =
    "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// The variables that every tool with a network reads.
pub const NETWORK: &[(&str, &str)] = &[
    (
        "HTTPS_PROXY, NO_PROXY",
        "proxy for every request, and the hosts reached without it",
    ),
    (
        "SSL_CERT_FILE",
        "certificate authorities in PEM [default: the system's, else built in]",
    ),
];

/// A step output.
#[derive(Clone, Copy, Debug)]
pub struct OutputSpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds, for `action.yml`.
    pub description: &'static str,
}

/// A secret input. It has no flag; its value comes by the environment, a file or standard input.
#[derive(Clone, Copy, Debug)]
pub struct SecretSpec {
    /// The input's name; `--NAME-file` is its flag.
    pub name: &'static str,
    /// The environment variable for use outside an action.
    pub env: &'static str,
    /// What it is, for `action.yml`.
    pub description: &'static str,
    /// The value that the action takes where none is given: the path of a value in GitHub's own context, such as
    /// `github.token`. Nothing else may be a default in an `action.yml`.
    pub default: Option<&'static str>,
    /// Whether a value too short to be hidden is taken all the same, and not hidden. For a secret whose issuer makes
    /// none of that length, so that a short one is a test's: what is short enough to be a part of ordinary words would
    /// make a log unreadable when hidden. Any other secret of that length is refused.
    pub short: bool,
}

impl SecretSpec {
    /// The flag that names a file.
    #[must_use]
    pub fn file_flag(&self) -> String {
        format!("{}-file", self.name)
    }
}

/// The output that all tools have.
pub const RESULT: OutputSpec = OutputSpec {
    name: "result",
    description: "The result object as one line of JSON: tool, status, exit, headline, facts, links, undo.",
};

impl Interface {
    /// An interface with a name and nothing else, to be filled in.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            version: "0",
            default_command: None,
            outputs: &[],
            secrets: &[],
            samples: &[],
            environment: &[],
            whole: &[],
            exports: &[],
        }
    }

    /// The sample for a flag, if there is one.
    #[must_use]
    pub fn sample(&self, flag: &str) -> Option<&'static str> {
        self.samples
            .iter()
            .find(|(name, _)| *name == flag)
            .map(|(_, sample)| *sample)
    }
}

/// The variable that carries an input: `INPUT_` and the name in capitals, `-` as `_`.
#[must_use]
pub fn variable(input: &str) -> String {
    format!("INPUT_{}", input.to_ascii_uppercase().replace('-', "_"))
}

/// The flags of a command that are inputs of the action too: all with a long name, but those about the terminal.
pub fn input_flags(command: &Command) -> impl Iterator<Item = (&Arg, &str)> {
    command
        .get_arguments()
        .filter_map(|arg| arg.get_long().map(|long| (arg, long)))
        .filter(|(arg, long)| !arg.is_hide_set() && !matches!(*long, "help" | "version" | "output"))
}

/// Whether a flag is a boolean, with or without a value.
#[must_use]
pub fn is_boolean(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
        || arg.get_value_parser().type_id() == std::any::TypeId::of::<bool>()
}

/// The first flag whose sample is missing or does not work, for a test of each tool: what an error shows must work.
#[must_use]
pub fn faulty_sample(interface: &Interface, command: &Command) -> Option<String> {
    let subs: Vec<&Command> = command.get_subcommands().collect();
    let parts = if subs.is_empty() { vec![command] } else { subs };
    parts.into_iter().find_map(|part| {
        let flags = input_flags(part).filter(|(arg, _)| arg.get_action().takes_values());
        flags.into_iter().find_map(|(_, long)| {
            let Some(sample) = interface.sample(long) else {
                return Some(format!("--{long} has no sample"));
            };
            let flag = format!("--{long}={sample}");
            let sub = (part.get_name() != command.get_name()).then(|| part.get_name().to_owned());
            let words = [command.get_name().to_owned()]
                .into_iter()
                .chain(sub)
                .chain([flag]);
            let parsed = command.clone().try_get_matches_from(words);
            parsed.err().map(|error| error.to_string())
        })
    })
}

/// The interface as JSON: `{name, description, inputs: [{name, description, default?}], outputs: [{name, description}]}`,
/// in the order of the help text. This is what `action.yml` must say. `default` is the path of a value in GitHub's
/// context; a default of the program's own stands in the description, so that an unset input overrides no file.
#[must_use]
pub fn describe(interface: &Interface, command: &Command) -> Value {
    let mut inputs: Vec<(String, String)> = Vec::new();
    let mut takers: Vec<(String, Vec<&str>)> = Vec::new();
    let commands: Vec<&Command> = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .collect();
    if !commands.is_empty() {
        let names: Vec<String> = commands
            .iter()
            .map(|sub| format!("`{}`", sub.get_name()))
            .collect();
        let default = interface
            .default_command
            .map(|name| format!(" Default: {name}."))
            .unwrap_or_default();
        inputs.push((
            "command".to_owned(),
            format!("What to do: {}.{default}", names.join(", ")),
        ));
    }
    for part in commands.iter().copied().chain([command]) {
        for (arg, long) in input_flags(part) {
            match takers.iter_mut().find(|(name, _)| name == long) {
                Some((_, by)) => by.push(part.get_name()),
                None => {
                    inputs.push((long.to_owned(), description(arg)));
                    takers.push((long.to_owned(), vec![part.get_name()]));
                }
            }
        }
    }
    for (name, text) in &mut inputs {
        let by = takers
            .iter()
            .find(|(taker, _)| taker == name)
            .map(|(_, by)| by.as_slice())
            .unwrap_or_default();
        if commands.len() > 1 && !by.is_empty() && by.len() < commands.len() && by != [command.get_name()] {
            text.push_str(&format!(" Taken by: {}.", by.join(", ")));
        }
    }
    let flags = inputs
        .iter()
        .map(|(name, text)| json!({"name": name, "description": text}));
    let secrets = interface.secrets.iter().map(|secret| {
        let mut input = json!({"name": secret.name, "description": secret.description});
        if let Some(default) = secret.default {
            input["default"] = Value::from(default);
        }
        input
    });
    let inputs: Vec<Value> = flags.chain(secrets).collect();
    let outputs = interface
        .outputs
        .iter()
        .chain([&RESULT])
        .map(|output| json!({"name": output.name, "description": output.description}));
    json!({
        "name": interface.name,
        "description": command.get_about().map(ToString::to_string).unwrap_or_default(),
        "inputs": inputs,
        "outputs": outputs.collect::<Vec<_>>(),
    })
}

/// A flag's help as one paragraph, with what an action's user must know: list or boolean, and the default.
fn description(arg: &Arg) -> String {
    let help = arg
        .get_long_help()
        .or_else(|| arg.get_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut text = help.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.is_empty() && !text.ends_with('.') {
        text.push('.');
    }
    if matches!(arg.get_action(), ArgAction::Append) {
        text.push_str(" One a line.");
    }
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    // An empty default is what a flag is without; its help says what that means.
    if defaults.iter().any(|default| !default.is_empty()) {
        text.push_str(&format!(" Default: {}.", defaults.join(", ")));
    } else if matches!(arg.get_action(), ArgAction::SetTrue) {
        text.push_str(" Default: false.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, CommandFactory as _, Parser};

    #[derive(Parser)]
    #[command(name = "demo", about = "Does a thing.")]
    struct Cli {
        #[command(subcommand)]
        command: Sub,
        #[command(flatten)]
        common: crate::flags::Common,
    }

    #[derive(clap::Subcommand)]
    enum Sub {
        Wait {
            /// Where
            #[arg(long, default_value = "")]
            url: String,
            /// How long.
            #[arg(long, default_value = "5m")]
            timeout: String,
        },
        Watch {
            /// How long.
            #[arg(long, default_value = "5m")]
            timeout: String,
            /// Rules.
            #[arg(long)]
            rule: Vec<String>,
            #[arg(long)]
            /// Change nothing.
            dry_run: bool,
            /// Whether to be loud, where it is said.
            #[arg(long)]
            loud: Option<bool>,
        },
    }

    const INTERFACE: Interface = Interface {
        default_command: Some("wait"),
        outputs: &[OutputSpec {
            name: "verdict",
            description: "The verdict.",
        }],
        secrets: &[SecretSpec {
            name: "token",
            env: "DEMO_TOKEN",
            description: "A token.",
            default: Some("github.token"),
            short: false,
        }],
        ..Interface::named("demo")
    };

    #[test]
    fn describes_inputs_and_outputs_in_order() {
        let described = describe(&INTERFACE, &Cli::command());
        let inputs: Vec<String> = described["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| {
                format!(
                    "{}: {}",
                    input["name"].as_str().unwrap(),
                    input["description"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            inputs,
            [
                "command: What to do: `wait`, `watch`. Default: wait.",
                "url: Where. Taken by: wait.",
                "timeout: How long. Default: 5m.",
                "rule: Rules. One a line. Taken by: watch.",
                "dry-run: Change nothing. Default: false. Taken by: watch.",
                "loud: Whether to be loud, where it is said. Taken by: watch.",
                "log-format: How log lines look: `text`, or `json` for one object per line with the trace id. Default: text.",
                "token: A token.",
            ]
        );
        assert_eq!(described["outputs"][1]["name"], "result");
        assert_eq!(described["inputs"][7]["default"], "github.token");
        assert!(described["inputs"][1].get("default").is_none());
        assert_eq!(variable("dry-run"), "INPUT_DRY_RUN");
        assert!(crate::flags::Common::group_id().is_some());
    }
}
