//! [PostgreSQL](https://www.postgresql.org/docs/15/).

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::place::Place;
use super::port;
use super::process::{self, Process};
use super::program::{self, NOBODY, Program, User};

/// A database server with the user and the database `postgres`, who is trusted on loopback.
#[derive(Debug)]
pub struct Postgres {
    address: SocketAddr,
    program: Program,
    folder: PathBuf,
    process: Process,
}

/// A connection that stays open until it is dropped.
#[derive(Debug)]
pub struct Held {
    client: Child,
}

impl Postgres {
    /// Starts a server with settings of `postgresql.conf`, such as `("max_connections", "4")`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, settings: &[(&str, &str)]) -> io::Result<Self> {
        initialise(place)?;
        let ready = "database system is ready to accept connections";
        Self::start_until(place, settings, ready)
    }

    /// A server that is alive and takes no connection until it is promoted: a stand-by that
    /// [is no hot one](https://www.postgresql.org/docs/15/runtime-config-replication.html#GUC-HOT-STANDBY). To a
    /// client it is one that starts.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_starting(place: &Place) -> io::Result<Self> {
        initialise(place)?;
        place.write("data/standby.signal", "")?;
        let settings = [("hot_standby", "off"), ("restore_command", "false")];
        Self::start_until(place, &settings, "entering standby mode")
    }

    fn start_until(place: &Place, settings: &[(&str, &str)], ready: &str) -> io::Result<Self> {
        let program = Program::of("postgres")?;
        port::on_free_port(|address| {
            let mut command = program.command(place.path(), User::NotRoot);
            command.arg("-D").arg(place.path().join("data"));
            let (ip, port) = (address.ip().to_string(), address.port().to_string());
            let ours = [
                ("listen_addresses", ip.as_str()),
                ("port", port.as_str()),
                ("unix_socket_directories", ""),
                ("fsync", "off"),
            ];
            for (name, value) in ours.iter().chain(settings) {
                command.arg("-c").arg(format!("{name}={value}"));
            }
            let listens = |log: &str| log.contains(ready);
            let process = Process::start("postgres", command, place.path(), listens)?;
            Ok(Self {
                address,
                program: program.clone(),
                folder: place.path().to_owned(),
                // A killed one leaves its shared memory behind.
                process: process.parting(Signal::QUIT),
            })
        })
    }

    /// Ends the waiting of one that starts: it takes connections soon. As
    /// [`pg_ctl promote`](https://www.postgresql.org/docs/15/app-pg-ctl.html) does it, which asks who it is run by.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn promote(&self) -> io::Result<()> {
        std::fs::write(self.folder.join("data/promote"), "")?;
        self.process.signal(Signal::USR1)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What [`pg_isready`](https://www.postgresql.org/docs/15/app-pg-isready.html) says: its exit code, which is 0 for
    /// accepting, 1 for rejecting and 2 for no answer, and its line.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn is_ready(&self) -> io::Result<(Option<i32>, String)> {
        let output = self.client("pg_isready").output()?;
        let line = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        Ok((output.status.code(), line))
    }

    /// What `psql` prints for a query, without decoration.
    ///
    /// # Errors
    /// When it fails; with what it said.
    pub fn query(&self, sql: &str) -> io::Result<String> {
        let mut command = self.client("psql");
        command.args([
            "--no-psqlrc",
            "-At",
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-c",
            sql,
        ]);
        let output = process::run(command)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    /// Opens a connection and keeps it, so that there is one less for others.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn hold(&self) -> io::Result<Held> {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "-At", "-U", "postgres", "-d", "postgres"]);
        let mut client = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (stdin, stdout) = (client.stdin.as_mut(), client.stdout.take());
        let mut line = String::new();
        if let (Some(stdin), Some(stdout)) = (stdin, stdout) {
            // It may be gone already; then there is no line either.
            let _ = writeln!(stdin, "select 'held';");
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let held = Held { client };
        match line.trim_end() {
            "held" => Ok(held),
            _ => Err(io::Error::other("the server took no connection")),
        }
    }

    /// Ends the server as an administrator would, with connections cut; its address answers nothing any more.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> io::Result<()> {
        self.process.signal(Signal::INT)?;
        self.process.ended().map(drop)
    }

    fn client(&self, name: &str) -> Command {
        let mut command = self.program.beside(name).command(&self.folder, User::Same);
        command
            .args(["-h", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()]);
        command
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

/// Makes the files of a new server, as a user that it runs as.
fn initialise(place: &Place) -> io::Result<()> {
    if program::is_root() {
        chown(place.path(), Some(NOBODY), Some(NOBODY))?;
    }
    let initdb = Program::of("postgres")?.beside("initdb");
    let mut command = initdb.command(place.path(), User::NotRoot);
    command.args(["--pgdata", "data", "--username", "postgres", "--auth", "trust"]);
    command.args(["--no-sync", "--no-locale", "--encoding", "UTF8"]);
    process::run(command).map(drop)
}
