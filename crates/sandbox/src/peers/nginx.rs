//! [nginx](https://nginx.org/en/docs/).

use std::io;
use std::net::SocketAddr;

use super::place::Place;
use super::port;
use super::process::Process;
use super::program::{self, Program, User};

/// A web server with one site.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    _process: Process,
}

impl Nginx {
    /// Serves a site; `server` is the inside of a `server` block without `listen`, such as `return 200 "ok";`.
    ///
    /// # Errors
    /// When it does not start; the configuration's error is in the text.
    pub fn start(place: &Place, server: &str) -> io::Result<Self> {
        Self::listen(place, "", server)
    }

    /// As [`Nginx::start`], over TLS with HTTP/2 and the files `cert.pem` and `key.pem` of the place.
    ///
    /// # Errors
    /// As [`Nginx::start`].
    pub fn start_tls(place: &Place, server: &str) -> io::Result<Self> {
        let server = format!("ssl_certificate cert.pem;\nssl_certificate_key key.pem;\n{server}");
        Self::listen(place, " ssl http2", &server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(place: &Place, options: &str, server: &str) -> io::Result<Self> {
        let program = Program::of("nginx")?;
        let pid = place.path().join("nginx.pid");
        port::on_free_port(|address| {
            place.write("nginx.conf", configuration(address, options, server))?;
            let mut command = program.command(place.path(), User::Same);
            command
                .arg("-p")
                .arg(place.path())
                .args(["-c", "nginx.conf", "-e", "stderr"]);
            // It writes the file once it listens.
            let written = |_: &str| std::fs::read(&pid).is_ok_and(|text| !text.is_empty());
            Ok(Self {
                address,
                _process: Process::start("nginx", command, place.path(), written)?,
            })
        })
    }
}

/// Everything but the site: in the foreground, one worker, and nothing written outside its folder.
fn configuration(address: SocketAddr, options: &str, server: &str) -> String {
    let user = if program::is_root() {
        "user root root;\n"
    } else {
        ""
    };
    format!(
        "{user}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path temp-body;
  proxy_temp_path temp-proxy;
  fastcgi_temp_path temp-fastcgi;
  uwsgi_temp_path temp-uwsgi;
  scgi_temp_path temp-scgi;
  default_type text/plain;
  server {{
    listen {address}{options};
{server}
  }}
}}
"
    )
}
