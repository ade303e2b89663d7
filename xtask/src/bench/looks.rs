//! What a look costs where there are many: a probe at a high rate, and a gate of many targets. One run each, for its length
//! is what was asked for and says nothing; CPU time for each look, and memory, do.
//!
//! Limits: how many looks were made is what the server answered; of those that it never saw, nothing is known here. The
//! server's own CPU time is this process' and in nobody's figures, but it runs on the same machine: where there are few
//! cores, or they are busy, a high rate is not reached.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sandbox::http::{Reply, Script, Server as Tls};

use super::measure;
use super::memory;
use super::peer::Peers;
use super::quick::Server as Plain;
use super::subject::Subject;
use super::work::peer;

/// How many looks a second are asked for.
const RATE: u32 = 10_000;

/// For how many seconds.
const SECONDS: u32 = 10;

/// How many targets the gate has, each looked at once a second.
const TARGETS: u32 = 50;

/// Commands that look at one server, one after another.
#[derive(Debug)]
pub struct Stage {
    /// What is compared.
    pub title: String,
    /// The commands.
    pub subjects: Vec<Subject>,
    server: Asked,
}

/// A server that counts.
#[derive(Debug)]
enum Asked {
    Plain(Plain),
    Tls(Tls),
}

/// What one run came to.
#[derive(Debug)]
pub struct Seen {
    /// The command.
    pub subject: Subject,
    /// How many requests the server answered.
    pub looks: u64,
    /// From before the start to after the end.
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The largest resident memory in bytes.
    pub peak: u64,
}

impl Asked {
    fn url(&self) -> String {
        match self {
            Self::Plain(server) => format!("http://{}/health", server.address()),
            Self::Tls(server) => server.url("/health"),
        }
    }

    fn answered(&self) -> u64 {
        match self {
            Self::Plain(server) => server.answered(),
            Self::Tls(server) => server.requests().len() as u64,
        }
    }
}

impl Stage {
    /// Runs each command once.
    ///
    /// # Errors
    /// When a command fails, or memory can't be measured on this machine.
    pub fn run(&self) -> Result<Vec<Seen>> {
        self.subjects.iter().map(|subject| self.once(subject)).collect()
    }

    fn once(&self, subject: &Subject) -> Result<Seen> {
        subject.prepare()?;
        let (looks, cpu) = (self.server.answered(), measure::cpu_of_children()?);
        let begin = Instant::now();
        // A shell starts the command, which is a thousandth of what these take.
        let peak = memory::peak_of_one_run(subject)?;
        Ok(Seen {
            subject: subject.clone(),
            looks: self.server.answered() - looks,
            wall: begin.elapsed(),
            cpu: measure::cpu_of_children()?.saturating_sub(cpu),
            peak,
        })
    }
}

/// The stages of `health-gate`. curl opens a connection for each address too, because the server hangs up.
///
/// # Errors
/// When a server can't be started or a file not be written.
pub fn stages(program: &Path, peers: &Peers, scratch: &Path) -> Result<Vec<Stage>> {
    Ok(vec![
        one_target(program, peers, scratch)?,
        many_targets(program, peers, scratch, false)?,
        many_targets(program, peers, scratch, true)?,
    ])
}

/// One target as often as possible, under five rules.
fn one_target(program: &Path, peers: &Peers, scratch: &Path) -> Result<Stage> {
    let server = Asked::Plain(Plain::start().context("failed to start a server")?);
    let url = server.url();
    let file = scratch.join("often.yml");
    let gate = Subject::ours(format!("health-gate run, {RATE}/s"), program, &["run", "-f"]);
    let gate = gate.arg(&file).with_file(&file, often(&url).as_bytes());
    Ok(Stage {
        title: format!(
            "health-gate: {RATE} looks a second for {SECONDS}s at a server on loopback, five rules judged each second"
        ),
        subjects: with_curl(gate, peers, &url, RATE * SECONDS, scratch, None),
        server,
    })
}

