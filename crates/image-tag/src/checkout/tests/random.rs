//! Small histories of any shape, against git's own `describe` and `rev-list`.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// A commit: how far back its parents are, and seconds after the start.
type Step = (Vec<usize>, u32);

/// A history for `git fast-import`, its tags on the commits of these numbers. Every other tag is annotated.
fn stream(steps: &[Step], tags: &std::collections::BTreeSet<usize>) -> String {
    let mut stream = String::new();
    for (number, (back, seconds)) in steps.iter().enumerate() {
        let time = 1_700_000_000 + seconds;
        let _ = write!(
            stream,
            "commit refs/heads/b{number}\nmark :{}\ncommitter A <a@b> {time} +0000\ndata {}\n{number}\n",
            number + 1,
            number.to_string().len(),
        );
        let mut parents: Vec<usize> = back.iter().filter_map(|back| number.checked_sub(*back)).collect();
        parents.dedup();
        for (nth, parent) in parents.iter().enumerate() {
            let keyword = if nth == 0 { "from" } else { "merge" };
            let _ = writeln!(stream, "{keyword} :{}", parent + 1);
        }
        stream.push('\n');
    }
    for tag in tags.iter().filter(|tag| **tag < steps.len()) {
        let _ = match tag % 2 {
            0 => write!(stream, "reset refs/tags/t{tag}\nfrom :{}\n\n", tag + 1),
            _ => write!(
                stream,
                "tag t{tag}\nfrom :{}\ntagger A <a@b> 1700000000 +0000\ndata 0\n\n",
                tag + 1
            ),
        };
    }
    stream
}

/// Reads the stream into a new repository, with HEAD on the last commit, and compares.
fn check(steps: &[Step], tags: &std::collections::BTreeSet<usize>) {
    let sandbox = Sandbox::new();
    git(&sandbox.path(""), ["init", "--quiet", "--bare", "r"]);
    let folder = sandbox.path("r");
    sandbox::try_git(
        &folder,
        ["fast-import", "--quiet"],
        stream(steps, tags).as_bytes(),
    )
    .unwrap();
    git(
        &folder,
        [
            "symbolic-ref",
            "HEAD",
            &format!("refs/heads/b{}", steps.len() - 1),
        ],
    );
    judged_history(&folder, "");
}

fn steps(seconds: u32) -> impl Strategy<Value = Vec<Step>> {
    let parents = prop_oneof![
        6 => prop::collection::vec(1_usize..3, 1..2),
        4 => prop::collection::vec(1_usize..9, 1..4),
        1 => Just(Vec::new()),
    ];
    prop::collection::vec((parents, 0..seconds), 1..40)
}

/// A clock that never runs backwards: the seconds are added up.
fn forwards(steps: Vec<Step>) -> Vec<Step> {
    let mut now = 0;
    let forwards = steps.into_iter().map(|(parents, seconds)| {
        now += seconds;
        (parents, now)
    });
    forwards.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn with_a_good_clock(steps in steps(3), tags in prop::collection::btree_set(0_usize..40, 0..14)) {
        check(&forwards(steps), &tags);
    }

    #[test]
    fn with_one_time_for_all(steps in steps(1), tags in prop::collection::btree_set(0_usize..40, 0..14)) {
        check(&steps, &tags);
    }

    #[test]
    fn with_a_clock_that_jumps(steps in steps(20), tags in prop::collection::btree_set(0_usize..40, 0..14)) {
        check(&steps, &tags);
    }
}
