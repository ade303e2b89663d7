//! Ways to a stand-in of an API server, over HTTPS.

use gha::Exit;
use gha::edge::testing::{Log, runner_of};
use sandbox::http::{Proxy, Reply, Server as Web};
use sandbox::stand_ins::aws::{Clock, Turn};
use sandbox::stand_ins::kubernetes::{Cluster, Fault, Login, Role, User};

use super::*;

mod renewed;

fn cluster() -> Cluster {
    Cluster::open(Clock::compressed(60)).unwrap()
}

fn runner(variables: &[(&str, &str)]) -> (Runner, Log) {
    runner_of(cli::INTERFACE, variables)
}

/// The way of a kubeconfig that is given as the secret.
async fn by_secret(content: &str) -> Result<Reached, AccessError> {
    client(&cli::Place::default(), &runner(&[("KUBE_CONFIG", content)]).0).await
}

/// Why there is none. A client can't be shown.
fn error(reached: Result<Reached, AccessError>) -> AccessError {
    match reached {
        Ok(reached) => panic!("it was reached: {}", reached.server),
        Err(error) => error,
    }
}

/// The kubeconfig of a cluster with another user.
fn with_user(cluster: &Cluster, user: &Value) -> Value {
    let mut config: Value = serde_json::from_str(&cluster.kubeconfig(Login::Token).unwrap()).unwrap();
    config["users"][0]["user"] = user.clone();
    config
}

#[tokio::test]
async fn a_token_and_a_certificate_are_taken() {
    let cluster = cluster();
    for login in [Login::Token, Login::Certificate] {
        cluster.allow(User::new("deployer", "token-of-deployer").role(Role::nothing()));
        let content = cluster.kubeconfig_of("deployer", login).unwrap();
        let reached = by_secret(&content).await.unwrap();
        assert_eq!(
            (reached.who.as_str(), reached.namespace.as_str()),
            ("deployer", "default")
        );
        assert_eq!(reached.server, cluster.url());
        let packed = STANDARD.encode(&content);
        assert_eq!(by_secret(&packed).await.unwrap().who, "deployer");
    }
}

