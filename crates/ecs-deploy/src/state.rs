//! What is needed to undo a weighted deploy, kept as a tag on the service so that a fresh runner finds it.
//!
//! A tag's value has at most 256 characters out of letters, digits, blanks and `+ - = . _ : / @`
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>), so the state is words, the schema first:
//! `1 run=acme/shop:42.1 trace=… began=2026-01-02T03:04:05Z seen=… before=100:0 wrote=90:10 step=1 held=io rev=42
//! end`. The tag is on the service that served before, so that it says which of the two that is.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use gha::text;
use gha::trace::TraceId;

use crate::pair::Pair;

/// The key of the tag.
pub const TAG: &str = "deploy-actions.ecs-deploy";

/// The key of a tag beside it: the revision, such as `web:4`, that a deploy brought to the other service. It is taken off
/// when that serves, so that one that stays names a version that was taken back, and is nothing to go back to.
pub const TRIED: &str = "deploy-actions.ecs-deploy.tried";

/// The key of a tag beside it: which deploy was undone from elsewhere, for a run of it that may be live still. ECS has no
/// condition to tag under, so the lock itself may be written over by that run.
pub const UNDONE: &str = "deploy-actions.ecs-deploy.undone";

/// The schema that this version writes, and the only one that it reads.
const SCHEMA: u32 = 1;

/// The last word, without which a value was cut off.
const END: &str = "end";

/// The longest value of a tag, in characters.
pub const LONGEST: usize = 256;

/// The longest name of a run; with the longest of everything else the tag still holds it.
const LONGEST_RUN: usize = 40;

/// The state of a weighted deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The run that deploys, for people.
    pub run: Run,
    /// The run that deploys, for programs.
    pub trace: TraceId,
    /// When the deploy began, to the second.
    pub began: Timestamp,
    /// When the run last wrote this, to the second: how fresh the lock is.
    pub seen: Timestamp,
    /// The weights before the first change: what an undo restores.
    pub before: Pair,
    /// The weights that were written last: what the rule must still have.
    pub wrote: Pair,
    /// The steps that were reached.
    pub step: u8,
    /// For how many seconds clients stayed with their target group, where that was on and was turned off.
    pub sticky: Option<u32>,
    /// What was suspended of the live service's scaling before it was pinned, where it scales by itself
    /// (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html>).
    pub scaling: Option<Suspended>,
    /// The same of the idle service.
    pub idle_scaling: Option<Suspended>,
    /// The desired count that the idle service had.
    pub idle: Option<u32>,
    /// The number of the revision that the idle service gets: who promotes promotes that.
    pub revision: Option<u32>,
    /// Where the run stays or ended, where that is not a step under way.
    pub stage: Option<Stage>,
}

/// Where a run stays or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It ended at the step that it was to reach, for another to promote. Nobody else's lock, and never out of date.
    Paused,
    /// All steps are done, and the earlier version is only kept: what is left is to tidy up.
    Kept,
    /// It is over, but for stickiness, which must stay off until clients have forgotten the other version. No lock any more.
    Over,
}

/// What of the scaling was suspended
/// (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_SuspendedState.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    /// `DynamicScalingInSuspended`
    pub scaling_in: bool,
    /// `DynamicScalingOutSuspended`
    pub scaling_out: bool,
    /// `ScheduledScalingSuspended`
    pub scheduled: bool,
}

/// The name of a run, such as `acme/shop:42.1`, of characters that a tag takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run(String);

/// Why a tag's value is no state that can be acted on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StateError {
    /// Of a newer version.
    #[error(
        "the tag `{TAG}` has schema {found}, and this version knows {SCHEMA}; use the version that wrote it, or a newer one: `{held}`"
    )]
    Newer {
        /// Its schema.
        found: u32,
        /// The value.
        held: String,
    },
    /// Not what was written.
    #[error("the tag `{TAG}` is damaged ({why}): `{held}`")]
    Damaged {
        /// What is wrong.
        why: String,
        /// The value.
        held: String,
    },
}

impl State {
    /// The value of the tag [`UNDONE`] that names this deploy.
    #[must_use]
    pub fn identity(&self) -> String {
        identity(&self.trace, self.began)
    }
}

/// The same of the deploy of a run that began then.
#[must_use]
pub fn identity(trace: &TraceId, began: Timestamp) -> String {
    format!("{SCHEMA} trace={trace} began={} {END}", to_second(began))
}

