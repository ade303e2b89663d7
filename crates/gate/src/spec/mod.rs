//! The gate file: `gate.yml` read into checked values, every fault with its line and column. Pure: it builds no client,
//! reads no network, and takes the environment as a value.
//!
//! A file goes through three steps. `node` reads YAML into a tree of texts, `vars` fills in variables, `file` reads
//! the keys and what each means, and `check` holds them against each other. One run tells all that is wrong.

use std::time::Duration;

use gha::env::Env;

use choice::OnInconclusive;
use comparison::Comparison;
use fault::Faults;
use file::read::{Context, Read as _};
use sources::Source;
use target::Target;
use wait::Wait;
use watch::Watch;

pub mod address;
mod check;
pub mod choice;
pub mod comparison;
mod file;
mod names;
mod node;
mod offer;
mod preset;
mod schema;
pub mod secret;
pub mod sources;
pub mod target;
mod vars;
pub mod wait;
pub mod watch;

#[cfg(test)]
mod tests;

pub use gha::faults as fault;
pub use offer::{Offer, Part};
pub use schema::schema;

/// A gate file with everything known and checked.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The longest the whole command may take.
    pub timeout: Duration,
    /// Variables and their values, for expressions.
    pub vars: Vec<(String, String)>,
    /// The sources; [`crate::rule::Subject`] counts in it.
    pub sources: Vec<Source>,
    /// What must be ready.
    pub wait: Option<Wait>,
    /// What is observed.
    pub watch: Option<Watch>,
    /// What is compared over the observation.
    pub comparisons: Vec<Comparison>,
    /// What an inconclusive verdict does.
    pub on_inconclusive: OnInconclusive,
}

impl Spec {
    /// Every target: those that are waited for, then those that are watched.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let waited = self
            .wait
            .iter()
            .flat_map(|wait| &wait.targets)
            .map(|waited| &waited.target);
        let watched = self
            .watch
            .iter()
            .flat_map(|watch| &watch.probes)
            .map(|probe| &probe.target);
        waited.chain(watched)
    }
}

/// Reads a gate file. `name` is its name for messages; `vars` take the place of what it says of its variables.
///
/// # Errors
/// Everything that is wrong with it; of what is no YAML at all, the first.
pub fn read(name: &str, bytes: &[u8], env: &Env, vars: &[(String, String)]) -> Result<Spec, Faults> {
    read_with(name, bytes, env, vars, &Offer::default())
}

/// The same in a tool that offers more than every tool does.
///
/// # Errors
/// As of [`read`].
pub fn read_with(
    name: &str,
    bytes: &[u8],
    env: &Env,
    vars: &[(String, String)],
    offer: &Offer<'_>,
) -> Result<Spec, Faults> {
    let mut tree = node::parse(name, bytes)?;
    offer.put_into(&mut tree);
    let mut context = Context {
        env,
        faults: Faults::none(name),
        costly: 0,
        tells_ecs: offer.ecs,
    };
    let mut filler = vars::Filler::new(env);
    vars::refuse_nesting(&mut tree, &mut context.faults);
    vars::replace(&mut tree, vars, &mut context.faults);
    filler.fill(&mut tree, &mut context.faults);
    let file = file::File::read(&tree, "", &mut context);
    let spec = file.and_then(|file| check::check(&file, filler.into_vars(), &mut context));
    context.faults.or(spec)
}
