//! The questions over the wire, against a stand-in for GitHub and against every fault that it can commit.

use std::time::Duration;

use gha::Runner;
use gha::edge::cancel::Signal;
use gha::edge::testing::runner_of;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::github::{COMMIT, GitHub, REPOSITORY, refusal};
use secrecy::SecretString;
use serde_json::json;

use super::{Api, ApiError, LIMITS, Limits};
use crate::cli::INTERFACE;

const TOKEN: &str = "ghs_0123456789abcdef";

/// Short waits; a try is long enough for a busy machine.
const QUICK: Limits = Limits {
    backoff: Duration::from_millis(2),
    ..LIMITS
};

fn runner(api: &str) -> Runner {
    runner_of(INTERFACE, &[("GITHUB_API_URL", api)]).0
}

fn asking(api: &str, limits: Limits) -> Api {
    Api::with(&runner(api), SecretString::from(TOKEN), REPOSITORY, limits).unwrap()
}

fn github() -> GitHub {
    GitHub::open(TOKEN).unwrap()
}

/// The error as a reader sees it; it never shows the token.
fn said<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> String {
    let error = answer.unwrap_err();
    let text = format!("{error} {} {error:?}", error.help());
    assert!(!text.contains(TOKEN), "{text}");
    error.to_string()
}

#[tokio::test]
async fn the_three_questions_are_asked_as_documented() {
    let github = github().tagged(["v1", "v2", "svc/v1", "svc/v2", "svc-a", "a b#c", "x"]);
    let api = asking(&github.api(), LIMITS);
    let repository = api.repository().await.unwrap();
    assert_eq!(repository["license"]["spdx_id"], "Apache-2.0");
    assert_eq!(api.commit_date(COMMIT).await.unwrap().as_second(), 1_700_000_000);
    assert_eq!(api.tags("v").await.unwrap(), ["v1", "v2"]);
    assert_eq!(api.tags("svc/").await.unwrap(), ["svc/v1", "svc/v2"]);
    assert_eq!(api.tags("a b#").await.unwrap(), ["a b#c"]);
    assert_eq!(api.tags("").await.unwrap().len(), 7);
    assert!(api.tags("none").await.unwrap().is_empty());
    let requests = github.requests();
    assert_eq!(
        requests[1].path,
        format!("/api/v3/repos/org/shop/commits/{COMMIT}?per_page=1")
    );
    assert_eq!(
        requests[3].path,
        "/api/v3/repos/org/shop/git/matching-refs/tags%2Fsvc%2F"
    );
    for request in &requests {
        assert_eq!(request.header("accept"), Some(super::MEDIA_TYPES));
        assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
        assert!(request.header("user-agent").unwrap().contains("image-tag"));
    }
}

#[tokio::test]
async fn tags_on_several_pages_are_one_list() {
    let tags: Vec<String> = (0..7).map(|n| format!("v{n}")).collect();
    let open = || github().tagged(tags.iter().map(String::as_str));
    let github = open().paged(3);
    assert_eq!(asking(&github.api(), QUICK).tags("v").await.unwrap(), tags);
    assert_eq!(github.requests().len(), 3);
    // A fault on a later page is a fault of the whole, unless it passes.
    let github = open().paged(3).replying(Reply::status(502));
    assert_eq!(asking(&github.api(), QUICK).tags("v").await.unwrap(), tags);
}

#[tokio::test]
async fn a_list_that_ends_nowhere_or_elsewhere_is_no_list() {
    let endless = Server::start(
        Script::new()
            .any([Reply::json(200, &json!([{"ref": "refs/tags/v1"}])).header("link", "</again>; rel=next")]),
    )
    .unwrap();
    let error = said(asking(&endless.url(""), QUICK).tags("v").await);
    assert!(error.ends_with("the list has more than 100 pages"), "{error}");
    assert_eq!(endless.requests().len(), 100);
    let away = github()
        .replying(Reply::json(200, &json!([])).header("link", "<http://127.0.0.2:1/x>; rel=\"next\""));
    let error = said(asking(&away.api(), QUICK).tags("v").await);
    assert!(error.contains("on another server"), "{error}");
}

