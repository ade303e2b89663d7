//! Invalidations: references, limits, states, pages.

use std::time::Duration;

use sandbox::stand_ins::aws::{Distribution, Hosting};

use crate::client::{Answer, cloudfront, hosting};

fn batch(reference: &str, quantity: usize, paths: &[&str]) -> String {
    let items: String = paths.iter().map(|path| format!("<Path>{path}</Path>")).collect();
    format!(
        "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Paths><Quantity>{quantity}</Quantity>\
         <Items>{items}</Items></Paths><CallerReference>{reference}</CallerReference></InvalidationBatch>"
    )
}

fn invalidate(hosting: &Hosting, id: &str, reference: &str, paths: &[&str]) -> Answer {
    let line = format!("POST /2020-05-31/distribution/{id}/invalidation");
    cloudfront(hosting, &line, &batch(reference, paths.len(), paths))
}

fn site() -> (Hosting, String) {
    let hosting = hosting();
    let id = hosting.stock(|stock| stock.cloudfront.add(Distribution::of("site")));
    (hosting, id)
}

#[test]
fn a_reference_means_one_batch() {
    let (hosting, id) = site();
    let first = invalidate(&hosting, &id, "one", &["/a", "/b"]);
    assert_eq!((first.status, first.element("Status")), (201, Some("InProgress")));
    hosting.skip(Duration::from_secs(20));
    let again = invalidate(&hosting, &id, "one", &["/b", "/a"]);
    assert_eq!((again.status, again.element("Status")), (201, Some("Completed")));
    assert_eq!(again.element("Id"), first.element("Id"));
    let other = invalidate(&hosting, &id, "one", &["/c"]);
    assert_eq!(other.refusal(), (409, "InvalidationBatchAlreadyExists"));
    assert_eq!(
        hosting.stock(|stock| stock.cloudfront.invalidations(&id).len()),
        1
    );
    let one = format!(
        "GET /2020-05-31/distribution/{id}/invalidation/{}",
        first.element("Id").unwrap()
    );
    assert_eq!(
        cloudfront(&hosting, &one, "").element("Status"),
        Some("Completed")
    );
    let none = format!("GET /2020-05-31/distribution/{id}/invalidation/I0");
    assert_eq!(
        cloudfront(&hosting, &none, "").refusal(),
        (404, "NoSuchInvalidation")
    );
}

#[test]
fn what_is_in_progress_is_limited() {
    let (hosting, id) = site();
    hosting.stock(|stock| stock.cloudfront.fill(&id, 2999, 15));
    assert_eq!(invalidate(&hosting, &id, "1", &["/a"]).status, 201);
    let full = (400, "TooManyInvalidationsInProgress");
    assert_eq!(invalidate(&hosting, &id, "2", &["/b"]).refusal(), full);
    assert_eq!(invalidate(&hosting, &id, "3", &["/b*"]).refusal(), full);
    // What is asked for again is no more than it was.
    assert_eq!(invalidate(&hosting, &id, "1", &["/a"]).status, 201);
    hosting.skip(Duration::from_secs(20));
    assert_eq!(invalidate(&hosting, &id, "2", &["/b"]).status, 201);
    let paths: Vec<String> = (0..3001).map(|number| format!("/{number}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(
        invalidate(&hosting, &id, "4", &paths).refusal(),
        (413, "BatchTooLarge")
    );
}

#[test]
fn batches_that_are_none_are_refused() {
    let (hosting, id) = site();
    let line = format!("POST /2020-05-31/distribution/{id}/invalidation");
    for (body, code) in [
        (String::new(), "MissingBody"),
        ("<x".to_owned(), "MalformedXML"),
        (batch("r", 2, &["/a"]), "InconsistentQuantities"),
        (batch("r", 0, &[]), "InvalidArgument"),
        (batch("r", 1, &["/a~b"]), "InvalidArgument"),
        (batch("r", 1, &["#tag"]), "InvalidArgument"),
    ] {
        assert_eq!(
            cloudfront(&hosting, &line, &body).refusal(),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(
        invalidate(&hosting, "E1", "r", &["/a"]).refusal(),
        (404, "NoSuchDistribution")
    );
}

#[test]
fn lists_have_pages_with_the_newest_first() {
    let (hosting, id) = site();
    for number in 0..5 {
        invalidate(&hosting, &id, &number.to_string(), &["/a"]);
    }
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let line = format!("GET /2020-05-31/distribution/{id}/invalidation?{marker}MaxItems=2");
        let page = cloudfront(&hosting, &line, "");
        seen.extend(page.elements("Id").into_iter().map(str::to_owned));
        match page.element("NextMarker") {
            Some(next) => marker = format!("Marker={next}&"),
            None => break,
        }
    }
    let expected: Vec<String> = (1..=5).rev().map(|number| format!("I{number:013}")).collect();
    assert_eq!(seen, expected);
}
