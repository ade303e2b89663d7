//! Plans as values, and a matcher of CloudFront's that knows nothing of how they are made.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use super::*;

fn web() -> Web {
    Web::new("")
}

fn only_keys() -> Web {
    Web {
        forms: Forms::NONE,
        ..web()
    }
}

fn mutable(key: &str) -> Kept<'_> {
    Kept {
        key,
        immutable: false,
    }
}

fn immutable(key: &str) -> Kept<'_> {
    Kept { key, immutable: true }
}

fn planned(changed: &[&str], kept: &[Kept<'_>], web: &Web, limits: Limits) -> Invalidation {
    plan(changed.iter().copied(), kept.iter().copied(), web, limits)
}

#[test]
fn a_single_page_application_is_two_paths() {
    let kept = [immutable("assets/index-B3kZ_x9a.js")];
    let plan = planned(&["index.html"], &kept, &web(), Limits::STANDARD);
    assert_eq!(plan.items, ["/", "/index.html"]);
    assert_eq!((plan.cost(), plan.wildcards()), (2, 0));
    assert_eq!(plan.covers, Covers::Exactly);
    assert_eq!(plan.taken, Taken::default());
    assert_eq!(plan.why, "each changed path by its name");
    assert_eq!(
        plan.price(),
        "2 paths; the first 1,000 of a month are free, then $0.005 each"
    );
}

#[test]
fn nothing_changed_is_nothing_to_do() {
    let plan = planned(&[], &[mutable("a.html")], &web(), Limits::STANDARD);
    assert!(plan.is_empty() && plan.covers == Covers::Nothing && plan.widened().is_none());
    assert_eq!(plan.price(), "nothing to invalidate");
}

#[test]
fn a_tilde_is_cut_and_what_goes_with_it_is_counted() {
    let kept = [
        mutable("static/runtime.css"),
        immutable("static/runtime-1a2b3c4d.js"),
        mutable("a"),
    ];
    let plan = planned(
        &["static/runtime~main.js", "static/runtime~x.js", "x.html"],
        &kept,
        &web(),
        Limits::STANDARD,
    );
    assert_eq!(plan.items, ["/static/runtime*", "/x.html"]);
    let taken = Taken {
        immutable: 1,
        mutable: 1,
    };
    assert_eq!((plan.covers, plan.taken), (Covers::Beginnings, taken));
    assert_eq!(
        plan.why,
        "1 changed path can't be named exactly; 2 unchanged objects leave the cache too, 1 of them immutable"
    );
    let home = planned(&["~me/index.html"], &[], &web(), Limits::STANDARD);
    assert_eq!(
        (home.items, home.covers),
        (vec!["/*".to_owned()], Covers::Everything)
    );
}

#[test]
fn many_pages_become_folders_and_spare_the_assets() {
    let posts: Vec<String> = (0..150)
        .map(|number| format!("posts/{number}/index.html"))
        .collect();
    let mut changed: Vec<&str> = posts.iter().map(String::as_str).collect();
    changed.push("index.html");
    let assets: Vec<String> = (0..300).map(|number| format!("assets/{number}.js")).collect();
    let kept: Vec<Kept<'_>> = assets.iter().map(|key| immutable(key)).collect();
    let plan = planned(&changed, &kept, &web(), Limits::STANDARD);
    assert_eq!(plan.items, ["/", "/index.html", "/posts/*"]);
    assert_eq!(plan.taken, Taken::default());
    assert_eq!(
        plan.why,
        "452 changed paths are more than 100; nothing unchanged leaves the cache"
    );
    // With the assets among the pages there is no way around some of them, and few paths are better than all wildcards.
    let among: Vec<String> = (0..3).map(|number| format!("posts/7/{number}.js")).collect();
    let kept: Vec<Kept<'_>> = among.iter().map(|key| immutable(key)).collect();
    let plan = planned(&changed, &kept, &web(), Limits::STANDARD);
    assert_eq!((plan.cost(), plan.taken.immutable), (3, 3), "{:?}", plan.items);
}

#[test]
fn the_whole_distribution_is_the_last_resort() {
    let pages: Vec<String> = (0..26u8)
        .flat_map(|letter| (0..5).map(move |number| format!("{}{number}.html", char::from(b'a' + letter))))
        .collect();
    let changed: Vec<&str> = pages.iter().map(String::as_str).collect();
    let plan = planned(&changed, &[immutable("z/app.js")], &web(), Limits::STANDARD);
    assert_eq!(
        (plan.items, plan.covers),
        (vec!["/*".to_owned()], Covers::Everything)
    );
    assert_eq!(plan.taken.immutable, 1);
    // A site in a folder of a distribution does not take away its neighbours.
    let folder = Web::new("docs/");
    let plan = planned(&changed, &[], &folder, Limits::STANDARD);
    assert_eq!(
        (plan.items, plan.covers),
        (vec!["/docs/*".to_owned()], Covers::Beginnings)
    );
}

#[test]
fn one_path_is_allowed_to_be_one_path() {
    assert_eq!(Limits::of(0).paths, 1);
    assert_eq!(Limits::of(99_999).paths, Limits::MOST);
    let plan = planned(&["a/b.html", "a/c.html"], &[], &web(), Limits::of(1));
    assert_eq!(plan.items, ["/a/*"]);
    assert_eq!(
        planned(&["a/b.html"], &[], &web(), Limits::of(1)).items,
        ["/a/b.html"]
    );
}

#[test]
fn more_unsure_names_than_wildcards_share_some() {
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}/a~b.js")).collect();
    let changed: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = planned(&changed, &[], &web(), Limits::STANDARD);
    assert_eq!(plan.items, ["/0*", "/1*", "/2*", "/3*"]);
    assert!(
        plan.why
            .starts_with("40 paths that can't be named exactly are more than 15 wildcards")
    );
}

