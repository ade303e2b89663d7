use super::*;

/// A shell that puts the whole tree into the bucket by curl would have to sign; a stand-in's own hand does here what a tool
/// would have done.
fn filled(bench: &Bench, bucket: &str, but: usize) {
    let contents: Vec<_> = (0..bench.tree.len())
        .map(|file| bench.tree.read(file).unwrap())
        .collect();
    bench.hosting.stock(|stock| {
        for (file, content) in contents.into_iter().enumerate().skip(but) {
            stock.s3.put(
                bucket,
                bench.tree.name(file),
                sandbox::stand_ins::aws::Object::new(content),
            );
        }
    });
}

#[test]
fn what_is_not_in_the_bucket_as_it_is_in_the_tree_is_stale() {
    let scratch = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(scratch.path(), 50).unwrap();
    bench.hosting.stock(|stock| stock.s3.create("site"));
    assert_eq!(bench.stale("site").unwrap(), 50);
    filled(&bench, "site", 1);
    assert_eq!(bench.stale("site").unwrap(), 1);
    filled(&bench, "site", 0);
    bench.hosting.stock(|stock| {
        stock.s3.put(
            "site",
            ".deploy-actions/manifest",
            sandbox::stand_ins::aws::Object::new("x"),
        )
    });
    assert_eq!(bench.stale("site").unwrap(), 0);
    bench.make(Scenario::ChangedOld).unwrap();
    assert_eq!(bench.stale("site").unwrap(), 1);
    bench.hosting.stock(|stock| {
        stock
            .s3
            .put("site", "more", sandbox::stand_ins::aws::Object::new("x"))
    });
    assert_eq!(bench.stale("site").unwrap(), 2);
}

#[test]
fn every_tool_runs_through_all_scenarios_on_the_same_tree() {
    let scratch = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(scratch.path(), 50).unwrap();
    let shell = PathBuf::from("/bin/true");
    let peers = Peers {
        aws: Some(shell.clone()),
        s5cmd: Some(shell.clone()),
        rclone: Some(shell.clone()),
    };
    let runs = bench.rounds(&tools(&shell, &peers), 2).unwrap();
    assert_eq!(runs.len(), 2 * 4 * Scenario::ALL.len());
    let first: Vec<&str> = runs
        .iter()
        .step_by(Scenario::ALL.len())
        .map(|run| run.tool)
        .collect();
    assert_eq!(
        first,
        ["ours", "aws", "s5cmd", "rclone", "aws", "s5cmd", "rclone", "ours"]
    );
    // Who does nothing is told so.
    assert!(
        runs.iter().all(|run| run.requests == 0 && run.stale == 50),
        "{runs:?}"
    );
}

#[test]
fn a_tool_that_fails_is_not_measured() {
    let scratch = tempfile::tempdir().unwrap();
    let mut bench = Bench::open(scratch.path(), 5).unwrap();
    let error = bench
        .rounds(&tools(Path::new("/bin/false"), &Peers::default()), 1)
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("failed with exit status 1"),
        "{error:#}"
    );
}
