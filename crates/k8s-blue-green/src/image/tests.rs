use proptest::prelude::{any, proptest};
use serde_json::json;

use super::*;

fn template() -> Value {
    json!({"spec": {
        "initContainers": [{"name": "migrate", "image": "registry.example.com:5000/web:1", "env": []}],
        "containers": [
            {"name": "web", "image": "registry.example.com:5000/web:1", "ports": [{"containerPort": 8080}]},
            {"name": "proxy", "image": "nginx:1.27"},
        ],
    }})
}

fn changed(template: &mut Value, values: &[&str]) -> Result<Vec<String>, ImageError> {
    let wanted: Result<Vec<Wanted>, ImageError> = values.iter().map(|value| Wanted::parse(value)).collect();
    let changes = apply(template, &wanted?)?;
    Ok(changes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_value_means_a_container_by_its_name_or_by_its_repository() {
    let web = "container `web`: `registry.example.com:5000/web:1` → `registry.example.com:5000/web:2`";
    let migrate =
        "container `migrate`: `registry.example.com:5000/web:1` → `registry.example.com:5000/web:2`";
    let cases: [(&[&str], &[&str]); 5] = [
        (&["web=registry.example.com:5000/web:2"], &[web]),
        (&["registry.example.com:5000/web:2"], &[migrate, web]),
        (
            &["docker.io/library/nginx:1.28"],
            &["container `proxy`: `nginx:1.27` → `docker.io/library/nginx:1.28`"],
        ),
        (&["nginx:1.27"], &["container `proxy` has `nginx:1.27` already"]),
        (
            &["registry.example.com:5000/web:2", "migrate=other:1"],
            &[
                "container `migrate`: `registry.example.com:5000/web:1` → `other:1`",
                web,
            ],
        ),
    ];
    for (values, expected) in cases {
        let mut template = template();
        assert_eq!(changed(&mut template, values).unwrap(), expected, "{values:?}");
    }
}

#[test]
fn nothing_but_the_image_changes() {
    let mut changed_template = template();
    changed(&mut changed_template, &["web=shop:2"]).unwrap();
    let mut expected = template();
    expected["spec"]["containers"][0]["image"] = "shop:2".into();
    assert_eq!(changed_template, expected);
}

#[test]
fn what_is_not_clear_is_refused_with_the_containers_and_changes_nothing() {
    let cases: [(&[&str], &str); 6] = [
        (
            &["shop:2"],
            "the image `shop:2` is of the repository of no container: name the one that is meant, as in \
             `--image web=shop:2`; the containers are `migrate` (registry.example.com:5000/web:1), `web` \
             (registry.example.com:5000/web:1), `proxy` (nginx:1.27)",
        ),
        (
            &["shop=shop:2"],
            "there is no container `shop` for the image `shop:2`; the containers are `migrate`, `web`, `proxy`",
        ),
        (
            &["proxy=a:1", "proxy=a:2"],
            "container `proxy` would get two images, `a:1` and `a:2`",
        ),
        (
            &["nginx:1", "nginx:2"],
            "container `proxy` would get two images, `nginx:1` and `nginx:2`",
        ),
        (
            &["=a:1"],
            "`=a:1` names no container: an image is written `container=reference`, or as a reference alone",
        ),
        (
            &["web=A B"],
            "`A B` is no reference to an image: a repository is of lower-case letters and digits, with `.`, `_`, `-` \
             inside and `/` between",
        ),
    ];
    for (values, expected) in cases {
        let mut unchanged = template();
        let error = changed(&mut unchanged, values).expect_err("refused").to_string();
        assert_eq!(error, expected);
        assert_eq!(unchanged, template());
    }
    let mut empty = json!({"spec": {}});
    assert_eq!(changed(&mut empty, &["a:1"]), Err(ImageError::Empty));
}

#[test]
fn the_only_container_may_come_from_another_repository_with_its_companions() {
    let mut one = json!({"spec": {
        "initContainers": [{"name": "migrate", "image": "old/web:1"}, {"name": "wait", "image": "busybox"}],
        "containers": [{"name": "web", "image": "old/web:1"}],
    }});
    assert_eq!(
        changed(&mut one, &["new.example/web:2"]).unwrap(),
        [
            "container `migrate`: `old/web:1` → `new.example/web:2`",
            "container `web`: `old/web:1` → `new.example/web:2`",
        ]
    );
}

fn json_value() -> impl proptest::strategy::Strategy<Value = Value> {
    object::any_json()
}

proptest! {
    #[test]
    fn no_template_and_no_value_panics(mut template in json_value(), value in any::<String>()) {
        let _ = Wanted::parse(&value);
        let wanted = [Wanted { container: None, image: value }];
        let _ = apply(&mut template, &wanted);
    }
}
