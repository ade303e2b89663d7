//! Whether a clause counts as met: its condition holds in enough windows, for long enough, with enough behind it. Pure.
//!
//! One bad window says little: a healthy service of one request a second with 0.5 % errors crosses 2 % in some minute of
//! half an hour two times out of three. So a share must be bad in several windows back to back with a least number of bad
//! ones, or so far over the limit that chance is no explanation.

use std::time::Duration;

use crate::measured::{Measured, Seen, Share, Truth};
use crate::rule::{Clause, NoData};
use crate::stats::proportion;
use crate::trouble::Trouble;

/// Which way a clause works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is met when its condition does not hold.
    Require,
    /// It is met when its condition holds.
    Abort,
}

/// What one look at a clause's window says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing is wrong.
    Well,
    /// The window is bad, but not yet often, long or much enough; what is missing.
    Bad(String),
    /// The clause counts as met; what made it so.
    Met(String),
    /// Too little is known.
    Unknown(String),
    /// It could not be measured.
    Trouble(Trouble),
}

/// What a clause has seen so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    looks: Vec<Window>,
    /// For how long it has been bad, as far as that is known.
    bad_for: Duration,
    /// When it was last seen bad, with nothing unknown since.
    bad_at: Option<Duration>,
}

/// A window that was looked at.
#[derive(Clone, Copy, Debug)]
struct Window {
    end: Duration,
    is_bad: bool,
    bad: f64,
}

/// What a window says by itself, whatever was before.
fn judge(clause: &Clause, role: Role, no_data: NoData, seen: &Seen) -> Reading {
    let measured = match (seen, no_data) {
        (Seen::Trouble(trouble), _) => return Reading::Trouble(trouble.clone()),
        (Seen::Nothing(why), NoData::Inconclusive) => return Reading::Unknown(format!("no data: {why}")),
        (Seen::Nothing(_), NoData::Pass) => return Reading::Well,
        (Seen::Nothing(why), NoData::Fail) => return Reading::Bad(format!("no data: {why}")),
        (Seen::Nothing(_), NoData::Zero) => Measured::Number(0.0),
        (Seen::Value(measured), _) => *measured,
    };
    let wanted = f64::from(clause.min_samples);
    // Extrapolated counts are a little beside whole numbers.
    if let Some(samples) = measured.samples().filter(|samples| samples.round() < wanted) {
        return Reading::Unknown(format!("{} of the {wanted} samples it takes", samples.round()));
    }
    let holds = match (&seen, clause.test.of(&measured)) {
        (Seen::Nothing(_), _) => clause.test.op.holds(0.0, clause.test.threshold),
        (_, Truth::Yes) => true,
        (_, Truth::No) => false,
        (_, Truth::Unknown(why)) => return Reading::Unknown(why),
    };
    if holds == (role == Role::Abort) {
        Reading::Bad(String::new())
    } else {
        Reading::Well
    }
}

impl History {
    /// Takes in what the window that ends at `end` showed, and says whether the clause counts as met.
    pub fn take(
        &mut self,
        clause: &Clause,
        role: Role,
        no_data: NoData,
        end: Duration,
        seen: &Seen,
    ) -> Reading {
        match judge(clause, role, no_data, seen) {
            Reading::Well => {
                (self.bad_for, self.bad_at) = (Duration::ZERO, None);
                self.push(clause, end, false, 0.0);
                Reading::Well
            }
            Reading::Bad(_) => {
                let share = match seen {
                    Seen::Value(Measured::Share(share)) => Some(*share),
                    _ => None,
                };
                if let Some(before) = self.bad_at.replace(end) {
                    self.bad_for += end.saturating_sub(before);
                }
                self.push(clause, end, true, share.map_or(0.0, |share| share.bad));
                self.weigh(clause, seen, share)
            }
            // Not knowing neither breaks a row nor adds to it.
            unknown => {
                self.bad_at = None;
                unknown
            }
        }
    }

    fn push(&mut self, clause: &Clause, end: Duration, is_bad: bool, bad: f64) {
        self.looks.push(Window { end, is_bad, bad });
        let reach = clause
            .window
            .unwrap_or_default()
            .saturating_mul(clause.consecutive + 1);
        let old = self
            .looks
            .partition_point(|look| look.end.saturating_add(reach) < end);
        self.looks.drain(..old.min(self.looks.len() - 1));
    }

