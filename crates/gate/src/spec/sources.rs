//! Metric sources as a gate file describes them, checked. They hold no client: the edge makes the source.

use std::time::Duration;

use crate::observation::Reach;
use crate::spec::address::Address;
use crate::spec::fault::Place;
use crate::spec::secret::SecretName;
use crate::spec::target::Filter;

/// A source and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that rules use.
    pub name: String,
    /// The longest one asking may take.
    pub timeout: Duration,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prometheus, or what speaks its API.
    Prometheus {
        /// The base address.
        url: Address,
        /// Who asks.
        credentials: Option<Credentials>,
        /// Headers with secret values.
        headers: Vec<(String, SecretName)>,
        /// How far in the past it is asked.
        offset: Duration,
    },
    /// Amazon CloudWatch.
    CloudWatch {
        /// The region; by default the one of the AWS configuration.
        region: Option<String>,
        /// Another address of the API.
        endpoint: Option<Address>,
        /// How far in the past it is asked.
        offset: Duration,
    },
    /// Datadog.
    Datadog {
        /// The site, such as `datadoghq.eu`.
        site: String,
        /// Another address of the API.
        url: Option<Address>,
        /// The API key.
        api_key: SecretName,
        /// The application key.
        app_key: SecretName,
    },
    /// Any JSON over HTTP.
    HttpJson {
        /// The address.
        url: Address,
        /// Headers with secret values.
        headers: Vec<(String, SecretName)>,
        /// Which value; a query may name another.
        value: Option<Selection>,
    },
    /// A program.
    Exec {
        /// The program.
        program: String,
        /// Where it is named.
        at: Place,
        /// Its arguments.
        args: Vec<String>,
        /// Which value of its output as JSON; without it the output is the number.
        value: Option<Selection>,
    },
    /// The restarts of a Docker Compose project.
    Compose {
        /// The project.
        project: String,
        /// Where Docker listens, if not at the usual place.
        socket: Option<String>,
    },
    /// The service that is being deployed to Amazon ECS, where a tool offers it.
    Ecs {
        /// What of it is told.
        metric: EcsMetric,
    },
}

/// What is told of a service that is being deployed to Amazon ECS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EcsMetric {
    /// How many tasks of the new version failed.
    #[default]
    Crashes,
}

impl EcsMetric {
    /// As it is written, and asked for.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Crashes => "crashes",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token.
    Bearer(SecretName),
    /// `user:password`.
    Basic(SecretName),
}

/// A value of a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// By a JSON pointer (<https://www.rfc-editor.org/rfc/rfc6901>).
    Pointer(String),
    /// By an expression.
    Filter(Filter),
}

impl Source {
    /// How far into the past it tells. CloudWatch keeps a point a minute
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Resolution_definition>).
    #[must_use]
    pub fn reach(&self) -> Reach {
        match &self.kind {
            Kind::CloudWatch { offset, .. } => Reach {
                lag: *offset,
                step: Duration::from_secs(60),
            },
            Kind::Prometheus { offset, .. } => Reach {
                lag: *offset,
                step: Duration::ZERO,
            },
            Kind::Datadog { .. }
            | Kind::HttpJson { .. }
            | Kind::Exec { .. }
            | Kind::Compose { .. }
            | Kind::Ecs { .. } => Reach::default(),
        }
    }
}
