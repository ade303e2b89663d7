//! The matrix of faults: each call of a command fails in each way, and the run is cancelled and killed at each.
//!
//! After each the pages in the bucket have what they need and others' objects are as they were; then a publish of another run
//! converges, or `recover` brings one release back whole.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, HostingEntry, Object, Stock};
use tokio::time::sleep;

use crate::cloud::{Ended, World};
use crate::site::{Folder, consistent, converged, edge_serves, foreigners, intact, stale, strays, warm};
use crate::way::What;

/// The flags of the publish that has everything in it.
const FLAGS: [&str; 7] = [
    "--delete",
    "--keep-releases",
    "1",
    "--max-delete",
    "100%",
    "--rule",
    "robots.txt = public, max-age=60",
];

/// A bucket in which a command is run, and what may come of it.
struct Scene {
    stock: Stock,
    theirs: BTreeMap<String, Object>,
    versions: Vec<Folder>,
    command: Command,
    /// Which versions may be the current one after the command, by index.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Publish,
    Rollback,
    Recover,
    Prune,
}

/// What comes after a run that did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Time, and a publish of another run.
    Publish,
    /// Time, and a `recover` of another run.
    Recover,
    /// A `recover` in the next step of the same job.
    RecoverAtOnce,
}

impl Scene {
    /// Two releases are there, and a third comes: it adds, changes, deletes, gives other headers, and one release falls.
    async fn publish() -> Self {
        let world = World::new();
        let theirs = foreigners(&world);
        let versions: Vec<Folder> = (1..=3).map(Folder::version).collect();
        for version in &versions[..2] {
            world.publish(version.path(), &FLAGS[..5]).await.good();
            warm(&world, version);
        }
        Self {
            stock: world.stock(),
            theirs,
            versions,
            command: Command::Publish,
            ends: vec![1, 2],
        }
    }

    /// Three releases are there, and the one before comes back.
    async fn rollback() -> Self {
        Self {
            command: Command::Rollback,
            ..Self::of_three().await
        }
    }

    /// Three releases are there, and the first of them goes.
    async fn prune() -> Self {
        Self {
            command: Command::Prune,
            ends: vec![2],
            ..Self::of_three().await
        }
    }

    async fn of_three() -> Self {
        let scene = Self::publish().await;
        let world = World::of(&scene.stock);
        world.publish(scene.versions[2].path(), &[]).await.good();
        warm(&world, &scene.versions[2]);
        Self {
            stock: world.stock(),
            ..scene
        }
    }

    /// A run was killed while it changed pages, and is undone.
    async fn recover_scene() -> Self {
        let scene = Self::publish().await;
        let calls = scene.calls().await;
        let pages = |call: &HostingEntry| call.operation == "PutObject" && call.key.ends_with(".html");
        let first = calls.iter().position(pages).unwrap();
        let world = World::of(&scene.stock);
        world.next(first + 2, What::Kill { after: true });
        assert!(scene.command(&world).await.is_killed());
        assert_ne!(stale(&world, &scene.versions[1]), None);
        warm(&world, &scene.versions[1]);
        world.lock_ends().await;
        Self {
            stock: world.stock(),
            command: Command::Recover,
            ends: vec![1],
            ..scene
        }
    }

    async fn command(&self, world: &World) -> Ended {
        match self.command {
            Command::Publish => world.publish(self.versions[2].path(), &FLAGS).await,
            Command::Rollback => world.run(&["rollback"]).await,
            Command::Recover => world.run(&["recover"]).await,
            Command::Prune => {
                let flags = ["prune", "--keep-releases", "1", "--max-delete", "100%"];
                world.run(&flags).await
            }
        }
    }

    /// The calls of the command where nothing happens.
    async fn calls(&self) -> Vec<HostingEntry> {
        let world = World::of(&self.stock);
        let ended = self.command(&world).await;
        ended.good();
        ended.calls
    }

