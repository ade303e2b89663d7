//! What goes wrong with a call, and with which: the nth of an operation, the first few, all, or all from a moment on.
//!
//! Where several faults fit a call, the one that was asked for last strikes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::{Call, Refusal};

/// What happens in place of an ordinary answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 500 of the service's own; nothing is done.
    Internal,
    /// 503; nothing is done.
    Unavailable,
    /// `ThrottlingException`; nothing is done.
    Throttled,
    /// `ExpiredTokenException`; nothing is done.
    Expired,
    /// `AccessDeniedException` for the operation; nothing is done.
    Denied,
    /// Another refusal; nothing is done.
    Refused(Refusal),
    /// The connection is reset; nothing is done.
    Reset,
    /// No answer as long as the client waits; nothing is done.
    Hang,
    /// It is done, and then the connection is reset in place of the answer.
    Lost,
    /// It is done, and the answer comes so much later, in real time.
    Slow(Duration),
    /// It is done, and the connection closes after so many bytes of the answer's body.
    Cut(usize),
}

/// Which calls of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Only this one, counted from 1 since the cloud began.
    Nth(usize),
    /// So many from the first on.
    First(usize),
    /// Each.
    Every,
    /// Each so-manieth: 7 is the 7th, the 14th and so on.
    EveryNth(usize),
    /// Each from this moment of the cloud's clock on.
    Since(Duration),
}

/// All faults that were asked for, and how often each operation was called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    asked: Vec<(String, Turn, Fault)>,
    calls: BTreeMap<String, usize>,
}

impl Fault {
    /// The refusal that it is, if it is one.
    pub(crate) fn refusal(&self, call: &Call) -> Option<Refusal> {
        let refusal = match self {
            Self::Internal => {
                Refusal::new("ServerException", "Service Unavailable. Please try again later.").status(500)
            }
            Self::Unavailable => Refusal::new("ServiceUnavailable", "Service Unavailable").status(503),
            Self::Throttled => Refusal::new("ThrottlingException", "Rate exceeded"),
            Self::Expired => Refusal::new(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            Self::Denied => Refusal::new("AccessDeniedException", denied(call)),
            Self::Refused(refusal) => refusal.clone(),
            Self::Reset | Self::Hang | Self::Lost | Self::Slow(_) | Self::Cut(_) => return None,
        };
        Some(refusal)
    }
}

impl Turn {
    /// Whether it is that of the nth call, which comes at this moment.
    pub(crate) fn is(self, nth: usize, now: Duration) -> bool {
        match self {
            Self::Nth(number) => number == nth,
            Self::First(number) => nth <= number,
            Self::Every => true,
            Self::EveryNth(number) => number > 0 && nth.is_multiple_of(number),
            Self::Since(moment) => moment <= now,
        }
    }
}

impl Faults {
    /// Asks for a fault of calls of an operation: `UpdateService`, `ecs:UpdateService`, `ecs:*` or `*`.
    pub(crate) fn add(&mut self, operation: &str, turn: Turn, fault: Fault) {
        self.asked.insert(0, (operation.to_owned(), turn, fault));
    }

    /// Takes all faults away; calls stay counted.
    pub(crate) fn clear(&mut self) {
        self.asked.clear();
    }

    /// Counts a call: how many of its operation there are with it.
    pub(crate) fn count(&mut self, call: &Call) -> usize {
        let count = self.calls.entry(name(call)).or_default();
        *count += 1;
        *count
    }

    /// What strikes the call that is the nth of its operation.
    pub(crate) fn strike(&self, call: &Call, nth: usize) -> Option<Fault> {
        let found = self
            .asked
            .iter()
            .find(|(operation, turn, _)| fits(operation, call) && turn.is(nth, call.now));
        found.map(|(_, _, fault)| fault.clone())
    }
}

/// Whether an operation, as a test writes it, is the call's.
pub(crate) fn fits(operation: &str, call: &Call) -> bool {
    match operation.split_once(':') {
        Some((service, "*")) => service == call.service,
        Some((service, operation)) => service == call.service && operation == call.operation,
        None => operation == "*" || operation == call.operation,
    }
}

fn name(call: &Call) -> String {
    format!("{}:{}", call.service, call.operation)
}

fn denied(call: &Call) -> String {
    format!(
        "User: arn:aws:sts::123456789012:assumed-role/deploy/session is not authorized to perform: {} because no identity-based \
         policy allows the {0} action",
        name(call)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn call(operation: &str, second: u64) -> Call {
        Call {
            service: "ecs",
            operation: operation.to_owned(),
            input: Value::Null,
            now: Duration::from_secs(second),
        }
    }

    #[test]
    fn a_fault_strikes_the_calls_it_was_asked_for() {
        let cases = [
            ("UpdateService", Turn::Nth(2), [false, true, false]),
            ("ecs:UpdateService", Turn::First(2), [true, true, false]),
            ("ecs:*", Turn::Every, [true, true, true]),
            ("UpdateService", Turn::EveryNth(2), [false, true, false]),
            ("*", Turn::Since(Duration::from_secs(3)), [false, false, true]),
            ("elasticloadbalancing:*", Turn::Every, [false, false, false]),
            ("RunTask", Turn::Every, [false, false, false]),
        ];
        for (operation, turn, expected) in cases {
            let mut faults = Faults::default();
            faults.add(operation, turn, Fault::Reset);
            let struck = [1, 2, 3].map(|second| {
                let call = call("UpdateService", second);
                let nth = faults.count(&call);
                faults.strike(&call, nth).is_some()
            });
            assert_eq!(struck, expected, "{operation} {turn:?}");
        }
    }

    #[test]
    fn the_last_one_asked_for_wins_and_all_can_go() {
        let mut faults = Faults::default();
        faults.add("*", Turn::Every, Fault::Reset);
        faults.add("*", Turn::Every, Fault::Hang);
        assert_eq!(faults.strike(&call("RunTask", 0), 1), Some(Fault::Hang));
        faults.clear();
        assert_eq!(faults.strike(&call("RunTask", 0), 1), None);
    }
}
