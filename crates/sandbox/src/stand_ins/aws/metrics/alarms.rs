//! Alarms: what they are made of, and the states that a test or a client gives them, each from a moment on.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{Paging, text, texts};
use super::{Metrics, invalid, missing};

/// An alarm.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    name: String,
    /// As it was put.
    given: Value,
    configured: f64,
    /// From when on it is in a state, and why.
    states: Vec<(Duration, String, String)>,
}

const PAGES: Paging = Paging {
    size: "MaxRecords",
    usual: 50,
    marker: ("NextToken", "NextToken"),
};

/// Members that an alarm is shown with as they were put.
const SHOWN: [&str; 15] = [
    "AlarmDescription",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsEnabled",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
];

impl Metrics {
    /// Gives an alarm a state from a moment on (`OK`, `ALARM`, `INSUFFICIENT_DATA`), which may lie ahead; an alarm that is not
    /// there is made.
    pub fn alarm(&mut self, name: &str, state: &str, reason: &str, from: Duration) {
        let given = json!({
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Namespace": "AWS/ApplicationELB",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
        });
        let configured = self.home.time(from);
        let alarm = match self.alarms.iter().position(|known| known.name == name) {
            Some(at) => &mut self.alarms[at],
            None => {
                self.alarms.push(Alarm::new(name, given, configured));
                let last = self.alarms.len() - 1;
                &mut self.alarms[last]
            }
        };
        alarm.states.push((from, state.to_owned(), reason.to_owned()));
    }

    /// The state of an alarm; none where there is no such alarm.
    #[must_use]
    pub fn alarm_state(&self, name: &str, now: Duration) -> Option<&str> {
        let alarm = self.alarms.iter().find(|known| known.name == name)?;
        Some(alarm.state(now).1)
    }

    pub(super) fn put_alarm(&mut self, input: &Value, now: Duration) -> Answer {
        let name = text(input, "AlarmName");
        for required in ["AlarmName", "ComparisonOperator", "EvaluationPeriods"] {
            if input[required].is_null() {
                return Err(missing(required));
            }
        }
        let configured = self.home.time(now);
        match self.alarms.iter_mut().find(|known| known.name == name) {
            Some(alarm) => (alarm.given, alarm.configured) = (input.clone(), configured),
            None => self.alarms.push(Alarm::new(name, input.clone(), configured)),
        }
        Ok(json!({}))
    }

    pub(super) fn set_alarm_state(&mut self, input: &Value, now: Duration) -> Answer {
        let (name, state) = (text(input, "AlarmName"), text(input, "StateValue"));
        if !matches!(state, "OK" | "ALARM" | "INSUFFICIENT_DATA") {
            return Err(invalid(format!("'{state}' is no state of an alarm")));
        }
        let Some(alarm) = self.alarms.iter_mut().find(|known| known.name == name) else {
            return Err(Refusal::new("ResourceNotFound", format!("Alarm {name} does not exist")).status(404));
        };
        // What a test had planned for later is no longer so.
        alarm.states.retain(|(from, ..)| *from <= now);
        alarm
            .states
            .push((now, state.to_owned(), text(input, "StateReason").to_owned()));
        Ok(json!({}))
    }

    pub(super) fn delete_alarms(&mut self, input: &Value) -> Value {
        let names = texts(input, "AlarmNames");
        self.alarms.retain(|alarm| !names.contains(&alarm.name.as_str()));
        json!({})
    }

    pub(super) fn describe_alarms(&self, input: &Value, now: Duration) -> Value {
        let (names, prefix) = (texts(input, "AlarmNames"), text(input, "AlarmNamePrefix"));
        let state = text(input, "StateValue");
        let found = self.alarms.iter().filter(|alarm| {
            (names.is_empty() || names.contains(&alarm.name.as_str()))
                && alarm.name.starts_with(prefix)
                && (state.is_empty() || alarm.state(now).1 == state)
        });
        let found: Vec<Value> = found.map(|alarm| self.shown_alarm(alarm, now)).collect();
        let mut output = PAGES.of(input, "MetricAlarms", found);
        output["CompositeAlarms"] = json!([]);
        output
    }

    fn shown_alarm(&self, alarm: &Alarm, now: Duration) -> Value {
        let (since, state, reason) = alarm.state(now);
        let since = since.map_or(alarm.configured, |since| self.home.time(since));
        let mut shown = json!({
            "AlarmName": alarm.name,
            "AlarmArn": self.home.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
            "AlarmConfigurationUpdatedTimestamp": alarm.configured,
            "ActionsEnabled": true,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
            "StateValue": state,
            "StateReason": reason,
            "StateUpdatedTimestamp": since,
            "StateTransitionedTimestamp": since,
        });
        for member in SHOWN {
            if !alarm.given[member].is_null() {
                shown[member] = alarm.given[member].clone();
            }
        }
        shown
    }
}

impl Alarm {
    fn new(name: &str, given: Value, configured: f64) -> Self {
        Self {
            name: name.to_owned(),
            given,
            configured,
            states: Vec::new(),
        }
    }

    /// The latest state that has begun: since when, which, why.
    fn state(&self, now: Duration) -> (Option<Duration>, &str, &str) {
        let begun = self.states.iter().filter(|(from, ..)| *from <= now);
        match begun.max_by_key(|(from, ..)| *from) {
            Some((from, state, reason)) => (Some(*from), state, reason),
            None => (None, "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation"),
        }
    }
}
