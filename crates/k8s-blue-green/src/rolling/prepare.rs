//! Settles what a rolling deploy is to do, from the flags and from what there is. Nothing is changed.

use gha::{Exit, Failure};
use serde_json::Value;

use super::ending::Rolled;
use super::history::{self, Revision};
use super::images;
use super::mark::{Mark, Phase};
use super::story::Story;
use super::{drive, find, progress, scaled};
use crate::api::{Apply, Refused};
use crate::cli;
use crate::image::{ImageError, Wanted};
use crate::place::Place;
use crate::workload::Workload;

/// The images that the flags name.
pub(super) fn asked(flags: &cli::Deploy, manifest: Option<&Value>) -> Result<Vec<Wanted>, Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, reason);
    let images: Result<Vec<Wanted>, _> = flags
        .version
        .image
        .iter()
        .map(|value| Wanted::parse(value))
        .collect();
    let images = images.map_err(|error| usage(format!("`--image`: {error}")))?;
    if images.is_empty() && manifest.is_none() {
        return Err(
            usage("nothing is named to deploy".to_owned()).help("name it with `--image` or `--manifests`")
        );
    }
    Ok(images)
}

/// What is to be done.
pub(super) enum Prepared {
    /// Nothing: it is there and serves.
    Unchanged,
    /// It is there, and on its way: an earlier run began it.
    Resumed(Box<Rolled>),
    /// A write.
    Change(Box<Change>),
}

/// A write that is to be sent.
pub(super) struct Change {
    pub(super) named: Workload,
    /// The workload as it was read; nothing where it is to be made.
    pub(super) before: Option<Value>,
    /// The name of what holds its template.
    pub(super) previous: Option<String>,
    pub(super) what: What,
    pub(super) mark: Mark,
}

pub(super) enum What {
    Images(Vec<images::Change>),
    Manifest(Value),
}

/// Reads what there is, and settles what is to be done. Nothing is changed.
pub(super) async fn prepare(
    flags: &cli::Deploy,
    asked: Vec<Wanted>,
    manifest: Option<Value>,
    place: &Place<'_>,
    story: &mut Story,
) -> Result<Prepared, Failure> {
    let named = find::named(&flags.target, manifest.as_ref(), place).await?;
    story.workload = Some(named.clone());
    let before = match &manifest {
        Some(_) => find::read(&named, place).await.map_err(find::FindError::from)?,
        None => Some(find::there(&named, place).await?),
    };
    if let Some(obstacle) = before
        .as_ref()
        .and_then(|before| progress::obstacle(named.sort, before))
    {
        return Err(find::FindError::Obstacle(named.to_string(), obstacle).into());
    }
    let known = before.as_ref().map_or(Ok(None), Mark::on);
    let known = known.map_err(|error| find::FindError::Mark(named.to_string(), error))?;
    let history = match &before {
        Some(before) => drive::revisions(&named, before, place)
            .await
            .unwrap_or_else(|refused| {
                place
                    .runner
                    .warn(&format!("the earlier revisions can't be read: {refused}"));
                Vec::new()
            }),
        None => Vec::new(),
    };
    let current = before
        .as_ref()
        .and_then(|before| history::current(named.sort, before, &history));
    let previous = current.map(|revision| revision.name.clone());
    let mark = Mark::new(
        Phase::Rolling,
        place.runner.trace(),
        &super::run(place),
        previous.as_deref(),
        place.runner.now(),
    )
    .after(known.as_ref());
    let (what, after) = match manifest {
        Some(manifest) => applied(&named, manifest, &asked, before.as_ref(), place).await?,
        None => {
            let live = before.as_ref().unwrap_or(&Value::Null);
            patched(live, &asked, story, place)?
        }
    };
    story.images = images::of(&after);
    let is_same = before
        .as_ref()
        .is_some_and(|before| before["spec"] == after["spec"]);
    let Some(live) = before.as_ref().filter(|_| is_same) else {
        story.previous = current.map(|revision| history::written(&named.name, Some(revision)));
        return Ok(Prepared::Change(Box::new(Change {
            named,
            before,
            previous,
            what,
            mark,
        })));
    };
    let known = known.filter(|mark| mark.phase != Phase::Done);
    Ok(as_it_is(named, live, known, mark, &history, story, place))
}

