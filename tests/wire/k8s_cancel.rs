//! `k8s-blue-green` that is cancelled, or killed: the old or the new version serves whole, and another step comes to a good end.

use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::stand_ins::kubernetes::Cluster;

use crate::k8s_deploy::{cluster, is_silent, of_web, replicas, serving, settled, writes};
use crate::process::{Finished, Running, finish};
use crate::step::{ledger, outputs};

/// What the contract gives.
const CONTRACT: Duration = Duration::from_secs(5);

/// When a signal comes.
struct Moment {
    /// The words in the log that it comes after.
    words: &'static str,
    /// What keeps the deploy there, so that the signal finds it: pods that never become ready, a command that judges them, or the soak.
    flags: &'static [&'static str],
    /// Whether the new version has the traffic by then.
    has_moved: bool,
}

const COMES_UP: Moment = Moment {
    words: "`web-green` comes up with 3 pods",
    flags: &["--image", "shop:1.1.0-unready"],
    has_moved: false,
};

const IS_READY: Moment = Moment {
    words: "`web-green` is ready with 3 pods",
    flags: &["--image", "shop:1.1.0", "--smoke", "sleep 61.000728"],
    has_moved: false,
};

const HAS_TRAFFIC: Moment = Moment {
    words: "leads to `web-green`",
    flags: &["--image", "shop:1.1.0", "--soak", "10m"],
    has_moved: true,
};

const MOMENTS: [Moment; 3] = [COMES_UP, IS_READY, HAS_TRAFFIC];

/// A deploy, sent a signal at this moment.
fn signalled(place: &Place, cluster: &Cluster, moment: &Moment, signal: Signal) -> (Finished, Duration) {
    let running = Running::start(of_web(place, cluster, "deploy", moment.flags));
    running.wait_for(moment.words);
    let sent = Instant::now();
    running.signal(signal);
    (running.finish(), sent.elapsed())
}

#[test]
fn a_cancel_leaves_the_old_version_serving() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        for moment in MOMENTS {
            let (place, cluster) = (Place::new(), cluster());
            let (finished, took) = signalled(&place, &cluster, &moment, signal);
            assert!(took < CONTRACT, "{took:?}");
            is_silent(&cluster, &place, &finished);
            let where_ = if moment.has_moved {
                "`web-blue` has the traffic again"
            } else {
                "no traffic had moved, `web-blue` serves"
            };
            finished
                .expect(code)
                .says(&[&format!("cancelled by {name}"), where_]);
            settled(&cluster, "shop:1.0.0");
            assert_eq!(replicas(&cluster, "web-blue"), Some(3));
            let line = ledger(&place).pop().unwrap();
            assert_eq!(
                (line["status"].as_str(), line["exit"].as_i64()),
                (Some("cancelled"), Some(code.into()))
            );
            finish(of_web(&place, &cluster, "recover", &[])).expect(0);
            assert_eq!(serving(&cluster), ["shop:1.0.0"]);
            assert_eq!(replicas(&cluster, "web-green"), Some(0), "{}", moment.words);
        }
    }
}

#[test]
fn after_a_kill_recover_brings_the_old_version_back() {
    for moment in MOMENTS {
        let (place, cluster) = (Place::new(), cluster());
        let (finished, _) = signalled(&place, &cluster, &moment, Signal::KILL);
        assert_eq!(finished.code, None);
        is_silent(&cluster, &place, &finished);
        settled(
            &cluster,
            if moment.has_moved {
                "shop:1.1.0"
            } else {
                "shop:1.0.0"
            },
        );
        let finished = finish(of_web(&place, &cluster, "recover", &[])).expect(0);
        is_silent(&cluster, &place, &finished);
        settled(&cluster, "shop:1.0.0");
        assert_eq!(outputs(&place)["status"], "rolled-back");
        assert_eq!(replicas(&cluster, "web-green"), Some(0));
        // Once more is once too often, and moves nothing.
        cluster.forget();
        finish(of_web(&place, &cluster, "recover", &[])).expect(0);
        let moved = writes(&cluster)
            .into_iter()
            .filter(|write| write.contains("services"));
        assert_eq!(moved.count(), 0, "{}", moment.words);
    }
}

#[test]
fn after_a_kill_the_same_deploy_goes_on() {
    let (place, cluster) = (Place::new(), cluster());
    signalled(&place, &cluster, &IS_READY, Signal::KILL);
    let flags = ["--image", "shop:1.1.0", "--soak", "0s", "--drain", "10m"];
    finish(of_web(&place, &cluster, "deploy", &flags)).expect(0);
    settled(&cluster, "shop:1.1.0");
}

#[test]
fn a_cancel_that_is_to_leave_it_moves_no_traffic() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = ["--image", "shop:1.1.0", "--on-cancel", "leave"];
    let running = Running::start(of_web(&place, &cluster, "deploy", &flags));
    running.wait_for("leads to `web-green`");
    running.signal(Signal::TERM);
    running
        .finish()
        .expect(143)
        .says(&["everything is left as it is"]);
    settled(&cluster, "shop:1.1.0");
    let mut other = of_web(&place, &cluster, "rollback", &[]);
    other.env("GITHUB_RUN_ID", "8");
    finish(other).expect(0);
    settled(&cluster, "shop:1.0.0");
}

#[test]
fn two_deploys_at_once_are_one() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = ["--image", "shop:1.1.0-unready", "--timeout", "20s"];
    let running = Running::start(of_web(&place, &cluster, "deploy", &flags));
    running.wait_for("`web-green` comes up");
    let other = Place::new();
    let mut second = of_web(&other, &cluster, "deploy", &["--image", "shop:1.2.0"]);
    second.env("GITHUB_RUN_ID", "8");
    finish(second).expect(6).says(&["actions/runs/7"]);
    assert_eq!(ledger(&other)[0]["status"], "locked");
    running.signal(Signal::TERM);
    running.finish().expect(143);
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
}
