//! The real servers that tests start: which test modules take which, and the file that tells the tests where they are.
//!
//! Where one can't be had, the modules that take it are left out by name; in CI that is an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::needs::{self, Available, BLACKBOX, NGINX, NODE, Need, POSTGRES, PROMETHEUS, PYTHON, REDIS};

/// Every server, and the modules of `tests/peers` that start it.
const SERVERS: [(Need, &[&str]); 7] = [
    (
        NGINX,
        &[
            "with_nginx::",
            "with_nginx_tls::",
            "with_blackbox::",
            "with_grpc::",
            "with_prometheus::",
        ],
    ),
    (POSTGRES, &["with_postgres::"]),
    (REDIS, &["with_redis::", "with_redis_tls::", "with_blackbox::"]),
    (PROMETHEUS, &["with_prometheus::", "with_prometheus_compare::"]),
    (BLACKBOX, &["with_blackbox::"]),
    (
        NODE,
        &["with_adaptive_cards::", "with_discord_schema::", "with_prism::"],
    ),
    (
        PYTHON,
        &[
            "with_aiosmtpd::",
            "with_aws::",
            "with_aws_cli::",
            "with_aws_ecs::",
            "with_aws_elb::",
            "with_grpc::",
            "with_kubectl::",
            "with_kubectl_tool::",
            "with_moto::",
            "with_moto_site::",
            "with_moto_tool::",
            "with_prometheus::",
            "with_prometheus_compare::",
            "with_s3::",
            "with_slack_sdk::",
        ],
    ),
];

/// The servers that could be had.
#[derive(Debug, Default)]
pub struct Servers {
    found: Map<String, Value>,
    left_out: BTreeSet<&'static str>,
}

impl Servers {
    /// Gets all of them; a missing one is said.
    ///
    /// # Errors
    /// With `CI=true` when one is missing.
    pub fn get(&mut self, root: &Path) -> Result<bool> {
        for (need, modules) in SERVERS {
            match needs::ensure(root, need) {
                Ok(available) => self.add(need.name(), &available),
                Err(missing) => {
                    self.left_out.extend(modules);
                    missing.skip()?;
                }
            }
        }
        Ok(self.left_out.is_empty())
    }

    fn add(&mut self, name: &str, available: &Available) {
        let place = json!({ "program": available.program, "libraries": available.libraries });
        self.found.insert(name.to_owned(), place);
    }

    /// Writes the file that `sandbox::peers` reads.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, root: &Path) -> Result<PathBuf> {
        let file = root.join("target/peers/servers.json");
        std::fs::create_dir_all(root.join("target/peers")).context("failed to create `target/peers`")?;
        let text = Value::Object(self.found.clone()).to_string();
        std::fs::write(&file, text).with_context(|| format!("failed to write `{}`", file.display()))?;
        Ok(file)
    }

    /// The modules of tests to leave out.
    pub fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.left_out.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_is_left_out_is_one_of_the_tests() {
        let main = include_str!("../../tests/peers/main.rs");
        for module in SERVERS.iter().flat_map(|(_, modules)| *modules) {
            let name = module.trim_end_matches("::");
            assert!(main.contains(&format!("mod {name};")), "{name}");
        }
    }

    #[test]
    fn the_file_names_program_and_libraries() {
        let root = tempfile::tempdir().unwrap();
        let mut servers = Servers::default();
        servers.add(
            "nginx",
            &Available {
                program: "/x/nginx".into(),
                libraries: vec!["/x/lib".into()],
            },
        );
        let text = std::fs::read_to_string(servers.write(root.path()).unwrap()).unwrap();
        assert_eq!(text, r#"{"nginx":{"program":"/x/nginx","libraries":["/x/lib"]}}"#);
    }
}
