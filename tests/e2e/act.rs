//! act judges what the fake runner only claims: that the release tree resolves by root and sub-path, that inputs arrive
//! as they are, that outputs and masks work. It ends every failed run with 1 and kills instead of signalling, so it
//! judges nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use sandbox::stand_ins::aws::{Clock, Cloud, Setup};
use tempfile::TempDir;

use crate::{release, workflow};

/// act, or a failure that names it.
fn act() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one look at this process's environment"
    )]
    match std::env::var_os("DEPLOY_ACTIONS_ACT") {
        Some(act) => PathBuf::from(act),
        None => panic!("these tests need act: run `cargo xtask test`"),
    }
}

/// A repository with one workflow, run by act without Docker; its log and whether it passed.
fn judged(steps: &str, secrets: &[(&str, &str)]) -> (bool, String) {
    let home = tempfile::tempdir().unwrap();
    let repository = home.path().join("repository");
    fs::create_dir_all(repository.join(".github/workflows")).unwrap();
    fs::write(repository.join(".github/workflows/test.yml"), workflow(steps)).unwrap();
    for arguments in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "commit",
            "--quiet",
            "--message",
            "first",
        ],
    ] {
        git(&home, &repository, arguments);
    }
    let mut command = plain(act(), &home);
    command
        .current_dir(&repository)
        .args(["push", "-P", "ubuntu-24.04=-self-hosted", "--no-cache-server"])
        .arg("--local-repository")
        .arg(format!("org/deploy-actions@v1={}", release().display()));
    for (name, value) in secrets {
        command.args(["--secret", &format!("{name}={value}")]);
    }
    let output = command.output().unwrap();
    let log = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), log)
}

fn git(home: &TempDir, repository: &PathBuf, arguments: &[&str]) -> Output {
    let output = plain("git".into(), home)
        .current_dir(repository)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A program with nothing of this machine's environment.
fn plain(program: PathBuf, home: &TempDir) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home.path());
    command
}

#[test]
fn the_release_tree_resolves_by_root_and_sub_path() {
    let steps = r#"
- id: setup
  uses: org/deploy-actions@v1
- run: image-tag --version && test -x "${{ steps.setup.outputs.bin-dir }}/health-gate"
- id: tag
  uses: org/deploy-actions/image-tag@v1
  with:
    images: ghcr.io/org/app
    tags: type=raw,value=from-act
- env:
    TAGS: ${{ steps.tag.outputs.tags }}
  run: test "$TAGS" = ghcr.io/org/app:from-act && echo OUTPUT-ARRIVED
"#;
    let (passed, log) = judged(steps, &[]);
    assert!(passed, "{log}");
    assert!(log.contains("OUTPUT-ARRIVED"), "{log}");
}

#[test]
fn inputs_arrive_as_they_are() {
    // Blanks, quotes, expressions, what a shell and what a runner would read; `${{` comes out of an expression, and
    // what comes out of one is not read again.
    let text = r#"a  "b" 'c' $(d) `e` \f %0A ::error::g ##[error]h é🚀 ${{ '${{' }} github.sha }}"#;
    let steps = format!(
        r#"
- id: tell
  uses: org/deploy-actions/notify@v1
  with:
    status: success
    summary: false
    service: |
      {text}
- id: tag
  uses: org/deploy-actions/image-tag@v1
  with:
    sep-tags: ' | '
    tags: |
      type=raw,value=one
      # a comment, then a blank line

      "type=raw,value=two"
- env:
    HEADLINE: ${{{{ steps.tell.outputs.headline }}}}
    TAGS: ${{{{ steps.tag.outputs.tags }}}}
    WANTED: |
      {text}
  run: |
    case "$HEADLINE" in *"$(printf %s "$WANTED")"*) ;; *) printf 'not in <%s>\n' "$HEADLINE"; exit 1 ;; esac
    case "$WANTED" in *'${{{{ github.sha }}}}'*) echo SAME-TEXT ;; esac
    test "$TAGS" = 'one | two' && echo SAME-LINES
