//! Inputs become flags: `INPUT_FOO_BAR=x` is `--foo-bar=x`. Flags win. An empty input is an absent one, because a
//! composite action hands over every input that nobody set as an empty string.
//!
//! Both ways work everywhere: the environment of a step and a command line on a laptop give the same run.

use clap::{ArgAction, ArgMatches, Command, parser::ValueSource};

use crate::env::Env;
use crate::interface::{Interface, input_flags, is_boolean, variable};

/// Why inputs can't become flags. Each names the input and shows what works.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InputError {
    /// Not one of the six spellings that the runner's own toolkit takes.
    #[error("input `{0}` must be `true` or `false`, not `{1}`; for example `{0}: true`")]
    Boolean(String, String),
    /// An input of another command.
    #[error(
        "input `{input}` is not taken by command `{command}`, only by {takers}; remove it or set `command`"
    )]
    OtherCommand {
        /// The input.
        input: String,
        /// The command that runs.
        command: String,
        /// Who takes it.
        takers: String,
    },
    /// There is no such command.
    #[error("there is no command `{0}`, only {1}")]
    Command(String, String),
    /// Most likely a typing error.
    #[error("there is no input `{0}`; did you mean `{1}`?")]
    Unknown(String, String),
    /// A secret on the command line is seen by every process of the machine.
    #[error(
        "`--{name}` is a secret and has no flag: set `{env}`, or name a file with `--{name}-file` (`-` is standard input)"
    )]
    Secret {
        /// The secret's name.
        name: String,
        /// Its variable.
        env: String,
    },
}

/// The command line that stands for flags and inputs together, without the program's name.
///
/// # Errors
/// When an input has a value that no flag could take, belongs to another command, or is unknown and looks like a
/// typing error.
pub fn arguments(
    interface: &Interface,
    command: &Command,
    given: &[String],
    env: &Env,
) -> Result<Vec<String>, InputError> {
    refuse_secrets(interface, given)?;
    let mut line = given.to_vec();
    let asks = |word: &String| matches!(word.as_str(), "-h" | "--help" | "-V" | "--version");
    let asked = given.iter().take_while(|word| *word != "--").any(asks);
    if asked && given.first().is_none_or(asks) {
        return Ok(line);
    }
    let chosen = choose_command(interface, command, &mut line, env)?;
    if asked {
        return Ok(line);
    }
    let flags = chosen.map_or(command, |sub| sub);
    let given_by_hand = parse_leniently(command, &line);
    let mut added = Vec::new();
    for (arg, long) in flags_of(command, flags) {
        // An input with a grammar of its own is not ours to trim: a separator may be a blank.
        let whole = interface.whole.contains(&long);
        let value = env
            .get(&variable(long))
            .map(|value| if whole { value } else { value.trim() });
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        if by_hand(&given_by_hand, arg.get_id().as_str()) {
            continue;
        }
        if is_boolean(arg) {
            match (value, arg.get_action()) {
                ("true" | "True" | "TRUE", ArgAction::SetTrue) => added.push(format!("--{long}")),
                ("false" | "False" | "FALSE", ArgAction::SetTrue) => {}
                ("true" | "True" | "TRUE", _) => added.push(format!("--{long}=true")),
                ("false" | "False" | "FALSE", _) => added.push(format!("--{long}=false")),
                _ => {
                    return Err(InputError::Boolean(
                        long.to_owned(),
                        crate::text::cut(&crate::text::visible(value), 40),
                    ));
                }
            }
        } else if matches!(arg.get_action(), ArgAction::Append) && !whole {
            added.extend(items(value).map(|item| format!("--{long}={item}")));
        } else {
            added.push(format!("--{long}={value}"));
        }
    }
    check_names(interface, command, chosen, env)?;
    // Flags of the command stand behind its name; `--` would end them.
    let end = line.iter().position(|word| word == "--").unwrap_or(line.len());
    line.splice(end..end, added);
    Ok(line)
}

/// The items of a list input: one a line, blank lines and lines that start with `#` left out.
fn items(value: &str) -> impl Iterator<Item = &str> {
    value
        .lines()
        .map(str::trim)
        .filter(|item| !item.is_empty() && !item.starts_with('#'))
}

/// The flags of a command and the tool's own, each once.
fn flags_of<'a>(root: &'a Command, command: &'a Command) -> Vec<(&'a clap::Arg, &'a str)> {
    let mut flags: Vec<_> = input_flags(command).collect();
    for (arg, long) in input_flags(root) {
        if !flags.iter().any(|(_, known)| *known == long) {
            flags.push((arg, long));
        }
    }
    flags
}

