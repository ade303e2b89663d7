use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::diff::Found;
use crate::etag::Etag;
use crate::headers::Headers;
use crate::manifest::{Retired, SCHEMA};
use crate::target::{Item, Looks};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn release(id: &str, second: i64) -> Release {
    Release {
        id: id.to_owned(),
        at: at(second),
        commit: None,
        who: None,
        run: None,
        trace: String::new(),
        replaced: None,
        files: 0,
        bytes: 0,
    }
}

/// A current release and those before it, the latest first.
fn header(earlier: usize) -> Header {
    Header {
        schema: SCHEMA,
        release: release("R", -10),
        rolled_back_from: None,
        earlier: (0..earlier)
            .map(|number| release(&format!("R{number}"), -20))
            .collect(),
        looks: looks(),
    }
}

fn looks() -> Looks {
    let mut looks = Looks::default();
    for phase in Phase::ALL {
        let headers = Headers {
            content_type: phase.to_string(),
            ..Headers::default()
        };
        let look = Look {
            headers: Arc::new(headers),
            phase,
            immutable: phase == Phase::Assets,
        };
        looks.number(look).unwrap();
    }
    looks
}

const STEPS: [Step; 5] = [
    Step::Nothing,
    Step::Adopt,
    Step::Headers,
    Step::Add,
    Step::Replace,
];

fn target(looks_of: &[u16]) -> Target {
    let items = looks_of.iter().enumerate().map(|(number, look)| Item {
        key: format!("wanted{number:03}").into(),
        size: 10,
        sha256: [1; 32],
        look: *look,
        etag: None,
    });
    Target {
        items: items.collect(),
        looks: looks(),
    }
}

fn row(number: usize, last: String) -> Row {
    Row {
        key: format!("old{number:03}").into(),
        sha256: None,
        size: 1,
        look: 0,
        etag: Etag::new("x"),
        retired: Some(Retired { last, at: at(-5) }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Nothing is deleted that is wanted, that is of a release that is kept, or that nobody retired; each object that is
    /// written is written once, in its phase, and what it overwrites is kept.
    #[test]
    fn a_plan_takes_nothing_from_anybody(
        items in prop::collection::vec((0..4_u16, 0..5_usize, any::<bool>()), 0..12),
        retired in prop::collection::vec(0..6_usize, 0..8),
        (earlier, releases) in (0..5_usize, 0..6_usize),
        (is_new, delete) in any::<(bool, bool)>(),
    ) {
        let looks_of: Vec<u16> = items.iter().map(|(look, ..)| *look).collect();
        let (target, header) = (target(&looks_of), header(earlier));
        let found = items.iter().map(|(_, step, _)| Found { step: STEPS[*step], etag: Some(Etag::new("e")), size: 3 });
        let former = items.iter().enumerate().filter(|(_, item)| item.2).map(|(item, _)| Former {
            item,
            content: Content::Recorded { sha256: [9; 32], headers: looks().digests()[0] },
            etag: None,
            size: 3,
        });
        // The last release of each is one of the earlier ones, the current one, or one that fell long ago.
        let last = |number: usize| match number {
            0 => "R".to_owned(),
            5 => "gone".to_owned(),
            number => format!("R{}", number - 1),
        };
        let rows: Vec<Row> = retired.iter().enumerate().map(|(at, number)| row(at, last(*number))).collect();
        let mut diff = Diff { found: found.collect(), former: former.collect(), retired: rows.clone(), ..Diff::default() };
        let keep = Keep { releases, grace: None };
        let basis = Basis {
            target: &target,
            header: Some(&header),
            is_new,
            tidy: Tidy { delete, keep, most: None },
            now: at(0),
        };
        let plan = Plan::of(&mut diff, &basis);
        // Phases.
        let mut written = BTreeSet::new();
        for (phase, numbers) in Phase::ALL.iter().zip(&plan.writes) {
            for number in numbers {
                prop_assert!(written.insert(*number));
                prop_assert_eq!(target.looks.get(target.items[*number].look).unwrap().phase, *phase);
            }
        }
        let expected: BTreeSet<usize> = (0..items.len()).filter(|at| STEPS[items[*at].1].writes()).collect();
        prop_assert_eq!(&written, &expected);
        // What is overwritten is kept, as the manifest knows it where it does.
        let overwritten = |at: &usize| matches!(STEPS[items[*at].1], Step::Headers | Step::Replace);
        let kept: Vec<usize> = plan.keeps.iter().map(|former| former.item).collect();
        prop_assert_eq!(kept, (0..items.len()).filter(overwritten).collect::<Vec<_>>());
        for former in &plan.keeps {
            prop_assert_eq!(former.content == Content::Found, !items[former.item].2);
        }
        // Deletes.
        let kept: BTreeSet<&str> = plan.earlier.iter().map(|release| release.id.as_str()).collect();
        for row in &plan.deletes {
            let last = row.retired.as_ref().unwrap().last.as_str();
            prop_assert!(delete && rows.contains(row) && !kept.contains(last));
            prop_assert!(is_new || last != "R", "what left a release that stays the current one is in use");
        }
        prop_assert_eq!(plan.deletes.len() + plan.kept.len(), rows.len());
        // Releases: none is lost, and as many as are asked for stay.
        prop_assert_eq!(plan.earlier.len() + plan.fallen.len(), earlier + usize::from(is_new));
        prop_assert_eq!(plan.earlier.len(), releases.min(earlier + usize::from(is_new)));
        if is_new && releases > 0 {
            prop_assert_eq!(plan.earlier[0].replaced, Some(at(0)));
        }
    }
}

#[test]
fn what_is_too_large_to_copy_is_not_kept_and_said() {
    let target = target(&[1, 1]);
    let found = [LARGEST, LARGEST + 1].map(|size| Found {
        step: Step::Replace,
        etag: None,
        size,
    });
    let mut diff = Diff {
        found: found.to_vec(),
        ..Diff::default()
    };
    let keep = Keep {
        releases: 3,
        grace: Some(Duration::ZERO),
    };
    let basis = Basis {
        target: &target,
        header: None,
        is_new: true,
        tidy: Tidy {
            delete: false,
            keep,
            most: Some(Most::Percent(0)),
        },
        now: at(0),
    };
    let plan = Plan::of(&mut diff, &basis);
    assert_eq!((plan.keeps.len(), plan.counts.unkept), (1, 1));
}
