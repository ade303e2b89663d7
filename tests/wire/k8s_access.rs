//! `k8s-blue-green` and the ways to a cluster: files, a secret, a program that logs in, proxies, and ways that lead nowhere. No way
//! shows its credentials.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use black_box::Place;
use sandbox::http::{Proxy, Reply, Script, Server};
use sandbox::stand_ins::kubernetes::{Cluster, Login, Role, User};
use serde_json::{Value, json};

use crate::commands::named;
use crate::k8s_deploy::{cluster, is_silent, is_silent_about, of_web, writes};
use crate::process::finish;
use crate::step::in_run;

/// `status` of the Service, without any way to a cluster.
fn nowhere(place: &Place) -> Command {
    let mut command = in_run(place.step("k8s-blue-green"));
    command.args(["status", "--service", "web"]);
    command
}

fn parsed(cluster: &Cluster, login: Login) -> Value {
    serde_json::from_str(&cluster.kubeconfig(login).unwrap()).unwrap()
}

/// The key of a kubeconfig, as it stands there.
fn key_of(config: &Value) -> String {
    let key = config["users"][0]["user"]["client-key-data"].as_str();
    key.unwrap().to_owned()
}

#[test]
fn every_kind_of_kubeconfig_leads_there_and_shows_no_secret() {
    let cluster = cluster();
    for login in [Login::Token, Login::Certificate] {
        let config = cluster.kubeconfig(login).unwrap();
        for way in [
            "secret",
            "packed secret",
            "input",
            "flag",
            "stdin",
            "list",
            "home",
        ] {
            let place = Place::new();
            let mut command = nowhere(&place);
            let file = place.path().join("the-config");
            fs::write(&file, &config).unwrap();
            match way {
                "secret" => {
                    command.env("KUBE_CONFIG", &config);
                }
                "packed secret" => {
                    command.env("KUBE_CONFIG", STANDARD.encode(&config));
                }
                "input" => {
                    command.env("INPUT_KUBECONFIG", &config);
                }
                "flag" => {
                    command.arg("--kubeconfig-file").arg(&file);
                }
                "stdin" => {
                    command
                        .args(["--kubeconfig-file", "-"])
                        .stdin(fs::File::open(&file).unwrap());
                }
                "list" => {
                    command.env("KUBECONFIG", format!("missing:{}", file.display()));
                }
                _ => {
                    fs::create_dir(place.path().join(".kube")).unwrap();
                    fs::rename(&file, place.path().join(".kube/config")).unwrap();
                }
            }
            let finished = finish(command);
            assert_eq!(finished.code, Some(0), "{way}: {}", finished.log());
            is_silent(&cluster, &place, &finished);
            if login == Login::Certificate {
                is_silent_about(&[&key_of(&parsed(&cluster, login))], &place, &finished);
                let here: Value = serde_json::from_str(&config).unwrap();
                is_silent_about(&[&key_of(&here)], &place, &finished);
            }
        }
    }
}

/// A kubeconfig whose user logs in by a program of this text.
fn by_program(place: &Place, cluster: &Cluster, script: &str) -> Command {
    let mut config = parsed(cluster, Login::Token);
    let plugin = place.path().join("plugin.sh");
    fs::write(&plugin, script).unwrap();
    config["users"][0]["user"] = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [plugin],
        "interactiveMode": "Never", "installHint": "install the plugin of your cloud",
    }});
    let mut command = nowhere(place);
    command.env("KUBE_CONFIG", config.to_string());
    command
}

#[test]
fn a_program_logs_in() {
    let (place, cluster) = (Place::new(), cluster());
    let given = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": cluster.token() },
    });
    let finished = finish(by_program(&place, &cluster, &format!("echo '{given}'"))).expect(0);
    is_silent(&cluster, &place, &finished);
    assert!(named(&finished.log(), "add-mask").contains(&cluster.token().to_owned()));
}

#[test]
fn a_program_that_fails_is_told_with_its_words() {
    let (place, cluster) = (Place::new(), cluster());
    let finished = finish(by_program(
        &place,
        &cluster,
        "echo 'session has ended, log in' >&2; exit 9",
    ))
    .expect(7);
    let log = finished.log();
    assert!(log.contains("session has ended, log in"), "{log}");
    assert_eq!(named(&log, "error").len(), 1, "{log}");
    assert_eq!(cluster.log().len(), 0);
}

