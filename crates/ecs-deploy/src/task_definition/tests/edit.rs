use proptest::prelude::{any, proptest};
use serde_json::{Value, json};

use super::{of, single, web};
use crate::task_definition::TaskDefinition;
use crate::task_definition::edit::{Edit, EditError};

/// The task definition after a change, from the point of its first container.
fn after(mut definition: TaskDefinition, edit: Result<Edit, EditError>) -> Value {
    definition.apply(&edit.unwrap()).unwrap();
    Value::Object(definition.content().clone())
}

/// Why a change is refused; the task definition stays as it was.
fn refused(definition: &TaskDefinition, edit: Result<Edit, EditError>) -> String {
    let mut changed = definition.clone();
    let error = edit.and_then(|edit| changed.apply(&edit)).unwrap_err();
    assert_eq!(&changed, definition);
    error.to_string()
}

#[test]
fn changes_one_thing_and_nothing_else() {
    let cases: [(Result<Edit, EditError>, &str, Value); 9] = [
        (
            Edit::image("web=registry.example:5000/shop:v2"),
            "/containerDefinitions/0/image",
            json!("registry.example:5000/shop:v2"),
        ),
        (
            Edit::environment("web:PORT=a=b "),
            "/containerDefinitions/0/environment/1/value",
            json!("a=b "),
        ),
        (
            Edit::environment("web:Logging:Level=x"),
            "/containerDefinitions/0/environment/2",
            json!({"name": "Logging:Level", "value": "x"}),
        ),
        (
            Edit::environment("sidecar:A="),
            "/containerDefinitions/1/environment",
            json!([{"name": "A", "value": ""}]),
        ),
        (
            Edit::secret("web:TOKEN=/shop/other"),
            "/containerDefinitions/0/secrets/0/valueFrom",
            json!("/shop/other"),
        ),
        (Edit::cpu("0.5 vCPU"), "/cpu", json!("0.5 vCPU")),
        (
            Edit::memory("sidecar=128"),
            "/containerDefinitions/1/memory",
            json!(128),
        ),
        (
            Edit::command(r#"web=["node", "server.js --x=1"]"#),
            "/containerDefinitions/0/command",
            json!(["node", "server.js --x=1"]),
        ),
        (
            Edit::command("sidecar=node 'a b' --x=\"1 2\" \\$HOME"),
            "/containerDefinitions/1/command",
            json!(["node", "a b", "--x=1 2", "$HOME"]),
        ),
    ];
    for (edit, pointer, value) in cases {
        let mut expected = Value::Object(web().content().clone());
        let changed = after(web(), edit);
        assert_eq!(changed.pointer(pointer), Some(&value), "{pointer}");
        // Put the value in the same place by hand: everything else must be as it was.
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match expected.pointer_mut(parent).unwrap() {
            Value::Array(items) => {
                let at: usize = key.parse().unwrap();
                items.truncate(items.len().max(at));
                if at == items.len() {
                    items.push(value);
                } else {
                    items[at] = value;
                }
            }
            map => map[key] = value,
        }
        assert_eq!(changed.to_string(), expected.to_string());
    }
}

#[test]
fn the_only_container_needs_no_name() {
    let edits = [
        Edit::image("shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        Edit::environment("A=1"),
        Edit::secret("B=arn:aws:secretsmanager:eu-west-1:123456789012:secret:b-AbCdEf:key::"),
        Edit::command("node server.js --port=80"),
    ];
    let mut definition = single();
    for edit in edits {
        definition.apply(&edit.unwrap()).unwrap();
    }
    assert_eq!(
        definition.registration(),
        r#"{"family":"job","containerDefinitions":[{"name":"job","image":"shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","environment":[{"name":"A","value":"1"}],"secrets":[{"name":"B","valueFrom":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:b-AbCdEf:key::"}],"command":["node","server.js","--port=80"]}]}"#
    );
}

#[test]
fn a_name_is_in_one_list_and_once() {
    let definition = of(&json!({"containerDefinitions": [{
        "name": "a",
        "environment": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}, {"name": "X", "value": "3"}],
        "secrets": [{"name": "Z", "valueFrom": "/z"}]
    }]}));
    let container = |changed: Value| changed["containerDefinitions"][0].clone();
    let changed = container(after(definition.clone(), Edit::environment("X=4")));
    assert_eq!(
        changed["environment"],
        json!([{"name": "X", "value": "4"}, {"name": "Y", "value": "2"}])
    );
    let changed = container(after(definition.clone(), Edit::environment("Z=4")));
    assert_eq!(
        (&changed["secrets"], &changed["environment"][3]["name"]),
        (&json!([]), &json!("Z"))
    );
    let changed = container(after(definition, Edit::secret("X=/x")));
    assert_eq!(changed["environment"], json!([{"name": "Y", "value": "2"}]));
    assert_eq!(changed["secrets"][1], json!({"name": "X", "valueFrom": "/x"}));
}

