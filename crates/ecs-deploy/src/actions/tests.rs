use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{ActionsError, Groups, Sticky, Traffic, foreign_changes, traffic, with_weights};
use crate::pair::Pair;

fn arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/6d0ecf831eec9f09")
}

fn groups() -> Groups {
    Groups {
        old: arn("blue"),
        new: arn("green"),
    }
}

fn pair(old: u16, new: u16) -> Pair {
    Pair { old, new }
}

fn tuples(weights: &[(&str, Value)]) -> Value {
    weights
        .iter()
        .map(|(name, weight)| json!({"TargetGroupArn": arn(name), "Weight": weight}))
        .collect()
}

fn forward(weights: &[(&str, Value)]) -> Value {
    json!({"Type": "forward", "ForwardConfig": {"TargetGroups": tuples(weights)}})
}

/// A forward behind OIDC, sticky, in the shape that `DescribeRules` answers with.
fn behind_oidc() -> Vec<Value> {
    vec![
        json!({"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"Issuer": "https://id.example", "ClientId": "c", "Scope": "openid"}}),
        json!({"Type": "forward", "Order": 2, "ForwardConfig": {
            "TargetGroups": tuples(&[("blue", json!(100)), ("green", json!(0))]),
            "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}
        }, "LaterKey": [1]}),
    ]
}

#[test]
fn reads_every_form() {
    let scalar = json!({"Type": "forward", "TargetGroupArn": arn("blue")});
    let both = json!({"Type": "forward", "TargetGroupArn": arn("green"), "ForwardConfig": {"TargetGroups": tuples(&[("green", json!(1))]), "TargetGroupStickinessConfig": {"Enabled": false}}});
    let unweighted =
        json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn("blue")}]}});
    let idle_third = forward(&[("blue", json!(3)), ("old-one", json!(0)), ("green", json!(1))]);
    let empty =
        json!({"Type": "forward", "TargetGroupArn": arn("blue"), "ForwardConfig": {"TargetGroups": []}});
    for (actions, weights, sticky) in [
        (vec![scalar], pair(1, 0), None),
        (vec![both], pair(0, 1), None),
        (vec![unweighted], pair(1, 0), None),
        (vec![idle_third], pair(3, 1), None),
        (vec![empty], pair(1, 0), None),
        (behind_oidc(), pair(100, 0), Some(3600)),
    ] {
        assert_eq!(
            traffic(&actions, &groups()),
            Ok(Traffic { weights, sticky }),
            "{actions:?}"
        );
    }
}

#[test]
fn refuses_what_is_no_split_between_the_two() {
    let action = |kind: &str| json!({"Type": kind});
    for (actions, says) in [
        (vec![], "forwards to no target group; its actions are none"),
        (
            vec![action("redirect"), action("fixed\n")],
            "its actions are `redirect`, `fixed\\n`",
        ),
        (
            vec![forward(&[("blue", json!(1))]), forward(&[("blue", json!(1))])],
            "has 2 forward actions",
        ),
        (vec![action("forward")], "has no target group"),
        (
            vec![forward(&[("blue", json!(1)), ("blue", json!(2))])],
            "target group `blue` twice",
        ),
        (
            vec![forward(&[("blue", json!(1)), ("green", json!(null))])],
            "no weight for target group `green`",
        ),
        (
            vec![forward(&[("blue", json!(1000))])],
            "the weight `1000` for target group `blue`",
        ),
        (vec![forward(&[("blue", json!("1"))])], "the weight `\"1\"`"),
        (
            vec![forward(&[("blue", json!(1)), ("third", json!(2))])],
            "also forwards to target group `third` with weight 2",
        ),
        (
            vec![forward(&[("third", json!(0))])],
            "forwards to `third`, neither to `blue` nor to `green`",
        ),
        (
            vec![
                json!({"Type": "forward", "TargetGroupArn": arn("third"), "ForwardConfig": {"TargetGroups": tuples(&[("blue", json!(1))])}}),
            ],
            "target group `third` beside a list without it",
        ),
        (
            vec![json!({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"Weight": 1}]}})],
            "a target group without an ARN",
        ),
        (
            vec![
                json!({"Type": "forward", "ForwardConfig": {"TargetGroups": tuples(&[("blue", json!(1))]), "TargetGroupStickinessConfig": {"Enabled": true}}}),
            ],
            "stickiness without a duration",
        ),
    ] {
        let error = traffic(&actions, &groups()).unwrap_err();
        assert_eq!(
            with_weights(&actions, &groups(), pair(1, 0), Sticky::Keep),
            Err(error)
        );
        let error = traffic(&actions, &groups()).unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("123456789012"), "{error}");
    }
    let one = Groups {
        old: arn("blue"),
        new: arn("blue"),
    };
    assert_eq!(
        traffic(&behind_oidc()[1..], &one),
        Err(ActionsError::OneGroup("blue".to_owned()))
    );
    assert_eq!(
        with_weights(&behind_oidc(), &groups(), pair(1000, 0), Sticky::Keep),
        Err(ActionsError::TooHigh(1000))
    );
}

