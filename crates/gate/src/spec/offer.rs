//! What a tool that runs a gate file as a part of its own work puts into it, before it is read: facts of that work as
//! variables, and which part of the file is run for how long.

use std::time::Duration;

use gha::duration;

use crate::spec::fault::Place;
use crate::spec::node::{Key, Node, Value};

/// What a tool offers beside what every tool does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer<'a> {
    /// Variables that a file need not have in `vars`; one that it has gets this value.
    pub vars: &'a [(String, String)],
    /// Whether the tool tells of a service on ECS: `type: ecs`.
    pub ecs: bool,
    /// What of the file is run.
    pub part: Part,
}

/// What of a gate file is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// What must be ready.
    Wait,
    /// What is observed, for this long instead of the file's own `duration`. A `timeout` of the whole file is not for it.
    Watch(Duration),
}

impl Offer<'_> {
    /// Puts it into a file. What is no map is left as it is, to be refused later.
    pub(crate) fn put_into(&self, file: &mut Node) {
        let at = file.at;
        let Value::Map(sections) = &mut file.value else {
            return;
        };
        match self.part {
            Part::Whole => {}
            Part::Wait => sections.retain(|(key, _)| !matches!(key.name.as_str(), "watch" | "compare")),
            Part::Watch(time) => {
                sections.retain(|(key, _)| !matches!(key.name.as_str(), "wait" | "timeout"));
                let watch = sections.iter_mut().find(|(key, _)| key.name == "watch");
                if let Some((_, watch)) = watch {
                    set(watch, "duration", duration::exact(time));
                }
            }
        }
        if self.vars.is_empty() {
            return;
        }
        if !sections.iter().any(|(key, _)| key.name == "vars") {
            let none = Value::Map(Vec::new());
            sections.push((key("vars", at), Node { at, value: none }));
        }
        let Some((_, vars)) = sections.iter_mut().find(|(key, _)| key.name == "vars") else {
            return;
        };
        for (name, value) in self.vars {
            // A dollar would begin a variable of the environment.
            set(vars, name, value.replace('$', "$$"));
        }
    }
}

/// Gives a key of a map a text, where the file has none at the place of the map.
fn set(map: &mut Node, name: &str, text: String) {
    let at = map.at;
    if let Some(node) = map.get_mut(name) {
        node.value = Value::Scalar(text);
        return;
    }
    if let Value::Map(pairs) = &mut map.value {
        let value = Value::Scalar(text);
        pairs.push((key(name, at), Node { at, value }));
    }
}

fn key(name: &str, at: Place) -> Key {
    Key {
        at,
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use gha::env::Env;

    use super::*;
    use crate::spec::{self, Spec};

    const FILE: &str = "version: 1\ntimeout: 20m\nwait: {timeout: 1m, targets: [{http: 'https://x/{{version}}'}]}\n\
         watch: {duration: 15m, preset: {name: steady, without: health}, probe: {http: 'https://x/'}}\n";

    fn read(file: &str, offer: &Offer<'_>) -> Result<Spec, String> {
        let read = spec::read_with("g.yml", file.as_bytes(), &Env::default(), &[], offer);
        read.map_err(|faults| faults.to_string())
    }

    fn version() -> Vec<(String, String)> {
        vec![("version".to_owned(), "1.2.3$x".to_owned())]
    }

    #[test]
    fn a_fact_is_a_variable_whether_or_not_the_file_has_it() {
        let vars = version();
        let offer = Offer {
            vars: &vars,
            ..Offer::default()
        };
        for file in [
            FILE.to_owned(),
            format!("vars: {{version: dev, other: y}}\n{FILE}"),
        ] {
            let spec = read(&file, &offer).unwrap();
            assert!(spec.vars.contains(&version()[0]), "{:?}", spec.vars);
            let target = &spec.wait.unwrap().targets[0].target;
            assert!(
                target.kind.shown().ends_with("/1.2.3$x"),
                "{}",
                target.kind.shown()
            );
        }
        assert!(
            read(FILE, &Offer::default())
                .unwrap_err()
                .contains("no variable `version`")
        );
    }

    #[test]
    fn a_part_is_what_is_left() {
        let vars = version();
        let part = |part| {
            let offer = Offer {
                vars: &vars,
                part,
                ..Offer::default()
            };
            read(FILE, &offer)
        };
        let wait = part(Part::Wait).unwrap();
        assert!(wait.wait.is_some() && wait.watch.is_none());
        // Longer than the file's own `timeout`, which is for the whole of it.
        for minutes in [5, 30] {
            let time = Duration::from_secs(60 * minutes);
            let watch = part(Part::Watch(time)).unwrap();
            assert!(watch.wait.is_none());
            assert_eq!(watch.watch.unwrap().duration, time);
        }
    }

    #[test]
    fn a_time_that_is_too_short_is_told_where_the_file_says_another() {
        let offer = Offer {
            part: Part::Watch(Duration::from_secs(60)),
            ..Offer::default()
        };
        let file = "version: 1\nwatch:\n  duration: 15m\n  warmup: 2m\n  preset: steady\n  probe: {http: 'https://x/'}\n";
        let said = read(file, &offer).unwrap_err();
        assert!(said.contains("g.yml:4:11: `warmup` is 2m"), "{said}");
    }

    #[test]
    fn only_a_tool_that_deploys_to_ecs_tells_of_it() {
        let file = "version: 1\nsources: {own: {type: ecs, metric: crashes}}\nwatch: {duration: 5m, rules: [{name: crashes, \
             count: {source: own}, abort: '> 0'}]}\n";
        let said = read(file, &Offer::default()).unwrap_err();
        assert!(said.contains("g.yml:2:23: `ecs` tells of the service"), "{said}");
        let offer = Offer {
            ecs: true,
            ..Offer::default()
        };
        let spec = read(file, &offer).unwrap();
        assert_eq!(spec.sources[0].name, "own");
        let said = read(&file.replace("metric: crashes", "metric: restarts"), &offer).unwrap_err();
        assert!(said.contains("restarts") && said.contains("crashes"), "{said}");
        let said = read(&file.replace("type: ecs", "type: cloudwatch"), &offer).unwrap_err();
        assert!(said.contains("metric"), "{said}");
    }
}
