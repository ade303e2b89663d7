//! Probes from targets.

use gha::edge::http::user_agent;
use hyper::Method;

use crate::expect::{Expect, JsonRule};
use crate::net::Network;
use crate::net::resolve::{Addresses, Family};
use crate::probe::Probe;
use crate::probe::compose::{Compose, ComposeOptions};
use crate::probe::dns::{Dns, DnsError, Resolver};
use crate::probe::exec::Exec;
use crate::probe::grpc::{Grpc, GrpcOptions};
use crate::probe::http::Http;
use crate::probe::postgres::{Encryption, Postgres};
use crate::probe::redis::Redis;
use crate::probe::tcp::Tcp;
use crate::probe::tls::Tls;
use crate::setup::{Setup, SetupError, exposed, setting};
use crate::spec::choice;
use crate::spec::target::{self, Filter, Kind, Target};

impl Setup<'_> {
    /// The probe of a target.
    ///
    /// # Errors
    /// When a setting can't be used, or the certificate authorities can't be read.
    pub fn probe(&self, target: &Target) -> Result<Box<dyn Probe>, SetupError> {
        let name = target.name.as_str();
        Ok(match &target.kind {
            Kind::Http(http) => Box::new(self.http(name, http)?),
            Kind::Tcp(tcp) => Box::new(self.tcp(name, tcp)?),
            Kind::Tls(tls) => Box::new(self.tls_probe(tls)?),
            Kind::Dns(dns) => Box::new(dns_probe(name, dns)?),
            Kind::Grpc(grpc) => Box::new(self.grpc(name, grpc)?),
            Kind::Postgres(postgres) => Box::new(self.postgres(name, postgres)?),
            Kind::Redis(redis) => Box::new(self.redis(redis)?),
            Kind::Exec(exec) => Box::new(Exec::new(
                &exec.program,
                &exec.args,
                Vec::new(),
                self.masker.clone(),
            )),
            Kind::Compose(compose) => Box::new(self.compose(name, compose)?),
        })
    }

    fn http(&self, name: &str, target: &target::Http) -> Result<Http, SetupError> {
        let url = target.address.url();
        // A redirect may lead from a plain address to a secure one.
        let secure = self.speaks_tls(url) || target.follow > 0;
        let (family, addresses) = match target.addresses {
            choice::Addresses::Any => (Family::Any, Addresses::First),
            choice::Addresses::V4 => (Family::V4, Addresses::First),
            choice::Addresses::V6 => (Family::V6, Addresses::First),
            choice::Addresses::All => (Family::Any, Addresses::All),
        };
        let network = Network {
            family,
            addresses,
            overrides: target.resolve.clone(),
            ..Network::new(self.trust(secure)?)
        };
        let mut probe = Http::new(
            network,
            url.clone(),
            &user_agent(self.runner.interface()),
            &self.runner.traceparent(),
            self.expect(&target.expect)?,
            self.masker.clone(),
        )
        .method(method(target.method))
        .follow(u8::try_from(target.follow).unwrap_or(u8::MAX));
        for (header, value) in &target.headers {
            probe = probe
                .header(header, value)
                .map_err(|error| setting(name, error))?;
        }
        for (header, value) in self.headers(&target.secret_headers)? {
            probe = probe
                .header(&header, exposed(&value))
                .map_err(|error| setting(name, error))?;
        }
        if let Some(body) = &target.body {
            probe = probe.body(body.clone());
        }
        if let Some(most) = target.max_latency {
            probe = probe.max_latency(most);
        }
        Ok(match target.min_days {
            Some(days) => probe.min_days(days.into()),
            None => probe,
        })
    }

    /// The same rules with their expressions compiled.
    fn expect(&self, expect: &Expect<Filter>) -> Result<Expect, SetupError> {
        let json = expect.json.iter().map(|rule| match rule {
            JsonRule::Field(field) => Ok(JsonRule::Field(field.clone())),
            JsonRule::Expression(filter) => Ok(JsonRule::Expression(self.expression(filter)?)),
        });
        Ok(Expect {
            status: expect.status.clone(),
            body: expect.body.clone(),
            matches: expect.matches.clone(),
            json: json.collect::<Result<_, SetupError>>()?,
            headers: expect.headers.clone(),
            version: expect.version.clone(),
        })
    }

    fn tls_probe(&self, target: &target::Tls) -> Result<Tls, SetupError> {
        let mut probe = Tls::new(Network::new(self.trust(true)?), target.address.clone());
        if let Some(name) = &target.server_name {
            probe = probe.server_name(name);
        }
        Ok(match target.min_days {
            Some(days) => probe.min_days(days.into()),
            None => probe,
        })
    }

    fn tcp(&self, name: &str, target: &target::Tcp) -> Result<Tcp, SetupError> {
        let mut probe = Tcp::new(target.address.clone()).masking(self.masker.clone());
        if let Some(send) = &target.send {
            probe = probe.send(send.parse().map_err(|error| setting(name, error))?);
        }
        Ok(match &target.expect {
            Some(pattern) => probe.expect(pattern.clone()),
            None => probe,
        })
    }

    fn grpc(&self, name: &str, target: &target::Grpc) -> Result<Grpc, SetupError> {
        let trust = if target.tls { Some(self.trust(true)?) } else { None };
        Grpc::new(GrpcOptions {
            address: target.address.clone(),
            service: target.service.clone(),
            authority: target.authority.clone(),
            trust,
        })
        .map_err(|error| setting(name, error))
    }

    fn redis(&self, target: &target::Redis) -> Result<Redis, SetupError> {
        let mut probe = Redis::new(target.address.clone()).allow_noauth(target.allow_noauth);
        if target.tls {
            probe = probe.tls(self.trust(true)?);
        }
        if let Some(password) = &target.password {
            let user = target.user.as_ref().map(|user| self.secret(user)).transpose()?;
            let user = user.map(|user| exposed(&user).to_owned());
            probe = probe.password(user, self.secret(password)?);
        }
        Ok(probe)
    }

    fn postgres(&self, name: &str, target: &target::Postgres) -> Result<Postgres, SetupError> {
        let encryption = match target.tls {
            choice::PostgresTls::Disable => Encryption::Off,
            choice::PostgresTls::Prefer => Encryption::Preferred,
            choice::PostgresTls::Require => Encryption::Required,
            choice::PostgresTls::VerifyFull => Encryption::Verified(self.trust(true)?),
        };
        let probe = Postgres::new(target.address.clone(), encryption).room(target.room);
        if target.user.is_none() && target.database.is_none() {
            return Ok(probe);
        }
        let user = target.user.as_deref().unwrap_or("postgres");
        // As for libpq, the database is named like the user where nothing else is said.
        let database = target.database.as_deref().unwrap_or(user);
        probe
            .session(user, database)
            .map_err(|error| setting(name, error))
    }

    fn compose(&self, name: &str, target: &target::Compose) -> Result<Compose, SetupError> {
        self.compose_of(
            name,
            &target.project,
            target.socket.as_deref(),
            &target.services,
            &target.completed,
        )
    }

    /// A Compose project; where no socket is named, Docker's own variable says where it listens.
    pub(super) fn compose_of(
        &self,
        name: &str,
        project: &str,
        socket: Option<&str>,
        services: &[String],
        completed: &[String],
    ) -> Result<Compose, SetupError> {
        Compose::new(ComposeOptions {
            project: project.to_owned(),
            services: services.to_vec(),
            completed: completed.to_vec(),
            host: socket
                .or_else(|| self.runner.env().get("DOCKER_HOST"))
                .map(str::to_owned),
            masker: self.masker.clone(),
        })
        .map_err(|error| setting(name, error))
    }
}

fn dns_probe(name: &str, target: &target::Dns) -> Result<Dns, SetupError> {
    let refuse = |error: DnsError| setting(name, error);
    let resolvers: Vec<Resolver> = target
        .resolvers
        .iter()
        .map(|address| address.to_string().parse().map_err(refuse))
        .collect::<Result<_, _>>()?;
    let mut probe = Dns::new(&target.name, target.record)
        .and_then(|probe| probe.resolvers(&resolvers))
        .map_err(refuse)?;
    if !target.equals.is_empty() {
        probe = probe.equals(&target.equals).map_err(refuse)?;
    }
    if let Some(value) = &target.contains {
        probe = probe.contains(std::slice::from_ref(value)).map_err(refuse)?;
    }
    Ok(match target.count {
        Some(count) => probe.at_least(count as usize),
        None => probe,
    })
}

fn method(method: choice::Method) -> Method {
    match method {
        choice::Method::Get => Method::GET,
        choice::Method::Head => Method::HEAD,
        choice::Method::Post => Method::POST,
        choice::Method::Put => Method::PUT,
        choice::Method::Patch => Method::PATCH,
        choice::Method::Delete => Method::DELETE,
        choice::Method::Options => Method::OPTIONS,
    }
}
