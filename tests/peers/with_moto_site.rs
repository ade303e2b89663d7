//! `s3-cdn-publish` on moto's S3 and CloudFront, stand-ins that were not made for it, and on ours: the same publishes must
//! leave the same bucket and name the same paths, as botocore reads them back.
//!
//! moto calls every invalidation `COMPLETED` from its beginning on, and takes any path.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sandbox::peers::{Botocore, Moto, Place};
use sandbox::stand_ins::aws::{Clock, Distribution, Hosting};
use serde_json::{Value, json};

const BUCKET: &str = "site-of-tests";
const STATE: &str = "shop/.deploy-actions/";

/// A store with a distribution before it.
struct Store {
    environment: Vec<(&'static str, String)>,
    botocore: Botocore,
    distribution: String,
}

impl Store {
    fn new(place: &Place, environment: Vec<(&'static str, String)>) -> Self {
        Self {
            botocore: Botocore::start(place, environment.clone()).unwrap(),
            environment,
            distribution: String::new(),
        }
    }

    fn ask(&self, service: &str, operation: &str, input: &Value) -> Value {
        let judged = self.botocore.call(service, operation, input).unwrap();
        assert_eq!(judged.code, None, "{operation} {input}");
        judged.output
    }

    /// The tool: its exit code, and what it says.
    fn tool(&self, place: &black_box::Place, command: &str, words: &[&str]) {
        let mut tool = place.command("s3-cdn-publish");
        tool.envs(self.environment.iter().map(|(name, value)| (name, value)));
        tool.args([command, "--bucket", BUCKET, "--prefix", "shop"]);
        tool.args(["--distribution-id", &self.distribution]).args(words);
        let output = tool.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(0), "{command}: {said}");
    }

    /// Objects by key, as far as a moment does not make them: of our own state only what earlier contents there are, and how
    /// many other objects.
    fn objects(&self) -> BTreeMap<String, Value> {
        let listed = self.ask("s3", "ListObjectsV2", &json!({ "Bucket": BUCKET }));
        let mut objects = BTreeMap::new();
        for listed in listed["Contents"].as_array().into_iter().flatten() {
            let key = listed["Key"].as_str().unwrap();
            let got = self.ask("s3", "GetObject", &json!({ "Bucket": BUCKET, "Key": key }));
            let of = |name: &str| got.get(name).cloned().unwrap_or_default();
            let headers = ["ContentType", "CacheControl", "ContentEncoding", "Metadata"].map(of);
            let is_told = !key.starts_with(STATE) || key.starts_with("shop/.deploy-actions/store/");
            let content = is_told.then(|| [of("Body"), of("ETag")]);
            let name = match key.strip_prefix("shop/.deploy-actions/releases/") {
                Some(_) => format!("a release beside {} objects", objects.len()),
                None => key.to_owned(),
            };
            objects.insert(name, json!([headers, content]));
        }
        objects
    }

