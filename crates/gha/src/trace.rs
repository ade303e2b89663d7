//! The trace id: one for all tools of a workflow run, so that logs, ledger and the target's own traces can be joined.

use sha2::{Digest as _, Sha256};

use crate::env::Env;

/// Sixteen bytes, as in W3C Trace Context (<https://www.w3.org/TR/trace-context/#trace-id>), never all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The trace id of this run: from `TRACEPARENT` where it is set and valid, else from repository, run id and
    /// attempt, which all steps and jobs of a run share, else (on a laptop) from `random`.
    #[must_use]
    pub fn of(env: &Env, random: [u8; 16]) -> Self {
        if let Some(id) = env.get("TRACEPARENT").and_then(parse_traceparent) {
            return id;
        }
        let run = (env.get("GITHUB_REPOSITORY"), env.get("GITHUB_RUN_ID"));
        let (Some(repository), Some(run_id)) = run else {
            return Self(random);
        };
        let attempt = env.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
        let digest = Sha256::digest(format!("{repository}\n{run_id}\n{attempt}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self(bytes)
    }

    /// Reads a trace id as [`TraceId`] prints it: 32 lower-case hexadecimal digits that are not all zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !is_lower_hex(text) {
            return None;
        }
        let id = u128::from_str_radix(text, 16).ok().filter(|id| *id != 0)?;
        Some(Self(id.to_be_bytes()))
    }

    /// Whether all tools of this run come to the same trace id.
    #[must_use]
    pub fn is_shared(env: &Env) -> bool {
        let given = env.get("TRACEPARENT").and_then(parse_traceparent).is_some();
        given || (env.get("GITHUB_REPOSITORY").is_some() && env.get("GITHUB_RUN_ID").is_some())
    }

    /// The header of a request: the trace id, and `parent`, eight bytes that name this call.
    #[must_use]
    pub fn traceparent(self, parent: [u8; 8]) -> String {
        format!("00-{self}-{:016x}-01", u64::from_be_bytes(parent).max(1))
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Reads the trace id of a `traceparent` value; `None` where it breaks the grammar.
fn parse_traceparent(text: &str) -> Option<TraceId> {
    let fields: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = fields[..] else {
        return None;
    };
    let shaped = version.len() == 2 && trace.len() == 32 && parent.len() == 16 && flags.len() == 2;
    if !shaped || version == "ff" || ![version, trace, parent, flags].into_iter().all(is_lower_hex) {
        return None;
    }
    TraceId::parse(trace)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn of(pairs: &[(&str, &str)]) -> String {
        TraceId::of(&pairs.iter().copied().collect(), [7; 16]).to_string()
    }

    #[test]
    fn steps_of_a_run_share_it_and_attempts_do_not() {
        let run = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "1"),
        ];
        let again = [run[0], run[1], ("GITHUB_RUN_ATTEMPT", "2")];
        assert_eq!(of(&run), of(&run[..2]), "the first attempt is the default");
        assert_ne!(of(&run), of(&again));
        assert_eq!(of(&[]), "07".repeat(16));
    }

    #[test]
    fn a_given_traceparent_wins_where_it_is_valid() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(
            of(&[("TRACEPARENT", &format!("00-{id}-b7ad6b7169203331-01"))]),
            id
        );
        for broken in [
            "x",
            "00-0-0-0",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(of(&[("TRACEPARENT", broken)]), "07".repeat(16), "{broken}");
        }
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        assert_eq!(of(&[("TRACEPARENT", &zero)]), "07".repeat(16));
    }

    #[test]
    fn the_header_has_the_shape_of_the_standard() {
        let id = TraceId([1; 16]);
        assert_eq!(
            id.traceparent([0; 8]),
            format!("00-{}-0000000000000001-01", "01".repeat(16))
        );
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_back(id in any::<[u8; 16]>(), parent in any::<[u8; 8]>()) {
            let id = TraceId(id);
            if id.0 != [0; 16] {
                assert_eq!(parse_traceparent(&id.traceparent(parent)), Some(id));
                assert_eq!(TraceId::parse(&id.to_string()), Some(id));
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = parse_traceparent(&text);
            let _ = TraceId::parse(&text);
        }
    }
}
