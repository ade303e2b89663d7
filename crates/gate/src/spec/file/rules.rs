//! Rules, signals and presets of an observation.

use std::time::Duration;

use crate::condition::Condition;
use crate::rule::NoData;
use crate::spec::file::amounts::{Certain, Window};
use crate::spec::file::leaf::Leaf;
use crate::spec::file::query::{Histogram, Number, Ratio};
use crate::spec::file::read::{Many, TextOr, keys};
use crate::spec::preset;

keys! {
    /// What is measured, what must hold at the end (`require`), and what ends the observation early (`abort`).
    #[schemars(transform = crate::spec::schema::one_subject)]
    Rule {
        /// Its name, unique. A rule of a preset with this name is replaced.
        #[schemars(required, pattern(r"^[a-z0-9][a-z0-9_-]*$|\{\{"))]
        name: Leaf<String>,
        /// The share of bad ones.
        ratio: Ratio,
        /// A histogram of latency.
        histogram: Histogram,
        /// A count.
        count: Number,
        /// A number that is no count.
        value: Number,
        /// A probe or a signal, by name.
        from: Leaf<String>,
        /// What must hold at the end: `< 1%`, `p95 < 300ms`, `== 0`.
        require: TextOr<Leaf<Condition>, Clause>,
        /// What ends the observation with a no: `> 2%`, `count(5xx) >= 10`, `failing`.
        abort: TextOr<Leaf<Condition>, Clause>,
        /// How many samples both clauses need. Default: what a conclusion with 95 % certainty takes.
        min_samples: Leaf<u32>,
        /// What no data at the end means. Default: `inconclusive`.
        no_data: Leaf<NoData>,
        /// Whether it is only told, and never worsens the verdict. Default: false.
        advisory: Leaf<bool>,
        /// How many failed measurements in a row it forgives. Default: 4.
        max_errors: Leaf<u32>,
    }
}

keys! {
    /// Something that rules and presets name in `from`.
    #[schemars(transform = crate::spec::schema::one_subject)]
    Signal {
        /// The share of bad ones.
        ratio: Ratio,
        /// A histogram of latency.
        histogram: Histogram,
        /// A count.
        count: Number,
        /// A number that is no count.
        value: Number,
        /// A probe, by name.
        from: Leaf<String>,
    }
}

keys! {
    /// A condition with what it takes to believe it.
    Clause {
        /// The condition.
        #[schemars(required)]
        when: Leaf<Condition>,
        /// How far back it looks; `whole` is the whole observation after the warm-up. Default: `60s` for `abort`, `whole` for
        /// `require`.
        window: Leaf<Window>,
        /// For how long it must hold without a break.
        r#for: Leaf<Duration>,
        /// How many evaluations in a row must agree. Default: 1; 2 for an `abort` on a share or a percentile.
        consecutive: Leaf<u32>,
        /// How many bad ones there must be. Default: 0; 5 for an `abort` on a share.
        min_bad: Leaf<u32>,
        /// How many samples there must be.
        min_samples: Leaf<u32>,
        /// How sure a share must be, or `off`. Default: `99.9%` for an `abort` with neither `consecutive` nor `for`.
        certain: Leaf<Certain>,
    }
}

/// A preset by its name, or with parts left out.
pub(crate) type Presets = Many<TextOr<Leaf<preset::Name>, Preset>>;

keys! {
    /// Rules that come with the program.
    Preset {
        /// Its name.
        #[schemars(required)]
        name: Leaf<preset::Name>,
        /// Rules or signals of it that are left out.
        without: Many<Leaf<String>>,
    }
}
