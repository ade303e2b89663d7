//! What a blue-green deploy and a way back cost: `k8s-blue-green` beside the script that people write with `kubectl`, each on a
//! cluster of its own that is like the other's; and the memory of a deploy in a namespace of 500 pods.
//!
//! The script makes the green Deployment, waits by `rollout status`, and patches the Service's selector; its way back is one
//! patch. Both are run without a soak and without a wait for the old version's end. Traffic counts from the start of the command
//! to the write that moves it, on the cluster's own clock. After each command the Service must lead to the right image alone.
//!
//! Limits: the stand-in is in this process, and its work is in the time of both; its pods are ready after two seconds. The script
//! checks nothing, keeps no state, has no lock and can't go back by itself: it does less. What ours does after the traffic moved
//! (it looks whether it arrived, waits until the nodes have followed, and takes the other side's pods away) is in its whole time.
//! Peak memory is that of the program that was started, so the script has none: it would be its shell's.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sandbox::stand_ins::kubernetes::{Clock, Cluster, Entry, Login};
use serde_json::{Value, json};

use super::measure::{self, median};
use super::memory;
use super::report::{as_f64, columns, ratio};
use super::subject::Subject;
use crate::environment;

/// How many pods the Service leads to.
const PODS: u64 = 3;
/// Of a large namespace: the Service's own pods, and those of others; with as many of the new version it has 500.
const LARGE: (u64, u64) = (100, 300);
/// Longer than any pod takes, in the cluster's seconds.
const LIMIT: Duration = Duration::from_secs(600);

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new version comes up and gets the traffic.
    Deploy,
    /// The old one gets it again.
    Rollback,
}

impl Step {
    const ALL: [Self; 2] = [Self::Deploy, Self::Rollback];

    fn title(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// The short name of the tool.
    pub tool: &'static str,
    /// What it did.
    pub step: Step,
    /// From before the start to after the end.
    pub wall: Duration,
    /// From before the start to the write that moved the traffic.
    pub traffic: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The largest resident memory in bytes, where it is that of who did the work.
    pub peak: Option<u64>,
    /// How many calls the API server had.
    pub calls: usize,
    /// How many of them changed something.
    pub writes: usize,
}

/// The short names.
const OURS: &str = "ours";
const PEER: &str = "kubectl script";

/// Measures; the script only where there is a `kubectl`.
///
/// # Errors
/// When a command fails, or leaves another traffic than it should.
pub fn measured(program: &Path, kubectl: Option<&Path>, scratch: &Path, rounds: u32) -> Result<Vec<Run>> {
    let mut tools = vec![Tool::Ours(program.to_owned())];
    tools.extend(kubectl.map(|kubectl| Tool::Script(kubectl.to_owned())));
    let mut runs = Vec::new();
    for round in 0..rounds {
        for turn in 0..tools.len() {
            // Each begins as often as the other.
            let tool = &tools[(turn + round as usize) % tools.len()];
            runs.extend(one(tool, &scratch.join(format!("switch-{round}-{turn}")))?);
        }
    }
    Ok(runs)
}

/// The largest resident memory in bytes of a deploy of ours in a large namespace, and how long it took.
///
/// # Errors
/// When it fails.
pub fn large(program: &Path, scratch: &Path) -> Result<(u64, Duration)> {
    let home = scratch.join("switch-large");
    let shop = Shop::open(&home, LARGE.0, LARGE.1)?;
    let begin = Instant::now();
    let peak = memory::peak_of_one_run(&Tool::Ours(program.to_owned()).subject(Step::Deploy, &shop)?)?;
    shop.is_served_by("shop:2")?;
    Ok((peak, begin.elapsed()))
}

/// Both steps of a tool, on a new cluster.
fn one(tool: &Tool, home: &Path) -> Result<Vec<Run>> {
    let shop = Shop::open(home, PODS, 0)?;
    let mut runs = Vec::new();
    for (step, image) in Step::ALL.into_iter().zip(["shop:2", "shop:1"]) {
        let subject = tool.subject(step, &shop)?;
        shop.cluster.forget();
        let since = shop.now();
        let (cpu, begin) = (measure::cpu_of_children()?, Instant::now());
        let peak = memory::peak_of_one_run(&subject)?;
        let wall = begin.elapsed();
        let cpu = measure::cpu_of_children()?.saturating_sub(cpu);
        let log = shop.cluster.log();
        shop.is_served_by(image)?;
        let moved = log
            .iter()
            .filter(|call| moves(call, step))
            .map(|call| call.at)
            .next_back();
        let moved = moved.with_context(|| format!("`{}` moved no traffic", subject.name))?;
        runs.push(Run {
            tool: tool.name(),
            step,
            wall,
            traffic: moved.saturating_sub(since),
            cpu,
            peak: matches!(tool, Tool::Ours(_)).then_some(peak),
            calls: log.len(),
            writes: log.iter().filter(|call| call.writes()).count(),
        });
    }
    Ok(runs)
}

/// Whether a call gives the Service the colour of a step: the first patch that does so moves the traffic, and any after it leaves it.
fn moves(call: &Entry, step: Step) -> bool {
    let color = match step {
        Step::Deploy => "green",
        Step::Rollback => "blue",
    };
    let is_right = |selector: &Value| selector["color"] == color;
    let by_ours = |body: &Value| {
        let steps = body.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_switch = |step: &Value| {
            step["path"] == "/metadata/annotations/deploy-actions~1state"
                && step["value"].as_str().is_some_and(|state| {
                    [r#""phase":"switched""#, r#""phase":"rolled-back""#]
                        .iter()
                        .any(|phase| state.contains(phase))
                })
        };
        steps
            .iter()
            .any(|step| step["path"] == "/spec/selector" && is_right(&step["value"]))
            && steps.iter().any(is_switch)
    };
    call.verb == "patch"
        && (call.resource.as_str(), call.name.as_str()) == ("services", "web")
        && call.status < 300
        && (is_right(&call.body["spec"]["selector"]) || by_ours(&call.body))
}

/// Who deploys.
enum Tool {
    Ours(PathBuf),
    Script(PathBuf),
}

impl Tool {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => OURS,
            Self::Script(_) => PEER,
        }
    }

