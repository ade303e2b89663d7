//! The lines in which changes are written: `container=reference`, `container:NAME=value`, amounts and commands.

use gha::container_command::ContainerCommand;
use gha::image::Image;

use super::{Amount, Change, Edit, EditError, shown};

impl Edit {
    /// Reads `container=reference`, or a reference alone.
    ///
    /// # Errors
    /// When the reference breaks the grammar of image references.
    pub fn image(line: &str) -> Result<Self, EditError> {
        let line = line.trim();
        let (container, reference) = match line.split_once('=') {
            Some((container, reference)) => (Some(container.trim().to_owned()), reference.trim()),
            None => (None, line),
        };
        Image::parse(reference)?;
        Ok(Self {
            container,
            change: Change::Image(reference.to_owned()),
        })
    }

    /// Reads `container:NAME=value`, or `NAME=value`. The value is what stands behind the first `=`, blanks included.
    ///
    /// # Errors
    /// When there is no name.
    pub fn environment(line: &str) -> Result<Self, EditError> {
        let (container, name, value) = variable(line)?;
        let value = value.to_owned();
        Ok(Self {
            container,
            change: Change::Environment { name, value },
        })
    }

    /// Reads `container:NAME=reference`, or `NAME=reference`: an ARN of Secrets Manager or of a parameter, or the name
    /// of a parameter in the same region
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html>).
    ///
    /// # Errors
    /// When there is no name, or what stands behind it is no reference.
    pub fn secret(line: &str) -> Result<Self, EditError> {
        let (container, name, reference) = variable(line)?;
        let reference = reference.trim();
        let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/');
        let in_arn = |byte: u8| byte.is_ascii_graphic();
        let is_reference = match reference.strip_prefix("arn:") {
            Some(rest) => rest.bytes().all(in_arn) && rest.split(':').count() >= 5,
            None => !reference.is_empty() && reference.bytes().all(part),
        };
        if !is_reference {
            return Err(EditError::Secret(shown(&name)));
        }
        let reference = reference.to_owned();
        Ok(Self {
            container,
            change: Change::Secret { name, reference },
        })
    }

    /// Reads the CPU of the task (`512`, `0.5 vCPU`), or of a container in CPU units (`container=256`).
    ///
    /// # Errors
    /// When it is no such amount.
    pub fn cpu(line: &str) -> Result<Self, EditError> {
        Self::size(
            line,
            "cpu",
            "vcpu",
            "`512` or `0.5 vCPU`, or `container=256` for one of them",
        )
    }

    /// Reads the memory of the task (`1024`, `1 GB`), or of a container in MiB (`container=512`).
    ///
    /// # Errors
    /// When it is no such amount.
    pub fn memory(line: &str) -> Result<Self, EditError> {
        Self::size(
            line,
            "memory",
            "gb",
            "`1024` or `1 GB`, or `container=512` for one of them",
        )
    }

    fn size(line: &str, key: &'static str, unit: &str, example: &'static str) -> Result<Self, EditError> {
        let line = line.trim();
        let refuse = |of| EditError::Size {
            given: shown(line),
            key,
            of,
            example,
        };
        let (container, amount) = match line.split_once('=') {
            Some((container, amount)) => {
                let amount = amount.trim().parse().ok().filter(|amount| *amount > 0);
                let amount = amount.ok_or_else(|| refuse("container"))?;
                (Some(container.trim().to_owned()), Amount::Container(amount))
            }
            None if is_task_size(line, unit) => (None, Amount::Task(line.to_owned())),
            None => return Err(refuse("task")),
        };
        Ok(Self {
            container,
            change: Change::Size { key, amount },
        })
    }

    /// Reads the command of a container, as [`ContainerCommand`] has it.
    ///
    /// # Errors
    /// When it is none.
    pub fn command(line: &str) -> Result<Self, EditError> {
        let read = ContainerCommand::parse(line).map_err(|error| EditError::Command {
            given: shown(&error.given),
            why: error.why,
        })?;
        Ok(Self {
            container: read.container,
            change: Change::Command(read.words),
        })
    }
}

/// The container, name and value of a variable's line.
fn variable(line: &str) -> Result<(Option<String>, String, &str), EditError> {
    let (left, value) = line
        .split_once('=')
        .ok_or(EditError::Variable("without `=` is no variable"))?;
    let left = left.trim();
    let (container, name) = match left.split_once(':') {
        Some((container, name)) => (Some(container), name),
        None => (None, left),
    };
    if name.is_empty() || container == Some("") {
        return Err(EditError::Variable("has nothing where a name stands"));
    }
    if left.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(EditError::Variable("has a blank in the name of a variable"));
    }
    Ok((container.map(str::to_owned), name.to_owned(), value))
}

/// Whether a text is CPU or memory of a task: a whole number, or a number and the unit
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
fn is_task_size(text: &str, unit: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) {
        return text.len() <= 9 && text.bytes().any(|byte| byte != b'0');
    }
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_suffix(unit).map(str::trim_end);
    number.is_some_and(|number| match number.split_once('.') {
        Some((whole, fraction)) => (whole.is_empty() || digits(whole)) && digits(fraction),
        None => digits(number),
    })
}
