//! The version that is to run: a task definition from where the flags say, with their changes, registered if it is new.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use gha::text;

use crate::api::Api;
use crate::cli::Version;
use crate::error::Error;
use crate::images;
use crate::observed::{Service, revision_name};
use crate::task_definition::TaskDefinition;
use crate::task_definition::diff::{Difference, differences};
use crate::task_definition::edit::{Edit, EditError};
use crate::task_definition::reference::Reference;
use crate::task_definition::same::same;

/// More than any task definition has: ECS takes 64 KiB.
const LONGEST: u64 = 1024 * 1024;

/// What the flags ask for, before anything is registered.
#[derive(Debug)]
pub struct Wanted {
    /// The task definition.
    pub definition: TaskDefinition,
    /// The service's own, as it is now.
    pub current: TaskDefinition,
    /// The revision that is the same already, where there is one: its ARN.
    pub known: Option<String>,
    /// What could not be asked of its images, in words.
    pub notes: Vec<String>,
}

/// A revision that can be deployed.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its ARN.
    pub arn: String,
    /// What it is.
    pub definition: TaskDefinition,
    /// Whether this run registered it.
    pub is_new: bool,
}

impl Wanted {
    /// What is different from what the service has now.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        differences(&self.current, &self.definition)
    }

    /// Whether the service has it already.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.known.is_some() && self.known.as_deref() == self.current.arn()
    }
}

/// What the flags ask for.
///
/// # Errors
/// When a flag can't be read, there is no such task definition, or one of its images is not there.
pub async fn wanted(api: &Api, flags: &Version, service: &Service) -> Result<Wanted, Error> {
    // What is wrong with a flag is told before anything is asked.
    let edits = edits(flags)?;
    let own = service.task_definition.as_deref().unwrap_or_default();
    let current = described(api, own).await?;
    let base = base(api, flags, Some(&current)).await?;
    let base = base.unwrap_or_else(|| current.clone());
    let definition = edited(&base, &edits)?;
    let known = known(api, &definition, [&base, &current]).await;
    let mut wanted = Wanted {
        definition,
        current,
        known,
        notes: Vec::new(),
    };
    if !wanted.is_current() {
        wanted.notes = images::preflight(api, &wanted.definition).await?;
    }
    Ok(wanted)
}

/// The task definition that the flags ask for, with their changes; `own` is the service's. `None` where they start from the
/// service's own and there is none.
///
/// # Errors
/// When a flag can't be read, or there is no such task definition.
pub async fn definition(
    api: &Api,
    flags: &Version,
    own: Option<&TaskDefinition>,
) -> Result<Option<TaskDefinition>, Error> {
    let edits = edits(flags)?;
    let base = base(api, flags, own).await?;
    base.map(|base| edited(&base, &edits)).transpose()
}

/// What the flags start from.
async fn base(
    api: &Api,
    flags: &Version,
    own: Option<&TaskDefinition>,
) -> Result<Option<TaskDefinition>, Error> {
    let base = match Reference::parse(flags.task_definition.as_deref().unwrap_or_default())? {
        Reference::Own => return Ok(own.cloned()),
        Reference::File(path) => {
            let shown = text::visible(&path.display().to_string());
            let bytes = content(&path).map_err(|error| Error::File {
                file: shown.clone(),
                error,
            })?;
            TaskDefinition::from_file(&bytes).map_err(|error| Error::Read {
                from: format!("`{shown}`"),
                error,
            })?
        }
        Reference::Family(family) => described(api, &family).await?,
        Reference::Revision(revision) => described(api, &revision.for_api()).await?,
    };
    Ok(Some(base))
}