    fn subject(&self, step: Step, shop: &Shop) -> Result<Subject> {
        let subject = match (self, step) {
            (Self::Ours(program), Step::Deploy) => {
                let words = [
                    "deploy",
                    "--service",
                    "web",
                    "--image",
                    "shop:2",
                    "--soak",
                    "0s",
                    "--drain",
                    "10m",
                ];
                Subject::ours(OURS, program, &words)
            }
            (Self::Ours(program), Step::Rollback) => {
                Subject::ours(OURS, program, &["rollback", "--service", "web"])
            }
            (Self::Script(kubectl), step) => {
                let shell = environment::find_program("sh").context("there is no `sh` on PATH")?;
                let script = match step {
                    Step::Deploy => DEPLOY,
                    Step::Rollback => ROLLBACK,
                };
                Subject::peer(PEER, PEER, &shell, &["-euc", script])
                    .env("KUBECTL", kubectl)
                    .env("GREEN", shop.home.join("green.json"))
            }
        };
        Ok(subject
            .env("HOME", &shop.home)
            .env("PATH", "/usr/bin:/bin")
            .env("KUBECONFIG", shop.home.join("kubeconfig")))
    }
}

/// What set-ups of this kind have in their workflows.
const DEPLOY: &str = r#"
"$KUBECTL" apply -f "$GREEN"
"$KUBECTL" rollout status deployment/web-green --timeout=300s
"$KUBECTL" patch service web -p '{"spec":{"selector":{"app":"web","color":"green"}}}'
"#;
const ROLLBACK: &str = r#"
"$KUBECTL" patch service web -p '{"spec":{"selector":{"app":"web","color":"blue"}}}'
"#;

/// A cluster with a Service that leads to a blue version, and a home to deploy from.
struct Shop {
    cluster: Cluster,
    home: PathBuf,
}

impl Shop {
    fn open(home: &Path, pods: u64, others: u64) -> Result<Self> {
        let cluster =
            Cluster::open(Clock::compressed(1)).context("failed to start a stand-in of Kubernetes")?;
        cluster.world(|world| {
            world.put(deployment("web", "blue", "shop:1", pods));
            if others > 0 {
                world.put(deployment("other", "red", "other:1", others));
            }
            world.put(json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "default" },
                "spec": { "selector": { "app": "web", "color": "blue" }, "ports": [{ "port": 80, "targetPort": 8080 }] },
            }));
        });
        std::fs::create_dir_all(home).with_context(|| format!("failed to create `{}`", home.display()))?;
        let config = cluster
            .kubeconfig(Login::Token)
            .context("failed to make a kubeconfig")?;
        std::fs::write(home.join("kubeconfig"), config).context("failed to write a kubeconfig")?;
        let green = deployment("web", "green", "shop:2", pods).to_string();
        std::fs::write(home.join("green.json"), green).context("failed to write a manifest")?;
        let shop = Self {
            cluster,
            home: home.to_owned(),
        };
        let ready = pods + others;
        let is_open = shop.cluster.until(LIMIT, |world| {
            let all = world.list("deployments", "default");
            let count = all
                .iter()
                .filter_map(|one| one["status"]["readyReplicas"].as_u64());
            count.sum::<u64>() == ready
        });
        ensure!(is_open, "the pods of the stand-in do not become ready");
        shop.is_served_by("shop:1")?;
        Ok(shop)
    }

    fn now(&self) -> Duration {
        self.cluster.world(|world| world.now())
    }

    /// All requests reach this image, soon.
    fn is_served_by(&self, image: &str) -> Result<()> {
        let arrived = self.cluster.until(LIMIT, |world| {
            let shares = world.shares("default", "web");
            shares.len() == 1 && shares.iter().all(|(served, _)| served == image)
        });
        ensure!(arrived, "the Service does not lead to `{image}`");
        Ok(())
    }
}

