//! Child processes: started without a shell, in a process group of their own, which is ended with us.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::edge::cancel::{Cancel, Cancelled};
use crate::text;

mod group;
mod others;

use group::Group;
pub(crate) use group::end_all;
use others::Others;

/// The most that is kept of a child's output.
const OUTPUT_LIMIT: u64 = 16 * 1024 * 1024;

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// How a child ended whose last words count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// The end of what it wrote to standard output.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// What a child's environment has that ours has not, and the other way round.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Variables that it has, whatever ours says.
    pub set: Vec<(String, String)>,
    /// Variables of ours that it does not get.
    pub unset: Vec<String>,
}

/// How a child ended whose time is limited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its exit code, or the signal that ended it; `None` where its time was over and it was ended.
    pub status: Option<ExitStatus>,
    /// The end of what it wrote to standard output.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// Why there is no end to speak of.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("failed to start `{0}`")]
    Start(String, #[source] std::io::Error),
    /// It took too long, and its group was ended.
    #[error("`{0}` did not end within {1} and was ended")]
    TimedOut(String, String),
    /// The run was cancelled, and its group was ended.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Its output could not be read.
    #[error("failed to read the output of `{0}`")]
    Read(String, #[source] std::io::Error),
}

/// Runs a program to its end and captures what it prints. Its whole process group is ended when it exits, when the
/// time is over, and when the run is cancelled.
///
/// # Errors
/// When it can't be started or read, takes longer than `limit`, or the run is cancelled.
pub async fn capture(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    folder: &Path,
    limit: Duration,
    cancel: &Cancel,
) -> Result<Finished, ProcessError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    let (mut child, group) = start(command)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        // What the child left behind may keep the pipes open for ever, so it is ended before they are read out.
        let wait = async {
            let code = child.wait().await;
            group.kill();
            code
        };
        let (code, stdout, stderr) = tokio::join!(wait, read(stdout), read(stderr));
        Ok::<_, std::io::Error>(Finished {
            code: code?.code(),
            stdout: stdout?,
            stderr: stderr?,
        })
    };
    let ended = cancel.guard(tokio::time::timeout(limit, work)).await;
    group.end(&mut child).await;
    match ended? {
        Ok(finished) => finished.map_err(|error| ProcessError::Read(program.to_owned(), error)),
        Err(_) => Err(ProcessError::TimedOut(
            program.to_owned(),
            crate::duration::display(limit),
        )),
    }
}

/// Runs a program in our folder to its end and keeps the last `kept` bytes of each of its streams. Its whole process
/// group is ended when it exits, and when the future is dropped, which is how a caller limits its time.
///
/// # Errors
/// When it can't be started or read.
pub async fn last_words(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    kept: usize,
) -> Result<Ended, ProcessError> {
    let mut command = Command::new(program);
    command.args(arguments);
    let (mut child, group) = start(command)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let wait = async {
        let status = child.wait().await;
        // What the child left behind may keep the pipes open for ever.
        group.kill();
        status
    };
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let (status, out, err) = tokio::join!(
        wait,
        read_end(stdout, kept, &mut said),
        read_end(stderr, kept, &mut complained)
    );
    group.end(&mut child).await;
    let status = out.and(err).and(status);
    Ok(Ended {
        status: status.map_err(|error| ProcessError::Read(text::visible(program), error))?,
        stdout: said,
        stderr: complained,
    })
}

/// Runs a program in our folder and in changed surroundings, and keeps the last `kept` bytes of each of its streams, also of
/// one whose time is over. Its whole process group is ended when it exits, when the time is over, when the run is cancelled,
/// and when the future is dropped.
///
/// # Errors
/// When it can't be started or read, or the run is cancelled.
pub async fn watch(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    surroundings: &Surroundings,
    kept: usize,
    limit: Duration,
    cancel: &Cancel,
) -> Result<Watched, ProcessError> {
    let mut command = Command::new(program);
    command.args(arguments);
    surroundings.unset.iter().for_each(|name| {
        command.env_remove(name);
    });
    let set = surroundings.set.iter();
    command.envs(set.map(|(name, value)| (name, value)));
    let (mut child, group) = start(command)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let work = async {
        let wait = async {
            let status = child.wait().await;
            // What the child left behind may keep the pipes open for ever.
            group.kill();
            status
        };
        let (status, out, err) = tokio::join!(
            wait,
            read_end(stdout, kept, &mut said),
            read_end(stderr, kept, &mut complained)
        );
        out.and(err).and(status)
    };
    let ended = cancel.guard(tokio::time::timeout(limit, work)).await;
    group.end(&mut child).await;
    let status = match ended? {
        Ok(status) => Some(status.map_err(|error| ProcessError::Read(text::visible(program), error))?),
        Err(_) => None,
    };
    Ok(Watched {
        status,
        stdout: said,
        stderr: complained,
    })
}

/// Runs a program in our place, with our own standard streams and these variables beside ours, to its end. When the run is cancelled its process group gets the signal,
/// and what of it is left after `grace` is ended. What it leaves behind when it ends by itself is its own affair.
///
/// # Errors
/// When it can't be started.
pub async fn pass_through(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    variables: &[(&str, String)],
    grace: Duration,
    cancel: &Cancel,
) -> Result<ExitStatus, ProcessError> {
    // In a group of its own it may not read from a terminal: it would be stopped.
    let stdin = match std::io::stdin().is_terminal() {
        true => Stdio::null(),
        false => Stdio::inherit(),
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(stdin);
    let named = || text::visible(program);
    // From before it is there: until then they would end us and leave it.
    let mut others = Others::listen().map_err(|error| ProcessError::Start(named(), error))?;
    let (mut child, group) =
        Group::spawn(&mut command).map_err(|error| ProcessError::Start(named(), error))?;
    let ended = loop {
        tokio::select! {
            ended = cancel.guard(child.wait()) => break ended,
            signal = others.next() => group.send(signal),
        }
    };
    let ended = match ended {
        Ok(ended) => {
            group.leave();
            ended
        }
        Err(Cancelled(signal)) => {
            group.pass_on(signal);
            let ended = tokio::time::timeout(grace, child.wait()).await;
            group.kill();
            match ended {
                Ok(ended) => ended,
                Err(_) => child.wait().await,
            }
        }
    };
    ended.map_err(|error| ProcessError::Read(named(), error))
}

/// Starts a program in a process group of its own, with nothing to read and both streams piped to us.
fn start(mut command: Command) -> Result<(Child, Group), ProcessError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Group::spawn(&mut command).map_err(|error| {
        let program = command.as_std().get_program().to_string_lossy();
        ProcessError::Start(text::visible(&program), error)
    })
}

/// Reads a pipe to its end and keeps the last bytes.
async fn read_end(
    pipe: Option<impl tokio::io::AsyncRead + Unpin>,
    kept: usize,
    end: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut chunk = vec![0; 8 * 1024];
    let Some(mut pipe) = pipe else { return Ok(()) };
    loop {
        let read = pipe.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        end.extend_from_slice(&chunk[..read]);
        end.drain(..end.len().saturating_sub(kept));
    }
}

/// Reads a pipe to its end; what is over the limit is read and dropped, so that the child does not block.
async fn read(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(kept) };
    (&mut pipe).take(OUTPUT_LIMIT).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(kept)
}

#[cfg(test)]
mod tests;