    /// The paths of all invalidations, in the order in which they were made.
    fn invalidated(&self) -> Vec<Value> {
        let of = json!({ "DistributionId": self.distribution });
        let listed = self.ask("cloudfront", "ListInvalidations", &of);
        let listed = listed["InvalidationList"]["Items"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut told: Vec<(String, Value)> = Vec::new();
        for one in listed {
            let input = json!({ "DistributionId": self.distribution, "Id": one["Id"] });
            let got = self.ask("cloudfront", "GetInvalidation", &input);
            let got = &got["Invalidation"];
            let mut paths = got["InvalidationBatch"]["Paths"]["Items"].clone();
            if let Some(paths) = paths.as_array_mut() {
                paths.sort_by_key(ToString::to_string);
            }
            told.push((got["CreateTime"].to_string(), paths));
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told.into_iter().map(|(_, paths)| paths).collect()
    }
}

/// The site, in its first or a later form.
fn site(folder: &Path, version: u32) {
    let _ = fs::remove_dir_all(folder);
    let app = format!("assets/app-{version:08x}.js");
    let page = format!("<script src=/{app}></script>");
    let files = [
        ("index.html", page.as_str()),
        ("about/index.html", "about"),
        ("docs/a b+é&%.html", &format!("page {version}")),
        ("empty.txt", ""),
        (&app, "script"),
        ("assets/same-1a2b3c4d.css", "style"),
        ("img/~logo.svg", "<svg/>"),
        ("sw.js", &format!("// {version}")),
    ];
    for (key, content) in files {
        let path = folder.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    if version == 1 {
        fs::write(folder.join("gone.html"), "gone").unwrap();
    }
}

/// Publishes, changes, gives other headers, goes back and deletes; what is there after each.
fn told(store: &Store) -> Vec<(BTreeMap<String, Value>, usize)> {
    let foreign =
        json!({ "Bucket": BUCKET, "Key": "shop/foreign.txt", "Body": "theirs", "CacheControl": "no-store" });
    store.ask("s3", "PutObject", &foreign);
    let place = black_box::Place::new();
    let folder = place.path().join("site");
    let from = ["--source", folder.to_str().unwrap()];
    let publish = |words: &[&str]| store.tool(&place, "publish", &[&from[..], words].concat());
    let mut told = Vec::new();
    let mut tell = || told.push((store.objects(), store.invalidated().len()));
    site(&folder, 1);
    publish(&[]);
    tell();
    publish(&[]);
    tell();
    site(&folder, 2);
    publish(&["--delete"]);
    tell();
    publish(&["--rule", "img/** = public, max-age=60"]);
    tell();
    store.tool(&place, "rollback", &[]);
    tell();
    site(&folder, 3);
    publish(&["--delete", "--keep-releases", "0", "--max-delete", "100%"]);
    tell();
    told
}

#[test]
fn the_same_publishes_leave_the_same_bucket_on_both() {
    let place = Place::new().unwrap();
    let moto = Moto::start(&place, 0).unwrap();
    let mut theirs = Store::new(&place, moto.environment());
    let home = json!({ "LocationConstraint": "eu-central-1" });
    theirs.ask(
        "s3",
        "CreateBucket",
        &json!({ "Bucket": BUCKET, "CreateBucketConfiguration": home }),
    );
    let config = json!({
        "CallerReference": "1", "Comment": "", "Enabled": true, "DefaultRootObject": "index.html",
        "Origins": { "Quantity": 1, "Items": [{
            "Id": "site", "DomainName": format!("{BUCKET}.s3.eu-central-1.amazonaws.com"), "OriginPath": "/shop",
            "S3OriginConfig": { "OriginAccessIdentity": "" },
        }] },
        "DefaultCacheBehavior": {
            "TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    });
    let made = theirs.ask(
        "cloudfront",
        "CreateDistribution",
        &json!({ "DistributionConfig": config }),
    );
    made["Distribution"]["Id"]
        .as_str()
        .unwrap()
        .clone_into(&mut theirs.distribution);

    let hosting = Hosting::open(Clock::compressed(60)).unwrap();
    let mut ours = Store::new(&place, hosting.environment());
    ours.distribution = hosting.stock(|stock| {
        stock.s3.create(BUCKET);
        let distribution = Distribution::of(BUCKET).path("/shop").root("index.html");
        stock.cloudfront.add(distribution)
    });

    let (on_theirs, on_ours) = (told(&theirs), told(&ours));
    for (step, (theirs, ours)) in on_theirs.iter().zip(&on_ours).enumerate() {
        assert_eq!(theirs, ours, "after step {step}");
    }
    // A comparison of nothing with nothing would say nothing.
    assert!(on_ours[0].0.contains_key("shop/docs/a b+é&%.html"));
    assert!(!on_ours[5].0.contains_key("shop/gone.html"));
    assert_eq!(on_ours[5].0["shop/foreign.txt"][0][1], "no-store");
    assert_eq!(theirs.invalidated(), ours.invalidated());
    assert!(ours.invalidated().len() >= 3);
}
