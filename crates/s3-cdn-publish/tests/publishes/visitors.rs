//! Visitors who come after every single call, through the edge and its cache, while releases are published and taken back and
//! calls fail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbox::stand_ins::aws::{Fault, Hosting};

use crate::cloud::{Ended, World};
use crate::site::{Folder, consistent, converged, edge_serves, foreigners, intact, needs, sum};
use crate::way::What;

/// How many calls after a page slow visitors ask for what it needs.
const SLOW: usize = 10;

/// What visitors found.
#[derive(Default)]
struct Found {
    faults: Vec<String>,
    /// Pages of slow visitors.
    pages: VecDeque<String>,
    visits: usize,
}

impl Found {
    /// Visitors come: a quick one, and a slow one whose page is older.
    fn visit(&mut self, hosting: &Hosting, distribution: &str, when: &str) {
        for path in ["/", "/index.html", "/about.html", "/docs/index.html"] {
            let visit = hosting.visit(distribution, path);
            if visit.status != 200 {
                self.faults.push(format!("{when}: {path} is {}", visit.status));
                continue;
            }
            let page = visit.text();
            self.load(hosting, distribution, &page, &format!("{when}: {path}"));
            self.pages.push_back(page);
        }
        while self.pages.len() > SLOW * 4 {
            let page = self.pages.pop_front().unwrap();
            self.load(hosting, distribution, &page, &format!("{when}: a page of before"));
        }
    }

    /// The browser loads what a page needs.
    fn load(&mut self, hosting: &Hosting, distribution: &str, page: &str, when: &str) {
        for (key, wanted) in needs(page) {
            self.visits += 1;
            let visit = hosting.visit(distribution, &format!("/{key}"));
            let is_right = visit.status == 200 && (wanted == "any" || sum(&visit.body) == wanted);
            if !is_right {
                let first = page.lines().next().unwrap_or_default();
                self.faults.push(format!(
                    "{when} ({first}) needs {key}, which is {} {}",
                    visit.status,
                    visit.text()
                ));
            }
        }
    }
}

/// Numbers that are the same for the same seed (splitmix64, <https://prng.di.unimi.it/splitmix64.c>).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).unwrap()
    }

    fn what(&mut self) -> What {
        let times = [1, 3, usize::MAX][self.below(3)];
        match self.below(9) {
            0 => What::Fault(Fault::Internal, times),
            1 => What::Fault(Fault::Throttled, times),
            2 => What::Fault(Fault::Reset, times),
            3 => What::Fault(Fault::Lost, times),
            4 => What::Fault(Fault::Hang, times),
            5 => What::Fault(Fault::Denied, usize::MAX),
            6 => What::Cancel {
                after: self.below(2) == 0,
            },
            7 => What::CancelThenArrive(Duration::from_millis(700)),
            _ => What::Kill {
                after: self.below(2) == 0,
            },
        }
    }
}

/// Twenty publishes and rollbacks, most of which something happens to.
async fn twenty(seed: u64) {
    let mut dice = Dice(seed);
    let mut world = World::new();
    let theirs = foreigners(&world);
    let more = ["--delete", "--keep-releases", "1", "--max-delete", "100%"];
    world.publish(Folder::version(1).path(), &more).await.good();
    let found = Arc::new(Mutex::new(Found::default()));
    let mut story: Vec<String> = Vec::new();
    let mut folder = Folder::version(1);
    for turn in 0..20_u32 {
        let is_rollback = dice.below(4) == 0;
        let (at, what) = (1 + dice.below(45), dice.what());
        world.weather.late = dice.below(2) == 0 || matches!(what, What::CancelThenArrive(_));
        world.weather.seed = dice.below(1000) as u64;
        let (hosting, distribution) = (Arc::clone(&world.hosting), world.distribution.clone());
        let visitors = Arc::clone(&found);
        let name = format!("turn {turn}, rollback: {is_rollback}, {what:?} at {at}");
        let when = name.clone();
        world.after_each = Some(Arc::new(move |nth| {
            let mut found = visitors.lock().unwrap();
            found.visit(&hosting, &distribution, &format!("{when}, call {nth}"));
        }));
        world.next(at, what);
        let ended = if is_rollback {
            world.run(&["rollback"]).await
        } else {
            folder = Folder::version(turn + 2);
            world.publish(folder.path(), &more).await
        };
        tell(&mut story, &name, &ended);
        consistent(&world, &story.join("\n"));
        if ended.result.is_err() {
            world.lock_ends().await;
            if dice.below(2) == 0 {
                let recovered = world.run(&["recover"]).await;
                tell(&mut story, "recover", &recovered);
                recovered.good();
            }
        }
        intact(&world, &theirs, &story.join("\n"));
        let faults = found.lock().unwrap().faults.clone();
        assert!(
            faults.is_empty(),
            "{}\n{faults:#?}\n{:#?}",
            story.join("\n"),
            ended.lines()
        );
    }
    world.lock_ends().await;
    world.publish(folder.path(), &more).await.good();
    converged(&world, &folder, &story.join("\n"));
    edge_serves(&world, &folder, &story.join("\n"));
    let found = found.lock().unwrap();
    assert!(found.faults.is_empty(), "{:#?}", found.faults);
    assert!(found.visits > 2000, "{}", found.visits);
}

fn tell(story: &mut Vec<String>, name: &str, ended: &Ended) {
    story.push(format!("{name}: {}", ended.says().replace('\n', "; ")));
}

#[tokio::test(start_paused = true)]
async fn visitors_always_get_a_page_and_all_that_it_needs() {
    for seed in 0..SEEDS {
        twenty(seed).await;
    }
}

/// How many stories are told.
const SEEDS: u64 = 3;
