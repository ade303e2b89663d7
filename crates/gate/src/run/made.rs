//! What a run looks with: probes and sources, made of a gate file.

use crate::probe::Probe;
use crate::setup::{Setup, SetupError};
use crate::source;
use crate::spec::Spec;

/// What a run looks with.
pub struct Made {
    /// A probe for each target of the wait.
    pub targets: Vec<Box<dyn Probe>>,
    /// A probe for each probe of the observation.
    pub probes: Vec<Box<dyn Probe>>,
    /// The metric sources.
    pub sources: Vec<Box<dyn source::Source>>,
}

impl Made {
    /// Everything that a gate file asks for.
    ///
    /// # Errors
    /// When something can't be made.
    pub async fn of(spec: &Spec, setup: &Setup<'_>) -> Result<Self, SetupError> {
        let targets = spec.wait.iter().flat_map(|wait| &wait.targets);
        let probes = spec.watch.iter().flat_map(|watch| &watch.probes);
        let mut sources = Vec::with_capacity(spec.sources.len());
        for source in &spec.sources {
            sources.push(setup.source(source).await?);
        }
        Ok(Self {
            targets: targets
                .map(|waited| setup.probe(&waited.target))
                .collect::<Result<_, _>>()?,
            probes: probes
                .map(|probe| setup.probe(&probe.target))
                .collect::<Result<_, _>>()?,
            sources,
        })
    }
}
