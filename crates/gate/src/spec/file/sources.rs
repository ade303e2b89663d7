//! `sources`: the systems that are asked for numbers.

use std::time::Duration;

use crate::spec::address::Address;
use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Named, keys};
use crate::spec::file::words::SourceType;
use crate::spec::secret::SecretName;
use crate::spec::sources::EcsMetric;

keys! {
    /// A system that answers a question with a number. Texts may take from the environment: `${NAME}`, `${NAME:-default}`.
    #[schemars(transform = crate::spec::schema::source)]
    Source {
        /// What it is.
        #[schemars(required)]
        r#type: Leaf<SourceType>,
        /// The longest one asking may take. Default: `10s`.
        timeout: Leaf<Duration>,

        /// prometheus: the base address. datadog: instead of `site`. http_json: the address that is read.
        url: Leaf<Address>,
        /// prometheus: the environment variable with a bearer token.
        bearer_env: SecretName,
        /// prometheus: the environment variable with `user:password`.
        basic_env: SecretName,
        /// prometheus, http_json: headers whose values stand in environment variables: header to variable.
        headers_env: Named<SecretName>,
        /// prometheus, cloudwatch: how far in the past it is asked, because the newest data is not there yet. Default: `0s`;
        /// cloudwatch: `120s`.
        offset: Leaf<Duration>,

        /// cloudwatch: the region. Default: the one of the AWS configuration.
        region: Leaf<String>,
        /// cloudwatch: another address of the API.
        endpoint: Leaf<Address>,

        /// datadog: the site. Default: `datadoghq.com`.
        site: Leaf<String>,
        /// datadog: the environment variable with the API key. Default: `DD_API_KEY`.
        api_key_env: SecretName,
        /// datadog: the environment variable with the application key. Default: `DD_APP_KEY`.
        app_key_env: SecretName,

        /// http_json, exec: which value of the JSON: a jq expression such as `.stats.errors`, or a pointer such as
        /// `/stats/errors`. exec without it: the output is the number.
        value: Leaf<String>,

        /// exec: the program. Run without a shell.
        program: Leaf<String>,
        /// exec: its arguments.
        args: Vec<Leaf<String>>,

        /// compose: the project's name.
        project: Leaf<String>,
        /// compose: where Docker listens. Default: `DOCKER_HOST`, or `unix:///var/run/docker.sock`.
        socket: Leaf<String>,

        /// ecs: what is told of the service that is deployed; in gates of `ecs-deploy` only. Default: `crashes`.
        metric: Leaf<EcsMetric>,
    }
}