/// The subcommand to run: the one on the command line, else the input `command`, else the tool's default; its name
/// is added to `line` where it is missing.
fn choose_command<'a>(
    interface: &Interface,
    command: &'a Command,
    line: &mut Vec<String>,
    env: &Env,
) -> Result<Option<&'a Command>, InputError> {
    if !command.has_subcommands() {
        return Ok(None);
    }
    let by_hand = line.first().filter(|word| !word.starts_with('-')).cloned();
    let name = match (
        &by_hand,
        env.get("INPUT_COMMAND").map(str::trim),
        interface.default_command,
    ) {
        (Some(name), ..) => name.clone(),
        (None, Some(name), _) if !name.is_empty() => name.to_owned(),
        (None, _, Some(name)) => name.to_owned(),
        (None, _, None) => return Ok(None),
    };
    let Some(chosen) = command.find_subcommand(&name) else {
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| format!("`{}`", sub.get_name()))
            .collect();
        return Err(InputError::Command(
            crate::text::cut(&crate::text::visible(&name), 40),
            names.join(", "),
        ));
    };
    if by_hand.is_none() {
        line.insert(0, name);
    }
    Ok(Some(chosen))
}

/// What clap makes of the command line alone, errors left for later.
fn parse_leniently(command: &Command, line: &[String]) -> Option<ArgMatches> {
    let words = std::iter::once(command.get_name().to_owned()).chain(line.iter().cloned());
    command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(words)
        .ok()
}

