//! Rules, signals and presets: what each measures, by name, and its clauses.

use std::time::Duration;

use gha::text;

use crate::condition::SubjectKind;
use crate::rule::{NoData, Rule, Subject};
use crate::spec::check::clauses::{CERTAIN, Role, Wish};
use crate::spec::check::sources::Table;
use crate::spec::fault::{Faults, Place};
use crate::spec::file::leaf::Leaf;
use crate::spec::file::query::{Histogram, Number, Ratio};
use crate::spec::file::read::{Given, Named, TextOr};
use crate::spec::file::rules as file;
use crate::spec::names::{is_name, nearest};
use crate::spec::preset::{Judged, Name, PresetRule};

/// How many failed measurements in a row a rule forgives.
const MAX_ERRORS: u32 = 4;

/// For how long a probe fails before presets call it off.
const FAILING: Duration = Duration::from_secs(120);

/// The name of the only probe.
pub(crate) const THE_PROBE: &str = "probe";

/// What rules can name.
pub(crate) struct Known<'a> {
    pub(crate) table: &'a Table,
    /// Probes by name; whether their samples have an HTTP status.
    pub(crate) probes: &'a [(String, bool)],
    /// Signals by name; `None` where a fault was told.
    pub(crate) signals: Vec<(String, Option<Subject>)>,
}

/// A rule with the places of its clauses, for what is checked later.
pub(crate) struct Placed {
    pub(crate) rule: Rule,
    /// For messages: `rule `x``.
    pub(crate) what: String,
    pub(crate) require: Given,
    pub(crate) abort: Given,
}

/// The ways to say what is measured; exactly one must be there.
struct Measured<'r> {
    given: &'r Given,
    ratio: Option<&'r Ratio>,
    histogram: Option<&'r Histogram>,
    number: Option<&'r Number>,
    from: Option<&'r Leaf<String>>,
}

/// The keys that say what is measured.
pub(crate) const SUBJECTS: [&str; 5] = ["ratio", "histogram", "count", "value", "from"];

impl<'a> Known<'a> {
    /// Sources, probes and signals.
    pub(crate) fn new(
        table: &'a Table,
        probes: &'a [(String, bool)],
        signals: Option<&Named<file::Signal>>,
        faults: &mut Faults,
    ) -> Self {
        let mut known = Self {
            table,
            probes,
            signals: Vec::new(),
        };
        for (name, raw) in signals.into_iter().flat_map(|signals| &signals.0) {
            if !is_name(&name.name) {
                let shown = text::cut(&name.name, 80);
                faults.add(name.at, format!("`{shown}` can't name a signal; write small letters, digits, `_` and `-`, a letter first"));
            } else if probes.iter().any(|(probe, _)| *probe == name.name) {
                faults.add(name.at, format!("`{}` names a probe too", name.name));
            }
            let subject = raw.as_ref().and_then(|raw| {
                let measured = Measured {
                    given: &raw.given,
                    ratio: raw.ratio.as_ref(),
                    histogram: raw.histogram.as_ref(),
                    number: raw.count.as_ref().or(raw.value.as_ref()),
                    from: raw.from.as_ref(),
                };
                known.subject("a signal", &measured, faults)
            });
            known.signals.push((name.name.clone(), subject));
        }
        known
    }

    fn subject(&self, what: &str, measured: &Measured<'_>, faults: &mut Faults) -> Option<Subject> {
        let keys: Vec<&str> = measured
            .given
            .names()
            .filter(|key| SUBJECTS.contains(key))
            .collect();
        match keys[..] {
            [_] => {}
            [] => {
                let known: Vec<String> = SUBJECTS.iter().map(|key| format!("`{key}`")).collect();
                faults.add(
                    measured.given.at,
                    format!("{what} measures nothing; it needs one of {}", known.join(", ")),
                );
                return None;
            }
            [first, second, ..] => {
                let at = measured.given.place(second);
                faults.add(
                    at,
                    format!("{what} measures one thing, and this one has `{first}` and `{second}`"),
                );
                return None;
            }
        }
        if let Some(ratio) = measured.ratio {
            return self
                .ratio(ratio, faults)
                .map(|(source, bad, total)| Subject::Ratio { source, bad, total });
        }
        if let Some(raw) = measured.histogram {
            raw.given.need("source", "a `histogram`", faults);
            raw.given.need("selector", "a `histogram`", faults);
            let source = self.table.index(raw.source.as_ref()?, faults)?;
            let selector = self.table.buckets(source, raw.selector.as_ref()?, faults)?;
            return Some(Subject::Histogram { source, selector });
        }
        if let Some(raw) = measured.number {
            raw.given.need("source", "this", faults);
            let source = self.table.index(raw.source.as_ref()?, faults)?;
            if raw.given.has("query") && raw.query.is_none() {
                return None;
            }
            let query = self
                .table
                .query(source, raw.query.as_ref(), raw.given.at, faults)?;
            return Some(Subject::Number { source, query });
        }
        self.named(measured.from?, faults)
    }

