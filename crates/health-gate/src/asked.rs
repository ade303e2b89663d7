//! What was asked for: a gate file, or flags that stand for one, and what becomes of the result.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gate::setup::SetupError;
use gate::spec::fault::{Faults, Place};
use gate::spec::{self, Spec, choice};
use gha::{Exit, Failure, Runner, duration};
use sha2::{Digest as _, Sha256};

use crate::cli::{File, OnInconclusive, Results};
use crate::document::Document;
use crate::error::Error;

/// The most that is read of a gate file. The reader refuses less, and says so.
const LONGEST: u64 = 2 * 1024 * 1024;

/// What was asked for.
#[derive(Debug)]
pub struct Asked {
    /// What is looked at, and under which rules.
    pub spec: Spec,
    /// What becomes of the result.
    pub results: Results,
    /// The version that must serve, of flags.
    pub version: Option<String>,
    /// A hash of the configuration.
    pub hash: String,
    origin: Origin,
}

/// Where it comes from.
#[derive(Debug)]
enum Origin {
    Flags(Document),
    File(String),
}

impl Asked {
    /// From flags.
    ///
    /// # Errors
    /// When they make no gate file that holds together.
    pub fn from_flags(document: Document, results: Results, runner: &Runner) -> Result<Self, Failure> {
        let file = document.file();
        let spec = spec::read(document.name(), file.as_bytes(), runner.env(), document.vars())
            .map_err(|faults| Error::Flags(document.told(&faults)))?;
        Ok(Self {
            spec,
            results,
            version: None,
            hash: hash(file.as_bytes()),
            origin: Origin::Flags(document),
        })
    }

    /// From a gate file.
    ///
    /// # Errors
    /// When it can't be read, or is wrong.
    pub async fn from_file(file: &File, results: Results, runner: &Runner) -> Result<Self, Failure> {
        let path = file.file.as_ref().ok_or(Error::NoGateFile)?;
        let shown = gha::text::cut(&gha::text::visible(&path.display().to_string()), 200);
        let bytes = content(path, &shown, runner).await?;
        let vars = file
            .var
            .iter()
            .map(|pair| var(pair))
            .collect::<Result<Vec<_>, Error>>()?;
        let spec = spec::read(&shown, &bytes, runner.env(), &vars).map_err(|faults| {
            let (each, failure) = told(&faults);
            each.iter().for_each(|fault| runner.info(fault));
            failure
        })?;
        Ok(Self {
            spec,
            results,
            version: None,
            hash: hash(&bytes),
            origin: Origin::File(shown),
        })
    }

    /// The same, with the version that the flags name.
    #[must_use]
    pub fn version(self, version: Option<&str>) -> Self {
        Self {
            version: version.map(|version| version.trim().to_owned()),
            ..self
        }
    }

    /// The same within another time for the whole command.
    ///
    /// # Errors
    /// When its steps take longer.
    pub fn within(mut self, timeout: Option<Duration>) -> Result<Self, Failure> {
        let Some(timeout) = timeout else { return Ok(self) };
        let wait = self
            .spec
            .wait
            .as_ref()
            .map_or(Duration::ZERO, |wait| wait.timeout);
        let watch = self
            .spec
            .watch
            .as_ref()
            .map_or(Duration::ZERO, |watch| watch.duration);
        let steps = wait.saturating_add(watch);
        if timeout < steps {
            return Err(Error::Shorter {
                timeout: duration::exact(timeout),
                steps: duration::exact(steps),
            }
            .into());
        }
        self.spec.timeout = timeout;
        Ok(self)
    }

    /// Whether an inconclusive verdict is a failure.
    #[must_use]
    pub fn fails_inconclusive(&self) -> bool {
        match self.results.on_inconclusive {
            Some(what) => what == OnInconclusive::Fail,
            None => self.spec.on_inconclusive == choice::OnInconclusive::Fail,
        }
    }

    /// A setting by the name that it was given by: a flag, or a key of the gate file.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        match self.origin {
            Origin::Flags(_) => format!("`--{}`", key.replace('_', "-")),
            Origin::File(_) => format!("`{key}`"),
        }
    }

    /// What could not be made, told of the flag or the line that asked for it.
    #[must_use]
    pub fn failed(&self, error: SetupError) -> Failure {
        let placed = |place: Place, reason: &str| match &self.origin {
            Origin::Flags(document) => document.told_at(place, reason),
            Origin::File(name) => format!("{name}:{place}: {reason}"),
        };
        match &error {
            SetupError::Placed { place, reason } => Error::Flags(placed(*place, reason)).into(),
            SetupError::Http(_) | SetupError::Setting { .. } | SetupError::Secret(_) | SetupError::Aws(_) => {
                Error::Setup(error).into()
            }
        }
    }
}

/// The content of a file, or of standard input, on a thread of its own, so that a signal is heard while it is awaited.
async fn content(path: &Path, shown: &str, runner: &Runner) -> Result<Vec<u8>, Failure> {
    let owned: PathBuf = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        if owned.as_os_str() == "-" {
            std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)?;
        } else {
            std::fs::File::open(&owned)?
                .take(LONGEST)
                .read_to_end(&mut bytes)?;
        }
        Ok::<_, std::io::Error>(bytes)
    });
    let read = runner.cancel().guard(read).await?;
    read.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("failed to read the gate file `{shown}`: {error}"),
            )
            .help("name a file, such as `-f gate.yml`, or `-f -` for standard input")
        })
}

/// What is wrong with a gate file. A failure is one line, so several faults have a line each before it.
fn told(faults: &Faults) -> (Vec<String>, Error) {
    let each: Vec<String> = faults.to_string().lines().map(str::to_owned).collect();
    let first = each.first().cloned().unwrap_or_default();
    match faults.iter().count().saturating_sub(1) {
        0 => (Vec::new(), Error::File(first)),
        1 => (each, Error::File(format!("{first}; and one more, see above"))),
        more => (each, Error::File(format!("{first}; and {more} more, see above"))),
    }
}

/// `name=value`.
fn var(pair: &str) -> Result<(String, String), Error> {
    let (name, value) = pair.split_once('=').ok_or_else(|| Error::NoPair {
        flag: "var",
        between: '=',
    })?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_faults_has_a_line() {
        let read = |file: &str| {
            let env = gha::env::Env::default();
            told(&spec::read("g.yml", file.as_bytes(), &env, &[]).unwrap_err())
        };
        let (each, failure) = read("version: 1\nwait:\n  timeout: 5\n  targets: [{ tcp: 'db:1' }]\n");
        assert!(each.is_empty());
        assert!(
            failure.to_string().starts_with("g.yml:3:12: `timeout`"),
            "{failure}"
        );
        let (each, failure) = read("version: 2\nwait:\n  timeout: 5\n  targets: [{ tcp: 'db' }]\n");
        let places: Vec<&str> = each.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(places, ["g.yml:1:10", "g.yml:3:12", "g.yml:4:20"]);
        assert!(
            failure.to_string().ends_with("; and 2 more, see above"),
            "{failure}"
        );
        assert!(!failure.to_string().contains('\n'), "{failure}");
    }
}
