use super::*;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn ask(metrics: &mut Metrics, operation: &str, input: Value, now: Duration) -> Answer {
    metrics.answer(&Call {
        service: "cloudwatch",
        operation: operation.to_owned(),
        input,
        now,
    })
}

fn query(stat: &str) -> Value {
    let metric = json!({
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCount",
        "Dimensions": [{ "Name": "TargetGroup", "Value": "blue" }],
    });
    json!({ "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
}

fn data(metrics: &mut Metrics, queries: Value, now: Duration) -> Value {
    let start = Home::default().began;
    let input = json!({ "MetricDataQueries": queries, "StartTime": start, "EndTime": start + 600.0 });
    ask(metrics, "GetMetricData", input, now).unwrap()
}

fn three_minutes() -> Metrics {
    let mut metrics = Metrics::default();
    for minute in 0..3_u32 {
        for value in 1..=10_u32 {
            let at = minutes(u64::from(minute)) + Duration::from_secs(u64::from(value));
            let value = f64::from(value * (minute + 1));
            metrics.record(
                "AWS/ApplicationELB",
                "RequestCount",
                &[("TargetGroup", "blue")],
                at,
                value,
            );
        }
    }
    metrics
}

#[test]
fn each_statistic_is_of_its_period_and_the_newest_comes_first() {
    for (stat, expected) in [
        ("Sum", [165.0, 110.0, 55.0]),
        ("Average", [16.5, 11.0, 5.5]),
        ("Minimum", [3.0, 2.0, 1.0]),
        ("Maximum", [30.0, 20.0, 10.0]),
        ("SampleCount", [10.0, 10.0, 10.0]),
        ("p90", [27.0, 18.0, 9.0]),
    ] {
        let found = data(&mut three_minutes(), json!([query(stat)]), minutes(5));
        assert_eq!(found["MetricDataResults"][0]["Values"], json!(expected), "{stat}");
        assert_eq!(
            found["MetricDataResults"][0]["Timestamps"][2],
            Home::default().began
        );
    }
    let input = json!({ "MetricDataQueries": [query("TM(1:2)")], "StartTime": 0, "EndTime": 1e10 });
    let refusal = ask(&mut three_minutes(), "GetMetricData", input, minutes(5)).unwrap_err();
    assert_eq!(refusal.code, "ValidationError");
}

#[test]
fn what_is_put_is_read_after_the_lag() {
    let mut metrics = Metrics::default();
    metrics.lag(minutes(2));
    let datum = json!({
        "MetricName": "RequestCount",
        "Dimensions": [{ "Name": "TargetGroup", "Value": "blue" }],
        "StatisticValues": { "SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9 },
    });
    let input = json!({ "Namespace": "AWS/ApplicationELB", "MetricData": [datum] });
    ask(&mut metrics, "PutMetricData", input, minutes(1)).unwrap();
    for (now, values) in [(2, json!([])), (3, json!([20.0]))] {
        let found = data(&mut metrics, json!([query("Sum")]), minutes(now));
        assert_eq!(found["MetricDataResults"][0]["Values"], values);
        assert_eq!(found["MetricDataResults"][0]["StatusCode"], "Complete");
    }
    for (stat, value) in [("Maximum", 9.0), ("Minimum", 1.0), ("SampleCount", 4.0)] {
        let found = data(&mut metrics, json!([query(stat)]), minutes(3));
        assert_eq!(found["MetricDataResults"][0]["Values"], json!([value]), "{stat}");
    }
}

#[test]
fn long_answers_come_in_pages() {
    let mut metrics = three_minutes();
    let (mut token, mut values, mut pages) = (Value::Null, Vec::new(), 0);
    loop {
        let input = json!({
            "MetricDataQueries": [query("Sum")], "StartTime": 0, "EndTime": 1e10,
            "MaxDatapoints": 2, "NextToken": token, "ScanBy": "TimestampAscending",
        });
        let page = ask(&mut metrics, "GetMetricData", input, minutes(5)).unwrap();
        values.extend(list(&page["MetricDataResults"][0], "Values").to_vec());
        pages += 1;
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!((pages, json!(values)), (2, json!([55.0, 110.0, 165.0])));
}

#[test]
fn an_expression_is_answered_in_its_place_and_hidden_queries_are_not() {
    let mut hidden = query("Sum");
    hidden["ReturnData"] = json!(false);
    let queries = json!([{ "Id": "twice", "Expression": "m1 * 2" }, hidden]);
    let found = data(&mut three_minutes(), queries, minutes(5));
    assert_eq!(found["MetricDataResults"].as_array().unwrap().len(), 1);
    assert_eq!(
        found["MetricDataResults"][0]["Values"],
        json!([330.0, 220.0, 110.0])
    );
}

#[test]
fn an_alarm_is_in_the_state_that_has_begun() {
    let mut metrics = Metrics::default();
    metrics.alarm("errors", "OK", "fine", minutes(0));
    metrics.alarm("errors", "ALARM", "5 datapoints", minutes(3));
    assert_eq!(metrics.alarm_state("errors", minutes(2)), Some("OK"));
    assert_eq!(metrics.alarm_state("errors", minutes(3)), Some("ALARM"));
    assert_eq!(metrics.alarm_state("none", minutes(3)), None);
    let input = json!({ "AlarmName": "errors", "StateValue": "OK", "StateReason": "by hand" });
    ask(&mut metrics, "SetAlarmState", input, minutes(4)).unwrap();
    let shown = ask(
        &mut metrics,
        "DescribeAlarms",
        json!({ "AlarmNames": ["errors", "none"] }),
        minutes(5),
    )
    .unwrap();
    assert_eq!(shown["MetricAlarms"].as_array().unwrap().len(), 1);
    assert_eq!(shown["MetricAlarms"][0]["StateReason"], "by hand");
}
