//! Whole files: the one with every key, what is wrong with others, presets, and the schema.

use gha::env::Env;

use super::fault::Faults;
use super::{Spec, read};

mod example;
mod faults;
mod presets;
mod published;
mod rules;
mod validator;

/// A file with every key.
const EXAMPLE: &str = include_str!("example.yml");

/// The environment of [`EXAMPLE`].
fn env() -> Env {
    let names = [
        ("BASE_URL", "https://user:hunter22@api.example.com"),
        ("PROM_URL", "http://prom:9090/base/"),
        ("PROM_TOKEN", "hunter22"),
        ("TENANT", "hunter22"),
        ("API_AUTH", "hunter22"),
        ("DD_API_KEY", "hunter22"),
        ("DD_APP_KEY", "hunter22"),
        ("REDIS_USER", "hunter22"),
        ("REDIS_PASSWORD", "hunter22"),
    ];
    names.into_iter().collect()
}

fn spec(source: &str) -> Result<Spec, Faults> {
    read("gate.yml", source.as_bytes(), &env(), &[])
}

/// The lines that tell what is wrong.
fn wrong(source: &str) -> Vec<String> {
    let faults = spec(source).err().unwrap_or_else(|| panic!("was read: {source}"));
    faults.to_string().lines().map(str::to_owned).collect()
}
