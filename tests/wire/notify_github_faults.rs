//! `notify` on GitHub where each single request goes wrong in each way: what is there afterwards is there once, and a run behind it brings
//! it to what is true.

use std::thread;

use black_box::Place;
use sandbox::stand_ins::github::REPOSITORY;
use sandbox::stand_ins::github::records::{Fault, Records, Who};

use crate::notify_github::{TOKEN, of_request};
use crate::process::finish;

/// All that GitHub shows.
const ALL: [&str; 4] = ["status", "comment", "deployment", "release-notes"];

/// Tells all of it in a run of a pull request at a tag.
fn told(github: &Records, what: &str, status: &str) {
    let place = Place::new();
    let flags = ["--status", status, "--github", what, "--try-timeout", "5s"];
    let mut command = of_request(&place, github, REPOSITORY, &flags);
    command.env("GITHUB_REF", "refs/tags/v1.2.3");
    finish(command).expect(0);
}

fn repository() -> Records {
    Records::open(TOKEN, Who::Workflow)
        .unwrap()
        .released("v1.2.3", Some("What is new"))
}

/// What there is, once at most; `told` is the state that the newest of it has where it must be there.
#[track_caller]
fn is_there_once(github: &Records, what: &str, told: Option<&str>) {
    let (comments, deployments) = (github.comments(), github.deployments());
    let notes = github.notes("v1.2.3").unwrap();
    assert!(comments.len() <= 1, "{comments:?}");
    assert!(deployments.len() <= 1, "{deployments:?}");
    assert!(
        notes.starts_with("What is new") && notes.matches("<!-- deploy-actions").count() <= 1,
        "{notes}"
    );
    let Some(word) = told else { return };
    match what {
        "status" => assert_eq!(github.statuses().last().unwrap()["state"], word),
        "comment" => assert!(comments[0].1.contains("deployed to production"), "{comments:?}"),
        "deployment" => assert_eq!(deployments[0]["statuses"][0]["state"], word),
        _ => assert!(notes.contains("deployed to production"), "{notes}"),
    }
}

#[test]
fn whatever_goes_wrong_with_a_request_is_there_once_in_the_end() {
    thread::scope(|scope| {
        for what in ALL {
            scope.spawn(move || {
                let quiet = repository();
                told(&quiet, what, "success");
                is_there_once(&quiet, what, Some("success"));
                let calls = quiet.requests().len();
                assert!(calls > 0, "{what}");
                for (nth, fault) in (0..calls).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault))) {
                    let github = repository().faulty(nth, fault);
                    told(&github, what, "success");
                    assert!(
                        github.requests().len() > nth,
                        "{what}: {fault:?} at {nth} was not reached"
                    );
                    is_there_once(&github, what, None);
                    // The next run of the same thing.
                    told(&github, what, "success");
                    is_there_once(&github, what, Some("success"));
                }
            });
        }
    });
}
