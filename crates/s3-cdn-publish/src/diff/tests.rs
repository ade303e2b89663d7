use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::headers::Headers;
use crate::phase::Phase;
use crate::target::{Look, Looks};

/// The keys of all models: some begin like others, one is a file and a folder.
const KEYS: [&str; 6] = ["a", "a/b", "a0", "é", "index.html", "z"];

fn looks() -> Looks {
    let mut looks = Looks::default();
    for content_type in ["text/html", "text/css"] {
        let headers = Headers {
            content_type: content_type.to_owned(),
            ..Headers::default()
        };
        let look = Look {
            headers: Arc::new(headers),
            phase: Phase::Pages,
            immutable: false,
        };
        looks.number(look).unwrap();
    }
    looks
}

/// A content, as few as make all cases: its checksum, its size and its ETag go by its number.
fn etag(content: u8) -> Etag {
    Etag::Digest([content; 16])
}

fn size(content: u8) -> u64 {
    u64::from(content / 2)
}

/// What is wanted of a key: content and look, and whether an earlier manifest knows its ETag.
type Wanted = (u8, u16, bool);
/// What the manifest has: content (none where a run left it), look, and whether it left the site.
type Known = (u8, bool, u16, bool);

#[derive(Clone, Debug, Default)]
struct Scene {
    wanted: BTreeMap<&'static str, Wanted>,
    known: BTreeMap<&'static str, Known>,
    listed: BTreeMap<&'static str, u8>,
    left: Left,
}

