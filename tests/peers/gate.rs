//! Runs of `health-gate` against a server.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _, pipe};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The report of a run, in the folder that it runs in.
const REPORT: &str = "report.json";

/// What a run left behind.
pub(crate) struct Finished {
    code: Option<i32>,
    log: String,
    /// Its report; null where it wrote none.
    pub(crate) report: Value,
}

/// `wait` for an address of HTTP, which is ready at once or is given up soon.
pub(crate) fn wait_url(url: &str) -> Gate {
    wait(&["--url", url])
}

/// `wait` for a port.
pub(crate) fn wait_tcp(address: SocketAddr) -> Gate {
    wait(&["--tcp", &address.to_string()])
}

/// `wait` for any target.
pub(crate) fn wait(target: &[&str]) -> Gate {
    Gate::new("wait").with(target).with(&["--interval", "100ms"])
}

/// `check`: one look.
pub(crate) fn check(target: &[&str]) -> Gate {
    Gate::new("check").with(target)
}

/// `check` of a gate file's only target, such as `{ postgres: "127.0.0.1:5432", room: true }`.
pub(crate) fn check_as(target: &str) -> Gate {
    file("check", &format!("version: 1\nwait: {{ targets: [{target}] }}\n"))
}

/// `watch` for this long, judged five times a second.
pub(crate) fn watch(duration: &str, flags: &[&str]) -> Gate {
    let pace = ["--duration", duration, "--interval", "200ms", "--rate", "20/s"];
    Gate::new("watch").with(&pace).with(flags)
}

/// `run` of a gate file.
pub(crate) fn run(text: &str) -> Gate {
    file("run", text)
}

fn file(command: &str, text: &str) -> Gate {
    let gate = Gate::new(command).with(&["-f", "gate.yml"]);
    std::fs::write(gate.place.path().join("gate.yml"), text).unwrap();
    gate
}

/// A run to make.
pub(crate) struct Gate {
    place: black_box::Place,
    command: Command,
}

/// A run under way.
pub(crate) struct Running {
    place: black_box::Place,
    child: Child,
    output: BufReader<PipeReader>,
    log: String,
}

impl Gate {
    fn new(word: &str) -> Self {
        let place = black_box::Place::new();
        let mut command = place.step("health-gate");
        command.args([word, "--report", REPORT]);
        Self { place, command }
    }

    /// With more flags.
    pub(crate) fn with(mut self, flags: &[&str]) -> Self {
        self.command.args(flags);
        self
    }

    /// With a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this authority instead of the system's.
    pub(crate) fn trusting(self, pem: &str) -> Self {
        let file = self.place.path().join("authority.pem");
        std::fs::write(&file, pem).unwrap();
        self.env("SSL_CERT_FILE", &file.display().to_string())
    }

    /// Waits for a target that is ready or gets so.
    #[track_caller]
    pub(crate) fn passes(self) -> Finished {
        self.with(&["--timeout", "30s"]).ends(0)
    }

    /// Waits for a target that stays as it is, so that it is given up after several tries.
    #[track_caller]
    pub(crate) fn fails(self) -> Finished {
        self.with(&["--timeout", "1s"]).ends(3)
    }

    /// Runs it to its end, which must be with this exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Finished {
        self.start().ends(code)
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let Self { place, mut command } = self;
        let (output, printed) = pipe().unwrap();
        command
            .stdin(Stdio::null())
            .stdout(printed.try_clone().unwrap())
            .stderr(printed);
        let child = command.spawn().unwrap();
        // The command holds the writing ends: without this, the output would never end.
        drop(command);
        Running {
            place,
            child,
            output: BufReader::new(output),
            log: String::new(),
        }
    }
}

impl Running {
    /// Reads on until a line holds a text. Every run has its own time-out, so this ends.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let start = self.log.len();
            let read = self.output.read_line(&mut self.log).unwrap();
            assert!(read > 0, "it ended without `{text}`:\n{}", self.log);
            if self.log[start..].contains(text) {
                return;
            }
        }
    }

    /// Whether it has come to its end.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, which must be with this exit code.
    #[track_caller]
    pub(crate) fn ends(mut self, code: i32) -> Finished {
        self.output.read_to_string(&mut self.log).unwrap();
        let status = self.child.wait().unwrap();
        let report = std::fs::read(self.place.path().join(REPORT)).unwrap_or_default();
        let finished = Finished {
            code: status.code(),
            log: std::mem::take(&mut self.log),
            report: serde_json::from_slice(&report).unwrap_or_default(),
        };
        assert_eq!(finished.code, Some(code), "{}", finished.log);
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Checks that its log holds each of these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.log.contains(text), "no `{text}` in\n{}", self.log);
        }
        self
    }

    /// Checks that its log and its report do not hold a secret, but for the lines that tell the runner to hide it.
    #[track_caller]
    pub(crate) fn hides(self, secret: &str) -> Self {
        let mut lines = self.log.lines().filter(|line| !line.starts_with("::add-mask::"));
        assert!(!lines.any(|line| line.contains(secret)), "{}", self.log);
        assert!(!self.report.to_string().contains(secret), "{}", self.report);
        self
    }

    /// How many lines of its log are this one.
    pub(crate) fn lines(&self, wanted: &str) -> usize {
        self.log.lines().filter(|line| *line == wanted).count()
    }

    /// A rule of its report.
    #[track_caller]
    pub(crate) fn rule(&self, name: &str) -> &Value {
        self.reported("rules", name)
    }

    /// A comparison of its report.
    #[track_caller]
    pub(crate) fn comparison(&self, name: &str) -> &Value {
        self.reported("comparisons", name)
    }

    #[track_caller]
    fn reported(&self, list: &str, name: &str) -> &Value {
        let all = self.report[list].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name);
        one.unwrap_or_else(|| panic!("no `{name}` among the {list} of\n{:#}", self.report))
    }
}

/// The address of a path, as a certificate for `127.0.0.1` has it.
pub(crate) fn url(scheme: &str, address: SocketAddr, path: &str) -> String {
    format!("{scheme}://{address}{path}")
}

/// A file as a value in a configuration.
pub(crate) fn quoted(file: &Path) -> String {
    format!("\"{}\"", file.display())
}
