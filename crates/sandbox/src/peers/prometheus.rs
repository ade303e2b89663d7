//! [Prometheus](https://prometheus.io/docs/prometheus/2.42/).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::place::Place;
use super::port;
use super::process::{self, Process};
use super::program::{Program, User};
use super::web;

/// A server that scrapes, and answers queries about it.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    _process: Process,
}

impl Prometheus {
    /// Scrapes `/metrics` of these, as job `peers`. An answer later than the interval is a failed scrape.
    /// The first scrape comes five seconds after the start: it collects its targets for so long, and no setting says less.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, targets: &[SocketAddr], interval: Duration) -> io::Result<Self> {
        Self::start_with(place, &configuration(targets, interval))
    }

    /// As [`Prometheus::start`], and told to read from another storage too, at an address where nothing answers. Each of its
    /// answers warns of that.
    ///
    /// # Errors
    /// As [`Prometheus::start`].
    pub fn start_warning(place: &Place, targets: &[SocketAddr], interval: Duration) -> io::Result<Self> {
        let mut configuration = configuration(targets, interval);
        let nowhere = format!("http://{}/read", port::free()?);
        configuration["remote_read"] = serde_json::json!([{ "url": nowhere, "read_recent": true }]);
        Self::start_with(place, &configuration)
    }

    fn start_with(place: &Place, configuration: &Value) -> io::Result<Self> {
        let program = Program::of("prometheus")?;
        let file = place.write("prometheus.yml", configuration.to_string())?;
        port::on_free_port(|address| {
            let mut command = program.command(place.path(), User::Same);
            command
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--web.listen-address={address}"))
                .arg(format!(
                    "--storage.tsdb.path={}",
                    place.path().join("data").display()
                ));
            let ready = |log: &str| log.contains("Server is ready to receive web requests");
            Ok(Self {
                address,
                _process: Process::start("prometheus", command, place.path(), ready)?,
            })
        })
    }

    /// Where its API listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `data` of an instant query's answer: `{"resultType": …, "result": …}`.
    ///
    /// # Errors
    /// When it refuses the query; with its answer.
    pub fn query(&self, expression: &str) -> io::Result<Value> {
        let path = format!("/api/v1/query?query={}", web::encoded(expression));
        let answer = web::get(self.address, &path)?;
        let mut body: Value = serde_json::from_str(&answer.body)?;
        if answer.status != 200 {
            return Err(io::Error::other(answer.body));
        }
        Ok(body["data"].take())
    }

    /// The value of a query that has one; none where the answer is empty.
    ///
    /// # Errors
    /// As [`Prometheus::query`].
    pub fn value(&self, expression: &str) -> io::Result<Option<f64>> {
        let data = self.query(expression)?;
        let text = data["result"][0]["value"][1].as_str();
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Waits until a query's value is as wanted: scraping takes its time.
    ///
    /// # Errors
    /// As [`Prometheus::query`], and when it does not become so in a minute.
    pub fn wait_for(&self, expression: &str, wanted: impl Fn(Option<f64>) -> bool) -> io::Result<()> {
        let mut last = Ok(None);
        let found = process::wait_until(expression, || {
            last = self.value(expression);
            match &last {
                Ok(value) => wanted(*value).then_some(()),
                Err(_) => Some(()),
            }
        });
        last?;
        found
    }
}

/// The configuration, as JSON, which is YAML too.
fn configuration(targets: &[SocketAddr], interval: Duration) -> Value {
    let interval = format!("{}ms", interval.as_millis());
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    serde_json::json!({
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "scrape_configs": [{ "job_name": "peers", "static_configs": [{ "targets": targets }] }],
    })
}