#[tokio::test]
async fn an_empty_repository_has_no_tags() {
    let github = github().empty();
    assert!(asking(&github.api(), QUICK).tags("v").await.unwrap().is_empty());
    let other = self::github().replying(refusal(409, "Conflict"));
    assert!(said(asking(&other.api(), QUICK).tags("v").await).contains("409 `Conflict`"));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for (fault, requests) in [
        (Reply::status(500), 2),
        (refusal(503, "busy"), 2),
        (Reply::reset(), 2),
        (Reply::close(), 2),
        (Reply::json(200, &json!({"name": "shop"})).cut_after(5), 2),
        (refusal(429, "slow down").header("retry-after", "0"), 2),
        (
            refusal(410, "gone").header("x-github-api-version-selected", "2022-11-28"),
            2,
        ),
        (Reply::redirect(301, "/api/v3/repos/org/shop"), 2),
    ] {
        let shown = format!("{fault:?}");
        let github = github().replying(fault);
        assert_eq!(
            asking(&github.api(), QUICK).repository().await.unwrap()["name"],
            "shop",
            "{shown}"
        );
        assert_eq!(github.requests().len(), requests, "{shown}");
    }
}

#[tokio::test]
async fn retry_after_is_obeyed_within_the_budget() {
    let github = github().replying(refusal(429, "slow down").header("retry-after", "1"));
    asking(&github.api(), QUICK).repository().await.unwrap();
    let requests = github.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
    let github = self::github().replying(refusal(429, "slow down").header("retry-after", "60"));
    let error = said(asking(&github.api(), QUICK).repository().await);
    assert!(
        error.contains("429 `slow down`: the limit of requests is reached until 2"),
        "{error}"
    );
    assert_eq!(github.requests().len(), 1);
}

#[tokio::test]
async fn what_would_be_said_again_is_not_asked_again() {
    let reset = (jiff_now() + 1800).to_string();
    for (reply, reason) in [
        (refusal(401, "Bad credentials"), "401 `Bad credentials`"),
        (
            refusal(403, "Resource not accessible by integration")
                .header("x-accepted-github-permissions", "contents=read"),
            "403 `Resource not accessible by integration`, needed is `contents=read`",
        ),
        (
            refusal(403, "API rate limit exceeded")
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", &reset),
            "403 `API rate limit exceeded`: the limit of requests is reached until 2",
        ),
        (refusal(404, "Not Found"), "404 `Not Found`"),
        (
            Reply::text(200, "<html>log in"),
            "its answer can't be read: expected value at line 1 column 1",
        ),
        (
            Reply::json(200, &json!([])),
            "its answer can't be read: it is no object",
        ),
        (Reply::status(204), "it answered 204"),
        (
            Reply::redirect(302, "https://127.0.0.1:1/x"),
            "it sent us elsewhere, but it goes from `http` to `https`",
        ),
        (
            Reply::status(301),
            "it sent us elsewhere, but it names no address",
        ),
        (refusal(404, &format!("no {TOKEN} here")), "404 `no *** here`"),
        (
            Reply::json(404, &json!({"message": "a\n::error::b"})),
            "404 `a\\n::error::b`",
        ),
    ] {
        let github = github().replying(reply);
        let error = said(asking(&github.api(), QUICK).repository().await);
        assert!(
            error.starts_with("failed to get the repository `org/shop` from `127.0.0.1:"),
            "{error}"
        );
        assert!(error.contains(reason), "{error}");
        assert_eq!(github.requests().len(), 1, "{error}");
    }
}

fn jiff_now() -> i64 {
    gha::edge::environment::now().as_second()
}

