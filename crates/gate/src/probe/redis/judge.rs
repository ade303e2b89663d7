//! What a reply of Redis says about being ready. The error prefixes are those of `src/server.c` and `src/acl.c` of
//! Redis 7 (<https://github.com/redis/redis>). Pure.

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::probe::redis::Role;
use crate::probe::redis::resp::Reply;

/// What the reply to `AUTH` means; nothing when it went well.
pub(super) fn auth(reply: &Reply) -> Option<Finding> {
    match reply {
        Reply::Status(status) if status == "OK" => None,
        // A server that has no password, or one before Redis 6 that has another one, says so by `ERR`.
        Reply::Error(error) if code(error) == "ERR" && !is_full(error) => {
            Some(said(FaultKind::Password, error))
        }
        Reply::Error(error) => Some(refused(error)),
        other => Some(unasked("AUTH", other)),
    }
}

/// What the reply to `PING` means; nothing when the server is ready.
pub(super) fn ping(reply: &Reply, allow_noauth: bool) -> Option<Finding> {
    match reply {
        Reply::Status(status) if status == "PONG" => None,
        Reply::Error(error) if allow_noauth && code(error) == "NOAUTH" => None,
        Reply::Error(error) => Some(refused(error)),
        other => Some(unasked("PING", other)),
    }
}

/// What the reply to `ROLE` means (<https://redis.io/docs/latest/commands/role/>); nothing when the server has this role
/// and, as a replica, its link to the master is up.
pub(super) fn role(reply: &Reply, wanted: Role) -> Option<Finding> {
    let fields = match reply {
        Reply::Error(error) => return Some(refused(error)),
        Reply::Array(Some(fields)) => fields,
        other => return Some(unasked("ROLE", other)),
    };
    let field = |at: usize| match fields.get(at) {
        Some(Reply::Bulk(Some(text))) => text.as_str(),
        _ => "",
    };
    match (field(0), wanted) {
        ("master", Role::Master) => None,
        ("slave", Role::Replica) if field(3) == "connected" => None,
        ("slave", Role::Replica) => Some(Finding::bad(
            FaultKind::NotReady,
            format!(
                "the replica's link to its master {} is {}",
                quoted(field(1)),
                quoted(field(3))
            ),
        )),
        ("", _) => Some(unasked("ROLE", reply)),
        (role, wanted) => {
            let role = if role == "slave" { "replica" } else { role };
            let reason = format!("its role is {}, expected `{wanted}`", quoted(role));
            Some(Finding::bad(FaultKind::Content, reason))
        }
    }
}

/// What an error means.
fn refused(error: &str) -> Finding {
    let kind = match code(error) {
        "LOADING" | "MASTERDOWN" | "BUSY" | "MISCONF" | "CLUSTERDOWN" | "TRYAGAIN" => FaultKind::NotReady,
        "NOAUTH" | "WRONGPASS" | "NOPERM" => FaultKind::Password,
        // Protected mode: only connections from the server's own machine are taken.
        "DENIED" => FaultKind::Connection,
        _ if is_full(error) => FaultKind::Full,
        _ => FaultKind::Protocol,
    };
    said(kind, error)
}

fn is_full(error: &str) -> bool {
    error.starts_with("ERR max number of clients")
}

/// An error's first word, which names its kind.
fn code(error: &str) -> &str {
    error.split(' ').next().unwrap_or_default()
}

fn said(kind: FaultKind, error: &str) -> Finding {
    Finding::bad(kind, format!("answered {}", quoted(error)))
}

