//! The bucket `site` of a stand-in on loopback, for tests.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sandbox::stand_ins::aws::Hosting;

use super::{Bucket, Reach};

pub(super) async fn bucket(hosting: &Hosting) -> Bucket {
    let interface = gha::interface::Interface::named("demo");
    let settings = aws::config::Settings {
        interface: &interface,
        region: Some("eu-central-1"),
        endpoint: Some(&hosting.url()),
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(10),
        attempts: 1,
    };
    let config = aws::config::load(&settings).await.unwrap().into_builder();
    hosting.allow("test", "test12345");
    let keys = Credentials::new("test", "test12345", None, None, "test");
    let config = config
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    let reach = Reach {
        bucket: "site",
        prefix: "",
        endpoint: Some(&hosting.url()),
    };
    Bucket::new(&config, reach)
}
