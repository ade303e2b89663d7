//! Child processes: run them, read them, and on failure say which one failed and what it said last.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a program that talks to the terminal itself.
///
/// # Errors
/// When it can't be started or does not exit with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed with {status}", shown(command));
    }
    Ok(())
}

/// Runs a program and returns its standard output; its standard error becomes part of the error.
///
/// # Errors
/// When it can't be started or does not exit with 0.
pub fn read(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("failed to start {}", shown(command)))?;
    checked(command, output)
}

/// As [`read`], for text: without the end of the last line.
///
/// # Errors
/// As [`read`], and when the output is not UTF-8.
pub fn read_text(command: &mut Command) -> Result<String> {
    let bytes = read(command)?;
    let text =
        String::from_utf8(bytes).with_context(|| format!("{} printed no valid UTF-8", shown(command)))?;
    Ok(text.trim_end().to_owned())
}

/// As [`read`], with `input` on standard input.
///
/// # Errors
/// As [`read`], and when the program stops reading early.
pub fn feed(command: &mut Command, input: &[u8]) -> Result<Vec<u8>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {}", shown(command)))?;
    let stdin = child.stdin.take();
    // Written beside the reading, so that neither side waits for a full pipe.
    let (written, output) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.map_or(Ok(()), |mut pipe| pipe.write_all(input)));
        let output = child.wait_with_output();
        (writer.join(), output)
    });
    let output = checked(
        command,
        output.with_context(|| format!("failed to wait for {}", shown(command)))?,
    )?;
    match written {
        Ok(result) => result.with_context(|| format!("failed to write to {}", shown(command)))?,
        Err(_) => bail!("the writer to {} panicked", shown(command)),
    }
    Ok(output)
}

fn checked(command: &Command, output: Output) -> Result<Vec<u8>> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = [&output.stderr, &output.stdout]
        .into_iter()
        .filter_map(|stream| last_line(stream))
        .next()
        .unwrap_or_else(|| "it said nothing".to_owned());
    bail!("{} failed with {}: {said}", shown(command), output.status)
}

/// The last line that holds anything: nearly every program ends with its reason.
fn last_line(stream: &[u8]) -> Option<String> {
    String::from_utf8_lossy(stream)
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}

/// The command line as a reader would type it, cut where it becomes a wall.
fn shown(command: &Command) -> String {
    const LONGEST: usize = 160;
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    let mut line = words.join(" ");
    if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(cut);
        line.push('…');
    }
    format!("`{line}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_program_its_status_and_its_last_words() {
        let error =
            read(Command::new("sh").args(["-c", "echo first >&2; echo the reason >&2; exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("`sh -c") && text.contains("exit status: 3") && text.ends_with("the reason"),
            "{text}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(format!("{error:#}").contains("failed to start `no-such-program-here`"));
    }

    #[test]
    fn more_than_a_pipe_holds_goes_in_and_comes_out() {
        let megabyte = vec![b'x'; 1 << 20];
        assert_eq!(feed(&mut Command::new("cat"), &megabyte).unwrap(), megabyte);
    }
}