    /// Two counts of a source.
    pub(crate) fn ratio(
        &self,
        raw: &Ratio,
        faults: &mut Faults,
    ) -> Option<(usize, crate::source::Query, crate::source::Query)> {
        for key in ["source", "bad", "total"] {
            raw.given.need(key, "a share", faults);
        }
        let source = self.table.index(raw.source.as_ref()?, faults)?;
        let at = raw.given.at;
        let bad = raw
            .bad
            .as_ref()
            .and_then(|bad| self.table.query(source, Some(bad), at, faults));
        let total = raw
            .total
            .as_ref()
            .and_then(|total| self.table.query(source, Some(total), at, faults));
        if bad.is_some() && bad == total {
            faults.add(raw.given.place("total"), "`bad` and `total` ask the same");
        }
        Some((source, bad?, total?))
    }

    /// A probe or a signal that a rule names.
    fn named(&self, from: &Leaf<String>, faults: &mut Faults) -> Option<Subject> {
        if let Some(index) = self.probes.iter().position(|(name, _)| *name == from.value) {
            return Some(Subject::Probe(index));
        }
        if let Some((_, subject)) = self.signals.iter().find(|(name, _)| *name == from.value) {
            return subject.clone();
        }
        let probes = self.probes.iter().map(|(name, _)| name.as_str());
        let known = probes.chain(self.signals.iter().map(|(name, _)| name.as_str()));
        let hint = nearest(&from.value, known);
        let shown = text::cut(&from.value, 80);
        faults.add(from.at, format!("there is no probe or signal `{shown}`{hint}"));
        None
    }

    /// What a preset judges: the signal of that name, or the probe. `None` where nothing measures it.
    fn judged(&self, judged: Judged) -> Option<Option<Subject>> {
        let signal = self.signals.iter().find(|(name, _)| name == judged.signal());
        if let Some((_, subject)) = signal {
            return Some(subject.clone());
        }
        let index = match self.probes {
            [_] => 0,
            several => several.iter().position(|(name, _)| name == THE_PROBE)?,
        };
        judged
            .probe_tells(self.probes[index].1)
            .then_some(Some(Subject::Probe(index)))
    }
}

/// Checks a rule of the file.
pub(crate) fn rule(raw: &file::Rule, known: &Known<'_>, faults: &mut Faults) -> Option<Placed> {
    raw.given.need("name", "a rule", faults);
    let measured = Measured {
        given: &raw.given,
        ratio: raw.ratio.as_ref(),
        histogram: raw.histogram.as_ref(),
        number: raw.count.as_ref().or(raw.value.as_ref()),
        from: raw.from.as_ref(),
    };
    let subject = known.subject("a rule", &measured, faults);
    if !raw.given.has("require") && !raw.given.has("abort") {
        faults.add(raw.given.at, "a rule needs `require` or `abort`, or both");
    }
    let wishes = [(&raw.require, Role::Require), (&raw.abort, Role::Abort)].map(|(clause, role)| {
        (
            clause.as_ref().and_then(|clause| Wish::read(clause, faults)),
            role,
        )
    });
    let name = raw.name.as_ref()?;
    let shown = text::cut(&text::visible(&name.value), 80);
    if !is_rule_name(&name.value) {
        faults.add(
            name.at,
            format!("`{shown}` can't name a rule; write small letters, digits, `_` and `-`"),
        );
    }
    let subject = subject?;
    if let (SubjectKind::Number, Some(samples)) = (subject.kind(), &raw.min_samples) {
        faults.add(samples.at, "`min_samples` means nothing for a number");
    }
    let samples = raw.min_samples.as_ref().map(|samples| samples.value);
    let [require, abort] = wishes.map(|(wish, role)| {
        let clause = wish
            .as_ref()
            .and_then(|wish| wish.clause(role, subject.kind(), samples, faults));
        (clause, wish.map(|wish| wish.given).unwrap_or_default())
    });
    Some(Placed {
        what: format!("rule `{shown}`"),
        rule: Rule {
            name: name.value.clone(),
            subject,
            require: require.0,
            abort: abort.0,
            advisory: raw.advisory.as_ref().is_some_and(|advisory| advisory.value),
            no_data: raw
                .no_data
                .as_ref()
                .map_or(NoData::default(), |no_data| no_data.value),
            max_errors: raw.max_errors.as_ref().map_or(MAX_ERRORS, |errors| errors.value),
        },
        require: require.1,
        abort: abort.1,
    })
}