fn deployment(app: &str, color: &str, image: &str, pods: u64) -> Value {
    let labels = json!({ "app": app, "color": color });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": format!("{app}-{color}"), "namespace": "default", "labels": labels },
        "spec": {
            "replicas": pods, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "web", "image": image, "ports": [{ "containerPort": 8080 }],
                    "env": [{ "name": "MODE", "value": "production" }] }] },
            },
        },
    })
}

/// Something that is measured, the middle of the rounds, and with how many digits it is shown.
type Quantity = (&'static str, fn(&[&Run]) -> Option<f64>, usize);

const QUANTITIES: [Quantity; 6] = [
    ("traffic ms", |runs| millis(runs, |run| run.traffic), 0),
    ("wall ms", |runs| millis(runs, |run| run.wall), 0),
    ("cpu ms", |runs| millis(runs, |run| run.cpu), 0),
    ("calls", |runs| most(runs, |run| Some(run.calls as u64)), 0),
    ("writes", |runs| most(runs, |run| Some(run.writes as u64)), 0),
    (
        "peak MB",
        |runs| most(runs, |run| run.peak).map(|peak| peak / 1e6),
        1,
    ),
];

fn millis(runs: &[&Run], of: impl Fn(&Run) -> Duration) -> Option<f64> {
    let times: Vec<_> = runs.iter().map(|run| of(run)).collect();
    (!times.is_empty()).then(|| median(&times).as_secs_f64() * 1e3)
}

fn most(runs: &[&Run], of: impl Fn(&Run) -> Option<u64>) -> Option<f64> {
    runs.iter().filter_map(|run| of(run)).max().map(as_f64)
}

fn those<'a>(runs: &'a [Run], tool: &str, step: Step) -> Vec<&'a Run> {
    let fitting = runs.iter().filter(|run| run.tool == tool && run.step == step);
    fitting.collect()
}

/// What each tool took, and ours as a multiple of the script's.
#[must_use]
pub fn table(runs: &[Run]) -> String {
    let mut titles = vec!["step".to_owned(), "tool".to_owned()];
    titles.extend(QUANTITIES.map(|(quantity, _, _)| quantity.to_owned()));
    let mut rows = vec![titles];
    for step in Step::ALL {
        let [ours, peer] = [OURS, PEER].map(|tool| those(runs, tool, step));
        for (tool, runs) in [(OURS, &ours), (PEER, &peer)] {
            let shown = |(_, of, digits): Quantity| {
                of(runs).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            };
            let mut row = vec![step.title().to_owned(), tool.to_owned()];
            row.extend(QUANTITIES.map(shown));
            rows.push(row);
        }
        let mut row = vec![step.title().to_owned(), format!("x {PEER}")];
        row.extend(QUANTITIES.map(|(_, of, _)| ratio(of(&ours), of(&peer))));
        rows.push(row);
    }
    columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tool: &'static str, step: Step, wall: u64, calls: usize) -> Run {
        Run {
            tool,
            step,
            wall: Duration::from_millis(wall),
            traffic: Duration::from_millis(wall / 2),
            cpu: Duration::from_millis(10),
            peak: (tool == OURS).then_some(20_000_000),
            calls,
            writes: 2,
        }
    }

    #[test]
    fn every_step_has_both_tools_and_their_ratio() {
        let runs = [
            run(OURS, Step::Deploy, 1000, 40),
            run(OURS, Step::Deploy, 3000, 50),
            run(PEER, Step::Deploy, 4000, 20),
            run(OURS, Step::Rollback, 500, 10),
        ];
        assert_eq!(
            table(&runs),
            "step                  tool  traffic ms  wall ms  cpu ms  calls  writes  peak MB\n\
             deploy                ours        1000     2000      10     50       2     20.0\n\
             deploy      kubectl script        2000     4000      10     20       2        -\n\
             deploy    x kubectl script        0.50     0.50    1.00   2.50    1.00        -\n\
             rollback              ours         250      500      10     10       2     20.0\n\
             rollback    kubectl script           -        -       -      -       -        -\n\
             rollback  x kubectl script           -        -       -      -       -        -"
        );
    }

    #[test]
    fn the_shop_of_the_measurement_opens() {
        let scratch = tempfile::tempdir().unwrap();
        let shop = Shop::open(&scratch.path().join("home"), 2, 1).unwrap();
        assert_eq!(shop.cluster.world(|world| world.list("pods", "default").len()), 3);
        assert!(shop.is_served_by("shop:1").is_ok());
    }
}
