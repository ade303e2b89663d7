//! [Prometheus' blackbox exporter](https://github.com/prometheus/blackbox_exporter): what another prober makes of an
//! endpoint.

use std::io;
use std::net::SocketAddr;

use super::place::Place;
use super::port;
use super::process::Process;
use super::program::{Program, User};
use super::web;

/// Modules for what the gate probes: `http_2xx` (redirects not followed), `http_2xx_any_certificate`, `tcp_connect`, `tls` and
/// `dns` (the address of `localhost`). Each gives a probe two seconds. Modules of a test's own can follow.
pub const MODULES: &str = "modules:
  http_2xx:
    prober: http
    timeout: 2s
    http: {follow_redirects: false, preferred_ip_protocol: ip4}
  http_2xx_any_certificate:
    prober: http
    timeout: 2s
    http: {follow_redirects: false, preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}
  tcp_connect:
    prober: tcp
    timeout: 2s
    tcp: {preferred_ip_protocol: ip4}
  tls:
    prober: tcp
    timeout: 2s
    tcp: {preferred_ip_protocol: ip4, tls: true}
  dns:
    prober: dns
    timeout: 2s
    dns: {query_name: localhost, query_type: A, preferred_ip_protocol: ip4}
";

/// A prober that is asked by test.
#[derive(Debug)]
pub struct Blackbox {
    address: SocketAddr,
    _process: Process,
}

/// What it found out about one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Whether the probe passed.
    pub success: bool,
    /// Its metrics and its log of this probe, to show and to read further.
    pub text: String,
}

impl Blackbox {
    /// Starts it with [`MODULES`], or others.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, modules: &str) -> io::Result<Self> {
        let program = Program::of("prometheus-blackbox-exporter")?;
        let file = place.write("blackbox.yml", modules)?;
        port::on_free_port(|address| {
            let mut command = program.command(place.path(), User::Same);
            command
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--web.listen-address={address}"));
            let listens = |log: &str| log.contains("Listening on");
            Ok(Self {
                address,
                _process: Process::start("blackbox", command, place.path(), listens)?,
            })
        })
    }

    /// Probes a target: an address of HTTP, or host and port.
    ///
    /// # Errors
    /// When it does not know the module or gives no answer.
    pub fn probe(&self, module: &str, target: &str) -> io::Result<Opinion> {
        let path = format!(
            "/probe?debug=true&module={}&target={}",
            web::encoded(module),
            web::encoded(target)
        );
        let answer = web::get(self.address, &path)?;
        let text = answer.body;
        let opinion = Opinion {
            success: metric(&text, "probe_success") == Some(1.0),
            text,
        };
        match answer.status {
            200 => Ok(opinion),
            status => Err(io::Error::other(format!("status {status}: {}", opinion.text))),
        }
    }
}

impl Opinion {
    /// The value of a metric without labels, such as `probe_http_status_code`.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        metric(&self.text, name)
    }
}

fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .and_then(|value| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let text = "# TYPE probe_success gauge\nprobe_success_ratio 0.5\nprobe_success 1\nprobe_duration_seconds 2e-03\n";
        assert_eq!(metric(text, "probe_success"), Some(1.0));
        assert_eq!(metric(text, "probe_duration_seconds"), Some(0.002));
        assert_eq!(metric(text, "probe_failed"), None);
    }
}
