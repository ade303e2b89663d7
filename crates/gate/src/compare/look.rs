//! One look at the data so far, and its verdict.

use crate::compare::ratio::Ratio;
use crate::compare::{Counts, Interval, Plan};
use crate::stats::proportion;

/// One look. Its numbers are of the intervals in which both arms had traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// What is decided.
    pub verdict: Verdict,
    /// Which look it is, from 1.
    pub look: u32,
    /// How many are planned.
    pub looks: u32,
    /// In how many intervals both arms had traffic.
    pub intervals: u32,
    /// The new version.
    pub canary: Counts,
    /// The old version.
    pub baseline: Counts,
    /// The ratio of their rates; nothing of fewer than two intervals.
    pub ratio: Option<Ratio>,
    /// How likely a ratio as high as this is when the true one is `fail_ratio`.
    pub p: Option<f64>,
    /// The canary fails where `p` is at most this: the look's part of `alpha`.
    pub level: f64,
    fail_ratio: f64,
    pass_ratio: f64,
    pass_alpha: f64,
    min_bad: u32,
    ignore_below: f64,
}

/// What a look decides. Only [`Verdict::Continue`] is not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The canary is worse.
    Fail,
    /// The canary is good enough; only at the last look.
    Pass(Ground),
    /// Not decided yet.
    Continue,
    /// The last look could not decide.
    Inconclusive(Why),
}

/// Why a canary passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Its rate is surely below `pass_ratio` times the baseline's.
    Ratio,
    /// Its rate is surely below `ignore_below`.
    Floor,
}

/// Why the last look could not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// An arm had no traffic at all.
    NoTraffic(Arm),
    /// Both arms had traffic in this many intervals at once; too few.
    FewIntervals {
        /// How many they were.
        had: u32,
        /// How many it takes.
        needs: u32,
    },
    /// This arm had traffic, and none any more in this many intervals at the end: what it has become is not known.
    Ceased(Arm, usize),
    /// Too few bad requests of the canary to call it worse, and too few requests to call it good.
    FewBad,
    /// Neither ratio is ruled out.
    Unsettled,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// The new version.
    Canary,
    /// The old version.
    Baseline,
}

impl Plan {
    /// Makes the look of this number, from 1, at all intervals so far. A look after the last is the last.
    #[must_use]
    pub fn look(&self, look: u32, intervals: &[Interval]) -> Look {
        let settings = &self.settings;
        let look = look.clamp(1, settings.looks);
        let compared = || intervals.iter().filter(|interval| interval.compares());
        let ratio = Ratio::of(intervals);
        let mut made = Look {
            verdict: Verdict::Continue,
            look,
            looks: settings.looks,
            intervals: compared().fold(0, |count, _| count + 1),
            canary: compared().map(|interval| interval.canary).sum(),
            baseline: compared().map(|interval| interval.baseline).sum(),
            p: ratio.map(|ratio| ratio.chance_of_higher(settings.fail_ratio)),
            ratio,
            level: self.levels[look as usize - 1],
            fail_ratio: settings.fail_ratio,
            pass_ratio: settings.pass_ratio,
            pass_alpha: settings.pass_alpha,
            min_bad: settings.min_bad,
            ignore_below: settings.ignore_below,
        };
        made.verdict = self.verdict(&made, intervals);
        made
    }

    fn verdict(&self, look: &Look, intervals: &[Interval]) -> Verdict {
        let at_the_end = |verdict| {
            if look.look == look.looks {
                verdict
            } else {
                Verdict::Continue
            }
        };
        let needs = self.settings.min_intervals;
        let (Some(ratio), Some(p), true) = (look.ratio, look.p, look.intervals >= needs) else {
            return at_the_end(Verdict::Inconclusive(silent(intervals).map_or(
                Why::FewIntervals {
                    had: look.intervals,
                    needs,
                },
                Why::NoTraffic,
            )));
        };
        let good = |ground| {
            // What was seen long ago says nothing of an arm that is gone: a pass takes both since the look before.
            let lately = intervals.len().div_ceil(self.settings.looks as usize);
            at_the_end(match silent(&intervals[intervals.len() - lately..]) {
                Some(arm) => Verdict::Inconclusive(Why::Ceased(arm, lately)),
                None => Verdict::Pass(ground),
            })
        };
        if look.is_below_floor(ratio.dispersion) {
            return good(Ground::Floor);
        }
        let enough_bad = look.canary.bad().round() >= f64::from(look.min_bad);
        if p <= look.level && enough_bad {
            return Verdict::Fail;
        }
        if ratio.chance_of_lower(look.pass_ratio) < look.pass_alpha {
            return good(Ground::Ratio);
        }
        at_the_end(Verdict::Inconclusive(if enough_bad {
            Why::Unsettled
        } else {
            Why::FewBad
        }))
    }
}

/// An arm that had no traffic in any interval.
fn silent(intervals: &[Interval]) -> Option<Arm> {
    let nothing = |counts: fn(&Interval) -> Counts| !intervals.iter().any(|i| counts(i).has_traffic());
    if nothing(|interval| interval.canary) {
        Some(Arm::Canary)
    } else if nothing(|interval| interval.baseline) {
        Some(Arm::Baseline)
    } else {
        None
    }
}

impl Look {
    /// The ratio that the true one is above, but for the look's level.
    #[must_use]
    pub fn ratio_lower(&self) -> Option<f64> {
        self.ratio.map(|ratio| ratio.lower(self.level))
    }

