use proptest::prelude::*;

use super::*;
use crate::etag::Etag;
use crate::manifest::Retired;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn release(number: usize, second: i64) -> Release {
    Release {
        id: format!("R{number}"),
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

fn row(last: &str, second: i64) -> Row {
    Row {
        key: "a".into(),
        sha256: None,
        size: 0,
        look: 0,
        etag: Etag::new("x"),
        retired: Some(Retired {
            last: last.to_owned(),
            at: at(second),
        }),
    }
}

/// Releases from the latest to the oldest, so many seconds apart.
fn releases(gaps: &[i64]) -> Vec<Release> {
    let mut second = 0;
    let mut all = Vec::new();
    for (number, gap) in gaps.iter().enumerate() {
        second -= gap;
        all.push(release(number, second));
    }
    all
}

proptest! {
    /// Who asks for more keeps more, and what is kept longer is never the first to go.
    #[test]
    fn more_is_never_less(
        gaps in prop::collection::vec(0..100_i64, 0..8),
        (fewer, more) in (0..9_usize, 0..9_usize),
        (short, long) in (prop::option::of(0..500_u64), prop::option::of(0..500_u64)),
        now in -50..200_i64,
    ) {
        let earlier = releases(&gaps);
        let keep = |releases: usize, grace: Option<u64>| Keep {
            releases,
            grace: grace.map(Duration::from_secs),
        };
        let (fewer, more) = (fewer.min(more), fewer.max(more));
        let (short, long) = (short.min(long), short.max(long));
        let (one, other) = (keep(fewer, short), keep(more, long));
        let (few, many) = (one.kept(&earlier, at(now), at(0)), other.kept(&earlier, at(now), at(0)));
        prop_assert!(few <= many, "{few} {many}");
        prop_assert!(few >= fewer.min(earlier.len()) && many <= earlier.len());
        prop_assert!(one.kept(&earlier, at(now + 1000), at(0)) <= few);
        // An object goes only if who keeps less would let it go too.
        for release in &earlier {
            let row = row(&release.id, 0);
            let goes = |keep: Keep, kept: usize| keep.is_due(&row, &earlier[..kept], at(now));
            prop_assert!(!goes(other, many) || goes(one, few));
            prop_assert!(!earlier[..many].contains(release) || !goes(other, many));
        }
    }

    #[test]
    fn what_may_go_is_counted(deletes in any::<u64>(), known in any::<u64>(), percent in 0..=100_u8) {
        let known = known.max(deletes);
        let is_allowed = Most::Percent(percent).allows(deletes, known).is_ok();
        let share = u128::from(deletes) * 100 <= u128::from(known) * u128::from(percent);
        prop_assert_eq!(is_allowed, share);
        prop_assert!(Most::Percent(100).allows(deletes, known).is_ok());
        prop_assert_eq!(Most::Objects(known).allows(deletes, known).is_ok(), deletes <= known);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), near in "[0-9]{0,21}%?") {
        for text in [text, near] {
            if let Ok(Most::Percent(percent)) = text.parse::<Most>() {
                prop_assert!(percent <= 100);
            }
        }
    }
}

#[test]
fn a_share_and_a_count_are_read() {
    assert_eq!("50%".parse(), Ok(Most::Percent(50)));
    assert_eq!("0".parse(), Ok(Most::Objects(0)));
    for wrong in ["", "%", "101%", "-1", "1.5%", "all"] {
        assert!(wrong.parse::<Most>().is_err(), "{wrong}");
    }
}

/// After a rollback the release that it came from was current until a moment ago, however old the one that is current now is.
#[test]
fn grace_begins_when_a_release_was_replaced() {
    let keep = Keep {
        releases: 0,
        grace: Some(Duration::from_secs(60)),
    };
    let mut came_from = release(3, -1000);
    came_from.replaced = Some(at(-10));
    let current = at(-5000);
    assert_eq!(keep.kept(&[came_from.clone()], at(0), current), 1);
    came_from.replaced = Some(at(-61));
    assert_eq!(keep.kept(&[came_from], at(0), current), 0);
}

#[test]
fn what_is_in_the_site_is_never_due() {
    let keep = Keep {
        releases: 0,
        grace: None,
    };
    let live = Row {
        retired: None,
        ..row("R0", 0)
    };
    assert!(!keep.is_due(&live, &[], at(0)));
    assert!(keep.is_due(&row("R0", 0), &[], at(0)));
}