"#
    );
    let (passed, log) = judged(&steps, &[]);
    assert!(passed, "{log}");
    assert!(log.contains("SAME-TEXT") && log.contains("SAME-LINES"), "{log}");
}

#[test]
fn a_failure_stops_the_job_and_always_still_runs() {
    let steps = r"
- id: soft
  continue-on-error: true
  uses: org/deploy-actions/health-gate@v1
  with:
    tcp: 127.0.0.1:9
    timeout: 1s
- run: echo SOFT=${{ steps.soft.outcome }}/${{ steps.soft.outputs.verdict }}
- id: hard
  uses: org/deploy-actions/health-gate@v1
  with:
    url: http://127.0.0.1:9/health
    timeout: 1s
- run: echo NEVER-PRINTED
- if: always()
  run: echo ALWAYS=${{ job.status }}/${{ steps.hard.outputs.verdict }}
";
    let (passed, log) = judged(steps, &[]);
    assert!(!passed, "{log}");
    assert!(
        log.contains("SOFT=failure/fail") && log.contains("ALWAYS=failure/fail"),
        "{log}"
    );
    assert!(!log.lines().any(|line| line.contains("| NEVER-PRINTED")), "{log}");
    assert!(log.contains("connection refused"), "{log}");
}

#[test]
fn a_secret_is_masked() {
    let steps = r"
- uses: org/deploy-actions/notify@v1
  with:
    status: success
    summary: false
    webhook-url: ${{ secrets.HOOK }}
    timeout: 2s
- run: echo the end of it is aBcd1fghijklmnop
";
    let (_, log) = judged(steps, &[("HOOK", "http://127.0.0.1:9/hooks/aBcd1fghijklmnop")]);
    assert!(
        log.contains("the end of it is ***"),
        "the path of the secret is masked too: {log}"
    );
    assert!(log.contains("the message was not delivered"), "{log}");
}

#[test]
fn a_deploy_to_ecs_tells_the_steps_behind_it_what_serves() {
    // A minute of ECS is a second here.
    let cloud = Cloud::open(Clock::compressed(60)).unwrap();
    let shop = Setup::new("prod", "web")
        .image("shop:1.0.0")
        .desired(3)
        .build(&cloud);
    // As aws-actions/configure-aws-credentials leaves them to the steps behind it.
    let credentials: String = cloud
        .environment()
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_") && *name != "AWS_ENDPOINT_URL")
        .map(|(name, value)| format!("    echo '{name}={value}' >> \"$GITHUB_ENV\"\n"))
        .collect();
    let deploy = |id: &str, image: &str| {
        let url = cloud.url();
        format!(
            r"
- id: {id}
  continue-on-error: true
  uses: org/deploy-actions/ecs-deploy@v1
  with:
    cluster: prod
    service: web
    endpoint-url: {url}
    image: |
      # one container alone
      app={image}
    stable-for: 500ms
    poll: 100ms
"
        )
    };
    let told = |id: &str| {
        let of = |name: &str| format!("${{{{ steps.{id}.outputs.{name} }}}}");
        format!(
            "- if: always()\n  run: echo TOLD={id}/${{{{ steps.{id}.outcome }}}}/{}/{}/{}/\n",
            of("status"),
            of("previous-task-definition"),
            of("task-definition"),
        )
    };
    let ids = [
        ("well", "shop:1.1.0"),
        ("again", "shop:1.1.0"),
        ("ill", "shop:1.2.0-crash"),
    ];
    let steps: String = ids
        .iter()
        .map(|(id, image)| deploy(id, image) + &told(id))
        .collect();
    let (passed, log) = judged(&format!("- run: |\n{credentials}{steps}"), &[]);
    assert!(passed, "{log}");
    for wanted in [
        "TOLD=well/success/deployed/web:1/web:2/",
        "TOLD=again/success/unchanged/web:2/web:2/",
        "TOLD=ill/failure/rolled-back/web:2/web:3/",
    ] {
        assert!(log.contains(wanted), "{wanted}: {log}");
    }
    assert!(log.contains("fatal: can't go on"), "{log}");
    assert_eq!(cloud.serving(&shop), ["shop:1.1.0"]);
}
