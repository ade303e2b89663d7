//! A gate file made of flags. Flags go the way of the file, so that both mean the same: there is one reader, and what it
//! says about a line is told about the flag that wrote it. Pure.

use std::fmt::Write as _;

use gate::spec::fault::{Faults, Place};

/// The name of the file in messages that no flag stands for.
const NAME: &str = "the command line";

/// A gate file in the making. Each value has a line of its own.
#[derive(Debug, Default)]
pub struct Document {
    body: String,
    vars: Vec<(String, String)>,
    /// Which flag wrote which line of the body, counted from 0.
    lines: Vec<&'static str>,
    depth: usize,
}

impl Document {
    /// Opens a map under a key; within a list the key is empty. `flag` is the one that speaks for it.
    pub fn open(&mut self, key: &str, flag: &'static str) {
        if key.is_empty() {
            self.line(flag, "-");
        } else {
            self.line(flag, &format!("{key}:"));
        }
        self.depth += 1;
    }

    /// Closes what was opened last.
    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A value under a key.
    pub fn value(&mut self, key: &str, flag: &'static str, value: &str) {
        let value = self.text(value);
        self.line(flag, &format!("{}: {value}", quoted(key)));
    }

    /// A value under a key, if there is one.
    pub fn maybe(&mut self, key: &str, flag: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.value(key, flag, value);
        }
    }

    /// A list under a key, if there is anything in it.
    pub fn list(&mut self, key: &str, flag: &'static str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.open(key, flag);
        for value in values {
            let value = self.text(value);
            self.line(flag, &format!("- {value}"));
        }
        self.close();
    }

    fn line(&mut self, flag: &'static str, text: &str) {
        // Failing to write to a text can't be.
        let _ = writeln!(self.body, "{:width$}{text}", "", width = self.depth * 2);
        self.lines.push(flag);
    }

    /// A text as YAML has it. What looks like a variable of a gate file is none here, and comes by a variable of its own.
    fn text(&mut self, text: &str) -> String {
        if !text.contains("{{") {
            return quoted(text);
        }
        let name = format!("flag{}", self.vars.len());
        self.vars.push((name.clone(), text.to_owned()));
        quoted(&format!("{{{{{name}}}}}"))
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> String {
        let vars = if self.vars.is_empty() {
            String::new()
        } else {
            let names: Vec<String> = self
                .vars
                .iter()
                .map(|(name, _)| format!("  {name}: ''\n"))
                .collect();
            format!("vars:\n{}", names.concat())
        };
        format!("{}version: 1\n{vars}", self.body)
    }

    /// The values of its variables, for its reader.
    #[must_use]
    pub fn vars(&self) -> &[(String, String)] {
        &self.vars
    }

    /// What is wrong with it, as the flags' own words.
    #[must_use]
    pub fn told(&self, faults: &Faults) -> String {
        let told: Vec<String> = faults
            .iter()
            .map(|(place, reason)| self.told_at(place, reason))
            .collect();
        told.join("; ")
    }

    /// What is wrong at a place.
    #[must_use]
    pub fn told_at(&self, place: Place, reason: &str) -> String {
        let line = usize::try_from(place.line).unwrap_or_default();
        match line.checked_sub(1).and_then(|line| self.lines.get(line)) {
            Some(flag) if !flag.is_empty() => {
                format!("`--{flag}`: {}", with_flags(without_key(reason)))
            }
            _ => reason.to_owned(),
        }
    }

    /// The file's name for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        NAME
    }
}

/// A reason without the file's key at its start, which the flag stands for.
fn without_key(reason: &str) -> &str {
    let key = |rest: &str| {
        let (key, rest) = rest.split_once("`: ")?;
        let plain = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        plain.then_some(rest.len())
    };
    match reason.strip_prefix('`').and_then(key) {
        Some(length) => &reason[reason.len() - length..],
        None => reason,
    }
}

/// An advice with the flags that stand for a file's keys, and the keys that no flag stands for as such.
fn with_flags(reason: &str) -> String {
    const ADVICE: [(&str, &str); 5] = [
        ("raise its `rate`", "raise its `--rate`"),
        ("raise `duration`", "raise `--duration`"),
        ("raise `window`", "raise `window` (in a gate file)"),
        ("lower `min_samples`", "lower `--min-samples`"),
        ("lower `min_bad`", "lower `min_bad` (in a gate file)"),
    ];
    let told = |told: String, (key, flag): &(&str, &str)| told.replace(key, flag);
    ADVICE.iter().fold(reason.to_owned(), told)
}

/// A text in double quotes; of JSON's and YAML's they are the same.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::spec;
    use gate::spec::target::Kind;
    use proptest::prelude::{any, proptest};

    fn wait(fill: impl Fn(&mut Document)) -> Document {
        let mut document = Document::default();
        document.open("wait", "");
        document.open("targets", "");
        document.open("", "");
        fill(&mut document);
        document.close();
        document.close();
        document.close();
        document
    }

    fn read(document: &Document) -> Result<spec::Spec, String> {
        let env = [("X", ""); 0].into_iter().collect();
        spec::read(document.name(), document.file().as_bytes(), &env, document.vars())
            .map_err(|faults| document.told(&faults))
    }

    #[test]
    fn a_fault_names_its_flag() {
        let document = wait(|document| {
            document.value("http", "url", "example.com");
            document.value("follow", "follow", "99");
        });
        assert_eq!(
            read(&document).unwrap_err(),
            "`--url`: `example.com` is no address with `https://` or `http://` in front; `--follow`: `follow` is 99, and \
             may be at most 20"
        );
    }

    proptest! {
        #[test]
        fn every_text_arrives_as_it_is(text in any::<String>(), braces in "[{}$a ]{1,8}") {
            for text in [text, braces] {
                if text.is_empty() {
                    continue;
                }
                let document = wait(|document| {
                    document.value("exec", "exec", "true");
                    document.list("args", "exec-arg", std::slice::from_ref(&text));
                });
                let spec = read(&document).unwrap();
                let Kind::Exec(exec) = &spec.wait.unwrap().targets[0].target.kind else { panic!() };
                assert_eq!(exec.args, [text]);
            }
        }
    }
}