/// A file's content, if it is no longer than any task definition is; what has no end is not read to it.
fn content(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > LONGEST => Err("it is longer than 1 MiB".to_owned()),
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

fn edited(base: &TaskDefinition, edits: &[(&'static str, Edit)]) -> Result<TaskDefinition, Error> {
    let mut definition = base.clone();
    for (flag, edit) in edits {
        definition
            .apply(edit)
            .map_err(|error| Error::Edit { flag, error })?;
    }
    Ok(definition)
}

/// The revision that is the same already: the one to start from, the service's, or the newest of the family, which an earlier
/// attempt may have registered.
async fn known(api: &Api, definition: &TaskDefinition, near: [&TaskDefinition; 2]) -> Option<String> {
    let usable = |known: &&TaskDefinition| same(known, definition) && !known.is_inactive();
    let near = near
        .into_iter()
        .filter(|known| known.arn().is_some())
        .find(usable);
    if let Some(arn) = near.and_then(TaskDefinition::arn) {
        return Some(arn.to_owned());
    }
    let newest = described(api, definition.family()?).await.ok()?;
    let newest = Some(&newest).filter(usable)?;
    newest.arn().map(str::to_owned)
}

/// Registers what is not known yet.
///
/// # Errors
/// When ECS refuses it.
pub async fn registered(api: &Api, wanted: Wanted) -> Result<Revision, Error> {
    let Wanted {
        definition, known, ..
    } = wanted;
    if let Some(arn) = known {
        return Ok(Revision {
            arn,
            definition,
            is_new: false,
        });
    }
    let family = definition.family().unwrap_or_default().to_owned();
    let what = format!("register a revision of `{}`", text::line(&family));
    let body = match api.register(&family, &definition.registration()).await {
        Ok(body) => body,
        // Perhaps it was registered all the same; then it is the newest.
        Err(refused) if refused.unknown => match described(api, &family).await {
            Ok(newest) if same(&newest, &definition) => return Ok(found(newest, definition)),
            // There was none of this family before, or it has other content.
            Ok(_) | Err(Error::NoTaskDefinition(_)) => api
                .register(&family, &definition.registration())
                .await
                .map_err(Error::refused(what.clone()))?,
            Err(_) => return Err(Error::Refused { what, refused }),
        },
        Err(refused) => return Err(Error::Refused { what, refused }),
    };
    let answer = TaskDefinition::from_described(&body).map_err(|error| Error::Read {
        from: "the new revision".to_owned(),
        error,
    })?;
    Ok(found(answer, definition))
}

fn found(answer: TaskDefinition, definition: TaskDefinition) -> Revision {
    Revision {
        arn: answer.arn().unwrap_or_default().to_owned(),
        definition,
        is_new: true,
    }
}

/// A task definition that ECS has.
///
/// # Errors
/// When there is none, or it can't be read.
pub async fn described(api: &Api, reference: &str) -> Result<TaskDefinition, Error> {
    let name = text::line(revision_name(reference));
    let asked = api.task_definition(reference).await;
    let body = asked.map_err(Error::refused(format!("read the task definition `{name}`")))?;
    let body = body.ok_or_else(|| Error::NoTaskDefinition(name.clone()))?;
    TaskDefinition::from_described(&body).map_err(|error| Error::Read {
        from: format!("`{name}`"),
        error,
    })
}

/// The changes of the flags, with the flag of each.
fn edits(flags: &Version) -> Result<Vec<(&'static str, Edit)>, Error> {
    type Read = fn(&str) -> Result<Edit, EditError>;
    let all: [(&'static str, &[String], Read); 6] = [
        ("image", &flags.image, Edit::image),
        ("env", &flags.env, Edit::environment),
        ("secret", &flags.secret, Edit::secret),
        ("cpu", &flags.cpu, Edit::cpu),
        ("memory", &flags.memory, Edit::memory),
        ("container-command", &flags.container_command, Edit::command),
    ];
    let mut edits = Vec::new();
    for (flag, lines, read) in all {
        for line in lines {
            let edit = read(line).map_err(|error| Error::Edit { flag, error })?;
            edits.push((flag, edit));
        }
    }
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_not_read_to_it() {
        let error = content(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error, "it is longer than 1 MiB");
        assert_eq!(content(Path::new("/dev/null")).unwrap(), b"");
    }
}
