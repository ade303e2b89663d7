//! [moto](https://docs.getmoto.org/), another stand-in of AWS than ours: what it keeps and gives back is a second opinion.
//!
//! Limits: its services of ECS never move (no deployment, no event, no failure), targets are healthy at once, any keys are good.

use std::io;
use std::net::SocketAddr;

use super::place::Place;
use super::process::Process;
use super::python;

/// The account that it takes everybody for, and the region.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";

/// A server of an account in one region, empty but for the network that every account has.
#[derive(Debug)]
pub struct Moto {
    address: SocketAddr,
    network: Network,
    _process: Process,
}

/// Where load balancers and tasks can be: it makes none in a network that it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The id of a subnet.
    pub subnet: String,
    /// The id of the network that it is in.
    pub vpc: String,
    /// The id of that network's security group.
    pub group: String,
}

impl Moto {
    /// Starts one, in which so many tasks of each service run from its beginning on.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, running: u32) -> io::Result<Self> {
        let mut command = python::script(place, "moto.py", include_str!("moto.py"))?;
        command.args([ACCOUNT, REGION]);
        command.env("MOTO_ECS_SERVICE_RUNNING", running.to_string());
        let ready = |log: &str| python::port(log, "port").is_some();
        let process = Process::start("moto", command, place.path(), ready)?;
        Ok(Self {
            address: python::printed(&process, "port")?,
            network: Network::printed(&process.log())
                .ok_or_else(|| io::Error::other("no `network` was printed"))?,
            _process: process,
        })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The network that is there.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What a client needs to know: address, region, keys.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "any".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "any".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}

impl Network {
    fn printed(log: &str) -> Option<Self> {
        let line = log.lines().find_map(|line| line.strip_prefix("network "))?;
        let mut ids = line.split(' ').map(str::to_owned);
        Some(Self {
            subnet: ids.next()?,
            vpc: ids.next()?,
            group: ids.next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_all_three_of_its_ids() {
        let network = Network {
            subnet: "subnet-1".to_owned(),
            vpc: "vpc-1".to_owned(),
            group: "sg-1".to_owned(),
        };
        assert_eq!(
            Network::printed("a warning\nnetwork subnet-1 vpc-1 sg-1\n"),
            Some(network)
        );
        assert_eq!(Network::printed("network subnet-1 vpc-1\n"), None);
        assert_eq!(Network::printed("port 1\n"), None);
    }
}
