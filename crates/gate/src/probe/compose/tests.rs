use super::*;
use crate::trouble::TroubleKind;
use proptest::prelude::{any, proptest};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

const LIMIT: Duration = Duration::from_secs(5);

/// A container as the engine lists and as it inspects it, by the fields of API 1.47.
fn engine_says(id: &str, service: &str, state: Value, restarts: u64) -> (Value, Value) {
    let status = state["Status"].clone();
    let labels = json!({
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": if service == "oneoff" { "True" } else { "False" },
    });
    let summary = json!({
        "Id": id, "Names": [format!("/shop-{service}-1")], "Image": "shop:1", "ImageID": "sha256:1", "Command": "run",
        "Created": 1_739_811_096, "Ports": [], "Labels": labels, "State": status, "Status": "Up 2 minutes",
        "HostConfig": {"NetworkMode": "shop_default"}, "Mounts": [],
    });
    let inspected = json!({
        "Id": id, "Created": "2025-02-17T17:43:39.64001363Z", "Path": "run", "Args": [], "State": state,
        "Image": "sha256:1", "Name": format!("/shop-{service}-1"), "RestartCount": restarts, "Driver": "overlay2",
        "Config": {"Labels": labels},
    });
    (summary, inspected)
}

fn state(status: &str, exit: i64) -> Value {
    json!({
        "Status": status, "Running": status == "running", "Paused": false, "Restarting": status == "restarting",
        "OOMKilled": exit == 137, "Dead": false, "Pid": 0, "ExitCode": exit, "Error": "",
        "StartedAt": "2025-02-17T17:43:40Z", "FinishedAt": "0001-01-01T00:00:00Z",
    })
}

fn health(status: &str, output: &str) -> Value {
    let mut running = state("running", 0);
    let log = |output: &str| json!({"Start": "2025-02-17T17:43:40Z", "End": "2025-02-17T17:43:41Z", "ExitCode": 1, "Output": output});
    running["Health"] = json!({"Status": status, "FailingStreak": 3, "Log": [log("older"), log(output)]});
    running
}

fn containers(states: &[(&str, Value)]) -> Vec<Container> {
    let read = |(place, (service, state)): (usize, &(&str, Value))| {
        let (_, mut inspected) = engine_says("c0ffee", service, state.clone(), 5);
        inspected["Name"] = json!(format!("/shop-{service}-{}", place + 1));
        project::container(
            "c0ffee".to_owned(),
            (*service).to_owned(),
            inspected.to_string().as_bytes(),
        )
        .unwrap()
    };
    states.iter().enumerate().map(read).collect()
}