    /// A bad window, weighed with those before it.
    fn weigh(&self, clause: &Clause, seen: &Seen, share: Option<Share>) -> Reading {
        if let Seen::Value(Measured::Failing(seconds)) = seen {
            let failing = Duration::try_from_secs_f64(*seconds).unwrap_or_default();
            return held(failing, clause.hold);
        }
        // Failures come in clusters, so that even what is beyond doubt takes as many bad ones as the rule asks for.
        if let (Some(share), Some(confidence)) = (share, clause.certain)
            && share.bad.round() >= f64::from(clause.min_bad)
            && proportion::chance_of_at_least(share.bad, share.total, clause.test.threshold)
                <= 1.0 - confidence
        {
            return Reading::Met(format!("beyond doubt ({}%)", confidence * 100.0));
        }
        let (windows, bad) = self.row(clause);
        if windows < clause.consecutive {
            return Reading::Bad(format!("in {windows} of {} windows in a row", clause.consecutive));
        }
        let wanted = f64::from(clause.min_bad);
        if share.is_some() && bad.round() < wanted {
            return Reading::Bad(format!("{} of at least {wanted} bad ones", bad.round()));
        }
        match held(self.bad_for, clause.hold) {
            Reading::Met(_) if clause.consecutive > 1 => {
                Reading::Met(format!("in {} windows in a row", clause.consecutive))
            }
            other => other,
        }
    }

    /// How many windows back to back are bad, counted back from the latest, and how many bad ones they hold. Windows that
    /// overlap share what they saw, so of those only every one that begins where the next ends counts.
    fn row(&self, clause: &Clause) -> (u32, f64) {
        let length = clause.window.unwrap_or_default();
        let (mut windows, mut bad, mut before) = (0, 0.0, Duration::MAX);
        for look in self.looks.iter().rev() {
            if look.end > before {
                continue;
            }
            if !look.is_bad {
                break;
            }
            windows += 1;
            bad += look.bad;
            if windows == clause.consecutive || look.end < length {
                break;
            }
            before = look.end - length;
        }
        (windows, bad)
    }
}