/// Whether a text can name a rule; `5xx-burst` can.
pub(crate) fn is_rule_name(name: &str) -> bool {
    is_name(name.trim_start_matches(|c: char| c.is_ascii_digit())) && name.len() <= 64
}

/// The rules of the presets, without those that `replaced` names. A name that an earlier preset has is told apart by the
/// preset's name in front.
pub(crate) fn presets(
    raw: Option<&file::Presets>,
    known: &Known<'_>,
    replaced: &dyn Fn(&str) -> bool,
    faults: &mut Faults,
) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    let mut seen: Vec<Name> = Vec::new();
    for one in raw.into_iter().flat_map(|presets| &presets.0) {
        let (name, at, without) = match one {
            TextOr::Text(name) => (name.value, name.at, Vec::new()),
            TextOr::Map(preset) => {
                preset.given.need("name", "a preset", faults);
                let Some(name) = &preset.name else { continue };
                let without = preset.without.iter().flat_map(|many| &many.0).collect();
                (name.value, preset.given.at, without)
            }
        };
        if seen.contains(&name) {
            faults.add(at, format!("preset `{}` stands here a second time", name.word()));
            continue;
        }
        seen.push(name);
        let rules = name.rules();
        for left_out in &without {
            let known =
                |rule: &PresetRule| [rule.name, rule.judged.signal()].contains(&left_out.value.as_str());
            if !rules.iter().any(known) {
                let hint = nearest(&left_out.value, rules.iter().map(|rule| rule.name));
                let shown = text::cut(&left_out.value, 80);
                faults.add(
                    left_out.at,
                    format!("preset `{}` has no rule `{shown}`{hint}", name.word()),
                );
            }
        }
        for rule in &rules {
            let left_out =
                |without: &&Leaf<String>| [rule.name, rule.judged.signal()].contains(&without.value.as_str());
            if without.iter().any(left_out) {
                continue;
            }
            let own = if taken.iter().any(|taken| taken == rule.name) {
                format!("{}-{}", name.word(), rule.name)
            } else {
                rule.name.to_owned()
            };
            taken.push(own.clone());
            if !replaced(&own) {
                placed.extend(preset_rule(name, rule, own, at, known, faults));
            }
        }
    }
    placed
}

fn preset_rule(
    preset: Name,
    rule: &PresetRule,
    name: String,
    at: Place,
    known: &Known<'_>,
    faults: &mut Faults,
) -> Option<Placed> {
    let word = preset.word();
    let signal = rule.judged.signal();
    let Some(subject) = known.judged(rule.judged) else {
        if !rule.optional {
            faults.add(
                at,
                format!(
                    "preset `{word}` judges `{signal}`, and nothing measures it: add a signal `{signal}`, or leave it out with `preset: {{name: {word}, without: [{signal}]}}`"
                ),
            );
        }
        return None;
    };
    let subject = subject?;
    let clause = |written: Option<&str>, role, faults: &mut Faults| {
        let measure = rule
            .judged
            .on_probe()
            .filter(|_| matches!(subject, Subject::Probe(_)));
        let written = match (written?, measure) {
            (written, Some(measure)) => format!("{measure} {written}"),
            (written, None) => written.to_owned(),
        };
        let mut wish = Wish::plain(at, faults.keep(at, written.parse())?);
        wish.hold = (rule.judged == Judged::Health).then_some(FAILING);
        if let (Some(window), Role::Abort) = (rule.window, role) {
            wish.window = Some(Some(window));
            wish.consecutive = Some(1);
            // What is beyond doubt still counts at once.
            wish.certain = Some(Some(CERTAIN));
        }
        // A misfit is the signal's: `errors` that is a histogram.
        if let Err(error) = wish.when.on(subject.kind()) {
            faults.add(
                at,
                format!("preset `{word}` judges the signal `{signal}`: {error}"),
            );
            return None;
        }
        wish.clause(role, subject.kind(), None, faults)
    };
    let (require, abort) = (
        clause(rule.require, Role::Require, faults),
        clause(rule.abort, Role::Abort, faults),
    );
    Some(Placed {
        what: format!("rule `{name}` of preset `{word}`"),
        require: Given::at(at),
        abort: Given::at(at),
        rule: Rule {
            name,
            subject,
            require,
            abort,
            advisory: false,
            no_data: NoData::default(),
            max_errors: MAX_ERRORS,
        },
    })
}
