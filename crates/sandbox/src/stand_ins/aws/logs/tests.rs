use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ask(logs: &mut Logs, operation: &str, input: Value, now: u64) -> Answer {
    logs.answer(&Call {
        service: "logs",
        operation: operation.to_owned(),
        input,
        now: seconds(now),
    })
}

fn lines(output: &Value) -> Vec<&str> {
    list(output, "events")
        .iter()
        .map(|event| text(event, "message"))
        .collect()
}

fn ten_lines() -> Logs {
    let mut logs = Logs::new(Home::default());
    for second in 0..10 {
        logs.append("/app", "web/1", seconds(second), &format!("line {second}"));
    }
    logs
}

#[test]
fn a_tail_follows_its_token_to_the_end_and_on() {
    let mut logs = ten_lines();
    let of = |token: Option<&str>| match token {
        Some(token) => {
            json!({ "logGroupName": "/app", "logStreamName": "web/1", "limit": 4, "nextToken": token })
        }
        None => {
            json!({ "logGroupName": "/app", "logStreamName": "web/1", "limit": 4, "startFromHead": true })
        }
    };
    let first = ask(&mut logs, "GetLogEvents", of(None), 20).unwrap();
    assert_eq!(lines(&first), ["line 0", "line 1", "line 2", "line 3"]);
    let mut token = text(&first, "nextForwardToken").to_owned();
    let mut rest = Vec::new();
    loop {
        let page = ask(&mut logs, "GetLogEvents", of(Some(&token)), 20).unwrap();
        rest.extend(lines(&page).into_iter().map(str::to_owned));
        let next = text(&page, "nextForwardToken");
        if next == token {
            break;
        }
        token = next.to_owned();
    }
    assert_eq!(rest.len(), 6);
    logs.append("/app", "web/1", seconds(30), "later");
    let more = ask(&mut logs, "GetLogEvents", of(Some(&token)), 30).unwrap();
    assert_eq!(lines(&more), ["later"]);
    let back = ask(
        &mut logs,
        "GetLogEvents",
        of(Some(text(&more, "nextBackwardToken"))),
        30,
    )
    .unwrap();
    assert_eq!(lines(&back), ["line 6", "line 7", "line 8", "line 9"]);
}

#[test]
fn without_a_token_the_last_lines_come() {
    let mut logs = ten_lines();
    let input = json!({ "logGroupName": "/app", "logStreamName": "web/1", "limit": 2 });
    assert_eq!(
        lines(&ask(&mut logs, "GetLogEvents", input, 20).unwrap()),
        ["line 8", "line 9"]
    );
}

#[test]
fn a_line_is_read_when_it_has_come_in() {
    let mut logs = Logs::new(Home::default());
    logs.lag(seconds(5));
    logs.append("/app", "web/1", seconds(10), "slow");
    let input = json!({ "logGroupName": "/app", "logStreamName": "web/1" });
    assert_eq!(
        lines(&ask(&mut logs, "GetLogEvents", input.clone(), 14).unwrap()),
        [""; 0]
    );
    assert_eq!(
        lines(&ask(&mut logs, "GetLogEvents", input, 15).unwrap()),
        ["slow"]
    );
}

#[test]
fn a_filter_is_by_stream_time_and_word() {
    let mut logs = ten_lines();
    logs.append("/app", "job/1", seconds(3), "ERROR in job");
    let start = logs.milliseconds(seconds(3));
    let base = json!({ "logGroupName": "/app", "startTime": start, "endTime": start + 1 });
    assert_eq!(
        lines(&ask(&mut logs, "FilterLogEvents", base.clone(), 20).unwrap()),
        ["line 3", "ERROR in job"]
    );
    for (name, value, found) in [
        ("logStreamNamePrefix", json!("job/"), "ERROR in job"),
        ("logStreamNames", json!(["web/1"]), "line 3"),
        ("filterPattern", json!("\"ERROR\" job"), "ERROR in job"),
    ] {
        let mut input = base.clone();
        input[name] = value;
        assert_eq!(
            lines(&ask(&mut logs, "FilterLogEvents", input, 20).unwrap()),
            [found],
            "{name}"
        );
    }
}

#[test]
fn what_is_not_there_is_refused_by_its_name() {
    let mut logs = ten_lines();
    for (group, stream, words) in [("/no", "web/1", "log group"), ("/app", "web/2", "log stream")] {
        let input = json!({ "logGroupName": group, "logStreamName": stream });
        let refusal = ask(&mut logs, "GetLogEvents", input, 20).unwrap_err();
        assert_eq!(refusal.code, "ResourceNotFoundException");
        assert!(refusal.message.contains(words), "{}", refusal.message);
    }
    let token = json!({ "logGroupName": "/app", "logStreamName": "web/1", "nextToken": "x" });
    assert_eq!(
        ask(&mut logs, "GetLogEvents", token, 20).unwrap_err().code,
        "InvalidParameterException"
    );
    let streams = ask(
        &mut logs,
        "DescribeLogStreams",
        json!({ "logGroupIdentifier": "arn:aws:logs:r:1:log-group:/app:*" }),
        20,
    );
    assert_eq!(streams.unwrap()["logStreams"][0]["logStreamName"], "web/1");
}
