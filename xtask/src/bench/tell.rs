//! One message to many receivers of which one says nothing: `notify` beside `curl --parallel`, which posts the same bytes. What matters is
//! that the silent one keeps nobody else waiting, and nobody longer than the budget.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sandbox::http::{Reply, Script, Server};

use super::memory;
use super::peer::Peers;
use super::report::{as_f64, columns, ratio};
use super::subject::Subject;

/// How many receivers there are; the last of them says nothing.
const RECEIVERS: usize = 20;
/// How long all of it may take.
const BUDGET: Duration = Duration::from_secs(5);

/// What a command took.
#[derive(Debug)]
pub struct Told {
    name: String,
    took: Duration,
    peak: Option<u64>,
    arrived: usize,
}

/// Tells them by `notify`, and by curl where it is.
///
/// # Errors
/// When a command can't be started, or does not tell those who listen within the budget.
pub fn many(program: &Path, peers: &Peers, scratch: &Path) -> Result<Vec<Told>> {
    let routes = scratch.join("routes.yml");
    std::fs::write(&routes, file()).context("failed to write the routes")?;
    let body = scratch.join("many.json");
    let ours = |server: &Server| {
        let budget = format!("{}s", BUDGET.as_secs());
        let mut words = ["--status", "success", "--timeout"].map(OsString::from).to_vec();
        words.extend([budget.into(), "--routes".into(), routes.clone().into_os_string()]);
        let subject = words
            .into_iter()
            .fold(Subject::ours("notify --routes FILE", program, &[]), Subject::arg);
        (0..RECEIVERS).fold(subject, |subject, nth| {
            subject.env(variable(nth), server.url(&place(nth)))
        })
    };
    let first = told(&ours)?;
    let mut all = vec![first.0];
    std::fs::write(&body, first.1).context("failed to write the message")?;
    if let Some(curl) = &peers.curl {
        let theirs = |server: &Server| {
            let mut words = ["-sS", "--parallel", "--max-time"].map(OsString::from).to_vec();
            words.push(BUDGET.as_secs().to_string().into());
            words.extend(["-H", "content-type: application/json", "-d"].map(OsString::from));
            let mut at = OsString::from("@");
            at.push(&body);
            words.push(at);
            words.extend((0..RECEIVERS).map(|nth| OsString::from(server.url(&place(nth)))));
            words.into_iter().fold(
                Subject::peer("curl", "curl --parallel -d @BODY URL…", curl, &[]),
                Subject::arg,
            )
        };
        all.push(told(&theirs)?.0);
    }
    Ok(all)
}

/// Runs a command twice: once for the time, once for its memory. Gives the message too.
fn told(subject: &dyn Fn(&Server) -> Subject) -> Result<(Told, Vec<u8>)> {
    let server = server()?;
    let timed = subject(&server);
    let begin = Instant::now();
    // It may end badly, because one of them heard nothing.
    timed
        .command()
        .output()
        .with_context(|| format!("failed to start `{}`", timed.name))?;
    let took = begin.elapsed();
    let requests = server.requests();
    let arrived = requests
        .iter()
        .filter(|request| request.path != place(RECEIVERS - 1));
    let arrived = arrived.count();
    ensure!(
        arrived == RECEIVERS - 1,
        "`{}` told {arrived} of those who listen",
        timed.name
    );
    let message = requests
        .into_iter()
        .next()
        .map(|request| request.body)
        .unwrap_or_default();
    let told = Told {
        took,
        arrived,
        peak: memory::peak_of_one_run(&subject(&self::server()?)).ok(),
        name: timed.name,
    };
    Ok((told, message))
}

fn server() -> Result<Server> {
    let silent = Script::new().on(&place(RECEIVERS - 1), [Reply::hang()]);
    Server::start(silent.any([Reply::text(200, "ok")])).context("failed to start a server")
}

fn place(nth: usize) -> String {
    format!("/hooks/{nth}")
}

fn variable(nth: usize) -> String {
    format!("HOOK_{nth}")
}

/// The routes: everything to everybody.
fn file() -> String {
    let receivers: String = (0..RECEIVERS)
        .map(|nth| format!("  r{nth}: {{type: webhook, url-env: {}}}\n", variable(nth)))
        .collect();
    let names: Vec<String> = (0..RECEIVERS).map(|nth| format!("r{nth}")).collect();
    format!("receivers:\n{receivers}routes:\n  - to: [{}]\n", names.join(", "))
}

/// What they took, and ours against the peer.
#[must_use]
pub fn table(all: &[Told]) -> String {
    let mut rows = vec![["command", "s", "arrived", "peak MB"].map(str::to_owned).to_vec()];
    for one in all {
        rows.push(vec![
            one.name.clone(),
            format!("{:.2}", one.took.as_secs_f64()),
            one.arrived.to_string(),
            one.peak
                .map_or_else(|| "-".to_owned(), |peak| format!("{:.1}", as_f64(peak) / 1e6)),
        ]);
    }
    let table = columns(&rows);
    let [ours, peer] = all else {
        return table;
    };
    let quantities = [
        ("time", [ours, peer].map(|one| Some(one.took.as_secs_f64()))),
        ("peak", [ours, peer].map(|one| one.peak.map(as_f64))),
    ];
    let rows: Vec<Vec<String>> = quantities
        .map(|(quantity, [of_ours, of_peer])| {
            let ratio = ratio(of_ours, of_peer);
            vec![ours.name.clone(), quantity.to_owned(), format!("{ratio} x curl")]
        })
        .to_vec();
    format!("{table}\n{}", columns(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_beside_the_peer() {
        let told = |name: &str, peak| Told {
            name: name.to_owned(),
            took: Duration::from_secs(5),
            peak: Some(peak),
            arrived: 19,
        };
        let shown = table(&[told("notify", 12_000_000), told("curl", 24_000_000)]);
        assert!(
            shown.contains("12.0") && shown.contains("0.50 x curl") && shown.contains("1.00 x curl"),
            "{shown}"
        );
    }

    #[test]
    fn who_tells_nobody_is_no_result() {
        let scratch = tempfile::tempdir().unwrap();
        let error = many(Path::new("/bin/true"), &Peers::default(), scratch.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`notify --routes FILE` told 0 of those who listen"
        );
    }
}
