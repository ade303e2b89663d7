//! Amazon's own command line, and the botocore inside it as a judge: both ask an endpoint that an environment names.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::place::Place;
use super::process::Process;
use super::program::{Program, User};
use super::{python, web};

const SCRIPT: &str = include_str!("botocore.py");
const FILE: &str = "botocore.py";

/// Names and values of an environment: endpoint, region, keys.
type Environment = Vec<(&'static str, String)>;

/// botocore, which makes calls and judges answers by the services' models.
#[derive(Debug)]
pub struct Botocore {
    control: SocketAddr,
    _process: Process,
}

/// What botocore says about one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The output as it was parsed, times as text; null where the call was refused.
    pub output: Value,
    /// The code of the refusal, if it was one.
    pub code: Option<String>,
    /// What is not as the service's model has it.
    pub faults: Vec<String>,
}

impl Botocore {
    /// Starts it with an environment, such as that of a stand-in.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, environment: Environment) -> io::Result<Self> {
        let mut command = python::script(place, FILE, SCRIPT)?;
        command.envs(environment);
        let ready = |log: &str| python::port(log, "control").is_some();
        let process = Process::start("botocore", command, place.path(), ready)?;
        Ok(Self {
            control: python::printed(&process, "control")?,
            _process: process,
        })
    }

    /// Makes one call, once. The service as botocore names it: `ecs`, `elbv2`, `cloudwatch`, `application-autoscaling`.
    ///
    /// # Errors
    /// When the judge itself does not answer.
    pub fn call(&self, service: &str, operation: &str, input: &Value) -> io::Result<Judged> {
        let path = format!(
            "/{service}/{operation}?input={}",
            web::encoded(&input.to_string())
        );
        let answer = web::post(self.control, &path)?;
        let mut answer: Value = serde_json::from_str(&answer.body)?;
        let faults = answer["faults"].as_array().into_iter().flatten();
        Ok(Judged {
            code: answer["error"]["Code"].as_str().map(str::to_owned),
            faults: faults.filter_map(Value::as_str).map(str::to_owned).collect(),
            output: answer["output"].take(),
        })
    }
}

/// The `aws` command.
#[derive(Debug)]
pub struct AwsCli {
    program: Program,
    environment: Environment,
    folder: PathBuf,
}

impl AwsCli {
    /// The command with an environment. Each run starts a Python of its own, which takes a second.
    ///
    /// # Errors
    /// When it is not there.
    pub fn new(place: &Place, environment: Environment) -> io::Result<Self> {
        Ok(Self {
            program: Program::of("python")?.beside("aws"),
            environment,
            folder: place.path().to_owned(),
        })
    }

    /// Runs it with words, such as `ecs describe-services --services web`. What it prints, which is null for nothing.
    ///
    /// # Errors
    /// When it fails; with what it printed.
    pub fn run(&self, words: &[&str]) -> io::Result<Value> {
        let output = self.command(words).output()?;
        if !output.status.success() {
            let printed = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(printed));
        }
        match output.stdout.as_slice() {
            [] => Ok(Value::Null),
            json => Ok(serde_json::from_slice(json)?),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program.command(&self.folder, User::Same);
        command
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .env("AWS_MAX_ATTEMPTS", "1")
            .env("AWS_PAGER", "")
            .args(["--output", "json"])
            .args(words)
            .stdin(Stdio::null());
        command
    }
}
