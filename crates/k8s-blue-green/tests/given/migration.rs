//! Migrations, run as Jobs.

use std::time::Duration;

use gha::container_command::ContainerCommand;
use k8s_blue_green::migration::job::{Job, Way};
use k8s_blue_green::migration::{End, Migration, Ran};
use k8s_blue_green::object::Labels;
use sandbox::stand_ins::aws::Turn;
use sandbox::stand_ins::kubernetes::{Behaviour, Fault};
use serde_json::json;
use tokio::time::timeout;

use crate::cluster::World;

const LIMIT: Duration = Duration::from_secs(120);

fn job(image: &str, way: Way) -> Job {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
    });
    let command = ContainerCommand::parse("web=bin/migrate").unwrap();
    let selector: Labels = [("app".to_owned(), "web".to_owned())].into();
    Job::of_template(&template, &command, "web", way, &[selector], LIMIT).unwrap()
}

fn migration<'a>(job: &'a Job, marks: &'a [(String, String)]) -> Migration<'a> {
    Migration {
        job,
        marks,
        retry: false,
        poll: Duration::from_secs(2),
        limit: LIMIT,
        api_grace: Duration::from_secs(60),
    }
}

async fn run(job: &Job, world: &World) -> End {
    migration(job, &[]).run(&mut Ran::default(), &world.place()).await
}

fn creates(world: &World) -> usize {
    world.cluster.calls("create jobs").len()
}