    /// Goes through one case.
    async fn case(&self, at: usize, what: What, late: bool, then: Then) {
        let mut world = World::of(&self.stock);
        world.weather.late = late;
        world.weather.seed = at as u64;
        let why = format!(
            "{:?} {what:?} at call {at}, late: {late}, then {then:?}",
            self.command
        );
        world.next(at, what.clone());
        let ended = self.command(&world).await;
        let why = format!("{why}\n{}\n{:#?}", ended.says(), ended.lines());
        self.look(&world, &ended, &why);
        let is_swept = !ended.log.contains(" stay");
        if ended.result.is_ok() && is_swept {
            return self.whole(&world, &why);
        }
        if late {
            // What is on its way arrives.
            sleep(Duration::from_secs(1)).await;
            self.look(&world, &ended, &why);
        }
        match then {
            Then::Publish => world.lock_ends().await,
            Then::Recover => {
                world.lock_ends().await;
                self.recover(&world.other("8"), &why).await;
            }
            Then::RecoverAtOnce => self.recover(&world, &why).await,
        }
        let again = world.other("9").publish(self.versions[2].path(), &FLAGS).await;
        let why = format!("{why}\nagain: {}\n{:#?}", again.says(), again.lines());
        assert!(again.result.is_ok(), "{why}");
        self.published(&world, &why);
        let plan = ["plan", "--source", self.versions[2].path().to_str().unwrap()];
        let settled = world.run(&[&plan[..], &FLAGS].concat()).await;
        assert!(
            settled.says().contains("as it is to be"),
            "{why}\n{}",
            settled.says()
        );
    }

    /// What holds whenever a run has ended.
    #[track_caller]
    fn look(&self, world: &World, ended: &Ended, why: &str) {
        consistent(world, why);
        intact(world, &self.theirs, why);
        if ended.is_killed() {
            return;
        }
        if let Some(time) = ended.went_on {
            assert!(time.as_secs() < 5, "{why}: {time:?}");
        }
        assert!(!ended.says().contains("bug"), "{why}");
        assert_ne!(ended.exit(), Exit::Bug.code(), "{why}");
        let says = ended.says();
        let is_earlier =
            says.contains("nothing that visitors see was changed") || says.contains("serves again");
        if is_earlier && self.command != Command::Recover {
            let earlier = match self.command {
                Command::Publish => 1,
                _ => 2,
            };
            assert_eq!(stale(world, &self.versions[earlier]), None, "{why}");
            edge_serves(world, &self.versions[earlier], why);
        }
        if says.contains("serves all the same") {
            assert!(self.one(world).is_some(), "{why}");
        }
    }

    /// The version that serves whole.
    fn one(&self, world: &World) -> Option<usize> {
        let mut all = self.ends.iter();
        all.find(|&&end| stale(world, &self.versions[end]).is_none())
            .copied()
    }

    async fn recover(&self, world: &World, why: &str) {
        let ended = world.run(&["recover"]).await;
        let why = format!("{why}\nrecover: {}\n{:#?}", ended.says(), ended.lines());
        assert!(ended.result.is_ok(), "{why}");
        consistent(world, &why);
        intact(world, &self.theirs, &why);
        let one = self.one(world);
        assert!(one.is_some(), "{why}");
        converged(world, &self.versions[one.unwrap()], &why);
        edge_serves(world, &self.versions[one.unwrap()], &why);
    }

    /// What holds after the command ended well.
    #[track_caller]
    fn whole(&self, world: &World, why: &str) {
        match self.command {
            Command::Publish => self.published(world, why),
            _ => {
                let one = self.one(world);
                assert!(one.is_some(), "{why}");
                converged(world, &self.versions[one.unwrap()], why);
                edge_serves(world, &self.versions[one.unwrap()], why);
            }
        }
    }