#[tokio::test]
async fn secrets_are_hidden_before_they_are_used() {
    let cluster = cluster();
    cluster.allow(User::new("deployer", "token-of-deployer"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, cluster.kubeconfig_of("deployer", Login::Token).unwrap()).unwrap();
    let (runner, _) = runner(&[("KUBECONFIG", file.to_str().unwrap())]);
    client(&cli::Place::default(), &runner).await.unwrap();
    assert_eq!(runner.hide("a token-of-deployer"), "a ***");
    assert_eq!(
        runner.hide("kind: Config, apiVersion: v1"),
        "kind: Config, apiVersion: v1"
    );
}

#[tokio::test]
async fn files_are_merged_and_what_they_name_is_beside_them() {
    let cluster = cluster();
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let mut whole: Value = serde_json::from_str(&cluster.kubeconfig(Login::Token).unwrap()).unwrap();
    let mut users = json!({"apiVersion": "v1", "kind": "Config", "users": whole["users"].take()});
    users["users"][0]["user"] = json!({"tokenFile": "token"});
    whole["users"] = json!([]);
    whole["clusters"][0]["cluster"] = json!({"server": cluster.url(), "certificate-authority": "ca.pem"});
    whole["contexts"][0]["context"]["namespace"] = json!("shop");
    std::fs::write(place("one"), whole.to_string()).unwrap();
    std::fs::write(place("two"), users.to_string()).unwrap();
    std::fs::write(place("ca.pem"), cluster.ca_pem()).unwrap();
    std::fs::write(place("token"), format!("{}\n", cluster.token())).unwrap();
    let list = format!(
        "{}:{}::{}",
        place("one").display(),
        place("none").display(),
        place("two").display()
    );
    let reached = client(&cli::Place::default(), &runner(&[("KUBECONFIG", &list)]).0)
        .await
        .unwrap();
    assert_eq!(reached.namespace, "shop");
    let home = folder.path().join("home");
    std::fs::create_dir_all(home.join(".kube")).unwrap();
    std::fs::write(
        home.join(".kube/config"),
        cluster.kubeconfig(Login::Token).unwrap(),
    )
    .unwrap();
    let at_home = [("HOME", home.to_str().unwrap())];
    assert!(client(&cli::Place::default(), &runner(&at_home).0).await.is_ok());
    let none = place("none");
    let error = error(
        client(
            &cli::Place::default(),
            &runner(&[("KUBECONFIG", none.to_str().unwrap())]).0,
        )
        .await,
    );
    assert_eq!(
        error.to_string(),
        format!("failed to read `KUBECONFIG`: there is no `{}`", none.display())
    );
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test]
async fn without_any_way_nothing_is_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    for env in [&[][..], &[("HOME", home)]] {
        let error = error(client(&cli::Place::default(), &runner(env).0).await);
        assert!(
            matches!(error, AccessError::Nowhere) && error.help().is_some(),
            "{error}"
        );
    }
    let flags = cli::Place {
        context: Some("production".to_owned()),
        ..cli::Place::default()
    };
    let content = cluster().kubeconfig(Login::Token).unwrap();
    let error = error(client(&flags, &runner(&[("KUBE_CONFIG", &content)]).0).await);
    assert_eq!(
        error.to_string(),
        "the secret `kubeconfig` has no context `production`; there is `sandbox`"
    );
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_told_without_itself() {
    let cluster = cluster();
    let content = cluster
        .kubeconfig(Login::Token)
        .unwrap()
        .replace(cluster.token(), "wrong-token");
    let error = error(by_secret(&content).await);
    let said = error.to_string();
    let begin = format!(
        "the API server at `{}` does not accept the credentials of user `",
        cluster.url()
    );
    assert!(
        said.starts_with(&begin) && !said.contains("wrong-token"),
        "{said}"
    );
    assert_eq!(error.exit(), Exit::Access);
}

#[tokio::test]
async fn another_authority_is_told_by_name() {
    let (cluster, other) = (cluster(), cluster());
    let mut config: Value = serde_json::from_str(&cluster.kubeconfig(Login::Token).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["certificate-authority-data"] = json!(STANDARD.encode(other.ca_pem()));
    let wrong = error(by_secret(&config.to_string()).await);
    assert!(
        wrong
            .to_string()
            .ends_with("signed by an authority that is not trusted"),
        "{wrong}"
    );
    assert!(
        wrong
            .help()
            .unwrap()
            .starts_with("trusted are the authorities of the secret `kubeconfig`")
    );
    assert!(!wrong.may_pass());
    let settings = config["clusters"][0]["cluster"].as_object_mut().unwrap();
    settings.remove("certificate-authority-data");
    let without = error(by_secret(&config.to_string()).await);
    assert!(
        without
            .to_string()
            .ends_with("signed by an authority that is not trusted"),
        "{without}"
    );
    config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = json!(true);
    let (runner, log) = runner(&[("KUBE_CONFIG", &config.to_string())]);
    assert!(client(&cli::Place::default(), &runner).await.is_ok());
    assert!(
        log.text().contains("`insecure-skip-tls-verify`"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn where_nobody_listens_is_told() {
    let cluster = cluster();
    let content = cluster.kubeconfig(Login::Token).unwrap();
    let url = cluster.url();
    drop(cluster);
    let error = error(by_secret(&content).await);
    let words = format!(
        "failed to reach the API server at `{url}`: the connection was refused: nothing listens there"
    );
    assert_eq!(error.to_string(), words);
    assert!(error.may_pass() && error.exit() == Exit::Access);
    // What is there speaks no TLS.
    let web = Web::start_with(|_| Reply::text(200, "hello")).unwrap();
    let plain = content.replace(&url, &format!("https://{}", web.address()));
    let error = self::error(by_secret(&plain).await);
    assert!(error.to_string().ends_with("it does not speak TLS"), "{error}");
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    let cluster = cluster();
    let address = cluster.url().trim_start_matches("https://").parse().unwrap();
    let proxy = Proxy::start(address).unwrap();
    let here = cluster.kubeconfig(Login::Token).unwrap();
    let mut config: Value = serde_json::from_str(&here).unwrap();
    // A name that the proxy alone knows.
    config["clusters"][0]["cluster"]["server"] = json!("https://k8s.example.com:6443");
    config["clusters"][0]["cluster"]["tls-server-name"] = json!("localhost");
    let content = config.to_string();
    let url = proxy.url();
    let of_environment = |content| runner(&[("KUBE_CONFIG", content), ("HTTPS_PROXY", url.as_str())]).0;
    client(&cli::Place::default(), &of_environment(&content))
        .await
        .unwrap();
    assert_eq!(proxy.requests().len(), 1);
    // What is on this machine is reached without.
    client(&cli::Place::default(), &of_environment(&here))
        .await
        .unwrap();
    assert_eq!(proxy.requests().len(), 1);
    let own = proxy.url().replace("http://", "http://user:p%40ss-word@");
    config["clusters"][0]["cluster"]["proxy-url"] = json!(own);
    let config = config.to_string();
    let (own, _) = runner(&[("KUBE_CONFIG", config.as_str()), ("NO_PROXY", "k8s.example.com")]);
    client(&cli::Place::default(), &own).await.unwrap();
    let asked = proxy.requests().pop().unwrap();
    let expected = format!("Basic {}", STANDARD.encode("user:p@ss-word"));
    assert_eq!(asked.header("proxy-authorization"), Some(expected.as_str()));
    let refusing = Web::start_with(|_| Reply::text(407, "who are you?")).unwrap();
    let through = format!("http://{}", refusing.address());
    let error = error(
        client(
            &cli::Place::default(),
            &runner(&[("KUBE_CONFIG", content.as_str()), ("HTTPS_PROXY", &through)]).0,
        )
        .await,
    );
    let words = format!("through the proxy `{}`: the proxy says: ", refusing.address());
    assert!(error.to_string().contains(&words), "{error}");
}

#[tokio::test]
async fn a_server_that_is_busy_is_reached() {
    let cluster = cluster();
    cluster.fault("create selfsubjectreviews", Turn::Nth(1), Fault::Unavailable);
    let reached = by_secret(&cluster.kubeconfig(Login::Token).unwrap())
        .await
        .unwrap();
    assert!(reached.who.starts_with("user `"), "{}", reached.who);
    cluster.fault("create selfsubjectreviews", Turn::Nth(2), Fault::Reset);
    assert!(
        by_secret(&cluster.kubeconfig(Login::Token).unwrap())
            .await
            .is_ok()
    );
}

#[test]
fn what_a_web_server_says_is_told_from_what_an_api_server_may_say() {
    let status = br#"{"kind": "Status", "status": "Failure", "code": 403}"#;
    let cases: [(u16, &[u8], bool); 12] = [
        (201, br#"{"kind": "SelfSubjectReview"}"#, true),
        (403, status, true),
        // A server before 1.28, and one that only says so.
        (404, b"404 page not found\n", true),
        (401, b"Unauthorized\n", true),
        // A gateway before the server: it may pass.
        (502, b"<html>bad gateway</html>", true),
        (503, b"", true),
        (200, b"<!doctype html><title>Welcome</title>", false),
        (200, b"ok", false),
        (200, b"[]", false),
        (302, b"", false),
        (404, b"\n <html>not found</html>", false),
        (401, b"<html>log in</html>", false),
    ];
    for (code, body, expected) in cases {
        let status = http::StatusCode::from_u16(code).unwrap();
        let shown = String::from_utf8_lossy(body);
        assert_eq!(is_of_kubernetes(status, body), expected, "{code} {shown}");
    }
}
