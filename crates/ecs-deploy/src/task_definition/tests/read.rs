use proptest::prelude::{any, proptest};
use serde_json::json;

use crate::task_definition::TaskDefinition;
use crate::task_definition::read::ReadError;

#[test]
fn every_key_and_number_survives_in_its_order() {
    let body = r#"{"zeta":{"b":1,"a":[]},"family":"raw","containerDefinitions":[{"name":"web","futureKey":true,"environment":[],"command":null,"limit":9007199254740993,"share":0.25,"label":""}],"alpha":18446744073709551615}"#;
    assert_eq!(
        TaskDefinition::from_file(body.as_bytes()).unwrap().registration(),
        body
    );
}

/// As ECS answers, times in its own notation.
const DESCRIBED: &str = r#"{"tags":[{"key":"team","value":"shop"},{"key":"aws:cloudformation:stack-name","value":"s"}],
"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:41","containerDefinitions":[
{"name":"web","image":"shop:v1","cpu":0,"mountPoints":[]},{"name":"log","image":"log:1","essential":false}],
"family":"web","revision":41,"volumes":[],"status":"ACTIVE","requiresAttributes":[{"name":"x"}],"compatibilities":["EC2"],
"newKey":{"deep":[1]},"registeredAt":1.70531234512345678E9,"registeredBy":"arn:aws:iam::123456789012:role/ci",
"deregisteredAt":1.7E9,"deleteRequestedAt":1.7E9}}"#;

#[test]
fn an_answer_is_taken_apart() {
    let described = TaskDefinition::from_described(DESCRIBED.as_bytes()).unwrap();
    assert_eq!(
        described.registration(),
        r#"{"containerDefinitions":[{"name":"web","image":"shop:v1","cpu":0,"mountPoints":[]},{"name":"log","image":"log:1","essential":false}],"family":"web","volumes":[],"newKey":{"deep":[1]},"tags":[{"key":"team","value":"shop"}]}"#
    );
    assert_eq!(
        (described.family(), described.revision()),
        (Some("web"), Some(41))
    );
    assert_eq!((described.tag("team"), described.tag("x")), (Some("shop"), None));
    assert!(described.arn().is_some() && !described.is_inactive());
    assert_eq!(described.read_only().len(), 9);
    let containers: Vec<_> = described
        .containers()
        .map(|c| (c.image(), c.is_essential()))
        .collect();
    assert_eq!(containers, [(Some("shop:v1"), true), (Some("log:1"), false)]);
}

#[test]
fn a_file_that_was_pulled_is_taken_with_what_is_around_it() {
    let wrapped = TaskDefinition::from_file(DESCRIBED.as_bytes()).unwrap();
    assert_eq!(
        wrapped,
        TaskDefinition::from_described(DESCRIBED.as_bytes()).unwrap()
    );
    let inner: serde_json::Value = serde_json::from_str(DESCRIBED).unwrap();
    let bare = TaskDefinition::from_file(inner["taskDefinition"].to_string().as_bytes()).unwrap();
    assert_eq!(bare.revision(), Some(41));
}

