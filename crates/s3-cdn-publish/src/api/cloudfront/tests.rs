//! The client against a listener with scripted answers.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sandbox::http::{Reply, Script, Server};

use super::*;
use crate::invalidation::{Forms, Web};

const DISTRIBUTION: &str = include_str!("tests/distribution.xml");

async fn config(endpoint: &str) -> SdkConfig {
    let interface = gha::interface::Interface::named("demo");
    let settings = aws::config::Settings {
        interface: &interface,
        region: Some("eu-west-1"),
        endpoint: Some(endpoint),
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(10),
        attempts: 1,
    };
    let config = aws::config::load(&settings).await.unwrap();
    let keys = Credentials::new("key-of-a-test", "secret-of-a-test", None, None, "test");
    config
        .into_builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build()
}

async fn client(server: &Server) -> CloudFront {
    CloudFront::new(&config(&server.url("")).await)
}

fn xml(status: u16, body: &str) -> Reply {
    Reply::text(status, body).header("content-type", "text/xml")
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    xml(
        status,
        &format!(
            "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

fn invalidation(status: &str) -> Reply {
    xml(
        201,
        &format!(
            "<?xml version=\"1.0\"?><Invalidation xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Id>I1</Id>\
             <Status>{status}</Status><CreateTime>2026-11-22T20:00:00Z</CreateTime><InvalidationBatch><Paths><Quantity>1\
             </Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch></Invalidation>"
        ),
    )
}

fn paths(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[tokio::test]
async fn a_distribution_says_how_keys_become_paths() {
    let server =
        Server::start(Script::new().on("GET /2020-05-31/distribution/E1", [xml(200, DISTRIBUTION)])).unwrap();
    let found = client(&server).await.distribution("E1").await.unwrap();
    assert_eq!(
        (found.id.as_str(), found.domain.as_str()),
        ("E1", "d1.cloudfront.net")
    );
    assert_eq!(found.aliases, ["*.example.com", "www.example.com"]);
    assert!(found.enabled && !found.deployed && found.rewrites && found.query_strings);
    assert_eq!(found.tag_metadata().as_deref(), Some("cache-tag"));
    assert_eq!(found.origins.len(), 2);
    assert!(
        !format!("{found:?}").contains("secret"),
        "headers to origins are secrets"
    );
    let web = found.web("my.site", "site/");
    assert_eq!(web.origin_paths, ["/site"]);
    assert_eq!(
        (web.root_object.as_deref(), web.forms),
        (Some("index.html"), Forms::DIRECTORIES)
    );
    assert_eq!(found.site_url(&web), "https://www.example.com/");
    assert_eq!(found.web("other", "").origin_paths, ["", "/site"]);
    let remarks = found.remarks("my.site");
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    assert!(remarks[2].contains("keeps answers of 500 for 60 s"));
    assert!(remarks[1].contains("keeps `/index.html` for 300 s under each path that answers 404"));
    assert!(
        found
            .remarks("other")
            .iter()
            .any(|remark| remark.contains("no origin of distribution `E1`"))
    );
}

#[test]
fn names_of_origins_that_are_a_bucket() {
    let origin = |domain: &str| Origin {
        domain: domain.to_owned(),
        path: String::new(),
    };
    for (bucket, domain, is_bucket, is_website) in [
        ("site", "site.s3.amazonaws.com", true, false),
        ("site", "site.s3.eu-west-1.amazonaws.com", true, false),
        ("site", "site.s3-eu-west-1.amazonaws.com", true, false),
        ("site", "site.s3.dualstack.eu-west-1.amazonaws.com", true, false),
        ("site", "site.s3.cn-north-1.amazonaws.com.cn", true, false),
        ("site", "site.s3-website-eu-west-1.amazonaws.com", true, true),
        ("site", "site.s3-website.eu-central-1.amazonaws.com", true, true),
        (
            "www.example.com",
            "www.example.com.s3.us-east-1.amazonaws.com",
            true,
            false,
        ),
        ("site", "site2.s3.amazonaws.com", false, false),
        ("a", "a.s3.b.s3.amazonaws.com", false, false),
        ("a.s3.b", "a.s3.b.s3.amazonaws.com", true, false),
        ("site", "site.s3.amazonaws.com.example.com", false, false),
        ("site", "site.example.com", false, false),
        ("site", "site.s3..amazonaws.com", false, false),
        ("site", "site", false, false),
    ] {
        let origin = origin(domain);
        assert_eq!(origin.is_bucket(bucket), is_bucket, "{domain}");
        assert_eq!(origin.is_website(), is_website, "{domain}");
    }
}

#[test]
fn a_plain_bucket_has_no_other_forms_and_a_website_has() {
    let of = |domain: &str, rewrites: bool| Distribution {
        domain: "d1.cloudfront.net".to_owned(),
        origins: vec![Origin {
            domain: domain.to_owned(),
            path: String::new(),
        }],
        rewrites,
        ..Distribution::default()
    };
    let plain = of("site.s3.eu-west-1.amazonaws.com", false);
    assert_eq!(plain.web("site", "").forms, Forms::NONE);
    assert_eq!(plain.web("elsewhere", "").forms, Forms::DIRECTORIES);
    assert_eq!(
        of("site.s3.eu-west-1.amazonaws.com", true).web("site", "").forms,
        Forms::DIRECTORIES
    );
    let website = of("site.s3-website.eu-west-1.amazonaws.com", false);
    assert_eq!(website.web("site", "").forms, Forms::DIRECTORIES);
    assert_eq!(
        plain.site_url(&plain.web("site", "a b/")),
        "https://d1.cloudfront.net/a%20b/"
    );
    let elsewhere = Web {
        url_path: Some("/docs".to_owned()),
        ..plain.web("site", "v2/")
    };
    assert_eq!(plain.site_url(&elsewhere), "https://d1.cloudfront.net/docs/");
    let root = Web {
        url_path: Some("/".to_owned()),
        ..plain.web("site", "v2/")
    };
    assert_eq!(plain.site_url(&root), "https://d1.cloudfront.net/");
    assert_eq!(Distribution::default().web("site", "").origin_paths, [""]);
}

#[tokio::test]
async fn paths_are_sent_as_they_are() {
    let server = Server::start(Script::new().on(
        "POST /2020-05-31/distribution/E1/invalidation",
        [invalidation("InProgress")],
    ))
    .unwrap();
    let items = paths(&["/a&b'c", "/caf%C3%A9/*", "#html"]);
    let answer = client(&server).await.create("E1", "reference", &items).await;
    let id = "I1".to_owned();
    assert_eq!(answer, Answer::Created { id, complete: false });
    let sent = server.requests()[0].text();
    assert!(
        sent.contains("<Quantity>3</Quantity>")
            && sent.contains("<CallerReference>reference</CallerReference>"),
        "{sent}"
    );
    assert!(sent.contains("<Path>/a&amp;b"), "{sent}");
    assert!(
        sent.contains("<Path>/caf%C3%A9/*</Path><Path>#html</Path>"),
        "{sent}"
    );
}

#[tokio::test]
async fn every_refusal_has_its_answer() {
    for (reply, expected) in [
        (refusal(400, "TooManyInvalidationsInProgress", "x"), Ok("crowded")),
        (
            refusal(503, "ServiceUnavailable", "x"),
            Ok("`cloudfront:CreateInvalidation` failed on the side of AWS"),
        ),
        (
            refusal(400, "Throttling", "Rate exceeded"),
            Ok("`cloudfront:CreateInvalidation` is throttled"),
        ),
        (
            refusal(404, "NoSuchDistribution", "x"),
            Err((Kind::Question, "there is no distribution `E1` in this account")),
        ),
        (
            refusal(403, "AccessDenied", "x"),
            Err((Kind::Access, "access denied for `cloudfront:CreateInvalidation`")),
        ),
        (
            refusal(400, "InvalidationBatchAlreadyExists", "x"),
            Err((Kind::Question, "its reference was used for other paths")),
        ),
        (
            refusal(
                400,
                "InvalidArgument",
                "Your request contains a caller reference that was used for a previous invalidation batch for the same distribution.",
            ),
            Err((Kind::Question, "its reference was used for other paths")),
        ),
        (
            refusal(
                400,
                "InvalidArgument",
                "Your request contains one or more invalid invalidation paths.",
            ),
            Err((
                Kind::Question,
                "`Your request contains one or more invalid invalidation paths.`",
            )),
        ),
        (
            refusal(413, "BatchTooLarge", "x"),
            Err((Kind::Question, "BatchTooLarge")),
        ),
        (Reply::reset(), Ok("could not reach AWS")),
        (
            xml(200, "<html/>"),
            Ok("is there another service at that address?"),
        ),
    ] {
        let server = Server::start(Script::new().any([reply])).unwrap();
        let answer = client(&server).await.create("E1", "r", &paths(&["/a"])).await;
        match (&answer, expected) {
            (Answer::Crowded, Ok("crowded")) => {}
            (Answer::Passing(why), Ok(words)) => assert!(why.contains(words), "{why}"),
            (Answer::Refused(reason), Err((kind, words))) => {
                assert!(reason.kind == kind && reason.text.contains(words), "{reason:?}");
            }
            _ => panic!("{answer:?} is not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_status_is_read_in_any_case() {
    for (status, complete) in [("InProgress", false), ("Completed", true), ("COMPLETED", true)] {
        let server = Server::start(Script::new().on(
            "GET /2020-05-31/distribution/E1/invalidation/I1",
            [invalidation(status)],
        ))
        .unwrap();
        assert_eq!(
            client(&server).await.status("E1", "I1").await,
            Answer::Status { complete }
        );
    }
    let server = Server::start(Script::new().any([refusal(404, "NoSuchInvalidation", "x")])).unwrap();
    let Answer::Refused(reason) = client(&server).await.status("E1", "I\n1").await else {
        panic!("it is not there");
    };
    assert!(
        reason.text.starts_with("there is no invalidation `I") && !reason.text.contains('\n'),
        "{reason:?}"
    );
    let server = Server::start(Script::new().any([refusal(404, "NoSuchDistribution", "x")])).unwrap();
    let reason = client(&server).await.distribution("E1").await.unwrap_err();
    assert_eq!(reason.text, "there is no distribution `E1` in this account");
}

#[tokio::test]
async fn a_client_without_a_region_is_at_home() {
    let server = Server::start(Script::new().any([invalidation("Completed")])).unwrap();
    let config = config(&server.url("")).await.into_builder().region(None).build();
    let answer = CloudFront::new(&config).create("E1", "r", &paths(&["/a"])).await;
    assert!(matches!(answer, Answer::Created { complete: true, .. }));
    let request = &server.requests()[0];
    assert!(
        request
            .header("authorization")
            .unwrap()
            .contains("/us-east-1/cloudfront/")
    );
}
