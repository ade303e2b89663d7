//! Reading events: of one stream from a place on, back and forth, and of many by time.

use std::ops::Range;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::Answer;
use super::super::input::{Paging, text, texts};
use super::{Event, Logs, Stream, invalid};

/// Events of one answer.
const MOST: u64 = 10_000;

const FILTERED: Paging = Paging {
    size: "limit",
    usual: MOST as usize,
    marker: ("nextToken", "nextToken"),
};

/// The span of time that an input asks for, in milliseconds: from the start, before the end.
fn span(input: &Value) -> Range<i64> {
    input["startTime"].as_i64().unwrap_or(i64::MIN)..input["endTime"].as_i64().unwrap_or(i64::MAX)
}

fn seen<'a>(stream: &'a Stream, span: &Range<i64>, now: Duration) -> Vec<&'a Event> {
    let events = stream.events.iter();
    events
        .filter(|event| event.seen <= now && span.contains(&event.time))
        .collect()
}

impl Logs {
    /// [`GetLogEvents`](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html): there are
    /// always tokens; at the end of the stream it is the one that was given.
    pub(super) fn get_events(&self, input: &Value, now: Duration) -> Answer {
        let events = seen(self.stream(input)?, &span(input), now);
        let limit = input["limit"].as_u64().unwrap_or(MOST).clamp(1, MOST) as usize;
        let given = text(input, "nextToken");
        let place = |token: &str| {
            token
                .parse()
                .map_err(|_| invalid("The specified nextToken is invalid."))
        };
        let range = match given.split_once('/') {
            Some(("f", from)) => {
                let from = events.len().min(place(from)?);
                from..events.len().min(from + limit)
            }
            Some(("b", to)) => {
                let to = events.len().min(place(to)?);
                to.saturating_sub(limit)..to
            }
            _ if !given.is_empty() => return Err(invalid("The specified nextToken is invalid.")),
            _ if input["startFromHead"] == true => 0..events.len().min(limit),
            _ => events.len().saturating_sub(limit)..events.len(),
        };
        let (backward, forward) = (format!("b/{:056}", range.start), format!("f/{:056}", range.end));
        let shown = events.get(range).unwrap_or_default().iter().map(|event| {
            json!({ "timestamp": event.time, "message": event.line, "ingestionTime": self.milliseconds(event.seen) })
        });
        Ok(json!({
            "events": shown.collect::<Vec<_>>(),
            "nextForwardToken": forward,
            "nextBackwardToken": backward,
        }))
    }

    /// [`FilterLogEvents`](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html):
    /// events of all streams, by time.
    pub(super) fn filter_events(&self, input: &Value, now: Duration) -> Answer {
        let (names, prefix) = (texts(input, "logStreamNames"), text(input, "logStreamNamePrefix"));
        let (span, words) = (span(input), text(input, "filterPattern"));
        let words: Vec<&str> = words
            .split_whitespace()
            .map(|word| word.trim_matches('"'))
            .collect();
        let group = self.group(input)?;
        let mut found = Vec::new();
        for stream in &group.streams {
            let asked = (names.is_empty() || names.contains(&stream.name.as_str()))
                && stream.name.starts_with(prefix);
            let events = seen(stream, &span, now).into_iter().enumerate();
            for (number, event) in events.filter(|_| asked) {
                if words.iter().all(|word| event.line.contains(word)) {
                    found.push((event, stream, number));
                }
            }
        }
        found.sort_by_key(|(event, ..)| event.time);
        let shown = found.into_iter().map(|(event, stream, number)| {
            json!({
                "logStreamName": stream.name,
                "timestamp": event.time,
                "message": event.line,
                "ingestionTime": self.milliseconds(event.seen),
                "eventId": format!("{}{}{number:08}", event.time, stream.name),
            })
        });
        let mut output = FILTERED.of(input, "events", shown.collect());
        output["searchedLogStreams"] = json!([]);
        Ok(output)
    }
}