impl Run {
    /// Names a run. What a tag does not take becomes `-`; of a long name the end is kept, where the numbers stand.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let plain = |c: char| if Self::takes(c) { c } else { '-' };
        let name: Vec<char> = name.chars().map(plain).collect();
        let start = name.len().saturating_sub(LONGEST_RUN);
        let name: String = name[start..].iter().collect();
        Self(if name.is_empty() { "-".to_owned() } else { name })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn takes(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | ':' | '/' | '@')
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of the tag.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, trace, step, .. } = self;
        let [began, seen] = [self.began, self.seen].map(to_second);
        let [before, wrote] = [self.before, self.wrote].map(|pair| format!("{}:{}", pair.old, pair.new));
        write!(f, "{SCHEMA} run={run} trace={trace} began={began} seen={seen}")?;
        write!(f, " before={before} wrote={wrote} step={step}")?;
        if let Some(seconds) = self.sticky {
            write!(f, " sticky={seconds}")?;
        }
        if let Some(suspended) = self.scaling {
            write!(f, " held={suspended}")?;
        }
        if let Some(suspended) = self.idle_scaling {
            write!(f, " too={suspended}")?;
        }
        if let Some(count) = self.idle {
            write!(f, " idle={count}")?;
        }
        if let Some(number) = self.revision {
            write!(f, " rev={number}")?;
        }
        if let Some(stage) = self.stage {
            write!(f, " at={stage}")?;
        }
        write!(f, " {END}")
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "paused",
            Self::Kept => "kept",
            Self::Over => "over",
        })
    }
}

impl FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Paused, Self::Kept, Self::Over];
        all.into_iter().find(|stage| stage.to_string() == text).ok_or(())
    }
}

/// The letters of what is suspended: in, out, scheduled; `-` for nothing.
impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [
            (self.scaling_in, 'i'),
            (self.scaling_out, 'o'),
            (self.scheduled, 's'),
        ];
        let letters: String = letters
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, letter)| letter)
            .collect();
        f.write_str(if letters.is_empty() { "-" } else { &letters })
    }
}

impl FromStr for Suspended {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let suspended = Self {
            scaling_in: text.contains('i'),
            scaling_out: text.contains('o'),
            scheduled: text.contains('s'),
        };
        if suspended.to_string() == text {
            Ok(suspended)
        } else {
            Err(())
        }
    }
}

impl FromStr for State {
    type Err = StateError;

    fn from_str(value: &str) -> Result<Self, StateError> {
        let held = || text::cut(&text::visible(value), LONGEST);
        let damaged = |why: String| StateError::Damaged { why, held: held() };
        let mut words = value.split(' ');
        let schema = words.next().unwrap_or_default();
        let schema: u32 = schema
            .parse()
            .map_err(|_| damaged("it does not begin with a schema".to_owned()))?;
        if schema > SCHEMA {
            let (found, held) = (schema, held());
            return Err(StateError::Newer { found, held });
        }
        if schema != SCHEMA {
            return Err(damaged(format!("there is no schema {schema}")));
        }
        if words.next_back() != Some(END) {
            return Err(damaged("its end is missing".to_owned()));
        }
        let fields = Fields::split(words).map_err(damaged)?;
        let state = fields.state().map_err(damaged)?;
        // A value that would be written otherwise was written by something else.
        if state.to_string() == value {
            Ok(state)
        } else {
            Err(damaged("it is not as this version writes it".to_owned()))
        }
    }
}

/// The words of a tag, each `key=value`.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    const KNOWN: [&'static str; 13] = [
        "run", "trace", "began", "seen", "before", "wrote", "step", "sticky", "held", "too", "idle", "rev",
        "at",
    ];

    fn split(words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        for word in words {
            let shown = || text::cut(&text::visible(word), 60);
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| format!("`{}` is no field", shown()))?;
            if !Self::KNOWN.contains(&key) {
                return Err(format!("`{}` is no field that is known", shown()));
            }
            if fields.iter().any(|(other, _)| *other == key) {
                return Err(format!("the field `{key}` stands there twice"));
            }
            fields.push((key, value));
        }
        Ok(Self(fields))
    }

    fn state(&self) -> Result<State, String> {
        Ok(State {
            run: self.needed("run", |run| Some(Run::new(run)))?,
            trace: self.needed("trace", TraceId::parse)?,
            began: self.needed("began", |time| time.parse().ok())?,
            seen: self.needed("seen", |time| time.parse().ok())?,
            before: self.needed("before", pair)?,
            wrote: self.needed("wrote", pair)?,
            step: self.needed("step", number)?,
            sticky: self.optional("sticky", number)?,
            scaling: self.optional("held", number)?,
            idle_scaling: self.optional("too", number)?,
            idle: self.optional("idle", number)?,
            revision: self.optional("rev", number)?,
            stage: self.optional("at", number)?,
        })
    }

    fn needed<T>(&self, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        self.optional(key, read)?
            .ok_or_else(|| format!("the field `{key}` is missing"))
    }

    fn optional<T>(&self, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some((_, value)) = self.0.iter().find(|(other, _)| *other == key) else {
            return Ok(None);
        };
        let wrong = || {
            format!(
                "`{}` is no value of `{key}`",
                text::cut(&text::visible(value), 60)
            )
        };
        read(value).map(Some).ok_or_else(wrong)
    }
}

/// Cuts what a second has less of: a tag has no room for it.
fn to_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn pair(text: &str) -> Option<Pair> {
    let (old, new) = text.split_once(':')?;
    let weight = |text: &str| text.parse().ok().filter(|weight| *weight <= 999);
    Some(Pair {
        old: weight(old)?,
        new: weight(new)?,
    })
}

#[cfg(test)]
mod tests;