#[tokio::test(start_paused = true)]
async fn a_migration_is_run_once_and_gets_no_traffic() {
    let world = World::new();
    world.cluster.world(|world| {
        world.put(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}))
    });
    let job = job("db:jobok-20s", Way::Up);
    let marks = [("deploy-actions/run".to_owned(), "7".to_owned())];
    let mut ran = Ran::default();
    let end = migration(&job, &marks).run(&mut ran, &world.place()).await;
    assert_eq!((end, ran), (End::Succeeded, Ran::default()));
    assert!(
        world
            .cluster
            .world(|world| world.visit("default", "web", 80, 0))
            .is_err()
    );
    let there = world
        .cluster
        .world(|world| world.get("jobs", "default", job.name()).cloned())
        .unwrap();
    assert_eq!(there["metadata"]["annotations"]["deploy-actions/run"], "7");
    assert_eq!(run(&job, &world).await, End::Before);
    assert_eq!(creates(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_failed_says_why_and_runs_again_only_when_told() {
    let world = World::new();
    let job = job("db:jobfail", Way::Up);
    let End::Failed(reason) = run(&job, &world).await else {
        panic!()
    };
    assert!(
        reason.starts_with("BackoffLimitExceeded: ")
            && reason.contains("container `web` ended with exit code 1"),
        "{reason}"
    );
    let log = world.log.text();
    assert!(log.contains("the last lines of Job"), "{log}");
    let End::FailedBefore(reason) = run(&job, &world).await else {
        panic!()
    };
    assert!(reason.starts_with("BackoffLimitExceeded"), "{reason}");
    assert_eq!(creates(&world), 1);
    world.cluster.world(|world| {
        world.settings.images.push((
            "db:jobfail".into(),
            Behaviour::good().job(0, Duration::from_secs(1)),
        ));
    });
    let again = Migration {
        retry: true,
        ..migration(&job, &[])
    };
    assert_eq!(
        again.run(&mut Ran::default(), &world.place()).await,
        End::Succeeded
    );
    assert_eq!(creates(&world), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_leaves_the_job_and_the_next_one_waits_for_it() {
    let world = World::new();
    let job = job("db:jobok-30s", Way::Up);
    let mut ran = Ran::default();
    let cut = timeout(
        Duration::from_secs(10),
        migration(&job, &[]).run(&mut ran, &world.place()),
    )
    .await;
    assert!(cut.is_err());
    assert_eq!(
        ran.left(),
        format!("; Job `{}` goes on, and the next run waits for it", job.name())
    );
    assert_eq!(run(&job, &world).await, End::Succeeded);
    assert_eq!(creates(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_hangs_ends_with_its_deadline_and_its_lines_are_shown() {
    let world = World::new();
    world.cluster.world(|world| {
        world.settings.images.push((
            "db:lock".into(),
            Behaviour::good()
                .endless_job()
                .saying(Duration::from_secs(1), "waiting for a lock"),
        ));
    });
    let End::Failed(reason) = run(&job("db:lock", Way::Up), &world).await else {
        panic!()
    };
    assert!(reason.starts_with("DeadlineExceeded"), "{reason}");
    assert!(
        world.log.text().contains("waiting for a lock"),
        "{}",
        world.log.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_can_not_start_fails_early_and_is_not_in_the_way_later() {
    let world = World::new();
    let job = job("db:unpullable", Way::Up);
    let End::Failed(reason) = run(&job, &world).await else {
        panic!()
    };
    assert!(
        reason.contains("container `web` can't start: ") && reason.contains("Pull"),
        "{reason}"
    );
    assert!(world.cluster.world(|world| world.now()) < LIMIT);
    assert!(
        world
            .cluster
            .world(|world| world.get("jobs", "default", job.name()).is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_undone_is_done_again() {
    let world = World::new();
    let (up, down) = (job("db:jobok", Way::Up), job("db:jobok", Way::Down));
    for (migration, end) in [
        (&up, End::Succeeded),
        (&down, End::Succeeded),
        (&down, End::Before),
        (&up, End::Succeeded),
        (&up, End::Before),
        (&down, End::Succeeded),
    ] {
        assert_eq!(run(migration, &world).await, end, "{}", migration.name());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_within_the_grace_is_waited_out_and_a_longer_one_leaves_it_unknown() {
    for (fault, turn) in [
        (Fault::Unavailable, Turn::Nth(3)),
        (Fault::Reset, Turn::Nth(2)),
        (Fault::Hang, Turn::Nth(2)),
    ] {
        let world = World::new();
        world.cluster.fault("get jobs", turn, fault.clone());
        assert_eq!(
            run(&job("db:jobok", Way::Up), &world).await,
            End::Succeeded,
            "{fault:?}"
        );
    }
    let world = World::new();
    let job = job("db:jobok", Way::Up);
    let mut ran = Ran::default();
    let place = world.place();
    let running = migration(&job, &[]);
    let dark = async {
        while creates(&world) == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        world.cluster.fault("get jobs", Turn::Every, Fault::Unavailable);
        std::future::pending::<End>().await
    };
    let end = tokio::select! { end = running.run(&mut ran, &place) => end, end = dark => end };
    assert!(matches!(&end, End::Unknown { denied: false, .. }), "{end:?}");
    assert!(ran.left().contains(job.name()), "{}", ran.left());
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_makes_one_job() {
    for fault in [Fault::Lost, Fault::Reset, Fault::Internal, Fault::Hang] {
        let world = World::new();
        world.cluster.fault("create jobs", Turn::Nth(1), fault.clone());
        assert_eq!(
            run(&job("db:jobok", Way::Up), &world).await,
            End::Succeeded,
            "{fault:?}"
        );
        assert_eq!(
            world.cluster.world(|world| world.list("jobs", "default").len()),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_not_started_and_a_foreign_job_is_left() {
    let world = World::new();
    world.cluster.fault("create jobs", Turn::Every, Fault::Denied);
    let End::NotStarted(refused) = run(&job("db:jobok", Way::Up), &world).await else {
        panic!()
    };
    assert!(refused.is_access(), "{refused}");
    world.cluster.heal();
    let job = job("db:jobok", Way::Up);
    let mut foreign = job.object.clone();
    foreign["metadata"]["annotations"] = json!({});
    foreign["metadata"]["namespace"] = "default".into();
    world.cluster.world(|world| world.put(foreign));
    assert_eq!(run(&job, &world).await, End::Foreign);
}