#[test]
fn errors_name_what_is_there() {
    let twins = of(
        &json!({"containerDefinitions": [{"name": "a", "environment": {}}, {"name": "b"}, {"name": "b"}]}),
    );
    for (definition, edit, says) in [
        (
            web(),
            Edit::image("api=shop:v2"),
            "no container `api`; the task definition has `web`, `sidecar`",
        ),
        (
            web(),
            Edit::image("shop:v2"),
            "the image `shop:v2` names no container; the task definition has `web`, `sidecar`, so write `container=image`",
        ),
        (
            web(),
            Edit::environment("A=hunter2"),
            "the variable `A` names no container",
        ),
        (
            web(),
            Edit::secret("A=/hunter"),
            "so write `container:NAME=reference`",
        ),
        (web(), Edit::command("run"), "so write `container=command`"),
        (web(), Edit::command("FOO=1 run"), "no container `FOO`"),
        (web(), Edit::environment("api:A=hunter2"), "no container `api`"),
        (
            twins.clone(),
            Edit::cpu("b=1"),
            "has the container `b` more than once",
        ),
        (
            twins.clone(),
            Edit::environment("a:A=1"),
            "`environment` of container `a` is no list",
        ),
        (
            of(&json!({"containerDefinitions": []})),
            Edit::image("a"),
            "the task definition has no container",
        ),
        (
            web(),
            Edit::image("web="),
            "`` is no reference to an image: the name is empty",
        ),
        (web(), Edit::image("web=shop:"), "a tag is of 1 to 128"),
        (
            web(),
            Edit::environment("hunter2"),
            "a line without `=` is no variable",
        ),
        (
            web(),
            Edit::environment(":A=hunter2"),
            "nothing where a name stands",
        ),
        (web(), Edit::environment("web:=1"), "nothing where a name stands"),
        (web(), Edit::environment("hunter2 B=1"), "a blank in the name"),
        (
            web(),
            Edit::secret("web:A=hunter2!"),
            "what is given for the secret `A` is neither",
        ),
        (web(), Edit::secret("web:A="), "neither an ARN nor"),
        (web(), Edit::secret("web:A=arn:x"), "neither an ARN nor"),
        (
            web(),
            Edit::cpu("lots"),
            "`lots` is no cpu of a task; write `512` or `0.5 vCPU`",
        ),
        (web(), Edit::cpu("0"), "is no cpu"),
        (web(), Edit::cpu("web=0.5 vCPU"), "is no cpu of a container"),
        (web(), Edit::memory("1 TB"), "`1 TB` is no memory"),
        (web(), Edit::memory("web=-1"), "is no memory of a container"),
        (web(), Edit::command("web="), "the command `` is empty"),
        (web(), Edit::command("web='a"), "has a quote that is not closed"),
        (web(), Edit::command("web=[1]"), "is no JSON list of texts"),
    ] {
        let error = refused(&definition, edit);
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_secret_is_not_in_the_debug_form() {
    let shown = format!("{:?}", Edit::environment("web:A=hunter2").unwrap());
    assert_eq!(shown, "Edit(web: the variable `A`)");
}

proptest! {
    #[test]
    fn never_panics(line in any::<String>(), like in "(web|sidecar|x)?[:=]?[A-Z]{0,2}[=:]?[\\[\\]\"' a-z/0-9:@.]{0,12}") {
        for line in [line, like] {
            for read in [Edit::image, Edit::environment, Edit::secret, Edit::cpu, Edit::memory, Edit::command] {
                if let Ok(edit) = read(&line) {
                    let mut definition = web();
                    if definition.apply(&edit).is_ok() {
                        let again = definition.clone();
                        definition.apply(&edit).unwrap();
                        assert_eq!(definition, again, "a change made twice is made once");
                    }
                }
            }
        }
    }
}