/// A gate file. What a busy machine would break is advisory: a run that fails is not measured.
fn often(url: &str) -> String {
    format!(
        "version: 1
watch:
  duration: {SECONDS}s
  interval: 1s
  probe: {{ http: \"{url}\", rate: {RATE}/s }}
  rules:
    - {{ name: server-errors, from: probe, require: \"count(5xx) == 0\" }}
    - {{ name: errors, from: probe, require: \"error_rate < 1%\", advisory: true }}
    - {{ name: p95, from: probe, require: \"p95 < 1s\", advisory: true }}
    - {{ name: p99, from: probe, require: \"p99 < 2s\", advisory: true }}
    - {{ name: burst, from: probe, abort: {{ when: \"error_rate > 50%\", window: 5s }}, advisory: true }}
"
    )
}

/// Many targets, each once a second.
fn many_targets(program: &Path, peers: &Peers, scratch: &Path, tls: bool) -> Result<Stage> {
    let server = if tls {
        // Who may keep a connection would shake hands once.
        let reply = Reply::text(200, "ok").header("connection", "close");
        let script = Script::new().on("GET /health", [reply]);
        Asked::Tls(Tls::start_tls(&[], script).context("failed to start a server")?)
    } else {
        Asked::Plain(Plain::start().context("failed to start a server")?)
    };
    let authority = match &server {
        Asked::Plain(_) => None,
        Asked::Tls(server) => Some(
            server
                .ca_pem()
                .context("the server has no certificate")?
                .to_owned(),
        ),
    };
    let (url, file) = (
        server.url(),
        scratch.join(if tls { "tls.yml" } else { "plain.yml" }),
    );
    let gate = Subject::ours(
        format!("health-gate run, {TARGETS} targets"),
        program,
        &["run", "-f"],
    );
    let gate = gate.arg(&file).with_file(&file, many(&url).as_bytes());
    let spoken = if tls { "over TLS" } else { "without TLS" };
    Ok(Stage {
        title: format!("health-gate: {TARGETS} targets {spoken}, one look each a second for {SECONDS}s"),
        subjects: with_curl(
            gate,
            peers,
            &url,
            TARGETS * SECONDS,
            scratch,
            authority.as_deref(),
        ),
        server,
    })
}

/// A gate file.
fn many(url: &str) -> String {
    let mut file = format!("version: 1\nwatch:\n  duration: {SECONDS}s\n  interval: 1s\n  probes:\n");
    for number in 0..TARGETS {
        file.push_str(&format!("    t{number}: {{ http: \"{url}\", rate: 1/s }}\n"));
    }
    file.push_str("  rules:\n");
    for number in 0..TARGETS {
        file.push_str(&format!(
            "    - {{ name: r{number}, from: t{number}, require: \"count(5xx) == 0\" }}\n"
        ));
    }
    file
}

/// Beside curl, which asks as many times one after another. `authority` is whom to trust, of a server with TLS.
fn with_curl(
    ours: Subject,
    peers: &Peers,
    url: &str,
    looks: u32,
    scratch: &Path,
    authority: Option<&str>,
) -> Vec<Subject> {
    let urls = format!("{url}?[1-{looks}]");
    let words = ["-fsS", "--http1.1", "-o", "/dev/null", urls.as_str()];
    let curl = peer("curl", &format!("curl, {looks} addresses"), &peers.curl, &words);
    let both = [Some(ours), curl].into_iter().flatten();
    both.map(|subject| {
        let subject = subject.env("HOME", scratch);
        let Some(authority) = authority else {
            return subject;
        };
        let file = scratch.join("authority.pem");
        subject
            .with_file(&file, authority.as_bytes())
            .env("SSL_CERT_FILE", &file)
            .env("CURL_CA_BUNDLE", &file)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_is_counted_is_what_the_server_answered() {
        let Some(curl) = crate::environment::find_program("curl") else {
            panic!("`curl` is not installed");
        };
        let scratch = tempfile::tempdir().unwrap();
        let server = Asked::Plain(Plain::start().unwrap());
        let url = server.url();
        let words = ["-fsS", "-o", "/dev/null", &format!("{url}?[1-7]")];
        let stage = Stage {
            title: String::new(),
            subjects: vec![Subject::peer("curl", "curl", &curl, &words).env("HOME", scratch.path())],
            server,
        };
        let seen = stage.run().unwrap();
        assert_eq!(seen.iter().map(|one| one.looks).collect::<Vec<_>>(), [7]);
        assert!(seen[0].cpu > Duration::ZERO && seen[0].peak > 0);
    }

    #[test]
    fn both_sides_ask_the_same_server() {
        let scratch = tempfile::tempdir().unwrap();
        let shell = PathBuf::from("/bin/sh");
        let peers = Peers {
            curl: Some(shell.clone()),
            ..Peers::default()
        };
        for stage in stages(&shell, &peers, scratch.path()).unwrap() {
            assert_eq!(stage.subjects.len(), 2, "{}", stage.title);
            let told = stage.subjects.iter().map(|subject| {
                subject.prepare().unwrap();
                // A file's words are read where there is one.
                let script = r#"case "$*" in *.yml) cat "$3";; *) echo "$@";; esac"#;
                let mut told = subject.command_behind(&shell, &["-c", script]);
                crate::command::read_text(&mut told).unwrap()
            });
            let url = stage.server.url();
            for told in told {
                assert!(told.contains(&url), "{told}");
            }
        }
    }
}