/// Whether a flag stands on the command line.
fn by_hand(matches: &Option<ArgMatches>, id: &str) -> bool {
    let given = |matches: &ArgMatches| {
        matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    matches
        .as_ref()
        .is_some_and(|matches| given(matches) || matches.subcommand().is_some_and(|(_, sub)| given(sub)))
}

/// Refuses inputs that the chosen command does not take, and unknown ones that are close to a known name. Other
/// unknown variables are left alone: `INPUT_METHOD` belongs to a desktop, not to us.
fn check_names(
    interface: &Interface,
    root: &Command,
    chosen: Option<&Command>,
    env: &Env,
) -> Result<(), InputError> {
    let mut known: Vec<String> = flags_of(root, root)
        .into_iter()
        .map(|(_, long)| long.to_owned())
        .collect();
    known.extend(
        root.get_subcommands()
            .flat_map(|sub| input_flags(sub).map(|(_, long)| long.to_owned())),
    );
    known.extend(interface.secrets.iter().map(|secret| secret.name.to_owned()));
    known.push("command".to_owned());
    for (name, _) in env.iter() {
        let Some(input) = name
            .strip_prefix("INPUT_")
            .map(|name| name.to_ascii_lowercase().replace('_', "-"))
        else {
            continue;
        };
        if !known.contains(&input) {
            let nearest = known
                .iter()
                .map(|name| (strsim::damerau_levenshtein(name, &input), name))
                .min();
            if let Some((1..=2, name)) = nearest.filter(|(distance, _)| distance * 3 < input.len()) {
                return Err(InputError::Unknown(input, name.clone()));
            }
            continue;
        }
        let Some(chosen) = chosen else { continue };
        let taken = |command: &Command| input_flags(command).any(|(_, long)| long == input);
        let takers: Vec<String> = root
            .get_subcommands()
            .filter(|sub| taken(sub))
            .map(|sub| format!("`{}`", sub.get_name()))
            .collect();
        if !takers.is_empty() && !taken(chosen) {
            let command = chosen.get_name().to_owned();
            return Err(InputError::OtherCommand {
                input,
                command,
                takers: takers.join(", "),
            });
        }
    }
    Ok(())
}

/// Refuses a secret on the command line, without repeating it.
fn refuse_secrets(interface: &Interface, given: &[String]) -> Result<(), InputError> {
    for word in given.iter().take_while(|word| *word != "--") {
        let flag = word
            .strip_prefix("--")
            .map(|flag| flag.split('=').next().unwrap_or(flag));
        if let Some(secret) = interface.secrets.iter().find(|secret| Some(secret.name) == flag) {
            return Err(InputError::Secret {
                name: secret.name.to_owned(),
                env: secret.env.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::SecretSpec;
    use clap::{CommandFactory as _, Parser};
    use proptest::prelude::{any, proptest};

    #[derive(Parser)]
    #[command(name = "demo")]
    struct Cli {
        #[command(subcommand)]
        command: Sub,
        #[command(flatten)]
        common: crate::flags::Common,
    }

    #[derive(clap::Subcommand)]
    enum Sub {
        Wait {
            #[arg(long)]
            url: Option<String>,
            #[arg(long)]
            expect: Vec<String>,
            #[arg(long)]
            grammar: Vec<String>,
            #[arg(long)]
            dry_run: bool,
            #[arg(long, default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
            summary: bool,
        },
        Watch {
            #[arg(long)]
            rule: Vec<String>,
        },
    }

    const INTERFACE: Interface = Interface {
        default_command: Some("wait"),
        secrets: &[SecretSpec {
            name: "hook-url",
            env: "DEMO_HOOK_URL",
            description: "",
            default: None,
            short: false,
        }],
        whole: &["grammar"],
        ..Interface::named("demo")
    };

    fn line(given: &str, inputs: &[(&str, &str)]) -> Result<Vec<String>, InputError> {
        let given: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
        arguments(
            &INTERFACE,
            &Cli::command(),
            &given,
            &inputs.iter().copied().collect(),
        )
    }

    #[test]
    fn inputs_become_flags_and_flags_win() {
        for (given, inputs, expected) in [
            ("", vec![], "wait"),
            (
                "",
                vec![("INPUT_URL", "http://x"), ("INPUT_DRY_RUN", "")],
                "wait --url=http://x",
            ),
            ("wait --url y", vec![("INPUT_URL", "x")], "wait --url y"),
            ("--url=y", vec![("INPUT_URL", "x")], "wait --url=y"),
            (
                "",
                vec![("INPUT_EXPECT", "a\n\n# no\n  b # c\n")],
                "wait --expect=a|--expect=b # c",
            ),
            (
                "wait --expect z",
                vec![("INPUT_EXPECT", "a\nb")],
                "wait --expect z",
            ),
            (
                "",
                vec![("INPUT_GRAMMAR", "\na,\"b\nc\"\n# x\n")],
                "wait --grammar=\na,\"b\nc\"\n# x\n",
            ),
            ("", vec![("INPUT_DRY_RUN", "True")], "wait --dry-run"),
            (
                "",
                vec![("INPUT_DRY_RUN", "FALSE"), ("INPUT_SUMMARY", "false")],
                "wait --summary=false",
            ),
            (
                "",
                vec![("INPUT_COMMAND", "watch"), ("INPUT_RULE", "-x")],
                "watch --rule=-x",
            ),
            ("watch", vec![("INPUT_COMMAND", "wait")], "watch"),
            ("", vec![("INPUT_LOG_FORMAT", "json")], "wait --log-format=json"),
            (
                "wait --log-format text",
                vec![("INPUT_LOG_FORMAT", "json")],
                "wait --log-format text",
            ),
            ("--version", vec![("INPUT_URL", "x")], "--version"),
            (
                "--url x --help",
                vec![("INPUT_EXPECT", "x")],
                "wait --url x --help",
            ),
            (
                "",
                vec![("INPUT_METHOD", "ibus"), ("INPUT_HOOK_URL", "s")],
                "wait",
            ),
        ] {
            let words: Vec<String> = line(given, &inputs).expect(given);
            let expected: Vec<&str> = expected
                .splitn(2, ' ')
                .enumerate()
                .flat_map(|(i, part)| {
                    if i == 0 {
                        vec![part]
                    } else {
                        part.split('|').collect()
                    }
                })
                .collect();
            let joined = words.join("\u{1f}");
            let wanted = if given.is_empty() {
                expected.join("\u{1f}")
            } else {
                expected.join(" ").replace(' ', "\u{1f}")
            };
            assert_eq!(joined, wanted, "{given} {inputs:?}");
        }
    }

    #[test]
    fn what_no_flag_could_take_is_refused() {
        for (given, inputs, part) in [
            (
                "",
                vec![("INPUT_DRY_RUN", "yes")],
                "`dry-run` must be `true` or `false`, not `yes`",
            ),
            ("", vec![("INPUT_DRY_RUN", "tRUE")], "`dry-run: true`"),
            (
                "",
                vec![("INPUT_RULE", "x")],
                "`rule` is not taken by command `wait`, only by `watch`",
            ),
            (
                "",
                vec![("INPUT_COMMAND", "wiat")],
                "no command `wiat`, only `wait`, `watch`",
            ),
            (
                "",
                vec![("INPUT_EXPEKT", "x")],
                "no input `expekt`; did you mean `expect`?",
            ),
            ("wait --hook-url=secret", vec![], "`--hook-url` is a secret"),
        ] {
            let error = line(given, &inputs).expect_err(given).to_string();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("=secret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_value_stays_one_argument(value in any::<String>()) {
            let value = value.replace('\0', "");
            let words = line("", &[("INPUT_URL", &value)]).unwrap();
            let trimmed = value.trim();
            if trimmed.is_empty() {
                assert_eq!(words, ["wait"]);
            } else {
                assert_eq!(words, ["wait".to_owned(), format!("--url={trimmed}")]);
            }
        }
    }
}