#[test]
fn query_strings_take_wildcards_but_not_folders() {
    let web = Web {
        query_strings: true,
        ..web()
    };
    let plan = planned(
        &["a.html", "d/index.html"],
        &[mutable("d/x.css")],
        &web,
        Limits::STANDARD,
    );
    assert_eq!(
        plan.items,
        ["/a.html*", "/d", "/d/", "/d/?*", "/d/index.html*", "/d?*"]
    );
    assert_eq!(plan.taken, Taken::default());
}

#[test]
fn what_nobody_can_reach_is_told_and_not_named() {
    let web = Web {
        origin_paths: vec!["/site".to_owned()],
        ..web()
    };
    let plan = planned(&["site/a.html", "b.html", "c.html"], &[], &web, Limits::STANDARD);
    assert_eq!(plan.items, ["/a.html"]);
    assert_eq!(
        (plan.outside.count, plan.outside.first.as_deref()),
        (2, Some("b.html"))
    );
}

#[test]
fn a_wider_invalidation_is_one_wildcard() {
    let widened = |changed: &[&str]| {
        let plan = planned(changed, &[], &only_keys(), Limits::STANDARD);
        plan.widened().map(|wide| wide.items.join(" "))
    };
    assert_eq!(widened(&["a.html", "index.html"]).as_deref(), Some("/*"));
    assert_eq!(widened(&["d/a.html"]).as_deref(), Some("/d/a.html*"));
    assert_eq!(widened(&["d/aé.html", "d/aè.html"]).as_deref(), Some("/d/a*"));
    assert_eq!(widened(&["d/a~1", "d/b"]).as_deref(), Some("/d/*"));
    assert_eq!(widened(&["d/a~1"]), None);
}

/// Whether CloudFront takes an item, by the rules of its documentation.
fn is_accepted(item: &str) -> bool {
    let path = item.strip_suffix('*').unwrap_or(item);
    item.starts_with('/')
        && item.len() <= 4000
        && path.bytes().all(|byte| byte.is_ascii_graphic())
        && !path.contains([
            '*', '~', '"', '<', '>', '#', '{', '}', '|', '\\', '^', '[', ']', '`',
        ])
}

/// Whether an invalidation takes away what a visitor asked for, by the rules of CloudFront's documentation.
fn matches(item: &str, asked: &str) -> bool {
    match item.strip_suffix('*') {
        Some(beginning) => asked.starts_with(beginning),
        None => asked == item,
    }
}

/// What a browser asks for: the path percent-encode set of the URL standard, and `%` as a person has to write it in a link.
fn asked(path: &str) -> String {
    let mut asked = String::new();
    for byte in path.bytes() {
        match byte {
            b' '
            | b'"'
            | b'#'
            | b'<'
            | b'>'
            | b'?'
            | b'^'
            | b'`'
            | b'{'
            | b'}'
            | b'%'
            | b'\\'
            | 0..=31
            | 127.. => {
                asked.push_str(&format!("%{byte:02X}"));
            }
            _ => asked.push(char::from(byte)),
        }
    }
    asked
}

/// Keys of a site: few names for folders, so that they share some.
fn keys() -> impl Strategy<Value = BTreeSet<String>> {
    let folder = select(vec![
        "a",
        "b",
        "blog",
        "blog/2024",
        "é",
        "a b",
        "x~y",
        "long/deep/er",
    ]);
    let name = select(vec![
        "index.html",
        "a.html",
        "b.css",
        "c~d.js",
        "é.png",
        "e.png",
        "a+b.txt",
        "100%.html",
        "q?.html",
        "[id].html",
        "feed.xml",
        "zz",
        "a*b",
        "~",
    ]);
    let file =
        (proptest::option::of(folder), name, 0u8..12).prop_map(|(folder, name, number)| match folder {
            Some(folder) => format!("{folder}/{number}/{name}"),
            None => name.to_owned(),
        });
    btree_set(file, 0..160)
}