#[test]
fn sets_two_weights_and_nothing_else() {
    let written = with_weights(&behind_oidc(), &groups(), pair(90, 10), Sticky::Keep).unwrap();
    let mut expected = behind_oidc();
    expected[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"] = json!(true);
    expected[1]["ForwardConfig"]["TargetGroups"][0]["Weight"] = json!(90);
    expected[1]["ForwardConfig"]["TargetGroups"][1]["Weight"] = json!(10);
    assert_eq!(written, expected);
}

#[test]
fn a_group_that_is_not_in_the_rule_comes_in() {
    let scalar = vec![json!({"Type": "forward", "Order": 1, "TargetGroupArn": arn("blue")})];
    let written = with_weights(&scalar, &groups(), pair(90, 10), Sticky::Keep).unwrap();
    let listed = tuples(&[("blue", json!(90)), ("green", json!(10))]);
    assert_eq!(
        written,
        [json!({"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": listed}})]
    );
    let idle_third = vec![forward(&[("third", json!(0)), ("green", json!(1))])];
    let written = with_weights(&idle_third, &groups(), pair(5, 95), Sticky::Off).unwrap();
    assert_eq!(
        written,
        [forward(&[
            ("third", json!(0)),
            ("green", json!(95)),
            ("blue", json!(5))
        ])]
    );
}

#[test]
fn stickiness_is_turned_off_where_it_is_on_and_restored() {
    let config =
        |actions: &[Value]| actions.last().unwrap()["ForwardConfig"]["TargetGroupStickinessConfig"].clone();
    let off = with_weights(&behind_oidc(), &groups(), pair(100, 0), Sticky::Off).unwrap();
    assert_eq!(config(&off)["Enabled"], json!(false));
    let on = with_weights(&off, &groups(), pair(100, 0), Sticky::On(3600)).unwrap();
    assert_eq!(config(&on), json!({"Enabled": true, "DurationSeconds": 3600}));
    let none = with_weights(
        &[forward(&[("blue", json!(1))])],
        &groups(),
        pair(1, 0),
        Sticky::Off,
    )
    .unwrap();
    assert_eq!(config(&none), Value::Null);
}

#[test]
fn what_the_api_makes_of_it_is_no_foreign_change() {
    let written = with_weights(&behind_oidc(), &groups(), pair(90, 10), Sticky::Off).unwrap();
    let mut echoed = written.clone();
    echoed[0]["AuthenticateOidcConfig"]
        .as_object_mut()
        .unwrap()
        .shift_remove("UseExistingClientSecret");
    echoed[1]["ForwardConfig"]["TargetGroupStickinessConfig"] = json!({"Enabled": false});
    echoed[1]["ForwardConfig"]["TargetGroups"]
        .as_array_mut()
        .unwrap()
        .reverse();
    echoed.reverse();
    assert_eq!(foreign_changes(&written, &echoed), [""; 0]);
    let scalar = json!({"Type": "forward", "TargetGroupArn": arn("blue")});
    let listed = json!({"Type": "forward", "Order": 1, "TargetGroupArn": arn("blue"), "ForwardConfig": {"TargetGroups": tuples(&[("blue", json!(100))]), "TargetGroupStickinessConfig": {"Enabled": false}}});
    assert_eq!(foreign_changes(&[scalar], &[listed]), [""; 0]);
}