#[test]
fn a_servers_own_name_goes_through_the_proxy_and_no_credentials_are_shown() {
    let (place, cluster) = (Place::new(), cluster());
    let address = cluster.url().replace("https://", "").parse().unwrap();
    let proxy = Proxy::start(address).unwrap();
    let mut config = parsed(&cluster, Login::Token);
    let entry = &mut config["clusters"][0]["cluster"];
    // A name that only the proxy knows; its certificate is one for `localhost`.
    entry["server"] = json!("https://k8s.example.com:6443");
    entry["tls-server-name"] = json!("localhost");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "the kubeconfig"] {
        let mut config = config.clone();
        let with_password = proxy.url().replace("http://", "http://user:s3cr3t-of-the-proxy@");
        let before = proxy.requests().len();
        let mut command = nowhere(&place);
        if variable == "the kubeconfig" {
            config["clusters"][0]["cluster"]["proxy-url"] = json!(with_password);
        } else {
            command.env(variable, with_password);
        }
        command.env("KUBE_CONFIG", config.to_string());
        let finished = finish(command);
        assert_eq!(finished.code, Some(0), "{variable}: {}", finished.log());
        is_silent(&cluster, &place, &finished);
        is_silent_about(&["s3cr3t-of-the-proxy"], &place, &finished);
        let asked = &proxy.requests()[before..];
        assert!(
            !asked.is_empty()
                && asked
                    .iter()
                    .all(|asked| asked.method == "CONNECT" && asked.path == "k8s.example.com:6443"),
            "{variable}: {asked:?}"
        );
    }
}

/// One error, few lines, and its code.
#[track_caller]
fn refused(cluster: &Cluster, place: &Place, command: Command, code: i32, says: &str) {
    let finished = finish(command);
    let log = finished.log();
    let errors = named(&log, "error");
    assert_eq!(errors.len(), 1, "{log}");
    assert!(errors[0].contains(says), "no `{says}` in {errors:?}");
    // A runner shows nobody what it is to mask.
    let lines = log.lines().filter(|line| !line.starts_with("::add-mask::"));
    assert!(!log.contains("panicked") && lines.count() <= 6, "{log}");
    is_silent(cluster, place, &finished);
    finished.expect(code);
    assert_eq!(writes(cluster), [] as [&str; 0]);
}

#[test]
fn ways_that_lead_nowhere_are_told_so() {
    let cluster = cluster();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut config = parsed(&cluster, Login::Token);
        change(&mut config);
        config.to_string()
    };
    let no_certificate = |config: &mut Value| {
        let entry = config["clusters"][0]["cluster"].as_object_mut().unwrap();
        entry.remove("certificate-authority-data");
    };
    let html = Server::start(Script::new().any([Reply::text(200, "<html>Welcome</html>")])).unwrap();
    let elsewhere = |config: &mut Value| config["clusters"][0]["cluster"]["server"] = json!(html.url(""));
    let closed =
        |config: &mut Value| config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:9");
    let stranger = |config: &mut Value| config["users"][0]["user"]["token"] = json!("a-token-of-nobody-4711");
    for (config, code, says) in [
        (changed(&no_certificate), 7, "certificate"),
        (changed(&elsewhere), 7, "but not as a Kubernetes API server: is "),
        (changed(&closed), 7, "127.0.0.1:9"),
        (changed(&stranger), 7, "401"),
        ("not: [a kubeconfig".to_owned(), 2, "kubeconfig"),
    ] {
        let place = Place::new();
        let mut command = nowhere(&place);
        command.env("KUBE_CONFIG", config);
        refused(&cluster, &place, command, code, says);
    }
    let place = Place::new();
    refused(&cluster, &place, nowhere(&place), 2, "kubeconfig");
}

#[test]
fn a_permission_that_lacks_is_named_and_nothing_is_changed() {
    let cluster = cluster();
    let role = Role::nothing().rule("", "services", &["get", "list"]).rule(
        "coordination.k8s.io",
        "leases",
        &["get", "create", "update", "patch"],
    );
    cluster.allow(User::new("deployer", "the-token-of-the-deployer").role(role));
    let place = Place::new();
    let mut command = of_web(&place, &cluster, "deploy", &["--image", "shop:1.1.0"]);
    command.env_remove("KUBECONFIG").env(
        "KUBE_CONFIG",
        cluster.kubeconfig_of("deployer", Login::Token).unwrap(),
    );
    let finished = finish(command).expect(7);
    is_silent_about(&["the-token-of-the-deployer"], &place, &finished);
    assert!(
        finished.log().contains("cannot list resource") || finished.log().contains("not permitted"),
        "{}",
        finished.log()
    );
    assert_eq!(writes(&cluster), [] as [&str; 0]);
}