#[test]
fn every_service_must_be_ready() {
    let up = || state("running", 0);
    let mut masker = Masker::default();
    masker.add("hunter2-secret");
    for (states, running, completed, reason) in [
        (
            vec![("web", up()), ("db", health("healthy", "ok"))],
            "",
            "",
            "good",
        ),
        (vec![("web", health("none", ""))], "", "", "good"),
        (
            vec![("web", up()), ("web", health("healthy", "ok"))],
            "",
            "",
            "good",
        ),
        (
            vec![("web", up()), ("web", state("restarting", 1))],
            "",
            "",
            "`web` has 1 of 2 containers not ready: `shop-web-2` is restarting, 5 times by now, last exit code 1",
        ),
        (
            vec![
                ("web", state("exited", 1)),
                ("web", up()),
                ("web", health("starting", "")),
            ],
            "web",
            "",
            "`web` has 2 of 3 containers not ready: `shop-web-1` exited with 1",
        ),
        (
            vec![("web", up()), ("migrate", state("exited", 0))],
            "",
            "migrate",
            "good",
        ),
        (
            vec![("web", up()), ("old", state("exited", 1))],
            "web",
            "",
            "good",
        ),
        (vec![], "", "", "the project `shop` has no containers"),
        (vec![("web", up())], "web db", "", "`db` has no container"),
        (
            vec![(
                "web",
                health("starting", "curl: (7)\n::error::hunter2-secret\n\n"),
            )],
            "",
            "",
            "`web` is starting, its health check has not passed yet: `::error::***`",
        ),
        (
            vec![("web", health("unhealthy", ""))],
            "",
            "",
            "`web` is unhealthy",
        ),
        (
            vec![("web", state("restarting", 137))],
            "",
            "",
            "`web` is restarting, 5 times by now, last exit code 137, out of memory",
        ),
        (vec![("web", state("exited", 3))], "", "", "`web` exited with 3"),
        (
            vec![("web", up()), ("init", state("exited", 0))],
            "",
            "",
            "`init` exited with 0; name it as completed if it should end",
        ),
        (
            vec![("web", state("created", 0))],
            "",
            "",
            "`web` is created and not started",
        ),
        (vec![("web", state("paused", 0))], "", "", "`web` is `paused`"),
        (
            vec![("web", up()), ("migrate", state("exited", 1))],
            "",
            "migrate",
            "`migrate` exited with 1",
        ),
        (
            vec![("web", up()), ("migrate", up())],
            "",
            "migrate",
            "`migrate` still runs, it has to complete",
        ),
        (vec![("web", up())], "", "migrate", "`migrate` has no container"),
        (
            ["a", "b", "c", "d", "e"]
                .map(|name| (name, state("exited", 1)))
                .to_vec(),
            "",
            "",
            "`a` exited with 1; `b` exited with 1; `c` exited with 1; and 2 more",
        ),
    ] {
        let list = |names: &str| names.split_whitespace().map(str::to_owned).collect();
        let services = Services {
            running: list(running),
            completed: list(completed),
        };
        let finding = project::judge("shop", &services, &containers(&states), &masker);
        assert_eq!(finding.text(), reason);
    }
}

#[test]
fn lists_are_read_with_care() {
    let (web, _) = engine_says("abc1", "web", state("running", 0), 0);
    let (oneoff, _) = engine_says("abc2", "oneoff", state("running", 0), 0);
    let (path, _) = engine_says("../../x", "web", state("running", 0), 0);
    let list = json!([web, oneoff, path, {"Id": "abc3", "Labels": null}]).to_string();
    let wanted = Listed {
        id: "abc1".to_owned(),
        service: "web".to_owned(),
    };
    assert_eq!(project::listed(list.as_bytes()), Ok(vec![wanted]));
    assert!(project::listed(b"{}").is_err());
    assert_eq!(
        project::list_path("a b"),
        "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com%2Edocker%2Ecompose%2Eproject%3Da%20b%22%5D%7D"
    );
}

#[test]
fn addresses_of_engines() {
    for (written, engine) in [
        ("", Engine::Unix("/var/run/docker.sock".into())),
        (
            "unix:///run/user/1000/docker.sock",
            Engine::Unix("/run/user/1000/docker.sock".into()),
        ),
        ("tcp://127.0.0.1:2375", Engine::Tcp("127.0.0.1:2375".to_owned())),
        ("tcp://[::1]:2375/", Engine::Tcp("[::1]:2375".to_owned())),
    ] {
        assert_eq!(written.parse(), Ok(engine));
    }
    for written in [
        "unix://relative",
        "ssh://host",
        "tcp://host",
        "tcp://:1",
        "tcp://u@h:1",
        "http://h:1",
        "/sock",
        "tcp://h:1/x",
    ] {
        assert!(written.parse::<Engine>().is_err(), "{written}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics(body in any::<Vec<u8>>(), text in any::<String>(), exit in any::<i64>()) {
        let _ = project::listed(&body);
        let _ = project::container(String::new(), String::new(), &body);
        let mut odd = health(&text, &text);
        odd["ExitCode"] = exit.into();
        let found = containers(&[(text.as_str(), odd), ("x", state(&text, exit))]);
        let finding = project::judge(&text, &Services::default(), &found, &Masker::default());
        assert!(!finding.text().contains('\n') && !project::overview(&found).contains('\n'));
    }
}

/// An engine on a socket, which answers each path as told and 404 elsewhere; ends with the test.
async fn engine(listener: UnixListener, answers: impl Fn(&str) -> (u16, String)) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        let asked = String::from_utf8(asked).unwrap();
        let path = asked
            .strip_prefix("GET ")
            .and_then(|rest| rest.split(' ').next())
            .unwrap();
        let (status, body) = answers(path);
        let head = format!("HTTP/1.1 {status} X\r\napi-version: 1.47\r\ncontent-type: application/json\r\n");
        let body = format!(
            "{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        // Who asks may have gone.
        let _ = stream.write_all(body.as_bytes()).await;
    }
}

