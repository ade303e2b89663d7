//! A gate file as it is written: which keys there are, and what each takes. Whether they make sense together is checked
//! later. The doc comments are the descriptions in the published schema.

use std::time::Duration;

use crate::spec::choice::OnInconclusive;

pub(crate) mod amounts;
pub(crate) mod compare;
pub(crate) mod leaf;
pub(crate) mod parsed;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod rules;
pub(crate) mod sources;
pub(crate) mod targets;
pub(crate) mod wait;
pub(crate) mod watch;
pub(crate) mod words;

use compare::Compare;
use leaf::Leaf;
use read::{Named, keys};
use sources::Source;
use wait::Wait;
use watch::Watch;

keys! {
    /// A gate: what must be ready, what is observed, and what says no.
    #[schemars(transform = crate::spec::schema::wait_or_watch)]
    File {
        /// The version of this format: 1.
        #[schemars(required, extend("enum" = [1, "1"]))]
        version: Leaf<u32>,
        /// Texts that stand for `{{name}}` in `wait`, `watch` and `compare`. They may take from the environment: `${NAME}`,
        /// `${NAME:-default}`; `$$` is a dollar.
        #[expect(dead_code, reason = "it is filled in as a tree, before there are keys; here it is for the schema")]
        vars: Named<Leaf<String>>,
        /// The systems that are asked for numbers, by name.
        sources: Named<Source>,
        /// The longest the whole command may take. Default: the steps' sum and 30 minutes.
        timeout: Leaf<Duration>,
        /// What must be ready.
        wait: Wait,
        /// What is observed for a time, under rules.
        watch: Watch,
        /// Comparisons of a canary with a baseline, over the same observation.
        compare: Vec<Compare>,
        /// Whether an inconclusive verdict has its own exit code (`report`, the default) or is a failure (`fail`).
        on_inconclusive: Leaf<OnInconclusive>,
    }
}
