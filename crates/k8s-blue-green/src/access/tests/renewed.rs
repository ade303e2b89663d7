//! Credentials that end: of programs, of pods, and of EKS.

use std::os::unix::fs::PermissionsExt as _;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::StaticTimeSource;
use tempfile::TempDir;

use super::*;

/// A program in a folder of its own.
fn program(script: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("login");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let shown = path.to_str().unwrap().to_owned();
    (folder, shown)
}

#[tokio::test]
async fn a_program_gives_a_token_and_another_when_it_is_not_taken() {
    let cluster = cluster();
    // Each run gives another token; the server knows the second.
    let script = r#"count="$(cat "$0.count" 2>/dev/null)x"; printf %s "$count" > "$0.count"
printf '{"kind":"ExecCredential","status":{"token":"token-%s","expirationTimestamp":"2099-01-01T00:00:00Z"}}' "$count""#;
    let (folder, path) = program(script);
    cluster.allow(User::new("deployer", "token-xx"));
    let user = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": path, "interactiveMode": "IfAvailable"}});
    let reached = by_secret(&with_user(&cluster, &user).to_string()).await.unwrap();
    assert_eq!(reached.who, "deployer");
    reached.client.apiserver_version().await.unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("login.count")).unwrap(),
        "xx"
    );
}

#[tokio::test]
async fn a_program_that_fails_is_told_by_its_last_line() {
    let cluster = cluster();
    let (_folder, path) = program("echo secret-of-stdout; echo please sign in >&2; exit 7");
    let user = |command: &str| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command}});
    let error = error(by_secret(&with_user(&cluster, &user(&path)).to_string()).await);
    assert!(
        error
            .to_string()
            .ends_with(": `login` exited with 7: please sign in"),
        "{error}"
    );
    assert_eq!(error.exit(), Exit::Access);
    let missing = self::error(by_secret(&with_user(&cluster, &user("no-such-kubelogin")).to_string()).await);
    assert!(
        missing
            .to_string()
            .contains("wants the program `no-such-kubelogin`"),
        "{missing}"
    );
    let old = json!({"auth-provider": {"name": "gcp", "config": {"cmd-path": path}}});
    let old = self::error(by_secret(&with_user(&cluster, &old).to_string()).await);
    assert!(
        old.to_string().contains("its `auth-provider` `gcp`") && old.help().is_some(),
        "{old}"
    );
}

#[tokio::test]
async fn a_pod_s_own_account_is_taken() {
    let cluster = cluster();
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("token", cluster.token()),
        ("ca.crt", &cluster.ca_pem()),
        ("namespace", "shop\n"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let url = cluster.url();
    let (host, port) = url.trim_start_matches("https://").split_once(':').unwrap();
    let (runner, _) = runner(&[
        ("KUBERNETES_SERVICE_HOST", host),
        ("KUBERNETES_SERVICE_PORT", port),
    ]);
    install_tls();
    let inside = pod::of(runner.env(), folder.path()).unwrap().unwrap();
    let reached = gone(by_pod(inside, &runner).unwrap()).await.unwrap();
    assert_eq!(
        (reached.namespace.as_str(), reached.server.as_str()),
        ("shop", url.as_str())
    );
    std::fs::remove_file(folder.path().join("token")).unwrap();
    assert!(pod::of(runner.env(), folder.path()).unwrap().is_none());
}

/// AWS with fixed credentials and a fixed time, whose EKS is the given one.
async fn amazon(eks: &Web) -> SdkConfig {
    let settings = aws::config::Settings {
        interface: &cli::INTERFACE,
        region: Some("eu-west-1"),
        endpoint: Some(&eks.url("")),
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(5),
        attempts: 1,
    };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret-of-the-example", None, None, "test");
    let config = aws::config::load(&settings).await.unwrap().into_builder();
    config
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .time_source(StaticTimeSource::from_secs(1_767_225_600))
        .build()
}

#[tokio::test]
async fn an_eks_cluster_is_found_and_takes_a_signed_token() {
    let cluster = cluster();
    let described = json!({"cluster": {
        "name": "production", "status": "ACTIVE", "endpoint": cluster.url(),
        "certificateAuthority": {"data": STANDARD.encode(cluster.ca_pem())},
    }});
    let eks = Web::start_with(move |request| match request.path_only() {
        "/clusters/production" => Reply::json(200, &described),
        _ => Reply::json(404, &json!({"message": "No cluster found for name: x."}))
            .header("x-amzn-errortype", "ResourceNotFoundException"),
    })
    .unwrap();
    install_tls();
    let config = amazon(&eks).await;
    let token = eks::Signer::new(&config, "eu-west-1", "production")
        .token()
        .await
        .unwrap()
        .token;
    cluster.allow(User::new("arn-of-deployer", token.expose_secret()));
    let (runner, _) = runner(&[]);
    let way = by_aws(&config, "production", &runner).await.unwrap();
    assert_eq!(gone(way).await.unwrap().who, "arn-of-deployer");
    assert_eq!(runner.hide(token.expose_secret()), "***");
    let asked = eks.requests();
    let signature = asked[0].header("authorization").unwrap();
    assert!(
        signature.contains("/eu-west-1/eks/aws4_request") && asked[0].method == "GET",
        "{signature}"
    );
    let Err(missing) = by_aws(&config, "pro duction", &runner).await else {
        panic!("it is there")
    };
    assert_eq!(
        missing.to_string(),
        "there is no EKS cluster `pro duction` in `eu-west-1`"
    );
    assert_eq!(
        eks.requests().pop().unwrap().path_only(),
        "/clusters/pro%20duction"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_s_file_is_read_again_and_missed_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "first-token\n").unwrap();
    let tokens = Tokens::new(Source::File(path.clone()), None, runner(&[]).0.masks()).unwrap();
    let current = async || tokens.current().await.unwrap().0.to_str().unwrap().to_owned();
    assert_eq!(current().await, "Bearer first-token");
    std::fs::write(&path, "second-token").unwrap();
    assert_eq!(current().await, "Bearer first-token");
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(current().await, "Bearer second-token");
    std::fs::remove_file(&path).unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(current().await, "Bearer second-token");
    std::fs::write(&path, "bad\u{7}token").unwrap();
    assert_eq!(
        tokens.another(1).await.unwrap_err(),
        "the token holds what no header can"
    );
    std::fs::remove_file(&path).unwrap();
    let none = Tokens::new(Source::File(path), None, runner(&[]).0.masks()).unwrap();
    assert!(none.current().await.unwrap_err().contains("can't be read"));
}