/// The images that change, and what comes of it.
fn patched(
    live: &Value,
    asked: &[Wanted],
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(What, Value), Failure> {
    let changes = images::changes(live, asked).map_err(usage)?;
    let mut after = live.clone();
    for change in &changes {
        if change.old != change.new {
            let line = format!(
                "container `{}`: `{}` → `{}`",
                change.container, change.old, change.new
            );
            story.note(gha::text::line(&line), place.runner);
        }
        set(&mut after, change);
    }
    Ok((What::Images(changes), after))
}

/// The manifest that is applied, and what the server says would come of it.
async fn applied(
    named: &Workload,
    mut manifest: Value,
    asked: &[Wanted],
    before: Option<&Value>,
    place: &Place<'_>,
) -> Result<(What, Value), Failure> {
    for change in images::changes(&manifest, asked).map_err(usage)? {
        set(&mut manifest, &change);
    }
    if let Some(before) = before {
        scaled::keep(&mut manifest, before, named, place).await;
    }
    let how = Apply {
        force: true,
        dry_run: true,
    };
    let would_be = place
        .api
        .apply(&named.sort.kind(), &place.namespace, &manifest, how)
        .await;
    let after = would_be.map_err(|refused| not_taken(named, &refused, before.is_none()))?;
    Ok((What::Manifest(manifest), after))
}

fn set(workload: &mut Value, change: &images::Change) {
    if let Some(image) = workload.pointer_mut(&change.pointer) {
        *image = change.new.clone().into();
    }
}

/// The content is there already: it serves, or an earlier run left it on its way. `open` is the note of a run that did not end.
fn as_it_is(
    named: Workload,
    live: &Value,
    open: Option<Mark>,
    mark: Mark,
    history: &[Revision],
    story: &mut Story,
    place: &Place<'_>,
) -> Prepared {
    let current = history::current(named.sort, live, history);
    story.revision = current.map(|revision| history::written(&named.name, Some(revision)));
    let is_through = matches!(progress::of(named.sort, live), progress::Progress::Ready(_));
    if is_through && open.is_none() {
        return Prepared::Unchanged;
    }
    let line = format!("`{named}` has this content already, and is not through with it; it is followed");
    story.note(line, place.runner);
    let noted = open.as_ref().and_then(|mark| mark.previous.as_ref());
    let noted = noted.and_then(|name| history.iter().find(|revision| revision.name == *name));
    let earlier = noted.or_else(|| history::before(live, history, &named).ok());
    let earlier = earlier.filter(|revision| Some(&revision.template) != live.pointer("/spec/template"));
    story.previous = earlier.map(|revision| history::written(&named.name, Some(revision)));
    story.can_undo = earlier.is_some();
    Prepared::Resumed(Box::new(Rolled {
        object: live.clone(),
        earlier: earlier.map(|revision| revision.template.clone()),
        mark: open.unwrap_or(mark),
        reached: current.map(|revision| revision.name.clone()),
        named,
    }))
}

/// A change that the server does not take.
pub(super) fn not_taken(named: &Workload, refused: &Refused, is_new: bool) -> Failure {
    let what = if is_new { "was not made" } else { "was not changed" };
    let headline = format!("`{named}` {what}: {refused}");
    if refused.is_admission() {
        return Failure::new(Exit::Failed, headline)
            .help("a policy of the cluster says no; its words say what to mend");
    }
    let exit = if refused.is_access() || refused.may_pass() {
        Exit::Access
    } else {
        Exit::Usage
    };
    Failure::new(exit, headline).help("nothing was changed")
}

fn usage(error: ImageError) -> Failure {
    Failure::new(Exit::Usage, format!("`--image`: {error}")).help("nothing was changed")
}
