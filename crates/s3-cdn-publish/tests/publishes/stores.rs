//! Buckets that somebody filled before, stores that are not S3, odd names and large files.

use gha::{Exit, Status};
use sandbox::stand_ins::aws::{Conditions, Encryption, Fault, Object, Turn};

use crate::cloud::{BUCKET, World};
use crate::site::{Folder, consistent, converged, foreigners, intact};

#[tokio::test(start_paused = true)]
async fn what_another_tool_left_is_adopted_where_its_content_is_known() {
    let world = World::new();
    let folder = Folder::version(1);
    let theirs = foreigners(&world);
    for (key, content) in &folder.files {
        let mut object = Object::new(content.clone());
        match key.as_str() {
            // Keys of KMS and parts make ETags that say nothing of the content.
            "about.html" => {
                object.encryption = Encryption::Kms("arn:aws:kms:eu-central-1:1:key/k".to_owned());
                object.etag = "0123456789abcdef0123456789abcdef".to_owned();
            }
            "data.json" => object.etag = format!("{}-2", object.etag),
            "docs/index.html" => object = Object::new("another one"),
            _ => {}
        }
        world.put(&format!("www/{key}"), object);
    }
    let ended = world.publish(folder.path(), &["--delete"]).await;
    ended.good();
    let mut sent: Vec<&str> = ended
        .of_site("PutObject")
        .iter()
        .map(|call| call.key.as_str())
        .collect();
    sent.sort_unstable();
    assert_eq!(sent, ["www/about.html", "www/data.json", "www/docs/index.html"]);
    converged(&world, &folder, "adopted");
    intact(&world, &theirs, "adopted");
    assert_eq!(
        world.publish(folder.path(), &[]).await.good().status,
        Status::Unchanged
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_not_s3_is_published_to_as_well() {
    for conditions in [Conditions::Refused, Conditions::Ignored, Conditions::Kept] {
        let mut world = World::new();
        world.has_cdn = false;
        world.hosting.settings(|settings| {
            settings.compatible = true;
            settings.conditions = conditions;
        });
        let refusal = sandbox::stand_ins::aws::Refusal::new("NotImplemented", "not here").status(501);
        world
            .hosting
            .fault("DeleteObjects", Turn::Every, Fault::Refused(refusal));
        let more = ["--delete", "--keep-releases", "1", "--max-delete", "100%"];
        let versions: Vec<Folder> = (1..=3).map(Folder::version).collect();
        for version in &versions {
            world.publish(version.path(), &more).await.good();
            consistent(&world, "published");
        }
        converged(&world, &versions[2], "published");
        assert_eq!(
            world.publish(versions[2].path(), &more).await.good().status,
            Status::Unchanged
        );
        world.run(&["rollback"]).await.good();
        converged(&world, &versions[1], "rolled back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_asks_for_less_gets_less() {
    let world = World::new();
    world.hosting.settings(|settings| settings.rate = Some(40));
    let mut folder = Folder::version(1);
    for number in 0..200 {
        folder.write(&format!("pages/{number}.html"), format!("page {number}"));
    }
    let ended = world.publish(folder.path(), &[]).await;
    ended.good();
    let refused = ended.calls.iter().filter(|call| call.status == 503).count();
    assert!(refused > 0 && refused < 300, "{refused}");
    converged(&world, &folder, "slowly");
}

#[tokio::test(start_paused = true)]
async fn odd_names_and_empty_files_arrive_and_come_back() {
    let names = [
        "a b.txt",
        "a+b.txt",
        "100%.txt",
        "é.txt",
        "a&b.txt",
        "a?b.txt",
        "a#b.txt",
        "a\nb.txt",
        "~tilde.txt",
        "%41.txt",
    ];
    let world = World::new();
    let mut folder = Folder::version(1);
    for name in names {
        folder.write(name, format!("one of {name}"));
        folder.write(&format!("odd {name}/empty.txt"), "");
    }
    world.publish(folder.path(), &[]).await.good();
    converged(&world, &folder, "odd names");
    assert_eq!(
        world.publish(folder.path(), &[]).await.good().status,
        Status::Unchanged
    );
    let mut other = Folder::version(2);
    for name in names {
        other.write(name, format!("two of {name}"));
    }
    let more = ["--delete", "--keep-releases", "1"];
    world.publish(other.path(), &more).await.good();
    converged(&world, &other, "changed");
    world.run(&["rollback"]).await.good();
    converged(&world, &folder, "back");
    world
        .publish(
            Folder::version(3).path(),
            &["--delete", "--keep-releases", "0", "--max-delete", "100%"],
        )
        .await
        .good();
    assert!(!world.objects().keys().any(|key| key.contains("tilde")));
}

#[tokio::test(start_paused = true)]
async fn a_large_file_goes_in_parts_and_nothing_of_it_stays_where_one_fails() {
    let world = World::new();
    world.hosting.settings(|settings| settings.keep = 100 << 20);
    let mut folder = Folder::version(1);
    folder.write("film.bin", vec![7_u8; 70 << 20]);
    world.hosting.fault("UploadPart", Turn::Nth(3), Fault::Denied);
    let ended = world.publish(folder.path(), &[]).await;
    ended.failed(Exit::Failed);
    assert!(world.hosting.stock(|stock| stock.s3.uploads(BUCKET)).is_empty());
    assert!(!world.objects().contains_key("www/index.html"));
    world.hosting.heal();
    world.hosting.fault("UploadPart", Turn::Nth(6), Fault::Internal);
    world.publish(folder.path(), &[]).await.good();
    converged(&world, &folder, "in parts");
    world.hosting.heal();
    assert_eq!(
        world.publish(folder.path(), &[]).await.good().status,
        Status::Unchanged
    );
    // A file that grows after it was read is no file of a release.
    folder.write("film.bin", vec![8_u8; 70 << 20]);
    let path = folder.path().join("film.bin");
    let parts = world.hosting.calls("UploadPart").len();
    world.hosting.before("UploadPart", parts + 3, move |_| {
        std::fs::write(&path, vec![9_u8; 70 << 20]).unwrap();
    });
    let ended = world.publish(folder.path(), &[]).await;
    assert!(
        ended.failed(Exit::Failed).error.to_string().contains("changed"),
        "{}",
        ended.says()
    );
    assert!(world.hosting.stock(|stock| stock.s3.uploads(BUCKET)).is_empty());
}
