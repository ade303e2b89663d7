//! Faults, second actors, limits and the log: what happens to calls on their way.

use sandbox::stand_ins::aws::{End, Fault, Heard, Refusal, Setup, Turn};
use serde_json::json;

use crate::hands::{cloud, register, seconds, service_of, settle};
use crate::signing::{answered, call};

#[test]
fn refusals_come_in_place_of_what_was_asked_for_and_change_nothing() {
    let cases = [
        (Fault::Internal, 500, "ServerException"),
        (Fault::Unavailable, 503, "ServiceUnavailable"),
        (Fault::Throttled, 400, "ThrottlingException"),
        (Fault::Expired, 400, "ExpiredTokenException"),
        (Fault::Denied, 400, "AccessDeniedException"),
        (
            Fault::Refused(Refusal::new("ClientException", "Too many concurrent attempts")),
            400,
            "ClientException",
        ),
    ];
    let cloud = cloud();
    let shop = Setup::new("prod", "web").build(&cloud);
    for (nth, (fault, status, code)) in cases.into_iter().enumerate() {
        cloud.fault("ecs:UpdateService", Turn::Nth(nth + 1), fault);
        let heard = call(
            &cloud,
            "UpdateService",
            &json!({ "cluster": "prod", "service": "web", "desiredCount": 2 }),
        );
        assert_eq!(answered(&heard), (status, Some(code.to_owned())));
        assert_eq!(service_of(&cloud, &shop)["desiredCount"], 1, "{code}");
        assert_eq!(
            cloud.calls("UpdateService")[nth].end,
            End::Refused(code.to_owned())
        );
    }
    let heard = call(
        &cloud,
        "UpdateService",
        &json!({ "cluster": "prod", "service": "web", "desiredCount": 2 }),
    );
    assert_eq!(answered(&heard), (200, None));
    assert_eq!(service_of(&cloud, &shop)["desiredCount"], 2);
}

#[test]
fn a_lost_answer_is_of_a_call_that_was_done_and_a_reset_is_not() {
    let cases = [
        (Fault::Lost, 2, Heard::Reset, End::Lost),
        (Fault::Reset, 1, Heard::Reset, End::Reset),
        (Fault::Hang, 1, Heard::Silence, End::Hung),
    ];
    for (fault, desired, expected, end) in cases {
        let cloud = cloud();
        let shop = Setup::new("prod", "web").build(&cloud);
        cloud.fault("UpdateService", Turn::Every, fault);
        let heard = call(
            &cloud,
            "UpdateService",
            &json!({ "cluster": "prod", "service": "web", "desiredCount": 2 }),
        );
        assert_eq!(heard, expected);
        assert_eq!(service_of(&cloud, &shop)["desiredCount"], desired);
        assert_eq!(cloud.log()[0].end, end);
    }
}

#[test]
fn slow_answers_are_late_and_expiry_comes_with_the_clock() {
    let cloud = cloud();
    Setup::new("prod", "web").build(&cloud);
    cloud.fault("*", Turn::Every, Fault::Slow(seconds(7)));
    let Heard::Answer { status, delay, .. } = call(&cloud, "ListClusters", &json!({})) else {
        panic!("no answer");
    };
    assert_eq!((status, delay), (200, seconds(7)));
    cloud.heal();
    let end = cloud.world(|world| world.now()) + seconds(60);
    cloud.fault("*", Turn::Since(end), Fault::Expired);
    assert_eq!(answered(&call(&cloud, "ListClusters", &json!({}))).0, 200);
    cloud.skip(seconds(60));
    assert_eq!(
        answered(&call(&cloud, "ListClusters", &json!({}))).1.unwrap(),
        "ExpiredTokenException"
    );
}

#[test]
fn somebody_else_acts_around_a_call() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).build(&cloud);
    let theirs = register(&cloud, &shop, "shop:3");
    cloud.before("DescribeServices", 2, move |world| {
        let input = json!({ "cluster": "prod", "service": "web", "taskDefinition": theirs });
        world.act("ecs", "UpdateService", input).unwrap();
    });
    cloud.after("DescribeServices", 3, |world| {
        let input = json!({ "cluster": "prod", "service": "web", "desiredCount": 0 });
        world.act("ecs", "UpdateService", input).unwrap();
    });
    let sizes = [1, 2, 3].map(|_| {
        let heard = call(
            &cloud,
            "DescribeServices",
            &json!({ "cluster": "prod", "services": ["web"] }),
        );
        let Heard::Answer { body, .. } = heard else {
            panic!("no answer");
        };
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let service = &body["services"][0];
        (
            service["deployments"].as_array().unwrap().len(),
            service["desiredCount"].as_u64().unwrap(),
        )
    });
    assert_eq!(sizes, [(1, 2), (2, 2), (2, 2)]);
    assert_eq!(service_of(&cloud, &shop)["desiredCount"], 0);
    // Theirs are not among ours.
    assert_eq!(cloud.log().len(), 3);
    assert!(cloud.log().iter().all(|entry| !entry.writes()));
    assert!(settle(&cloud, &shop));
}

#[test]
fn too_many_calls_are_refused_until_time_has_passed() {
    let cloud = cloud();
    Setup::new("prod", "web").build(&cloud);
    let ask = || {
        answered(&call(
            &cloud,
            "DescribeServices",
            &json!({ "cluster": "prod", "services": ["web"] }),
        ))
        .1
    };
    assert!((0..100).all(|_| ask().is_none()));
    assert_eq!(ask().as_deref(), Some("ThrottlingException"));
    cloud.skip(seconds(1));
    assert_eq!(ask(), None);
    let log = cloud.log();
    assert_eq!(
        (log.len(), log[0].input["services"][0].as_str()),
        (102, Some("web"))
    );
    assert!(log[101].at > log[100].at && log[0].by.is_some());
}