/// A reply that this command never has.
fn unasked(command: &str, reply: &Reply) -> Finding {
    let said = match reply {
        Reply::Status(text) | Reply::Error(text) | Reply::Bulk(Some(text)) => quoted(text),
        Reply::Integer(number) => format!("`{number}`"),
        Reply::Bulk(None) | Reply::Array(None) => "nothing".to_owned(),
        Reply::Array(Some(items)) => format!("a list of {}", items.len()),
    };
    let reason = format!("answered {said} to `{command}`, which is not Redis");
    Finding::bad(FaultKind::Protocol, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Reply {
        Reply::Error(text.to_owned())
    }

    fn kind(finding: Option<Finding>) -> Option<FaultKind> {
        finding.map(|finding| finding.fault().unwrap().kind)
    }

    #[test]
    fn ping_tells_whether_it_is_ready() {
        for (reply, expected) in [
            (Reply::Status("PONG".to_owned()), None),
            (Reply::Status("OK".to_owned()), Some(FaultKind::Protocol)),
            (Reply::Bulk(None), Some(FaultKind::Protocol)),
            (
                error("NOAUTH Authentication required."),
                Some(FaultKind::Password),
            ),
            (
                error("NOPERM User x has no permissions to run the 'ping' command"),
                Some(FaultKind::Password),
            ),
            (
                error("LOADING Redis is loading the dataset in memory"),
                Some(FaultKind::NotReady),
            ),
            (
                error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
                Some(FaultKind::NotReady),
            ),
            (
                error("BUSY Redis is busy running a script."),
                Some(FaultKind::NotReady),
            ),
            (
                error(
                    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                ),
                Some(FaultKind::NotReady),
            ),
            (
                error("DENIED Redis is running in protected mode"),
                Some(FaultKind::Connection),
            ),
            (error("ERR max number of clients reached"), Some(FaultKind::Full)),
            (
                error("ERR max number of clients + cluster connections reached"),
                Some(FaultKind::Full),
            ),
            (error("ERR unknown command 'PING'"), Some(FaultKind::Protocol)),
            (error("LOADINGX"), Some(FaultKind::Protocol)),
            (error(""), Some(FaultKind::Protocol)),
        ] {
            assert_eq!(kind(ping(&reply, false)), expected, "{reply:?}");
        }
        assert_eq!(ping(&error("NOAUTH Authentication required."), true), None);
        assert_eq!(kind(ping(&error("LOADING x"), true)), Some(FaultKind::NotReady));
    }

    #[test]
    fn auth_tells_whether_the_password_is_taken() {
        for (reply, expected) in [
            (Reply::Status("OK".to_owned()), None),
            (
                error("WRONGPASS invalid username-password pair or user is disabled."),
                Some(FaultKind::Password),
            ),
            (
                error("ERR Client sent AUTH, but no password is set"),
                Some(FaultKind::Password),
            ),
            (error("ERR max number of clients reached"), Some(FaultKind::Full)),
            (error("LOADING x"), Some(FaultKind::NotReady)),
            (Reply::Status("PONG".to_owned()), Some(FaultKind::Protocol)),
        ] {
            assert_eq!(kind(auth(&reply)), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_role_is_compared_and_a_replica_must_be_linked() {
        let text = |text: &str| Reply::Bulk(Some(text.to_owned()));
        let master = Reply::Array(Some(vec![
            text("master"),
            Reply::Integer(1),
            Reply::Array(Some(vec![])),
        ]));
        let replica = |state: &str| {
            let fields = ["slave", "10.0.0.1", "6379", state];
            let mut fields: Vec<_> = fields.into_iter().map(text).collect();
            fields[2] = Reply::Integer(6379);
            Reply::Array(Some(fields))
        };
        for (reply, wanted, reason) in [
            (&master, Role::Master, None),
            (&replica("connected"), Role::Replica, None),
            (
                &replica("sync"),
                Role::Replica,
                Some("the replica's link to its master `10.0.0.1` is `sync`"),
            ),
            (
                &master,
                Role::Replica,
                Some("its role is `master`, expected `replica`"),
            ),
            (
                &replica("sync"),
                Role::Master,
                Some("its role is `replica`, expected `master`"),
            ),
            (
                &Reply::Array(Some(vec![text("sentinel")])),
                Role::Master,
                Some("its role is `sentinel`, expected `master`"),
            ),
            (
                &Reply::Array(Some(vec![])),
                Role::Master,
                Some("answered a list of 0 to `ROLE`, which is not Redis"),
            ),
            (&error("NOAUTH x"), Role::Master, Some("answered `NOAUTH x`")),
        ] {
            let finding = role(reply, wanted);
            assert_eq!(finding.as_ref().map(Finding::text), reason, "{reply:?}");
        }
    }
}
