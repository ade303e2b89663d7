//! A name in DNS: it has records of a kind, and they are what is expected, as the system's resolver sees it or each of
//! some given ones. It asks resolvers and no file: names in `hosts` do not count. Nothing is kept from one look to the
//! next.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use tokio::time::{Instant, timeout};

use crate::finding::Finding;
use crate::probe::{Look, Looking, Phases, Probe};
use crate::trouble::{About, Trouble};
use judge::{Said, Wanted};
pub use record::{DnsError, Kind};

mod judge;
mod record;

/// How many resolvers can be asked in one look.
pub const RESOLVERS: usize = 16;

/// The port where none is named.
const PORT: u16 = 53;

/// How much of a try's time a lookup may take: less than all of it, so that which resolver is silent can be told.
const LOOKUP_SHARE: f64 = 0.9;

/// A question to DNS and what its answer must be.
#[derive(Clone, Debug)]
pub struct Dns {
    name: Name,
    kind: Kind,
    resolvers: Vec<Resolver>,
    wanted: Wanted,
    shown: String,
}

/// The address of a resolver: `10.0.0.2`, `10.0.0.2:5353`, `[::1]:53`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolver(SocketAddr);

impl Dns {
    /// A name and the kind of its records, asked of the system's resolver. A name that ends in a dot is whole; another is
    /// completed by the system's search list, as for every program here.
    ///
    /// # Errors
    /// When the name is none, or one that is never asked of a resolver, such as `localhost`.
    pub fn new(name: &str, kind: Kind) -> Result<Self, DnsError> {
        Ok(Self {
            shown: format!("dns {} {kind}", name.trim()),
            name: record::asked(name)?,
            kind,
            resolvers: Vec::new(),
            wanted: Wanted::default(),
        })
    }

    /// The same, asked of each of these resolvers instead of the system's. All must hold what is wanted, and say the same.
    ///
    /// # Errors
    /// When there are more than [`RESOLVERS`].
    pub fn resolvers(self, resolvers: &[Resolver]) -> Result<Self, DnsError> {
        if resolvers.len() > RESOLVERS {
            return Err(DnsError::Resolvers(resolvers.len()));
        }
        Ok(Self {
            resolvers: resolvers.to_vec(),
            ..self
        })
    }

    /// The same; the records must have these values and no others, in any order.
    ///
    /// # Errors
    /// When a record of this kind can't have one of them.
    pub fn equals(mut self, values: &[String]) -> Result<Self, DnsError> {
        self.wanted.equals = Some(self.written(values)?);
        Ok(self)
    }

    /// The same; the records must have these values, and may have others.
    ///
    /// # Errors
    /// When a record of this kind can't have one of them.
    pub fn contains(mut self, values: &[String]) -> Result<Self, DnsError> {
        self.wanted.contains = self.written(values)?;
        Ok(self)
    }

    /// The same; there must be as many records as this.
    #[must_use]
    pub fn at_least(mut self, count: usize) -> Self {
        self.wanted.at_least = count;
        self
    }

    fn written(&self, values: &[String]) -> Result<BTreeSet<String>, DnsError> {
        values.iter().map(|value| self.kind.written(value)).collect()
    }

    /// Asks every resolver side by side.
    async fn ask(&self, limit: Duration) -> Result<Vec<(String, Said)>, Trouble> {
        if self.resolvers.is_empty() {
            let resolver = system(limit).map_err(|error| {
                let reason = format!("the system's resolvers can't be read from `/etc/resolv.conf`: {error}");
                Trouble::question(reason).about(About::Target)
            })?;
            let said = self.answer(resolver, self.name.clone(), limit).await;
            return Ok(vec![("the system's resolver".to_owned(), said)]);
        }
        let mut name = self.name.clone();
        name.set_fqdn(true);
        let asked = self.resolvers.iter().map(async |resolver| {
            let said = match resolver.client(limit) {
                Ok(client) => self.answer(client, name.clone(), limit).await,
                Err(error) => Said::Nothing(judge::failed(&error, self.kind)),
            };
            (resolver.shown(), said)
        });
        Ok(join_all(asked).await)
    }

    /// What one resolver says.
    async fn answer(&self, resolver: TokioResolver, name: Name, limit: Duration) -> Said {
        let lookup = resolver.lookup(name, self.kind.record_type());
        let answer = timeout(limit.mul_f64(LOOKUP_SHARE), lookup).await;
        let failed = |error| Said::Nothing(judge::failed(&error, self.kind));
        match answer {
            Ok(Ok(lookup)) => {
                // The way there, such as an alias, comes along.
                let values = lookup.answers().iter().map(|record| &record.data);
                let values: BTreeSet<_> = values.filter_map(|data| self.kind.value(data)).collect();
                if values.is_empty() {
                    Said::Nothing(judge::none(self.kind))
                } else {
                    Said::Values(values)
                }
            }
            Ok(Err(error)) => failed(error),
            Err(_) => failed(NetError::Timeout),
        }
    }
}

/// The system's resolver as it is now; its file may change while something waits.
fn system(limit: Duration) -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_tokio()?;
    bound(builder.options_mut(), limit);
    builder.build()
}

impl Resolver {
    fn client(self, limit: Duration) -> Result<TokioResolver, NetError> {
        // UDP first, TCP where an answer is cut off.
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = self.0.port();
            connection
        });
        let server = NameServerConfig::new(self.0.ip(), true, connections.into());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        bound(builder.options_mut(), limit);
        builder.build()
    }

    /// The address, with its port where that is another than DNS's own.
    fn shown(self) -> String {
        if self.0.port() == PORT {
            self.0.ip().to_string()
        } else {
            self.0.to_string()
        }
    }
}

/// Two tries within the time of a look, and no memory.
fn bound(options: &mut hickory_resolver::config::ResolverOpts, limit: Duration) {
    options.timeout = limit.mul_f64(LOOKUP_SHARE) / 2;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
}

impl FromStr for Resolver {
    type Err = DnsError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let trimmed = written.trim();
        let address = trimmed.parse::<SocketAddr>().ok();
        address
            .or_else(|| Some(SocketAddr::new(trimmed.parse::<IpAddr>().ok()?, PORT)))
            .filter(|address| address.port() != 0)
            .map(Self)
            .ok_or_else(|| DnsError::Resolver(record::inert(written)))
    }
}

impl Probe for Dns {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        Box::pin(async move {
            let begin = Instant::now();
            let answers = match self.ask(limit).await {
                Ok(answers) => answers,
                Err(trouble) => return Look::without_answer(Finding::Unmeasured(trouble)),
            };
            let values = answers.iter().find_map(|(_, said)| match said {
                Said::Values(values) => Some(judge::list(values)),
                Said::Nothing(_) => None,
            });
            Look {
                excerpt: values,
                phases: Phases {
                    dns: Some(begin.elapsed()),
                    ..Phases::default()
                },
                ..Look::without_answer(self.wanted.judge(self.kind, &answers))
            }
        })
    }
}

#[cfg(test)]
mod tests;