    /// What holds after the third version was published well.
    #[track_caller]
    fn published(&self, world: &World, why: &str) {
        let [one, two, three] = &self.versions[..] else {
            unreachable!("there are three");
        };
        converged(world, three, why);
        consistent(world, why);
        intact(world, &self.theirs, why);
        edge_serves(world, three, why);
        let objects = world.objects();
        assert_eq!(
            objects["www/robots.txt"].headers["cache-control"], "public, max-age=60",
            "{why}"
        );
        let strays = strays(world, &[one, two, three], &self.theirs);
        assert!(strays.is_empty(), "{why}: {strays:?}");
        let fallen = one
            .files
            .keys()
            .filter(|key| !two.files.contains_key(*key) && !three.files.contains_key(*key));
        for key in fallen {
            assert!(!objects.contains_key(&format!("www/{key}")), "{why}: {key}");
        }
        if self.command == Command::Publish {
            self.tidy(world, why);
        }
    }

    /// Of earlier releases nothing is kept but what one can be gone back to by.
    #[track_caller]
    fn tidy(&self, world: &World, why: &str) {
        let state = world.state();
        let names = |folder: &str| -> BTreeSet<String> {
            let names = state.iter().filter_map(|name| name.strip_prefix(folder));
            names.map(str::to_owned).collect()
        };
        assert_eq!(names("releases/").len(), 1, "{why}: {state:#?}");
        // index, about and docs, data.json, robots.txt of the release before.
        assert_eq!(names("store/").len(), 5, "{why}: {state:#?}");
    }
}

/// In which ways a call fails.
fn ways(call: &HostingEntry) -> Vec<What> {
    let mut ways = vec![
        What::Fault(Fault::Internal, usize::MAX),
        What::Fault(Fault::Unavailable, usize::MAX),
        What::Fault(Fault::Throttled, usize::MAX),
        What::Fault(Fault::Reset, usize::MAX),
        What::Fault(Fault::Hang, 1),
        What::Fault(Fault::Hang, usize::MAX),
        What::Cancel { after: false },
        What::Kill { after: false },
    ];
    if call.writes() {
        ways.extend([
            What::Fault(Fault::Internal, 1),
            What::Fault(Fault::Throttled, 1),
            What::Fault(Fault::Reset, 1),
            What::Fault(Fault::Lost, 1),
            What::Fault(Fault::Lost, usize::MAX),
            What::Fault(Fault::Denied, usize::MAX),
            What::Cancel { after: true },
            What::CancelThenArrive(Duration::from_millis(500)),
            What::CancelInTheDark,
            What::Kill { after: true },
        ]);
    }
    ways
}

/// Whether a case ends without a panic; the others are to be told of too.
async fn holds(case: impl Future<Output = ()>) -> bool {
    let mut case = pin!(case);
    poll_fn(|context| {
        let poll = || case.as_mut().poll(context);
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(poll) => poll.map(|()| true),
            Err(_) => Poll::Ready(false),
        }
    })
    .await
}

/// Goes through each `step`th call from `first` on, in each way.
async fn go_through(scene: &Scene, first: usize, step: usize) {
    let calls = scene.calls().await;
    let mut failed = Vec::new();
    for (at, call) in calls.iter().enumerate().skip(first).step_by(step) {
        for (number, what) in ways(call).into_iter().enumerate() {
            let then = [Then::Publish, Then::Recover, Then::RecoverAtOnce][(at / step + number) % 3];
            let late = (at / step + number) % 2 == 1 || matches!(what, What::CancelThenArrive(_));
            let name = format!(
                "{} {what:?} at call {}, late: {late}, then {then:?}",
                call.line(),
                at + 1
            );
            if !holds(scene.case(at + 1, what, late, then)).await {
                failed.push(name);
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} cases fail:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_fails_at_any_call_leaves_a_whole_site_1() {
    go_through(&Scene::publish().await, 0, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_fails_at_any_call_leaves_a_whole_site_2() {
    go_through(&Scene::publish().await, 1, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_at_any_call_leaves_a_whole_site() {
    go_through(&Scene::rollback().await, 0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_recover_that_fails_at_any_call_leaves_a_whole_site() {
    go_through(&Scene::recover_scene().await, 0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_prune_that_fails_at_any_call_leaves_a_whole_site() {
    go_through(&Scene::prune().await, 0, 1).await;
}
