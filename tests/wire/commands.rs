//! What a runner takes for workflow commands in a log, read more greedily than it does: a line also ends at a
//! carriage return, and any name counts, not only those that the runner knows
//! (`ActionCommand.cs` of <https://github.com/actions/runner>).

/// A command: its name and its data, both as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// All commands of a log.
pub(crate) fn commands(log: &str) -> Vec<Command> {
    log.split(['\n', '\r']).filter_map(command).collect()
}

/// The data of all commands of one name.
pub(crate) fn named(log: &str, name: &str) -> Vec<String> {
    let all = commands(log).into_iter().filter(|command| command.name == name);
    all.map(|command| command.data).collect()
}

fn command(line: &str) -> Option<Command> {
    let colons = line
        .trim_start()
        .strip_prefix("::")
        .and_then(|rest| rest.split_once("::"));
    let brackets = || line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'));
    let (head, data) = colons.or_else(brackets)?;
    Some(Command {
        name: head.split(' ').next().unwrap_or_default().to_owned(),
        data: data.to_owned(),
    })
}

#[test]
fn finds_what_a_runner_would_find() {
    let log = "a\n  ::error title=x::b\r::warning::c\nd ##[debug]e\n| ::notice::f\n";
    let found: Vec<(String, String)> = commands(log).into_iter().map(|c| (c.name, c.data)).collect();
    let expected = [("error", "b"), ("warning", "c"), ("debug", "e")];
    assert_eq!(
        found,
        expected.map(|(name, data)| (name.to_owned(), data.to_owned()))
    );
    assert_eq!(named(log, "warning"), ["c"]);
}
