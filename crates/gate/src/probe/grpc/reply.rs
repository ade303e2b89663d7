//! The messages of `grpc.health.v1` and what an answer means. Pure.

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::trouble::{About, Trouble};

/// The most that is read of an answer's message; a health answer has two bytes.
pub(super) const MESSAGE_LIMIT: usize = 4096;

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// The status of HTTP.
    pub(super) http: u16,
    /// Whether it says that it is gRPC.
    pub(super) grpc: bool,
    /// The status of gRPC.
    pub(super) status: Option<u32>,
    /// What is said of it. Foreign text.
    pub(super) message: Option<String>,
    /// The frame with the message, cut at the limit.
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn judge(&self, service: &str) -> Finding {
        let said = self
            .message
            .as_deref()
            .map_or_else(String::new, |message| format!(": {}", quoted(message)));
        if !self.grpc || self.http != 200 {
            return Finding::bad(
                FaultKind::Protocol,
                format!("answered HTTP {} and no gRPC{said}", self.http),
            );
        }
        let Some(status) = self.status else {
            return Finding::bad(FaultKind::Protocol, "the answer has no `grpc-status`");
        };
        let answered = format!("answered {}{said}", status_name(status));
        match status {
            0 => self.judge_message(),
            4 => Finding::bad(FaultKind::Slow, answered),
            5 => Finding::bad(
                FaultKind::NotReady,
                format!("does not know the service {}", quoted(service)),
            ),
            7 | 16 => Finding::Unmeasured(Trouble::access(format!("the health service {answered}"))),
            8 => Finding::bad(FaultKind::Full, answered),
            12 => Finding::Unmeasured(
                Trouble::question("the server has no `grpc.health.v1.Health/Check` (UNIMPLEMENTED)")
                    .about(About::Target),
            ),
            14 => Finding::bad(FaultKind::NotReady, answered),
            _ => Finding::bad(FaultKind::Status, answered),
        }
    }

    fn judge_message(&self) -> Finding {
        match serving(&self.body) {
            Ok(1) => Finding::Good,
            Ok(state) => Finding::bad(FaultKind::NotReady, format!("is {}", state_name(state))),
            Err(reason) => Finding::bad(FaultKind::Protocol, reason),
        }
    }

    /// The answer in a word.
    pub(super) fn shown(&self) -> String {
        match (self.status, serving(&self.body)) {
            (Some(0), Ok(state)) => state_name(state),
            (Some(status), _) => status_name(status),
            (None, _) => format!("HTTP {}", self.http),
        }
    }
}

/// `HealthCheckRequest { service }`; an empty text is not written.
pub(super) fn request_message(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(service.as_bytes());
    }
    message
}

/// A message as it is sent: not compressed, its length in front.
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// The state in a frame with a `HealthCheckResponse`; fields that it does not know are passed over.
/// <https://protobuf.dev/programming-guides/encoding/>
fn serving(frame: &[u8]) -> Result<u64, String> {
    let (head, message) = frame.split_at_checked(5).ok_or("the answer has no message")?;
    if head[0] != 0 {
        return Err("the answer is compressed, which was not asked for".to_owned());
    }
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length == message.len());
    length.ok_or("the answer's message has another length than it says")?;
    state(message).ok_or_else(|| "the answer's message can't be read".to_owned())
}

pub(super) fn state(mut message: &[u8]) -> Option<u64> {
    let mut state = 0;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let skipped = match key & 7 {
            0 => {
                let value = varint(&mut message)?;
                if key >> 3 == 1 {
                    state = value;
                }
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        message = message.get(skipped..)?;
    }
    Some(state)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn state_name(state: u64) -> String {
    match state {
        0 => "UNKNOWN".to_owned(),
        1 => "SERVING".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => format!("in the unknown state {other}"),
    }
}

/// The names of <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>.
fn status_name(status: u32) -> String {
    let names = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let name = usize::try_from(status).ok().and_then(|index| names.get(index));
    name.map_or_else(|| format!("status {status}"), |name| (*name).to_owned())
}
