//! What a deploy changes of a service beside its version, from the flags.

use gha::text;

use crate::api::services::{Capacity, Update};
use crate::cli::{PropagateTags, Settings};
use crate::error::Error;

/// What is asked for beside the version.
/// # Errors
/// When a flag can't be read.
pub fn settings(flags: &Settings) -> Result<Update, Error> {
    let capacity: Vec<Capacity> = flags
        .capacity_provider
        .iter()
        .map(|line| capacity(line))
        .collect::<Result<_, _>>()?;
    Ok(Update {
        task_definition: None,
        desired: flags.desired_count,
        force: flags.force_new_deployment.then_some(true),
        propagate_tags: flags.propagate_tags.map(|from| {
            match from {
                PropagateTags::Service => "SERVICE",
                PropagateTags::TaskDefinition => "TASK_DEFINITION",
                PropagateTags::None => "NONE",
            }
            .to_owned()
        }),
        managed_tags: flags.enable_ecs_managed_tags,
        capacity: Some(capacity).filter(|capacity| !capacity.is_empty()),
        configuration: None,
    })
}

/// `NAME=weight` or `NAME=weight,base`.
fn capacity(line: &str) -> Result<Capacity, Error> {
    let wrong = || Error::Flag {
        flag: "capacity-provider",
        reason: format!(
            "`{}` is not of the form `NAME=weight` or `NAME=weight,base`",
            text::line(line)
        ),
    };
    let (provider, shares) = line.split_once('=').ok_or_else(wrong)?;
    let (weight, base) = shares.split_once(',').unwrap_or((shares, "0"));
    Ok(Capacity {
        provider: provider.trim().to_owned(),
        weight: weight.trim().parse().map_err(|_| wrong())?,
        base: base.trim().parse().map_err(|_| wrong())?,
    })
}
