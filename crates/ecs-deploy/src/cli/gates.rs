//! The flags of gates.

use clap::Args;
use gha::reproduce::quote;

/// What judges the new version.
#[derive(Clone, Debug, Default, Args)]
pub struct Gates {
    /// Gate that must say yes, else the earlier version comes back: a gate file of `health-gate`, or `PRESET URL [DURATION]`,
    /// such as `steady https://shop.example.com/health 10m`.
    #[arg(long, value_name = "GATE", help_heading = "Gate")]
    pub gate: Vec<String>,
    /// Variable of the gate files, over what they say. `version`, `image`, `revision`, `service` and `cluster` are there
    /// without it.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Gate")]
    pub gate_var: Vec<String>,
}

impl Gates {
    /// The same flags, for a command line.
    #[must_use]
    pub fn again(&self) -> String {
        let gates = self.gate.iter().map(|gate| ("gate", gate));
        let variables = self.gate_var.iter().map(|variable| ("gate-var", variable));
        gates
            .chain(variables)
            .map(|(flag, value)| format!(" --{flag} {}", quote(value)))
            .collect()
    }
}
