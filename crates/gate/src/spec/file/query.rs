//! What is asked of sources.

use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Named, TextOr, keys};

/// A query: a text, or a metric of CloudWatch.
pub(crate) type Query = TextOr<Leaf<String>, Metric>;

keys! {
    /// A metric as CloudWatch names it.
    Metric {
        /// Such as `AWS/ApplicationELB`.
        #[schemars(required)]
        namespace: Leaf<String>,
        /// Such as `HTTPCode_Target_5XX_Count`.
        #[schemars(required)]
        metric: Leaf<String>,
        /// Names and values.
        dimensions: Named<Leaf<String>>,
        /// `Sum` (the default), `Average`, `Maximum`, `Minimum`, `SampleCount`, or a percentile such as `p95`.
        statistic: Leaf<String>,
    }
}

keys! {
    /// The share of bad ones: two counts of one source. `{{window}}` in a query stands for the window that is asked about.
    Ratio {
        /// The source's name.
        #[schemars(required)]
        source: Leaf<String>,
        /// How many were bad. No data here is zero, as long as there is a total.
        #[schemars(required)]
        bad: Query,
        /// How many there were.
        #[schemars(required)]
        total: Query,
    }
}

keys! {
    /// A histogram, whose buckets are read.
    Histogram {
        /// The source's name, of type `prometheus`.
        #[schemars(required)]
        source: Leaf<String>,
        /// The buckets: `http_request_duration_seconds_bucket{app="api"}`.
        #[schemars(required)]
        selector: Leaf<String>,
    }
}

keys! {
    /// One number.
    Number {
        /// The source's name.
        #[schemars(required)]
        source: Leaf<String>,
        /// What is asked. `{{window}}` stands for the window. A source with a `value` of its own needs none.
        query: Query,
    }
}