fn compose(socket: &std::path::Path) -> Compose {
    Compose::new(ComposeOptions {
        project: "shop".to_owned(),
        host: Some(format!("unix://{}", socket.display())),
        ..ComposeOptions::default()
    })
    .unwrap()
}

#[tokio::test]
async fn asks_the_engine_about_each_container() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (web, web_inspected) = engine_says("abc1", "web", health("healthy", "ok"), 2);
    let (db, db_inspected) = engine_says("abc2", "db", state("running", 0), 3);
    // Gone between the list and the question about it.
    let (gone, _) = engine_says("abc3", "gone", state("running", 0), 0);
    let serve = engine(listener, move |path| match path {
        path if path == project::list_path("shop") => (200, json!([web, db, gone]).to_string()),
        "/containers/abc1/json" => (200, web_inspected.to_string()),
        "/containers/abc2/json" => (200, db_inspected.to_string()),
        _ => (404, json!({"message": "no such container"}).to_string()),
    });
    let compose = compose(&socket);
    assert_eq!(compose.target(), "compose shop");
    let ask = async {
        let look = compose.look(LIMIT).await;
        assert_eq!(look.finding, Finding::Good);
        assert_eq!(look.excerpt.as_deref(), Some("db running, web running (healthy)"));
        assert_eq!(compose.restarts().await, Ok(5));
    };
    tokio::select! {
        () = ask => {}
        () = serve => {}
    }
}

#[tokio::test]
async fn an_engine_that_refuses_is_no_fault_of_the_project() {
    let folder = tempfile::tempdir().unwrap();
    for (status, body, kind, reason) in [
        (
            403,
            "{\"message\":\"denied\\n\"}",
            TroubleKind::Access,
            "answered 403: `denied\\n`",
        ),
        (400, "x", TroubleKind::Question, "answered 400"),
        (500, "", TroubleKind::Passing, "answered 500"),
        (200, "<html>", TroubleKind::Passing, "can't be read"),
    ] {
        let socket = folder.path().join(format!("{status}.sock"));
        let serve = engine(UnixListener::bind(&socket).unwrap(), |_| {
            (status, body.to_owned())
        });
        let compose = compose(&socket);
        let look = tokio::select! {
            look = compose.look(LIMIT) => look,
            () = serve => unreachable!(),
        };
        let Finding::Unmeasured(trouble) = look.finding else {
            panic!("{look:?}")
        };
        assert!(
            trouble.kind == kind && trouble.reason.contains(reason),
            "{trouble:?}"
        );
    }
    let missing = compose(&folder.path().join("none.sock"))
        .restarts()
        .await
        .unwrap_err();
    assert!(
        missing.kind == TroubleKind::Question && missing.reason.contains("no Docker engine's socket"),
        "{missing:?}"
    );
    // A socket whose engine has ended.
    let left = folder.path().join("left.sock");
    drop(UnixListener::bind(&left).unwrap());
    assert_eq!(
        compose(&left).restarts().await.unwrap_err().kind,
        TroubleKind::Passing
    );
}
