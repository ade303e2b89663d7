//! The command files of a step: outputs, and variables for later steps.

use std::path::Path;
use std::sync::PoisonError;

use super::{Runner, append};
use crate::edge::environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interface::RESULT;
use crate::outputs;

impl Runner {
    /// Writes a step output, at once, so that a cancelled step still has it. Outside a runner there is nowhere to
    /// write to, and nothing happens. A failure to write is remembered and told at the end, if nothing worse happened:
    /// it must not stand in the way of the run, nor hide its verdict.
    pub fn output(&self, name: &str, value: &str) {
        if let Err(failure) = self.write_output(name, value) {
            self.remember(failure);
        }
    }

    /// Sets a variable for all later steps of the job, as [`Runner::output`] writes an output. Only names that the
    /// interface declares in `exports`: what one step sets changes what every later one does.
    pub fn export(&self, name: &str, value: &str) {
        if let Err(failure) = self.write_export(name, value) {
            self.remember(failure);
        }
    }

    fn remember(&self, failure: Failure) {
        self.output_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(failure);
    }

    /// The first output or variable that could not be written.
    pub(crate) fn output_failure(&self) -> Option<Failure> {
        self.output_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn write_output(&self, name: &str, value: &str) -> Result<(), Failure> {
        let declared = self
            .interface
            .outputs
            .iter()
            .chain([&RESULT])
            .any(|spec| spec.name == name);
        if !declared {
            return Err(Failure::new(
                Exit::Bug,
                format!("output `{name}` is not declared"),
            ));
        }
        self.write_entry("GITHUB_OUTPUT", "output", name, value)
    }

    fn write_export(&self, name: &str, value: &str) -> Result<(), Failure> {
        let exports = self.interface.exports;
        let declared = exports.iter().any(|begin| name.starts_with(begin));
        if !declared || !outputs::is_variable(name) {
            let name = crate::text::visible(name);
            return Err(Failure::new(
                Exit::Bug,
                format!("variable `{name}` is not declared"),
            ));
        }
        self.write_entry("GITHUB_ENV", "variable", name, value)
    }

    /// Appends an entry to the command file that a variable names; outside a runner there is none.
    fn write_entry(&self, file: &str, kind: &str, name: &str, value: &str) -> Result<(), Failure> {
        let Some(path) = self.env.get(file) else {
            return Ok(());
        };
        let value = self.hide(value).replace('\0', "\u{fffd}");
        let delimiter = format!("ghadelimiter_{}", uuid::Uuid::from_bytes(environment::random()));
        let entry =
            outputs::entry(name, &value, &delimiter).map_err(|error| Failure::new(Exit::Bug, error))?;
        append(Path::new(path), &entry).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("failed to write {kind} `{name}` to `{path}`: {error}"),
            )
            .help(format!(
                "`{file}` must name a file that this process may append to; unset it outside a runner"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::testing::runner_of;
    use crate::interface::{Interface, OutputSpec};

    const INTERFACE: Interface = Interface {
        outputs: &[OutputSpec {
            name: "tags",
            description: "",
        }],
        exports: &["DEMO_OUTPUT_"],
        ..Interface::named("demo")
    };

    /// What a run leaves in the two files: that of outputs, and that of variables.
    fn written(act: impl FnOnce(&Runner)) -> (String, String, Option<Failure>) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (output, variables) = (path("output"), path("env"));
        let (runner, _) = runner_of(
            INTERFACE,
            &[("GITHUB_OUTPUT", &output), ("GITHUB_ENV", &variables)],
        );
        act(&runner);
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        (read(&output), read(&variables), runner.output_failure())
    }

    /// Name and value of the one entry of a file; the delimiter is random.
    fn entry(text: &str) -> (&str, &str) {
        let (name, rest) = text.split_once("<<ghadelimiter_").unwrap();
        let (delimiter, rest) = rest.split_once('\n').unwrap();
        let end = format!("\nghadelimiter_{delimiter}\n");
        (name, rest.strip_suffix(end.as_str()).unwrap())
    }

    #[test]
    fn a_variable_is_written_as_an_output_is() {
        for (value, kept) in [
            ("a\nb", "a\nb"),
            ("", ""),
            ("a\0b", "a\u{fffd}b"),
            ("a topsecret b", "a *** b"),
            ("X=1\nPATH<<E", "X=1\nPATH<<E"),
        ] {
            let (output, variables, failure) = written(|runner| {
                runner.mask("topsecret");
                runner.output("tags", value);
                runner.export("DEMO_OUTPUT_TAGS", value);
            });
            assert!(failure.is_none(), "{failure:?}");
            assert_eq!(entry(&output), ("tags", kept));
            assert_eq!(entry(&variables), ("DEMO_OUTPUT_TAGS", kept));
        }
    }

    #[test]
    fn no_other_variable_is_written() {
        for name in [
            "PATH",
            "demo_output_tags",
            "DEMO_OUTPUT_a",
            "DEMO_OUTPUT_-",
            "DEMO_OUTPUT_A=B",
            "DEMO_OUTPUT_A\nPATH",
            "XDEMO_OUTPUT_A",
        ] {
            let (_, variables, failure) = written(|runner| runner.export(name, "x"));
            assert_eq!(variables, "", "{name}");
            let failure = failure.unwrap();
            assert_eq!(failure.exit, Exit::Bug, "{name}");
            assert!(!failure.error.to_string().contains('\n'), "{name}");
        }
    }

    #[test]
    fn the_first_failure_is_remembered() {
        let variables = [
            ("GITHUB_OUTPUT", "/dev/null/none"),
            ("GITHUB_ENV", "/dev/null/none"),
        ];
        let (runner, _) = runner_of(INTERFACE, &variables);
        runner.export("DEMO_OUTPUT_TAGS", "x");
        runner.output("tags", "x");
        let failure = runner.output_failure().unwrap();
        let reason = failure.error.to_string();
        assert!(
            reason.starts_with("failed to write variable `DEMO_OUTPUT_TAGS` to `/dev/null/none`"),
            "{reason}"
        );
        assert!(failure.exit == Exit::Usage && failure.help.unwrap().contains("`GITHUB_ENV`"));
        let (outside, _) = runner_of(INTERFACE, &[]);
        outside.export("DEMO_OUTPUT_TAGS", "x");
        assert!(outside.output_failure().is_none());
    }
}