#[test]
fn tags_that_are_none_are_not_sent() {
    for tags in [json!([]), json!(null), json!([{"key": "AWS:x", "value": ""}])] {
        let body = json!({"taskDefinition": {"containerDefinitions": []}, "tags": tags}).to_string();
        let described = TaskDefinition::from_described(body.as_bytes()).unwrap();
        assert_eq!(described.registration(), r#"{"containerDefinitions":[]}"#);
    }
}

#[test]
fn yaml_is_read_as_what_it_says() {
    let yaml = "\u{feff}# the shop\nfamily: web\ncpu: '256'\nx: &x {a: 1}\ncontainerDefinitions:\n  - name: web\n    image: shop:v1\n    essential: yes\n    command: [sh, -c, \"a\\nb\"]\n    environment:\n      - {name: A, value: '1.10'}\n      - {name: B, value: 007}\n      - {name: C, value: on}\n    memory: 512\n    readonlyRootFilesystem: true\n    later: *x\n    user:\n";
    assert_eq!(
        TaskDefinition::from_file(yaml.as_bytes()).unwrap().registration(),
        r#"{"family":"web","cpu":"256","x":{"a":1},"containerDefinitions":[{"name":"web","image":"shop:v1","essential":"yes","command":["sh","-c","a\nb"],"environment":[{"name":"A","value":"1.10"},{"name":"B","value":"007"},{"name":"C","value":"on"}],"memory":512,"readonlyRootFilesystem":true,"later":{"a":1},"user":null}]}"#
    );
}

#[test]
fn refuses_the_rest_and_says_why() {
    for (text, says) in [
        ("", "is empty, not a map"),
        ("[]", "is a list, not a map"),
        ("hello", "is a text, not a map"),
        ("{}", "no `containerDefinitions`; its keys are none"),
        (
            r#"{"services": {}, "\u001b[2J": 1}"#,
            r"its keys are `services`, `\u{1b}[2J`",
        ),
        (r#"{"taskDefinition": 1}"#, "its keys are `taskDefinition`"),
        (r#"{"containerDefinitions": {}}"#, "no `containerDefinitions`"),
        (r#"{"family": "a""#, "is no JSON: EOF"),
        (
            "{\"cpu\": 1,\n\"cpu\": 2}",
            "the key `cpu` stands here a second time at line 2",
        ),
        ("cpu: 1\ncpu: 2\n", "cpu"),
        ("a: [", "neither JSON nor YAML"),
        ("a: *nowhere", "neither JSON nor YAML"),
        (
            r#"{"containerDefinitions": [{"cpu": 36893488147419103233}]}"#,
            "`36893488147419103233`",
        ),
    ] {
        let error = TaskDefinition::from_file(text.as_bytes())
            .expect_err(text)
            .to_string();
        assert!(error.contains(says) && !error.contains('\n'), "{text}: {error}");
    }
    assert_eq!(TaskDefinition::from_file(b"a\xff"), Err(ReadError::NotUtf8(1)));
    assert_eq!(
        TaskDefinition::from_file(&vec![b' '; 2 << 20]),
        Err(ReadError::TooLarge(2 << 20))
    );
    let bare = br#"{"containerDefinitions": []}"#;
    assert_eq!(TaskDefinition::from_described(bare), Err(ReadError::NotDescribed));
}

#[test]
fn hostile_files_stay_small() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            alias.trim_end_matches(", ")
        ));
    }
    for text in [
        bomb,
        "[".repeat(100_000),
        format!("{{\"a\":{}", "[".repeat(100_000)),
        "- ".repeat(50_000),
    ] {
        assert!(TaskDefinition::from_file(text.as_bytes()).is_err());
    }
}

#[test]
fn what_is_in_it_is_not_in_its_debug_form() {
    let shown = format!("{:?}", super::web());
    assert!(shown.contains("sidecar") && !shown.contains("hunter2"), "{shown}");
}

proptest! {
    #[test]
    fn never_panics(bytes in any::<Vec<u8>>(), text in any::<String>(), like in "[\\[\\]{}:,\"a1&* \n-]{0,60}") {
        for bytes in [&bytes[..], text.as_bytes(), like.as_bytes()] {
            let _ = TaskDefinition::from_file(bytes);
            let _ = TaskDefinition::from_described(bytes);
        }
    }

    #[test]
    fn a_registration_reads_back_as_it_is(key in "[a-z\"\\\\\u{e9}\u{1f680}]{1,8}", number in any::<i64>(), text in any::<String>()) {
        let body = json!({(key.clone()): number, "containerDefinitions": [{"name": text, key: [number, null, {}]}]});
        let read = TaskDefinition::from_file(body.to_string().as_bytes()).unwrap();
        assert_eq!(read.registration(), body.to_string());
    }
}