#[tokio::test]
async fn three_tries_are_all() {
    let server = Server::start(Script::new().any([refusal(502, "Server Error")])).unwrap();
    let error = said(asking(&server.url(""), QUICK).commit_date("a/b").await);
    assert!(
        error.starts_with("failed to get the commit `a/b` of `org/shop`"),
        "{error}"
    );
    assert!(
        error.ends_with("it answered 502 `Server Error`, 3 times"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
}

/// With the clock that runs ahead while nothing happens: the limits are the real ones.
#[tokio::test(start_paused = true)]
async fn a_hang_ends_in_time() {
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let begin = tokio::time::Instant::now();
    let error = said(asking(&server.url(""), LIMITS).repository().await);
    assert!(error.ends_with("no complete answer in time, 3 times"), "{error}");
    let (took, budget) = (begin.elapsed(), LIMITS.budget);
    assert!(
        took > LIMITS.one_try * 2 && took <= budget + Duration::from_millis(50),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_body_without_end_is_left() {
    let chunk = || Reply::text(200, "x".repeat(1024 * 1024));
    let github = github().replying(chunk().endless(Duration::ZERO));
    let error = said(asking(&github.api(), QUICK).repository().await);
    assert!(error.ends_with("its answer is larger than 8 MiB"), "{error}");
    assert_eq!(github.requests().len(), 1);
    // One that drips is ended by the time, and a refusal that does so counts as one.
    let drip = |status| Reply::text(status, ".").endless(Duration::from_millis(1));
    let server = Server::start(Script::new().any([drip(200)])).unwrap();
    let limits = Limits {
        one_try: Duration::from_millis(150),
        ..QUICK
    };
    let error = said(asking(&server.url(""), limits).repository().await);
    assert!(error.ends_with("no complete answer in time, 3 times"), "{error}");
    let github = self::github().replying(Reply::text(404, "x".repeat(1024 * 1024)).endless(Duration::ZERO));
    assert!(said(asking(&github.api(), QUICK).repository().await).contains("404"));
}

#[tokio::test]
async fn the_token_stays_with_its_server() {
    let other = Server::start(Script::new().any([Reply::json(200, &json!({"name": "moved"}))])).unwrap();
    let github = github()
        .replying(Reply::redirect(307, "/api/v3/repositories/7"))
        .replying(Reply::redirect(301, &other.url("/repositories/7")));
    let repository = asking(&github.api(), QUICK).repository().await.unwrap();
    assert_eq!(repository["name"], "moved");
    let bearer = format!("Bearer {TOKEN}");
    for request in github.requests() {
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    }
    assert_eq!(github.requests().len(), 2);
    let requests = other.requests();
    assert_eq!((requests.len(), requests[0].header("authorization")), (1, None));
    // A circle is left.
    let circle = Server::start(Script::new().any([Reply::redirect(301, "/x")])).unwrap();
    let error = said(asking(&circle.url(""), QUICK).repository().await);
    assert!(error.ends_with("3 times is all that is followed"), "{error}");
    assert_eq!(circle.requests().len(), 4);
}

#[tokio::test]
async fn a_cancel_ends_a_wait_and_a_request() {
    for fault in [
        Reply::hang(),
        refusal(429, "slow down").header("retry-after", "9"),
    ] {
        let server = Server::start(Script::new().any([fault])).unwrap();
        let runner = runner(&server.url(""));
        let api = Api::with(&runner, SecretString::from(TOKEN), REPOSITORY, QUICK).unwrap();
        let cancel = runner.cancel().clone();
        let asked = async {
            // On a thread, so that the request goes on meanwhile.
            let log = tokio::task::spawn_blocking(move || {
                server.wait_for(1, Duration::from_secs(5)).map(|_| server)
            });
            let server = log.await.unwrap().unwrap();
            cancel.trigger(Signal::Interrupt);
            server
        };
        let begin = std::time::Instant::now();
        let (answer, _server) = tokio::join!(api.repository(), asked);
        assert!(matches!(answer, Err(ApiError::Cancelled(_))), "{answer:?}");
        assert!(begin.elapsed() < LIMITS.one_try, "{:?}", begin.elapsed());
    }
}

#[test]
fn what_can_t_be_asked_is_refused_before() {
    let make = |api: &str, token: &str, name: &str| {
        Api::new(&runner(api), SecretString::from(token), name).map(|_| ())
    };
    let https = "https://api.github.com";
    make("", TOKEN, REPOSITORY).unwrap();
    assert!(matches!(
        make(https, "a\nb-secret", REPOSITORY),
        Err(ApiError::Token)
    ));
    let error = make(https, "a\nb-secret", REPOSITORY).unwrap_err();
    assert!(!format!("{error}{}{error:?}", error.help()).contains("secret"));
    assert!(matches!(
        make("ghes", TOKEN, REPOSITORY),
        Err(ApiError::Address(_))
    ));
    assert!(matches!(make(https, TOKEN, "shop"), Err(ApiError::Repository(_))));
}

#[test]
fn waits_grow_and_are_spread() {
    let wait = |tries, random| super::backoff(Duration::from_millis(500), tries, random).as_millis();
    assert_eq!(
        [wait(1, 0), wait(1, 255), wait(2, 0), wait(2, 255), wait(3, 255)],
        [250, 500, 500, 1000, 2000]
    );
    assert!(wait(u32::MAX, 255) < u128::from(u32::MAX));
}
