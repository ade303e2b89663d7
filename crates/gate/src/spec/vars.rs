//! Variables: `${NAME}` and `${NAME:-default}` take from the environment, in `vars` and `sources` only; `{{name}}` takes
//! from `vars`, in `wait`, `watch` and `compare`. A value that is put in is never looked through again.

use gha::env::Env;
use gha::text;

use crate::spec::fault::{Faults, Place};
use crate::spec::names::nearest;
use crate::spec::node::{LONGEST_VALUE, Node, Value};

/// How much text all values that are put in may come to, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// The name that stands for a query's window, and is no variable.
pub(crate) const WINDOW: &str = "window";

/// Variables and their values, in the order of the file.
pub(crate) type Vars = Vec<(String, String)>;

/// Fills in variables, and counts what that comes to.
pub(crate) struct Filler<'a> {
    env: &'a Env,
    /// Variables; one whose value was told to be wrong has none.
    vars: Vec<(String, Option<String>)>,
    filled: usize,
}

/// Why a text can't be filled in.
#[derive(Debug, PartialEq, Eq)]
enum Unfilled {
    /// What is wrong with it.
    Wrong(String),
    /// It names a variable about which something was told already.
    Told,
}

/// Refuses variables that name others: what is put in is never looked through again.
pub(crate) fn refuse_nesting(file: &mut Node, faults: &mut Faults) {
    let Some(Value::Map(pairs)) = file.get_mut("vars").map(|node| &mut node.value) else {
        return;
    };
    for (key, node) in pairs {
        if let Value::Scalar(text) = &node.value
            && text.contains("{{")
        {
            let name = text::cut(&key.name, 80);
            faults.add(
                node.at,
                format!("variable `{name}` can't name another by `{{{{…}}}}`; write its text out"),
            );
            node.value = Value::Unknown;
        }
    }
}

/// Puts values in the place of those that a file gives its variables. What they hold is taken as it stands.
pub(crate) fn replace(file: &mut Node, vars: &[(String, String)], faults: &mut Faults) {
    let mut none = Vec::new();
    let known = match file.get_mut("vars").map(|node| &mut node.value) {
        Some(Value::Map(pairs)) => pairs,
        _ => &mut none,
    };
    for (name, value) in vars {
        match known.iter_mut().find(|(key, _)| key.name == *name) {
            Some((_, node)) => node.value = Value::Scalar(value.replace('$', "$$")),
            None => {
                let near = nearest(name, known.iter().map(|(key, _)| key.name.as_str()));
                let name = text::cut(&text::visible(name), 80);
                faults.add(
                    Place::START,
                    format!("the file has no variable `{name}` in `vars`{near}"),
                );
            }
        }
    }
}

impl<'a> Filler<'a> {
    /// Fills from an environment, and from variables as far as they are known.
    pub(crate) fn new(env: &'a Env) -> Self {
        Self {
            env,
            vars: Vec::new(),
            filled: 0,
        }
    }

    /// Fills in everything that stands in a file.
    pub(crate) fn fill(&mut self, file: &mut Node, faults: &mut Faults) {
        for section in ["vars", "sources"] {
            if let Some(node) = file.get_mut(section) {
                self.walk(node, faults, &|filler, text| filler.with_env(text));
            }
        }
        self.learn(file.get_mut("vars"), faults);
        let windowless = |filler: &Self, text: &str| filler.with_vars(text, false);
        let windowed = |filler: &Self, text: &str| filler.with_vars(text, true);
        if let Some(node) = file.get_mut("wait") {
            self.walk(node, faults, &windowless);
        }
        if let Some(watch) = file.get_mut("watch") {
            for part in ["probe", "probes"] {
                if let Some(node) = watch.get_mut(part) {
                    self.walk(node, faults, &windowless);
                }
            }
            if let Value::Map(pairs) = &mut watch.value {
                for (_, node) in pairs.iter_mut().filter(|(key, _)| !key.name.starts_with("probe")) {
                    self.walk(node, faults, &windowed);
                }
            }
        }
        if let Some(node) = file.get_mut("compare") {
            self.walk(node, faults, &windowed);
        }
    }

