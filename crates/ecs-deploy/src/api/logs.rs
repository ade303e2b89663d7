//! The last lines of a container, from CloudWatch Logs; and whether a log group is there.

use crate::observed::LogStream;

use super::{Api, Refused, refused};

impl Api {
    /// The last lines of a stream, oldest first, and where to go on reading. A stream that is not there yet has none.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn log_tail(&self, from: &LogStream, lines: i32) -> Result<Vec<String>, Refused> {
        let asked = self
            .logs
            .get_log_events()
            .log_group_name(&from.group)
            .log_stream_name(&from.stream)
            .limit(lines)
            .send()
            .await;
        match asked {
            Ok(answer) => Ok(messages(answer.events.unwrap_or_default())),
            Err(error) => none_if_missing(refused("logs:GetLogEvents", &error)).map(|()| Vec::new()),
        }
    }

    /// Lines of a stream from a place on, and the place after them; without a place, from the beginning.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn log_since(
        &self,
        from: &LogStream,
        place: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), Refused> {
        let asked = self
            .logs
            .get_log_events()
            .log_group_name(&from.group)
            .log_stream_name(&from.stream)
            .start_from_head(true)
            .set_next_token(place.map(str::to_owned))
            .send()
            .await;
        match asked {
            Ok(answer) => Ok((
                messages(answer.events.unwrap_or_default()),
                answer.next_forward_token,
            )),
            Err(error) => {
                none_if_missing(refused("logs:GetLogEvents", &error))?;
                Ok((Vec::new(), place.map(str::to_owned)))
            }
        }
    }
}

impl Api {
    /// Whether there is a log group of this name. Names come in the order of their letters, so that of those which begin with
    /// this one it is the first
    /// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>).
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn has_log_group(&self, name: &str, region: Option<&str>) -> Result<bool, Refused> {
        let region = region.unwrap_or(&self.region()).to_owned();
        let there = aws_sdk_cloudwatchlogs::config::Builder::new()
            .region(aws_sdk_cloudwatchlogs::config::Region::new(region));
        let asked = self
            .logs
            .describe_log_groups()
            .log_group_name_prefix(name)
            .customize()
            .config_override(there)
            .send()
            .await;
        let answer = asked.map_err(|error| refused("logs:DescribeLogGroups", &error))?;
        let mut groups = answer.log_groups.unwrap_or_default().into_iter();
        Ok(groups.any(|group| group.log_group_name.as_deref() == Some(name)))
    }
}

fn messages(events: Vec<aws_sdk_cloudwatchlogs::types::OutputLogEvent>) -> Vec<String> {
    events.into_iter().filter_map(|event| event.message).collect()
}

/// A stream comes into being with its first line.
fn none_if_missing(refused: Refused) -> Result<(), Refused> {
    if refused.is("ResourceNotFoundException") {
        Ok(())
    } else {
        Err(refused)
    }
}
