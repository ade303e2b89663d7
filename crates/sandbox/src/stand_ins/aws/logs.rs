//! [CloudWatch Logs](https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html) as much as a log tail
//! asks of it: groups, streams, and their events in order.
//!
//! Limits: filter patterns are plain words that must all occur; the megabyte that an answer may have is not counted.

mod read;

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::{Paging, list, text};

/// All log groups of the cloud.
#[derive(Clone, Debug)]
pub struct Logs {
    home: Home,
    groups: Vec<Group>,
    lag: Duration,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    created: Duration,
    streams: Vec<Stream>,
}

#[derive(Clone, Debug)]
struct Stream {
    name: String,
    created: Duration,
    events: Vec<Event>,
}

#[derive(Clone, Debug)]
struct Event {
    /// Milliseconds since 1970.
    time: i64,
    /// From when on it can be read.
    seen: Duration,
    line: String,
}

const PAGES: Paging = Paging {
    size: "limit",
    usual: 50,
    marker: ("nextToken", "nextToken"),
};

impl Logs {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            groups: Vec::new(),
            lag: Duration::ZERO,
        }
    }

    /// Lines can be read so long after they were written: CloudWatch takes some seconds.
    pub fn lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Answers one call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let (input, now) = (&call.input, call.now);
        match call.operation.as_str() {
            "CreateLogGroup" => self.create_group_once(text(input, "logGroupName"), now),
            "CreateLogStream" => self.create_stream(input, now),
            "PutLogEvents" => self.put_events(input, now),
            "DescribeLogGroups" => self.describe_groups(input),
            "DescribeLogStreams" => self.describe_streams(input),
            "GetLogEvents" => self.get_events(input, now),
            "FilterLogEvents" => self.filter_events(input, now),
            other => Err(Refusal::new("UnknownOperationException", other)),
        }
    }

    /// Makes a group. One that exists stays as it is.
    pub fn create_group(&mut self, group: &str, now: Duration) {
        if !self.has_group(group) {
            self.groups.push(Group {
                name: group.to_owned(),
                created: now,
                streams: Vec::new(),
            });
        }
    }

    /// Whether there is such a group: a task whose log group is missing does not start.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known.name == group)
    }

    /// Adds a line to a stream; the stream is made by its first line, the group too.
    pub fn append(&mut self, group: &str, stream: &str, now: Duration, line: &str) {
        self.create_group(group, now);
        let time = self.milliseconds(now);
        self.add(group, stream, now, time, line);
    }

    fn add(&mut self, group: &str, stream: &str, now: Duration, time: i64, line: &str) {
        let seen = now + self.lag;
        let Some(group) = self.groups.iter_mut().find(|known| known.name == group) else {
            return;
        };
        let at = group.streams.iter().position(|known| known.name == stream);
        let at = at.unwrap_or_else(|| {
            group.streams.push(Stream {
                name: stream.to_owned(),
                created: now,
                events: Vec::new(),
            });
            group.streams.len() - 1
        });
        if let Some(stream) = group.streams.get_mut(at) {
            stream.events.push(Event {
                time,
                seen,
                line: line.to_owned(),
            });
            stream.events.sort_by_key(|event| event.time);
        }
    }

    fn create_group_once(&mut self, name: &str, now: Duration) -> Answer {
        if self.has_group(name) {
            return Err(Refusal::new(
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        self.create_group(name, now);
        Ok(json!({}))
    }

    fn create_stream(&mut self, input: &Value, now: Duration) -> Answer {
        let name = text(input, "logStreamName");
        let group = self.group(input)?.name.clone();
        if self.stream(input).is_ok() {
            return Err(Refusal::new(
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        for group in self.groups.iter_mut().filter(|known| known.name == group) {
            group.streams.push(Stream {
                name: name.to_owned(),
                created: now,
                events: Vec::new(),
            });
        }
        Ok(json!({}))
    }

    fn put_events(&mut self, input: &Value, now: Duration) -> Answer {
        self.stream(input)?;
        let (group, stream) = (text(input, "logGroupName"), text(input, "logStreamName"));
        for event in list(input, "logEvents") {
            let time = event["timestamp"].as_i64().unwrap_or_default();
            self.add(group, stream, now, time, text(event, "message"));
        }
        Ok(json!({ "nextSequenceToken": "49039859589283409283409" }))
    }

    fn describe_groups(&self, input: &Value) -> Answer {
        let (prefix, pattern) = (
            text(input, "logGroupNamePrefix"),
            text(input, "logGroupNamePattern"),
        );
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        let groups = groups
            .into_iter()
            .filter(|group| group.name.starts_with(prefix) && group.name.contains(pattern));
        let described = groups.map(|group| {
            let arn = self.home.arn("logs", &format!("log-group:{}", group.name));
            json!({
                "logGroupName": group.name,
                "creationTime": self.milliseconds(group.created),
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "storedBytes": 0,
                "logGroupClass": "STANDARD",
                "logGroupArn": arn,
            })
        });
        Ok(PAGES.of(input, "logGroups", described.collect()))
    }

    fn describe_streams(&self, input: &Value) -> Answer {
        let group = self.group(input)?;
        let (prefix, by_time) = (
            text(input, "logStreamNamePrefix"),
            input["orderBy"] == "LastEventTime",
        );
        if by_time && !prefix.is_empty() {
            return Err(invalid(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        let mut streams: Vec<&Stream> = group
            .streams
            .iter()
            .filter(|stream| stream.name.starts_with(prefix))
            .collect();
        streams.sort_by(|one, other| one.name.cmp(&other.name));
        if by_time {
            streams.sort_by_key(|stream| stream.events.last().map(|event| event.time));
        }
        if input["descending"] == true {
            streams.reverse();
        }
        let described = streams.into_iter().map(|stream| {
            let arn = format!("log-group:{}:log-stream:{}", group.name, stream.name);
            let mut shown = json!({
                "logStreamName": stream.name,
                "creationTime": self.milliseconds(stream.created),
                "arn": self.home.arn("logs", &arn),
                "storedBytes": 0,
            });
            if let (Some(first), Some(last)) = (stream.events.first(), stream.events.last()) {
                shown["firstEventTimestamp"] = json!(first.time);
                shown["lastEventTimestamp"] = json!(last.time);
                shown["lastIngestionTime"] = json!(self.milliseconds(last.seen));
                shown["uploadSequenceToken"] = json!("49039859589283409283409");
            }
            shown
        });
        Ok(PAGES.of(input, "logStreams", described.collect()))
    }

    /// The group of an input, by its name or its ARN.
    fn group(&self, input: &Value) -> Result<&Group, Refusal> {
        let (name, identifier) = (text(input, "logGroupName"), text(input, "logGroupIdentifier"));
        let wanted = match identifier.split_once(":log-group:") {
            _ if !name.is_empty() => name,
            Some((_, name)) => name.trim_end_matches(":*"),
            None => identifier,
        };
        let found = self.groups.iter().find(|known| known.name == wanted);
        found.ok_or_else(|| not_found("The specified log group does not exist."))
    }

    fn stream(&self, input: &Value) -> Result<&Stream, Refusal> {
        let name = text(input, "logStreamName");
        let group = self.group(input)?;
        let found = group.streams.iter().find(|known| known.name == name);
        found.ok_or_else(|| not_found("The specified log stream does not exist."))
    }

    fn milliseconds(&self, now: Duration) -> i64 {
        // A float holds the milliseconds of our age exactly.
        (self.home.time(now) * 1000.0).round() as i64
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self::new(Home::default())
    }
}

fn not_found(message: &str) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

#[cfg(test)]
mod tests;
