//! Who may publish: one run at a time, and another one when the first is gone.

use std::time::Duration;

use gha::Exit;
use tokio::time::sleep;

use crate::cloud::World;
use crate::site::{Folder, converged, serves};
use crate::way::What;

#[tokio::test(start_paused = true)]
async fn who_comes_second_is_told_who_publishes_and_may_when_a_dead_run_is_two_minutes_old() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(Folder::version(0).path(), &[]).await.good();
    world.publish(one.path(), &[]).await.good();
    world.next(12, What::Kill { after: true });
    assert!(world.publish(two.path(), &[]).await.is_killed());
    let other = world.other("8");
    for line in [
        &["rollback"][..],
        &["recover"],
        &["prune", "--keep-releases", "0"],
    ] {
        let refused = other.run(line).await;
        assert!(
            refused.failed(Exit::Locked).error.to_string().contains("/runs/7"),
            "{}",
            refused.says()
        );
        assert!(
            refused.calls.iter().all(|call| !call.writes()),
            "{:#?}",
            refused.lines()
        );
    }
    let refused = other.publish(one.path(), &[]).await;
    let says = refused.failed(Exit::Locked).error.to_string();
    assert!(
        says.contains("https://github.com/acme/shop/actions/runs/7"),
        "{says}"
    );
    sleep(Duration::from_secs(90)).await;
    other.publish(two.path(), &[]).await.failed(Exit::Locked);
    sleep(Duration::from_secs(31)).await;
    other.publish(two.path(), &[]).await.good();
    converged(&world, &two, "taken over");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_lock_is_taken_meanwhile_ends_before_it_changes_what_visitors_see() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    // Before its lock says that it switches, somebody else's is there.
    world
        .hosting
        .before("PutObject www/.deploy-actions/lock", 4, |stock| {
            let text = stock
                .s3
                .object("site", "www/.deploy-actions/lock")
                .unwrap()
                .text();
            let (before, rest) = text.split_once("\"nonce\":\"").unwrap();
            let theirs =
                format!("{before}\"nonce\":\"ff{}", &rest[2..]).replace("acme/shop:7", "acme/shop:99");
            let object = sandbox::stand_ins::aws::Object::new(theirs);
            stock.s3.put("site", "www/.deploy-actions/lock", object);
        });
    let ended = world.publish(two.path(), &[]).await;
    let says = ended.failed(Exit::Locked).error.to_string();
    assert!(says.contains("acme/shop:99"), "{says}\n{:#?}", ended.lines());
    serves(&world, &one, "the other run's lock");
    assert!(world.state().contains(&"lock".to_owned()));
}