#[test]
fn a_foreign_change_is_told() {
    let written = || with_weights(&behind_oidc(), &groups(), pair(90, 10), Sticky::Keep).unwrap();
    type Change = fn(&mut Vec<Value>);
    let changes: [(Change, &[&str]); 8] = [
        (
            |actions| actions[1]["ForwardConfig"]["TargetGroups"][1]["Weight"] = json!(50),
            &["target group `green` has weight 50, and this run wrote 10"],
        ),
        (
            |actions| {
                actions[1]["ForwardConfig"]["TargetGroups"] =
                    tuples(&[("blue", json!(90)), ("third", json!(10))]);
            },
            &[
                "target group `green` is gone from the rule",
                "target group `third` is in the rule with weight 10",
            ],
        ),
        (
            |actions| {
                actions[1]["ForwardConfig"]["TargetGroupStickinessConfig"]["DurationSeconds"] = json!(1);
            },
            &["the stickiness of its target groups was changed"],
        ),
        (
            |actions| actions[0]["AuthenticateOidcConfig"]["Issuer"] = json!("x"),
            &["its action `authenticate-oidc` was changed"],
        ),
        (
            |actions| actions[1]["LaterKey"] = json!([2]),
            &["its action `forward` was changed"],
        ),
        (
            |actions| actions[1]["TargetGroupArn"] = json!("third"),
            &["its action `forward` was changed"],
        ),
        (
            |actions| {
                actions.remove(0);
            },
            &["the rule's actions are `forward`, and this run wrote `authenticate-oidc`, `forward`"],
        ),
        (
            Vec::clear,
            &["the rule's actions are none, and this run wrote `authenticate-oidc`, `forward`"],
        ),
    ];
    for (change, says) in changes {
        let mut found = written();
        change(&mut found);
        assert_eq!(foreign_changes(&written(), &found), says);
    }
}

fn any_actions() -> impl Strategy<Value = Vec<Value>> {
    let weight = prop_oneof![
        (0u16..=1001).prop_map(Value::from),
        Just(Value::Null),
        Just(json!("1")),
        Just(json!(-1))
    ];
    let group = proptest::sample::select(vec!["blue", "green", "third"]);
    let listed = proptest::collection::vec((group.clone(), weight), 0..4).prop_map(|list| forward(&list));
    let scalar = group.prop_map(|group| json!({"Type": "forward", "TargetGroupArn": arn(group)}));
    let odd = prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!({"Type": 1})),
        Just(json!({"Type": "forward", "ForwardConfig": 7}))
    ];
    let oidc = Just(behind_oidc()[0].clone());
    proptest::collection::vec(prop_oneof![4 => listed, 2 => scalar, 1 => odd, 1 => oidc], 0..3)
}

proptest! {
    #[test]
    fn what_is_set_is_read_back_and_is_ours(actions in any_actions(), old in 0u16..=999, new in 0u16..=999, sticky in any::<bool>()) {
        let stickiness = if sticky { Sticky::On(60) } else { Sticky::Keep };
        let written = with_weights(&actions, &groups(), pair(old, new), stickiness);
        assert_eq!(written.is_ok(), traffic(&actions, &groups()).is_ok());
        if let Ok(written) = written {
            let read = traffic(&written, &groups()).unwrap();
            assert_eq!(read.weights, pair(old, new));
            assert_eq!(read.sticky.is_some(), sticky);
            assert_eq!(foreign_changes(&written, &written), [""; 0]);
            assert_eq!(with_weights(&written, &groups(), pair(old, new), Sticky::Keep), Ok(written));
        }
    }

    #[test]
    fn two_lists_are_ours_both_ways(one in any_actions(), other in any_actions()) {
        assert_eq!(foreign_changes(&one, &other).is_empty(), foreign_changes(&other, &one).is_empty());
    }
}