proptest! {
    #[test]
    fn every_plan_takes_away_what_changed(
        keys in keys(),
        kinds in vec(0u8..4, 160),
        paths in 1usize..40,
        wildcards in 1usize..16,
        slash in any::<bool>(),
        bare in any::<bool>(),
        clean in any::<bool>(),
        query_strings in any::<bool>(),
        prefix in select(vec!["", "docs/"]),
    ) {
        let forms = Forms { slash, bare, clean };
        let web = Web { forms, query_strings, root_object: Some("index.html".to_owned()), ..Web::new(prefix) };
        let limits = Limits { paths, wildcards };
        let kinds: Vec<(&str, u8)> = keys.iter().map(String::as_str).zip(kinds).collect();
        let of = |kind: u8| kinds.iter().filter(move |(_, is)| *is == kind).map(|(key, _)| *key);
        let changed: Vec<&str> = of(0).chain(of(1)).collect();
        let kept: Vec<Kept<'_>> = of(2).map(mutable).chain(of(3).map(immutable)).collect();
        let plan = planned(&changed, &kept, &web, limits);

        for item in &plan.items {
            prop_assert!(is_accepted(item), "{}", item);
        }
        prop_assert!(plan.cost() <= limits.paths && plan.wildcards() <= limits.wildcards, "{:?}", plan);
        prop_assert!(plan.items.is_sorted());
        prop_assert_eq!(plan.items.len(), plan.items.iter().collect::<BTreeSet<_>>().len());
        prop_assert_eq!(plan.is_empty(), changed.is_empty());
        prop_assert_eq!(plan.outside.count, 0);

        let mut exact = BTreeSet::new();
        for key in &changed {
            let whole = format!("/{prefix}{key}");
            let mut forms = vec![whole.clone()];
            if let Some(folder) = whole.strip_suffix("index.html").filter(|folder| folder.ends_with('/')) {
                if folder == "/" || slash {
                    forms.push(folder.to_owned());
                }
                if folder != "/" && bare {
                    forms.push(folder.trim_end_matches('/').to_owned());
                }
            } else if let Some(name) = whole.strip_suffix(".html").filter(|_| clean) {
                forms.push(name.to_owned());
            }
            for form in forms {
                let asked = asked(&form);
                prop_assert!(plan.items.iter().any(|item| matches(item, &asked)), "{}: {:?}", asked, plan);
                if query_strings {
                    let asked = format!("{asked}?x=1");
                    prop_assert!(plan.items.iter().any(|item| matches(item, &asked)), "{}: {:?}", asked, plan);
                }
                exact.insert(asked);
            }
        }

        let taken = |kept: &&Kept<'_>| {
            let asked = asked(&format!("/{prefix}{}", kept.key));
            !exact.contains(&asked) && plan.items.iter().any(|item| item.ends_with('*') && matches(item, &asked))
        };
        let immutables = kept.iter().filter(|kept| kept.immutable).filter(taken).count();
        let mutables = kept.iter().filter(|kept| !kept.immutable).filter(taken).count();
        prop_assert_eq!((plan.taken.immutable, plan.taken.mutable), (immutables, mutables), "{:?}", plan);
        let nameable = exact.len() <= limits.paths && !query_strings && exact.iter().all(|path| is_accepted(path) && !path.contains(['+', '*']));
        if nameable {
            prop_assert_eq!((immutables, mutables, plan.wildcards()), (0, 0, 0));
        }

        if let Some(wide) = plan.widened() {
            prop_assert_eq!((wide.cost(), wide.wildcards()), (1, 1));
            prop_assert!(is_accepted(&wide.items[0]));
            for path in &exact {
                prop_assert!(matches(&wide.items[0], path), "{} {:?}", path, wide);
            }
        }
    }

    #[test]
    fn no_key_panics(keys in vec(".{0,40}", 0..12), kept in vec(".{0,40}", 0..12), paths in 1usize..6) {
        let changed: Vec<&str> = keys.iter().map(String::as_str).collect();
        let kept: Vec<Kept<'_>> = kept.iter().map(|key| immutable(key)).collect();
        let plan = planned(&changed, &kept, &web(), Limits { paths, wildcards: 3 });
        prop_assert!(plan.cost() <= paths && plan.wildcards() <= 3);
        for item in &plan.items {
            prop_assert!(is_accepted(item), "{}", item);
        }
    }
}