/// Whether something has been bad for long enough.
fn held(since: Duration, hold: Duration) -> Reading {
    if since < hold {
        let show = gha::duration::display;
        Reading::Bad(format!("for {} of {}", show(since), show(hold)))
    } else if hold.is_zero() {
        Reading::Met(String::new())
    } else {
        Reading::Met(format!("for {}", gha::duration::display(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Condition, SubjectKind};

    fn clause(written: &str, subject: SubjectKind) -> Clause {
        Clause {
            test: written.parse::<Condition>().unwrap().on(subject).unwrap(),
            window: Some(secs(60)),
            hold: Duration::ZERO,
            consecutive: 1,
            min_bad: 0,
            min_samples: 0,
            certain: None,
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn share(bad: f64, total: f64) -> Seen {
        Seen::Value(Measured::Share(Share { bad, total }))
    }

    /// What an abort clause says of windows that end at these seconds.
    fn play(clause: &Clause, looks: &[(u64, Seen)]) -> Vec<Reading> {
        let mut history = History::default();
        looks
            .iter()
            .map(|(end, seen)| history.take(clause, Role::Abort, NoData::Inconclusive, secs(*end), seen))
            .collect()
    }

    fn words(readings: &[Reading]) -> Vec<String> {
        readings
            .iter()
            .map(|reading| match reading {
                Reading::Well => "well".to_owned(),
                Reading::Bad(why) => format!("bad {why}"),
                Reading::Met(why) => format!("met {why}").trim_end().to_owned(),
                Reading::Unknown(why) => format!("unknown {why}"),
                Reading::Trouble(trouble) => format!("trouble {}", trouble.reason),
            })
            .collect()
    }

    #[test]
    fn windows_in_a_row_do_not_overlap() {
        let clause = Clause {
            consecutive: 2,
            min_bad: 5,
            ..clause("> 2%", SubjectKind::Ratio)
        };
        let looks = [
            (60, share(3.0, 60.0)),
            (75, share(3.0, 60.0)),
            (120, share(1.0, 60.0)),
            (135, share(2.0, 60.0)),
            (150, share(3.0, 60.0)),
            (195, share(2.0, 60.0)),
        ];
        assert_eq!(
            words(&play(&clause, &looks)),
            [
                "bad in 1 of 2 windows in a row",
                "bad in 1 of 2 windows in a row",
                "well",
                "met in 2 windows in a row",
                "met in 2 windows in a row",
                "bad 4 of at least 5 bad ones",
            ]
        );
    }

    #[test]
    fn a_good_window_between_two_bad_ones_breaks_the_row_only_where_it_lies_in_it() {
        let clause = Clause {
            consecutive: 2,
            ..clause("> 2%", SubjectKind::Ratio)
        };
        let looks = [
            (60, share(30.0, 60.0)),
            (90, share(0.0, 60.0)),
            (120, share(30.0, 60.0)),
            (180, share(30.0, 60.0)),
        ];
        assert_eq!(
            words(&play(&clause, &looks))[2..],
            ["met in 2 windows in a row", "met in 2 windows in a row"]
        );
    }

    #[test]
    fn not_knowing_neither_breaks_nor_adds() {
        let clause = Clause {
            hold: secs(100),
            ..clause(">= 10", SubjectKind::Number)
        };
        let number = |number| Seen::Value(Measured::Number(number));
        let nothing = Seen::Nothing("no series".to_owned());
        let looks = [
            (10, number(12.0)),
            (60, number(12.0)),
            (110, nothing),
            (160, number(10.0)),
            (210, number(10.0)),
            (220, number(9.0)),
            (230, number(10.0)),
        ];
        assert_eq!(
            words(&play(&clause, &looks)),
            [
                "bad for 0ms of 1m40s",
                "bad for 50s of 1m40s",
                "unknown no data: no series",
                "bad for 50s of 1m40s",
                "met for 1m40s",
                "well",
                "bad for 0ms of 1m40s"
            ]
        );
    }

    #[test]
    fn beyond_doubt_one_window_is_enough() {
        let sure = Clause {
            consecutive: 2,
            certain: Some(0.999),
            ..clause("> 2%", SubjectKind::Ratio)
        };
        assert_eq!(
            words(&play(&sure, &[(10, share(9.0, 10.0))])),
            ["met beyond doubt (99.9%)"]
        );
        assert_eq!(
            words(&play(&sure, &[(10, share(2.0, 10.0))])),
            ["bad in 1 of 2 windows in a row"]
        );
    }

    #[test]
    fn failing_knows_its_own_time() {
        let clause = Clause {
            hold: secs(120),
            ..clause("failing", SubjectKind::Probe)
        };
        let failing = |seconds| Seen::Value(Measured::Failing(seconds));
        assert_eq!(
            words(&play(
                &clause,
                &[(10, failing(0.0)), (20, failing(60.0)), (30, failing(120.0))]
            )),
            ["well", "bad for 1m of 2m", "met for 2m"]
        );
    }

    #[test]
    fn what_no_data_means_is_said_by_the_rule() {
        let clause = clause("> 2%", SubjectKind::Ratio);
        let seen = Seen::Nothing("no series".to_owned());
        let reading = |no_data| {
            words(&[History::default().take(&clause, Role::Abort, no_data, secs(60), &seen)]).remove(0)
        };
        assert_eq!(reading(NoData::Inconclusive), "unknown no data: no series");
        assert_eq!(reading(NoData::Pass), "well");
        assert_eq!(reading(NoData::Fail), "met");
        assert_eq!(reading(NoData::Zero), "well");
    }

    #[test]
    fn too_few_samples_are_no_judgement() {
        let clause = Clause {
            min_samples: 59,
            ..clause("p95 > 500ms", SubjectKind::Probe)
        };
        let latency = |n| {
            Seen::Value(Measured::Latency(crate::measured::Latency {
                low: 0.9,
                high: 0.9,
                n,
            }))
        };
        assert_eq!(
            words(&play(&clause, &[(60, latency(58.0)), (61, latency(59.0))])),
            ["unknown 58 of the 59 samples it takes", "met"]
        );
    }
}
