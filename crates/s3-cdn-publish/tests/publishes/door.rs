//! What is refused before anything is changed, and what a person is shown then.

use gha::Exit;

use crate::cloud::World;
use crate::site::{Folder, serves};

const LIMITED: [&str; 5] = ["--delete", "--keep-releases", "0", "--max-delete", "2"];

#[tokio::test(start_paused = true)]
async fn a_plan_over_the_limit_is_shown_whole_and_says_that_publish_would_refuse() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    let before = world.objects();
    let source = two.path().to_str().unwrap();
    let plan = world
        .run(&[&["plan", "--source", source][..], &LIMITED].concat())
        .await;
    let failure = plan.failed(Exit::Failed);
    let says = plan.says();
    assert!(
        says.contains("`publish` would refuse this: 3 of 12 objects would be deleted"),
        "{says}"
    );
    assert!(says.contains("`--max-delete`"), "{says}");
    for line in [
        "deleted: 3",
        "- own-1.html",
        "added: 3",
        "+ own-2.html",
        "invalidated: ",
    ] {
        assert!(plan.log.contains(line), "{line}: {}", plan.log);
    }
    assert!(failure.outcome.dry_run);
    assert_eq!(failure.outcome.facts["deleted"], 3);
    assert_eq!(
        failure.outcome.facts["files"]["deleted"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert!(
        plan.calls.iter().all(|call| !call.writes()),
        "{:#?}",
        plan.lines()
    );

    let ended = world.publish(two.path(), &LIMITED).await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .starts_with("3 of 12 objects would be deleted"),
        "{}",
        ended.says()
    );
    for line in ["deleted: 3", "- own-1.html"] {
        assert!(ended.log.contains(line), "{line}: {}", ended.log);
    }
    assert_eq!(world.objects(), before);
    serves(&world, &one, "refused");
}

#[tokio::test(start_paused = true)]
async fn prune_over_its_limit_shows_what_it_would_delete_and_speaks_of_no_source() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    world.publish(two.path(), &[]).await.good();
    let before = world.objects();
    let ended = world
        .run(&["prune", "--keep-releases", "0", "--max-delete", "2"])
        .await;
    ended.failed(Exit::Failed);
    let says = ended.says();
    assert!(says.contains("3 of 12 objects would be deleted"), "{says}");
    assert!(
        says.contains("`--keep-releases`") && !says.contains("source"),
        "{says}"
    );
    assert!(ended.log.contains("- own-1.html"), "{}", ended.log);
    assert_eq!(world.objects(), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_s3_is_said_to_be_none() {
    let one = Folder::version(1);
    let source = one.path().to_str().unwrap();
    for (status, body, shown) in [
        (
            200,
            "<!DOCTYPE html>\n<p>Hello",
            "200 `<!DOCTYPE html>\\n<p>Hello`",
        ),
        (200, "{\"status\":\"ok\"}", "200 `{\"status\":\"ok\"}`"),
        (200, "", "200 without a body"),
        (
            404,
            "<html><h1>Not Found</h1></html>",
            "404 `<html><h1>Not Found</h1></html>`",
        ),
        (302, "<a href=/login>", "302 `<a href=/login>`"),
        (403, "<html>denied</html>", "403 `<html>denied</html>`"),
    ] {
        let mut world = World::new();
        world.foreign = Some((status, body));
        for line in [
            &["publish", "--source", source][..],
            &["plan", "--source", source],
            &["rollback"],
            &["releases"],
            &["prune"],
            &["recover"],
        ] {
            let ended = world.run(line).await;
            ended.failed(Exit::Access);
            let says = ended.says();
            let expected = format!(
                "the endpoint `http://cloud.test/` does not answer as S3: `s3:ListBucket` got {shown}"
            );
            assert!(
                says.starts_with(&expected) && says.contains("\ncheck `--endpoint-url`"),
                "{line:?}: {says}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_object_that_has_to_be_asked_is_one() {
    let world = World::new();
    let one = Folder::new().with("index.html", "index").with("a.txt", "a");
    world.put("www/a.txt", sandbox::stand_ins::aws::Object::new("a"));
    let ended = world.publish(one.path(), &[]).await;
    ended.good();
    assert!(
        ended
            .log
            .contains("1 object is not known by a manifest and is asked what it is"),
        "{}",
        ended.log
    );
}