fn scenes() -> impl Strategy<Value = Scene> {
    let key = || prop::sample::select(&KEYS[..]);
    let wanted = prop::collection::btree_map(key(), (0..4_u8, 0..2_u16, any::<bool>()), 0..6);
    let known = prop::collection::btree_map(key(), (0..4_u8, any::<bool>(), 0..2_u16, any::<bool>()), 0..6);
    let listed = prop::collection::btree_map(key(), 0..4_u8, 0..6);
    let written = prop::collection::btree_map(key(), prop::collection::btree_set(0..3_u64, 1..3), 0..4);
    let touched = prop::collection::btree_set(key(), 0..4);
    (wanted, known, listed, written, touched).prop_map(|(wanted, known, listed, written, touched)| Scene {
        wanted,
        known,
        listed,
        left: Left {
            written: written
                .into_iter()
                .map(|(key, sizes)| (key.into(), sizes))
                .collect(),
            touched: touched.into_iter().map(Box::from).collect(),
        },
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn long_ago() -> Retired {
    Retired {
        last: "R0".to_owned(),
        at: Timestamp::from_second(1_700_000_000).unwrap(),
    }
}

impl Scene {
    fn target(&self) -> Target {
        let items = self.wanted.iter().map(|(key, (content, look, is_known))| Item {
            key: (*key).into(),
            size: size(*content),
            sha256: [*content; 32],
            look: *look,
            etag: is_known.then(|| etag(*content)),
        });
        Target {
            items: items.collect(),
            looks: looks(),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self
            .known
            .iter()
            .map(|(key, (content, is_sure, look, is_retired))| Row {
                key: (*key).into(),
                sha256: is_sure.then_some([*content; 32]),
                size: size(*content),
                look: *look,
                etag: etag(*content),
                retired: is_retired.then(long_ago),
            });
        rows.collect()
    }

    fn listed(&self) -> Vec<Listed> {
        let listed = self.listed.iter().map(|(key, content)| Listed {
            key: (*key).into(),
            size: size(*content),
            etag: etag(*content),
        });
        listed.collect()
    }

    fn diff(&self, listed: &[Listed]) -> Result<Diff, DiffError> {
        let target = self.target();
        let rows = self.rows().into_iter().map(Ok);
        let mut merge = Merge::new(&target, rows, looks().digests(), &self.left, "R1", now())?;
        for one in listed {
            merge.push(one)?;
        }
        merge.finish()
    }

    /// What is to be done for a key that is wanted, said as plainly as can be.
    fn step(&self, key: &str) -> Step {
        let (content, look, is_known) = self.wanted[key];
        let Some(&there) = self.listed.get(key) else {
            return Step::Add;
        };
        let row = self.known.get(key).filter(|row| row.0 == there && row.1);
        let is_touched = self.left.touched.contains(key);
        match row {
            Some(_) if is_touched => Step::Ask,
            Some(row) if row.0 != content => Step::Replace,
            Some(row) if row.2 != look => Step::Headers,
            Some(_) => Step::Nothing,
            None if size(there) != size(content) => Step::Replace,
            None if is_known && there == content && !is_touched && !self.is_left(key, there) => Step::Adopt,
            None => Step::Ask,
        }
    }

    fn is_left(&self, key: &str, there: u8) -> bool {
        self.left.may_have_written(key, size(there))
    }

    /// Whether an object that is not wanted is ours, and may be deleted one day.
    fn is_ours(&self, key: &str, there: u8) -> bool {
        let row = self.known.get(key);
        let is_recorded = row.is_some_and(|row| row.0 == there);
        let is_touched = self.left.touched.contains(key) && row.is_some_and(|row| size(row.0) == size(there));
        is_recorded || is_touched || self.is_left(key, there)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_merge_says_what_three_maps_say(scene in scenes()) {
        let diff = scene.diff(&scene.listed()).unwrap();
        let steps: Vec<Step> = diff.found.iter().map(|found| found.step).collect();
        let expected: Vec<Step> = scene.wanted.keys().map(|key| scene.step(key)).collect();
        prop_assert_eq!(&steps, &expected);
        for (found, key) in diff.found.iter().zip(scene.wanted.keys()) {
            prop_assert_eq!(found.etag.clone(), scene.listed.get(key).map(|content| etag(*content)));
            prop_assert_eq!(found.size, scene.listed.get(key).map_or(0, |content| size(*content)));
        }
        // What is neither wanted nor ours is nobody's business here.
        let unwanted = |key: &&str| !scene.wanted.contains_key(*key);
        let ours: BTreeSet<&str> = scene.listed.iter()
            .filter(|(key, there)| unwanted(key) && scene.is_ours(key, **there))
            .map(|(key, _)| *key)
            .collect();
        let retired: Vec<&str> = diff.retired.iter().map(|row| row.key.as_ref()).collect();
        prop_assert!(retired.is_sorted());
        prop_assert_eq!(retired.iter().copied().collect::<BTreeSet<_>>(), ours.clone());
        let foreign = scene.listed.keys().filter(|key| unwanted(key) && !ours.contains(*key)).count();
        prop_assert_eq!(diff.foreign, foreign as u64);
        // What is retired is recorded as it is there, so that the next run knows it.
        for row in &diff.retired {
            let there = scene.listed[row.key.as_ref()];
            prop_assert_eq!(&row.etag, &etag(there));
            prop_assert_eq!(row.size, size(there));
            prop_assert!(row.retired.is_some());
            prop_assert!(row.sha256.is_none_or(|sha256| sha256 == [there; 32]));
        }
        // A content is called recorded only where the manifest is sure of it and it is there.
        for former in &diff.former {
            let key = scene.target().items[former.item].key.clone();
            let there = scene.listed[key.as_ref()];
            let Content::Recorded { sha256, .. } = former.content else {
                unreachable!("nothing else is former here");
            };
            prop_assert_eq!(sha256, [there; 32]);
        }
        prop_assert!(diff.former.is_sorted_by_key(|former| former.item));
    }

    #[test]
    fn a_listing_out_of_order_is_found_out(scene in scenes(), at in 0..5_usize) {
        let mut scene = scene;
        scene.listed.extend([("a", 0), ("z", 1)]);
        let mut listed = scene.listed();
        let at = at % (listed.len() - 1);
        listed.swap(at, at + 1);
        let is_unsorted = matches!(scene.diff(&listed), Err(DiffError::Unsorted { .. }));
        prop_assert!(is_unsorted);
        let twice = [scene.listed(), scene.listed()].concat();
        let is_unsorted = matches!(scene.diff(&twice), Err(DiffError::Unsorted { .. }));
        prop_assert!(is_unsorted);
    }

    #[test]
    fn what_is_as_the_manifest_says_needs_nothing(scene in scenes()) {
        let known = scene.wanted.iter().map(|(key, (content, look, _))| (*key, (*content, true, *look, false)));
        let listed = scene.wanted.iter().map(|(key, (content, ..))| (*key, *content));
        let still = Scene {
            known: known.collect(),
            listed: listed.collect(),
            left: Left::default(),
            ..scene
        };
        let diff = still.diff(&still.listed()).unwrap();
        prop_assert!(diff.is_settled() && diff.is_same_release() && !diff.is_mixed);
    }
}

#[test]
fn what_an_unfinished_run_overwrote_makes_a_release_mixed() {
    let scene = |sizes: &[u64], is_retired| Scene {
        known: [("a", (0, true, 0, is_retired))].into(),
        listed: [("a", 3)].into(),
        left: Left {
            written: [("a".into(), sizes.iter().copied().collect())].into(),
            ..Left::default()
        },
        ..Scene::default()
    };
    let diff = |scene: Scene| scene.diff(&scene.listed()).unwrap();
    let mixed = diff(scene(&[1], false));
    assert!(mixed.is_mixed && mixed.by_hand.is_empty());
    assert_eq!(mixed.retired[0].sha256, None);
    let theirs = diff(scene(&[7], false));
    assert!(!theirs.is_mixed && theirs.retired.is_empty());
    assert_eq!(theirs.by_hand, [Box::<str>::from("a")]);
    assert!(!diff(scene(&[1], true)).is_mixed);
}

#[test]
fn a_damaged_manifest_ends_the_merge() {
    let target = Target::default();
    let rows = vec![Err(ManifestError::Damaged("it is".to_owned()))];
    let merge = Merge::new(
        &target,
        rows.into_iter(),
        Vec::new(),
        const {
            &Left {
                written: BTreeMap::new(),
                touched: BTreeSet::new(),
            }
        },
        "",
        now(),
    );
    assert!(matches!(merge.err(), Some(DiffError::Manifest(_))));
}