    /// The variables.
    pub(crate) fn into_vars(self) -> Vars {
        let known = self.vars.into_iter();
        known.filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Takes in `vars` whose values are filled in.
    fn learn(&mut self, vars: Option<&mut Node>, faults: &mut Faults) {
        let Some(Node { value, at }) = vars else { return };
        let Value::Map(pairs) = value else {
            faults.add(*at, "`vars` is a map of names and texts");
            return;
        };
        for (key, node) in pairs {
            match &node.value {
                _ if !is_name(&key.name) || key.name == WINDOW => faults.add(
                    key.at,
                    format!(
                        "`{}` can't name a variable; write letters, digits and `_`, a letter first, and not `{WINDOW}`",
                        text::cut(&key.name, 80)
                    ),
                ),
                Value::Scalar(text) => self.vars.push((key.name.clone(), Some(text.clone()))),
                Value::Unknown => self.vars.push((key.name.clone(), None)),
                _ => {
                    faults.add(node.at, format!("variable `{}` takes a text", key.name));
                    self.vars.push((key.name.clone(), None));
                }
            }
        }
    }

    fn walk(
        &mut self,
        node: &mut Node,
        faults: &mut Faults,
        fill: &dyn Fn(&Self, &str) -> Result<String, Unfilled>,
    ) {
        match &mut node.value {
            Value::Null | Value::Unknown => {}
            Value::List(items) => items.iter_mut().for_each(|item| self.walk(item, faults, fill)),
            Value::Map(pairs) => pairs
                .iter_mut()
                .for_each(|(_, value)| self.walk(value, faults, fill)),
            Value::Scalar(text) if self.filled <= LARGEST => match fill(self, text) {
                Ok(filled) if filled == *text => {}
                Ok(filled) => {
                    self.filled += filled.len();
                    self.limit(node.at, filled.len(), faults);
                    *text = filled;
                }
                Err(unfilled) => {
                    if let Unfilled::Wrong(reason) = unfilled {
                        faults.add(node.at, reason);
                    }
                    // What the whole would look like is not known, and so nothing is said of it.
                    node.value = Value::Unknown;
                }
            },
            Value::Scalar(_) => {}
        }
    }

    fn limit(&self, at: Place, length: usize, faults: &mut Faults) {
        if length > LONGEST_VALUE {
            faults.add(
                at,
                "with its variables filled in, this value is over the limit of 16 KiB",
            );
        }
        if self.filled > LARGEST {
            faults.add(at, "the variables filled in come to over 4 MiB");
        }
    }

    /// `${NAME}`, `${NAME:-default}`, and `$$` for a dollar.
    fn with_env(&self, written: &str) -> Result<String, Unfilled> {
        let (mut filled, mut rest) = (String::new(), written);
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                filled.push('$');
                rest = after;
                continue;
            }
            let Some((inside, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
                return Err(Unfilled::Wrong(
                    "a `$` stands alone; write `${NAME}` for a variable of the environment, or `$$` for a dollar"
                        .to_owned(),
                ));
            };
            let (name, default) = inside
                .split_once(":-")
                .map_or((inside, None), |(name, default)| (name, Some(default)));
            if !is_name(name) {
                return Err(Unfilled::Wrong(format!(
                    "`${{{}}}` names no variable; write for example `${{NAME}}` or `${{NAME:-default}}`",
                    text::cut(inside, 80)
                )));
            }
            let value = self.env.get(name).or(default).ok_or_else(|| {
                Unfilled::Wrong(format!(
                    "the environment variable `{name}` is not set or empty; set it, or write `${{{name}:-default}}`"
                ))
            })?;
            filled.push_str(value);
            rest = after;
        }
        Ok(filled + rest)
    }

    /// `{{name}}`; anything else in double braces is left as it is.
    fn with_vars(&self, written: &str, windowed: bool) -> Result<String, Unfilled> {
        let (mut filled, mut rest) = (String::new(), written);
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let name = after
                .split_once("}}")
                .map(|(name, after)| (name.trim(), after))
                .filter(|(name, _)| is_name(name));
            let Some((name, after)) = name else {
                filled.push_str("{{");
                rest = after;
                continue;
            };
            rest = after;
            if name == WINDOW {
                if !windowed {
                    return Err(Unfilled::Wrong(format!(
                        "`{{{{{WINDOW}}}}}` stands for the window of a query, and this is none"
                    )));
                }
                filled.push_str("{{window}}");
                continue;
            }
            match self.vars.iter().find(|(known, _)| known == name) {
                Some((_, Some(value))) => filled.push_str(value),
                Some((_, None)) => return Err(Unfilled::Told),
                None => {
                    let hint = nearest(name, self.vars.iter().map(|(known, _)| known.as_str()));
                    return Err(Unfilled::Wrong(format!(
                        "there is no variable `{}` in `vars`{hint}",
                        text::cut(name, 80)
                    )));
                }
            }
        }
        Ok(filled + rest)
    }
}

