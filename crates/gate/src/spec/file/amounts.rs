//! Leaves that are amounts: durations, counts, shares, rates, and plain texts.

use std::time::Duration;

use schemars::{Schema, json_schema};

use gha::duration;

use crate::spec::file::leaf::{Meaning, shown};

impl Meaning for String {
    fn mean(written: &str) -> Result<Self, String> {
        Ok(written.to_owned())
    }

    fn schema() -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl Meaning for Duration {
    fn mean(written: &str) -> Result<Self, String> {
        duration::parse(written).map_err(|error| error.to_string())
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?|.*\\{\\{.*)$",
            "minLength": 2,
            "examples": ["300ms", "5s", "2m", "1h30m"]
        })
    }
}

impl Meaning for bool {
    fn mean(written: &str) -> Result<Self, String> {
        match written {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("`{}` is neither `true` nor `false`", shown(written))),
        }
    }

    fn schema() -> Schema {
        json_schema!({"type": "boolean"})
    }
}

impl Meaning for u32 {
    fn mean(written: &str) -> Result<Self, String> {
        let plain = written.bytes().all(|byte| byte.is_ascii_digit());
        written
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or_else(|| format!("`{}` is no whole number; write for example `3`", shown(written)))
    }

    fn schema() -> Schema {
        json_schema!({"type": "integer", "minimum": 0})
    }
}

/// A plain number, above zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Positive(pub(crate) f64);

impl Meaning for Positive {
    fn mean(written: &str) -> Result<Self, String> {
        let number: Option<f64> = written.parse().ok();
        number
            .filter(|number| number.is_finite() && *number > 0.0)
            .map(Self)
            .ok_or_else(|| format!("`{}` is no number above zero", shown(written)))
    }

    fn schema() -> Schema {
        json_schema!({"type": "number", "exclusiveMinimum": 0})
    }
}

/// A share from 0 to 1: `0.1%` or `0.001`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

impl Meaning for Share {
    fn mean(written: &str) -> Result<Self, String> {
        let (digits, whole) = match written.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 100.0),
            None => (written, 1.0),
        };
        let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let share: Option<f64> = digits
            .parse()
            .ok()
            .filter(|_| plain)
            .map(|number: f64| number / whole);
        // `1` could be all or one percent.
        let clear = whole > 1.0 || written != "1";
        share
            .filter(|share| (0.0..=1.0).contains(share) && clear)
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "`{}` is no share; write for example `1%` or `0.01`",
                    shown(written)
                )
            })
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [{"type": "string", "pattern": "^[0-9.]+ ?%?$|\\{\\{"}, {"type": "number", "minimum": 0, "maximum": 1}]})
    }
}

/// How sure a clause must be, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certain(pub(crate) Option<f64>);

impl Meaning for Certain {
    fn mean(written: &str) -> Result<Self, String> {
        if written == "off" {
            return Ok(Self(None));
        }
        let Share(share) = Share::mean(written)?;
        if (0.5..1.0).contains(&share) {
            Ok(Self(Some(share)))
        } else {
            Err(format!(
                "`{}` is not from 50% up to, not including, 100%; write for example `99.9%` or `off`",
                shown(written)
            ))
        }
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [{"type": "string", "pattern": "^(off|[0-9.]+ ?%|0?\\.[0-9]+)$|\\{\\{"}, {"type": "number", "minimum": 0.5, "exclusiveMaximum": 1}]})
    }
}

/// A clause's window: a duration, or `whole` for the whole observation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window(pub(crate) Option<Duration>);

impl Meaning for Window {
    fn mean(written: &str) -> Result<Self, String> {
        match written {
            "whole" => Ok(Self(None)),
            _ => Duration::mean(written).map(|window| Self(Some(window))),
        }
    }

    fn schema() -> Schema {
        json_schema!({"anyOf": [{"const": "whole"}, Duration::schema()]})
    }
}

/// How often a probe looks: `2/s`, `30/m`. Kept as the time between two looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate(pub(crate) Duration);

impl Meaning for Rate {
    fn mean(written: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{}` is no rate; write for example `2/s` or `30/m`",
                shown(written)
            )
        };
        let (number, unit) = written.split_once('/').ok_or_else(refuse)?;
        let unit = match unit.trim() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(refuse()),
        };
        let number = number.trim();
        let plain = number.starts_with(|c: char| c.is_ascii_digit());
        let number: f64 = number.parse().ok().filter(|_| plain).ok_or_else(refuse)?;
        let interval = unit / number;
        if !(1e-4..=3600.0).contains(&interval) {
            return Err(format!("`{}` is not between `1/h` and `10000/s`", shown(written)));
        }
        Ok(Self(Duration::from_secs_f64(interval)))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9.]+ ?/ ?[smh]$|\\{\\{", "examples": ["2/s", "30/m"]})
    }
}
