//! What visitors get at the edge.

use std::time::Duration;

use sandbox::stand_ins::aws::{Distribution, Hosting, Object};

use crate::client::{cloudfront, hosting};

const SECOND: Duration = Duration::from_secs(1);

fn put(hosting: &Hosting, key: &str, text: &str, cache_control: &str) {
    let object = Object::new(text).header("cache-control", cache_control);
    hosting.stock(|stock| stock.s3.put("site", key, object));
}

fn invalidate(hosting: &Hosting, id: &str, path: &str) {
    let reference = format!("{path} {:?}", hosting.stock(|stock| stock.now()));
    let body = format!(
        "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>{path}</Path></Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"
    );
    let line = format!("POST /2020-05-31/distribution/{id}/invalidation");
    assert_eq!(cloudfront(hosting, &line, &body).status, 201, "{path}");
}

fn site(distribution: Distribution) -> (Hosting, String) {
    let hosting = hosting();
    let id = hosting.stock(|stock| stock.cloudfront.add(distribution));
    (hosting, id)
}

#[test]
fn a_page_is_kept_as_long_as_it_says() {
    let (hosting, id) = site(Distribution::of("site").root("index.html"));
    let text = |path: &str| hosting.visit(&id, path).text();
    let publish = |version: &str| {
        put(&hosting, "index.html", version, "no-cache");
        put(&hosting, "short.css", version, "max-age=60");
        put(&hosting, "plain.txt", version, "");
    };
    publish("1");
    for path in ["/", "/index.html", "/short.css", "/plain.txt"] {
        assert_eq!(text(path), "1", "{path}");
    }
    publish("2");
    let now = || ["/", "/index.html", "/short.css", "/plain.txt"].map(text);
    assert_eq!(now(), ["2", "2", "1", "1"]);
    hosting.skip(60 * SECOND);
    assert_eq!(now(), ["2", "2", "2", "1"]);
    hosting.skip(Duration::from_hours(24));
    assert_eq!(now(), ["2", "2", "2", "2"]);
}

#[test]
fn what_is_missing_is_remembered_for_a_while() {
    let (hosting, id) = site(Distribution::of("site"));
    assert_eq!(hosting.visit(&id, "/a.js").status, 404);
    put(&hosting, "a.js", "a", "");
    assert_eq!(hosting.visit(&id, "/a.js").status, 404);
    hosting.skip(10 * SECOND);
    assert_eq!(hosting.visit(&id, "/a.js").text(), "a");
}

#[test]
fn an_invalidation_takes_exactly_what_it_names() {
    let (hosting, id) = site(Distribution::of("site").path("/live").root("index.html"));
    let keys = ["index.html", "a/x y.html", "a/~b.js", "é.html"];
    let paths = ["/", "/index.html", "/a/x%20y.html", "/a/~b.js", "/%C3%A9.html"];
    let publish = |version: &str| {
        for key in keys {
            put(&hosting, &format!("live/{key}"), version, "max-age=9999");
        }
    };
    for (path, expected) in [
        ("/", [2, 1, 1, 1, 1]),
        ("/index.html", [1, 2, 1, 1, 1]),
        ("/a/x%20y.html", [1, 1, 2, 1, 1]),
        // It is encoded as no visitor sends it.
        ("/a/%7Eb.js", [1, 1, 1, 1, 1]),
        ("/a/*", [1, 1, 2, 2, 1]),
        ("/%C3%A9.html", [1, 1, 1, 1, 2]),
        ("/live/index.html", [1, 1, 1, 1, 1]),
        ("/*", [2, 2, 2, 2, 2]),
    ] {
        publish("1");
        invalidate(&hosting, &id, "/*");
        hosting.skip(SECOND);
        let seen = || paths.map(|path| hosting.visit(&id, path).text().parse::<u32>().unwrap());
        assert_eq!(seen(), [1; 5]);
        publish("2");
        hosting.skip(SECOND);
        invalidate(&hosting, &id, path);
        assert_eq!(seen(), expected, "{path}");
        hosting.skip(20 * SECOND);
    }
}

#[test]
fn tags_take_what_carries_them() {
    let (hosting, id) = site(Distribution::of("site").tags("x-amz-meta-cache-tag"));
    let publish = |version: &str| {
        hosting.stock(|stock| {
            for (key, tags) in [("a.html", "html, Shop"), ("b.html", "html"), ("c.js", "")] {
                let object = Object::new(version).header("cache-control", "max-age=9999");
                stock.s3.put("site", key, object.metadata("cache-tag", tags));
            }
        });
    };
    let seen = || ["/a.html", "/b.html", "/c.js"].map(|path| hosting.visit(&id, path).text());
    publish("1");
    assert_eq!(seen(), ["1", "1", "1"]);
    publish("2");
    hosting.skip(SECOND);
    invalidate(&hosting, &id, "#shop");
    assert_eq!(seen(), ["2", "1", "1"]);
    invalidate(&hosting, &id, "#HTML");
    assert_eq!(seen(), ["2", "2", "1"]);
}

#[test]
fn an_invalidation_may_take_its_time() {
    let (hosting, id) = site(Distribution::of("site"));
    hosting.settings(|settings| settings.invalidation_lag = 5 * SECOND);
    put(&hosting, "a", "1", "max-age=9999");
    let text = || hosting.visit(&id, "/a").text();
    assert_eq!(text(), "1");
    put(&hosting, "a", "2", "max-age=9999");
    invalidate(&hosting, &id, "/a");
    hosting.skip(4 * SECOND);
    assert_eq!(text(), "1");
    hosting.skip(SECOND);
    assert_eq!(text(), "2");
}

#[test]
fn a_single_page_application_answers_everything() {
    let (hosting, id) = site(Distribution::of("site").fallback("/index.html"));
    put(&hosting, "index.html", "app", "no-cache");
    let visit = hosting.visit(&id, "/missing.js");
    assert_eq!((visit.status, visit.text().as_str()), (200, "app"));
    put(&hosting, "missing.js", "there", "max-age=60");
    assert_eq!(
        hosting.visit(&id, "/missing.js").text(),
        "app",
        "it is remembered"
    );
    hosting.skip(10 * SECOND);
    assert_eq!(hosting.visit(&id, "/missing.js").text(), "there");
}

#[test]
fn an_invalidation_before_the_upload_leaves_the_old_page() {
    let (hosting, id) = site(Distribution::of("site"));
    put(&hosting, "a", "1", "max-age=9999");
    let text = || hosting.visit(&id, "/a").text();
    assert_eq!(text(), "1");
    invalidate(&hosting, &id, "/a");
    assert_eq!(text(), "1");
    put(&hosting, "a", "2", "max-age=9999");
    // The clock has not moved, and what the edge fetched after the invalidation stays.
    assert_eq!(text(), "1");
    hosting.skip(SECOND);
    assert_eq!(text(), "1");
}
