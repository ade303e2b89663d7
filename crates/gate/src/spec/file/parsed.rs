//! Leaves that the gate has a type for: conditions, addresses, patterns.

use std::net::{IpAddr, SocketAddr};

use regex::{Regex, RegexBuilder};
use schemars::{Schema, json_schema};

use crate::condition::{Condition, ConditionError};
use crate::net::host_port::{HostPort, HostPortError};
use crate::net::place::{Place, PlaceError};
use crate::net::resolve::{Override, OverrideError};
use crate::probe::http;
use crate::spec::address::Address;
use crate::spec::file::leaf::{Meaning, shown};
use crate::status_set::{StatusSet, StatusSetError};
use crate::version::{VersionAt, VersionAtError};

/// How large a compiled pattern may be, in bytes.
const PATTERN: usize = 256 * 1024;

impl Meaning for Condition {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: ConditionError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^\\s*(failing|.*[<>=!].*)\\s*$|\\{\\{",
            "examples": ["< 1%", "p95 < 300ms", "count(5xx) >= 10", "failing"]
        })
    }
}

impl Meaning for StatusSet {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: StatusSetError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": ["string", "integer"], "examples": ["200", "2xx", "200-204", "2xx,401"]})
    }
}

impl Meaning for VersionAt {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: VersionAtError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["usual", "/version", "header:x-version", "body"]})
    }
}

impl Meaning for Address {
    fn mean(written: &str) -> Result<Self, String> {
        http::address(written)
            .map(Self::from)
            .map_err(|error| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["https://api.example.com/health"]})
    }
}

impl Meaning for Place {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: PlaceError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["db:5432"]})
    }
}

impl Meaning for HostPort {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: HostPortError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["db:5432"]})
    }
}

impl Meaning for Override {
    fn mean(written: &str) -> Result<Self, String> {
        written.parse().map_err(|error: OverrideError| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["example.com:443:10.0.0.1"]})
    }
}

/// The port of DNS.
const DNS: u16 = 53;

impl Meaning for SocketAddr {
    fn mean(written: &str) -> Result<Self, String> {
        let address: Option<IpAddr> = written.trim_matches(['[', ']']).parse().ok();
        address
            .map(|address| Self::new(address, DNS))
            .or_else(|| written.parse().ok())
            .ok_or_else(|| {
                format!(
                    "`{}` is no address of a resolver; write for example `1.1.1.1` or `127.0.0.1:5353`",
                    shown(written)
                )
            })
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "examples": ["1.1.1.1", "127.0.0.1:5353"]})
    }
}

impl Meaning for Regex {
    const COSTLY: bool = true;

    fn mean(written: &str) -> Result<Self, String> {
        RegexBuilder::new(written)
            .size_limit(PATTERN)
            .build()
            .map_err(|error| {
                let said = error.to_string();
                // The library draws the pattern above its reason.
                let reason = said
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned();
                format!("`{}` is no regular expression: {reason}", shown(written))
            })
    }

    fn schema() -> Schema {
        json_schema!({"type": "string"})
    }
}