/// Whether a text can name a variable, here and in an expression.
fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::node::parse;
    use proptest::prelude::{any, proptest};

    fn env() -> Env {
        [("BASE", "https://x"), ("EMPTY", ""), ("TRICK", "${BASE}{{sha}}")]
            .into_iter()
            .collect()
    }

    /// The file with its variables, or what is wrong.
    fn filled(source: &str) -> Result<String, String> {
        let mut file = parse("f", source.as_bytes()).unwrap();
        let (env, mut faults) = (env(), Faults::none("f"));
        let mut filler = Filler::new(&env);
        filler.fill(&mut file, &mut faults);
        faults
            .or(Some(format!("{file:?}")))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn variables_are_filled_in_once() {
        let file = filled(
            "vars: {a: '${BASE}/$$x', b: '${EMPTY:-d}${NO:-}', t: '${TRICK}'}\nwait: {u: '{{a}}?{{ b }}{{t}}{{.go}}'}\nwatch: {rules: '{{window}}'}\n",
        )
        .unwrap();
        assert!(
            file.contains(r#"Scalar("https://x/$x?d${BASE}{{sha}}{{.go}}")"#),
            "{file}"
        );
        assert!(file.contains(r#"Scalar("{{window}}")"#), "{file}");
    }

    #[test]
    fn what_can_t_be_filled_in_is_told_with_its_place() {
        for (source, said) in [
            (
                "vars: {a: '${NO}'}",
                "f:1:11: the environment variable `NO` is not set or empty",
            ),
            (
                "vars: {a: '${EMPTY}'}",
                "f:1:11: the environment variable `EMPTY`",
            ),
            ("sources: {p: {url: '$NO'}}", "f:1:20: a `$` stands alone"),
            ("vars: {a: '${a b}'}", "f:1:11: `${a b}` names no variable"),
            ("vars: {window: 1}", "f:1:8: `window` can't name a variable"),
            ("vars: {a-b: 1}", "f:1:8: `a-b` can't name a variable"),
            (
                "vars: {sha: x}\nwait: ['{{sah}}']",
                "f:2:8: there is no variable `sah` in `vars`; did you mean `sha`?",
            ),
            (
                "wait: ['{{window}}']",
                "f:1:8: `{{window}}` stands for the window of a query",
            ),
            ("watch: {probe: {http: '{{window}}'}}", "f:1:23: `{{window}}`"),
        ] {
            let error = filled(source).expect_err(source);
            assert!(error.starts_with(said), "{source}: {error}");
        }
    }

    #[test]
    fn what_a_fault_leaves_unknown_is_told_once() {
        for (source, said) in [
            (
                "vars: {a: '${NO}'}\nwait: ['{{a}}/ok', '{{a}}']",
                "f:1:11: the environment variable `NO`",
            ),
            (
                "vars: {a: [x]}\nwait: ['{{a}}/ok']",
                "f:1:11: variable `a` takes a text",
            ),
        ] {
            let error = filled(source).expect_err(source);
            assert!(error.starts_with(said) && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn the_environment_is_taken_only_where_it_may_be() {
        assert!(filled("wait: ['${NO}']").unwrap().contains("${NO}"));
    }

    #[test]
    fn what_is_filled_in_is_bounded() {
        let vars = format!("vars: {{a: {}}}\n", "x".repeat(10_000));
        let long = filled(&format!("{vars}wait: ['{{{{a}}}}{{{{a}}}}']")).unwrap_err();
        assert!(long.contains("limit of 16 KiB"), "{long}");
        let many = filled(&format!("{vars}wait: [{}]", "'{{a}}',".repeat(1_000))).unwrap_err();
        assert!(many.contains("4 MiB"), "{many}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), braces in "[{}$a: -]{0,30}") {
            let env = env();
            let filler = Filler::new(&env);
            for text in [text, braces] {
                let _ = filler.with_env(&text);
                let _ = filler.with_vars(&text, true);
            }
        }
    }
}