    /// The ratio that the true one is below, but for `pass_alpha`.
    #[must_use]
    pub fn ratio_upper(&self) -> Option<f64> {
        self.ratio.map(|ratio| ratio.upper(self.pass_alpha))
    }

    /// The share that the canary's true rate is below, but for `pass_alpha`. Clustered failures tell as much as fewer
    /// independent ones: counts are divided by the dispersion.
    #[must_use]
    pub fn canary_upper(&self) -> Option<f64> {
        let dispersion = self.ratio?.dispersion;
        let (bad, total) = (self.canary.bad() / dispersion, self.canary.total() / dispersion);
        Some(proportion::upper(bad, total, self.pass_alpha))
    }

    /// Whether [`Self::canary_upper`] is below the floor.
    fn is_below_floor(&self, dispersion: f64) -> bool {
        let (bad, total) = (self.canary.bad() / dispersion, self.canary.total() / dispersion);
        self.ignore_below > 0.0
            && bad < total * self.ignore_below
            && proportion::chance_of_at_most(bad, total, self.ignore_below) < self.pass_alpha
    }

    /// What was seen and what follows, in one line: a lower-case fragment without foreign text.
    #[must_use]
    pub fn reason(&self) -> String {
        let seen = format!(
            "canary {}, baseline {}",
            rate_text(self.canary),
            rate_text(self.baseline)
        );
        let at = format!("look {} of {}", self.look, self.looks);
        match self.verdict {
            Verdict::Fail => format!("{seen}: {}; {at}", self.fail_text()),
            Verdict::Pass(Ground::Ratio) => format!("{seen}: {}; {at}", self.ratio_text()),
            Verdict::Pass(Ground::Floor) => format!(
                "{seen}: the canary's rate is at most {}, below the {} that is ignored; {at}",
                percent(self.canary_upper().unwrap_or(1.0)),
                percent(self.ignore_below),
            ),
            Verdict::Continue => match self.ratio {
                Some(_) => format!("{seen}: {}; undecided at {at}", self.ratio_text()),
                None => format!("too little traffic in both arms so far; {at}"),
            },
            Verdict::Inconclusive(why) => match why {
                Why::NoTraffic(arm) => format!("{} had no traffic", arm.text()),
                Why::FewIntervals { had, needs } => {
                    format!("both arms had traffic in {had} intervals, needs {needs}")
                }
                Why::Ceased(arm, 1) => format!("{seen}: {} had no traffic in the last interval", arm.text()),
                Why::Ceased(arm, last) => {
                    format!(
                        "{seen}: {} had no traffic in the last {last} intervals",
                        arm.text()
                    )
                }
                Why::FewBad => format!("{seen}: {}; {}", self.ratio_text(), self.few_bad_text()),
                Why::Unsettled => format!(
                    "{seen}: {}, which is neither proven to be above {} nor below {}",
                    self.ratio_text(),
                    times(self.fail_ratio),
                    times(self.pass_ratio),
                ),
            },
        }
    }

    fn fail_text(&self) -> String {
        format!(
            "{} times the rate, surely more than {} (p = {}, limit {})",
            times(self.ratio.map_or(f64::NAN, |ratio| ratio.value())),
            times(self.fail_ratio),
            small(self.p.unwrap_or(f64::NAN)),
            small(self.level),
        )
    }

    fn ratio_text(&self) -> String {
        let upper = times(self.ratio_upper().unwrap_or(f64::NAN));
        match self.ratio {
            // Half a bad request more in each arm makes a ratio of nothing; it bounds, but nobody would call it seen.
            Some(ratio) if self.canary.bad() > 0.0 && self.baseline.bad() > 0.0 => {
                format!("{} times the rate, at most {upper}", times(ratio.value()))
            }
            _ => format!("at most {upper} times the rate"),
        }
    }

    /// What is missing: bad requests for a no, or requests for a yes.
    fn few_bad_text(&self) -> String {
        let mut text = format!(
            "canary had {} bad of {}, needs {} to fail",
            count(self.canary.bad()),
            count(self.canary.total()),
            self.min_bad,
        );
        if self.canary.bad() == 0.0 && self.ignore_below > 0.0 {
            let clean = proportion::clean_samples_for(self.ignore_below, self.pass_alpha);
            text.push_str(&format!(
                " or {} without a bad one to pass below {}",
                count(clean),
                percent(self.ignore_below)
            ));
        }
        text
    }
}

impl Arm {
    /// The arm for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Baseline => "baseline",
        }
    }
}

/// `2.1 % (63 of 3000)`.
fn rate_text(counts: Counts) -> String {
    match counts.rate() {
        Some(rate) => format!(
            "{} ({} of {})",
            percent(rate),
            count(counts.bad()),
            count(counts.total())
        ),
        None => "without traffic".to_owned(),
    }
}

/// A share as a percentage with two digits that say something: `2.1 %`, `0.034 %`, `100 %`.
fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0, 2))
}

/// A ratio with three digits that say something.
fn times(ratio: f64) -> String {
    digits(ratio, 3)
}

/// A probability, which may be tiny.
fn small(p: f64) -> String {
    if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        digits(p, 2)
    }
}

/// A count; what a source extrapolated keeps one decimal.
fn count(count: f64) -> String {
    let tenths = (count * 10.0).round() / 10.0;
    format!("{tenths}")
}

/// A number with at least so many digits that say something, without zeros at the end.
fn digits(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let after_point = (digits - 1 - value.abs().log10().floor() as i32).clamp(0, 9);
    let text = format!("{value:.*}", after_point.unsigned_abs() as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests;
