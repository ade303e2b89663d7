use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::diff::Step;
use crate::etag::Etag;
use crate::headers::Headers;
use crate::manifest::Retired;
use crate::phase::Phase;
use crate::target::{Item, Look};

fn looks(names: &[&str]) -> Looks {
    let mut looks = Looks::default();
    for name in names {
        let headers = Headers {
            content_type: (*name).to_owned(),
            ..Headers::default()
        };
        let look = Look {
            headers: Arc::new(headers),
            phase: Phase::Others,
            immutable: false,
        };
        looks.number(look).unwrap();
    }
    looks
}

fn release() -> Release {
    Release {
        id: "R".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        commit: None,
        who: None,
        run: None,
        trace: String::new(),
        replaced: None,
        files: 0,
        bytes: 0,
    }
}

fn row(key: &str, look: u16) -> Row {
    Row {
        key: key.into(),
        sha256: Some([7; 32]),
        size: 1,
        look,
        etag: Etag::new("old"),
        retired: Some(Retired {
            last: "R0".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }),
    }
}

proptest! {
    /// Every object has its row once, those of earlier releases with the headers that they had, whatever their numbers were.
    #[test]
    fn a_manifest_has_all_that_is_ours(
        keys in prop::collection::btree_map("[a-c/]{0,3}", (0..3_u8, 0..2_u16), 0..12),
    ) {
        let (now, before) = (looks(&["a", "b"]), looks(&["b", "c"]));
        let of = |kind: u8| keys.iter().filter(move |(_, (is, _))| *is == kind);
        let items = of(0).map(|(key, (_, look))| Item {
            key: key.as_str().into(),
            size: 2,
            sha256: [1; 32],
            look: *look,
            etag: None,
        });
        let target = Target { items: items.collect(), looks: now };
        let found = vec![Found { step: Step::Nothing, etag: Some(Etag::new("e")), size: 2 }; target.items.len()];
        let rows = |kind| of(kind).map(|(key, (_, look))| row(key, *look)).collect::<Vec<_>>();
        let plan = Plan { kept: rows(1), deletes: rows(2), ..Plan::default() };
        let commit = Commit {
            release: release(),
            rolled_back_from: None,
            target: &target,
            found: &found,
            plan: &plan,
            before: Some(&before),
        };
        let manifest = Manifest::read(&commit.bytes().unwrap()).unwrap();
        prop_assert!(manifest.rows.iter().map(|row| row.key.as_ref()).eq(keys.keys().map(String::as_str)));
        for row in &manifest.rows {
            let (kind, look) = keys[row.key.as_ref()];
            prop_assert_eq!(row.retired.is_some(), kind != 0);
            let is = &manifest.header.looks.get(row.look).unwrap().headers.content_type;
            let was = if kind == 0 { ["a", "b"] } else { ["b", "c"] };
            prop_assert_eq!(is, was[usize::from(look)]);
        }
        prop_assert_eq!(store_names(&manifest).len(), target.items.len());
    }
}

#[test]
fn an_object_without_an_etag_is_never_recorded() {
    let item = Item {
        key: "a".into(),
        size: 0,
        sha256: [0; 32],
        look: 0,
        etag: None,
    };
    let target = Target {
        items: vec![item],
        looks: looks(&["a"]),
    };
    let found = [Found {
        step: Step::Add,
        etag: None,
        size: 0,
    }];
    let commit = Commit {
        release: release(),
        rolled_back_from: None,
        target: &target,
        found: &found,
        plan: &Plan::default(),
        before: None,
    };
    assert!(
        commit
            .bytes()
            .unwrap_err()
            .to_string()
            .contains("`a` has no ETag")
    );
}
