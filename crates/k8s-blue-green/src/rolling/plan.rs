//! What a rolling deploy would do. Nothing is changed.

use gha::Failure;

use super::prepare::{self, Change, Prepared, What};
use super::story::Story;
use super::{given, patch};
use crate::cli;
use crate::gates::Gates;
use crate::place::Place;
use crate::plan::Drawn;

/// Draws what a deploy would do.
///
/// # Errors
/// When the flags are wrong, or what there is can't be deployed to.
pub async fn draw(flags: &cli::Deploy, drawn: &mut Drawn, place: &Place<'_>) -> Result<(), Failure> {
    let gates = Gates::of(&flags.gates, place)?;
    gates.preflight(place).await?;
    let given = given::gathered(flags, place).await?;
    drawn.manifests(&given.rest, &[], place).await;
    let manifest = given.workload;
    let asked = prepare::asked(flags, manifest.as_ref())?;
    let mut story = Story {
        services: flags.target.service.clone(),
        ..Story::default()
    };
    match prepare::prepare(flags, asked, manifest, place, &mut story).await? {
        Prepared::Unchanged => drawn.unchanged = Some(format!("`{}`", story.name())),
        Prepared::Resumed(_) => drawn.say(format!(
            "`{}` has this content already, and would be followed until it is through",
            story.name()
        )),
        Prepared::Change(change) => changed(*change, drawn, place).await,
    }
    Ok(())
}

async fn changed(change: Change, drawn: &mut Drawn, place: &Place<'_>) {
    let named = change.named.to_string();
    drawn.uses.name(&change.named.sort.kind(), &change.named.name);
    drawn.say(format!(
        "`{named}` gets new content, and replaces its pods itself"
    ));
    match change.what {
        What::Images(images) => {
            let before = change.before.unwrap_or_default();
            let operations = patch::images(&before, &images, &change.mark);
            let kind = change.named.sort.kind();
            drawn
                .patch(
                    &kind,
                    &change.named.name,
                    operations,
                    "gives it its images",
                    place,
                )
                .await;
        }
        // The server was asked about it already, by what prepared it.
        What::Manifest(manifest) => drawn.step(format!("`{named}` would be applied"), manifest),
    }
}
