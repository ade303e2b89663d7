//! One TLS stack: rustls with ring, once. `Cargo.lock` is what holds it, with everything that any feature could link.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use xtask::environment;

/// Other stacks, and what brings them.
const OTHERS: [&str; 13] = [
    "openssl",
    "openssl-sys",
    "openssl-src",
    "native-tls",
    "tokio-native-tls",
    "hyper-tls",
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-lc-fips-sys",
    "mbedtls",
    "boring",
    "boring-sys",
    "s2n-tls",
];

/// A second version of one of these is a second stack, or a second client with a pool and settings of its own.
const SINGLE: [&str; 5] = ["rustls", "ring", "rustls-webpki", "hyper", "reqwest"];

/// The packages of a lock file, in the order they stand there, one for each version.
fn packages(lock: &str) -> Vec<&str> {
    lock.lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect()
}

fn findings(lock: &str) -> Vec<String> {
    let packages = packages(lock);
    let count = |name: &str| packages.iter().filter(|package| **package == name).count();
    let others = OTHERS
        .iter()
        .filter(|name| count(name) > 0)
        .map(|name| format!("`{name}` is another TLS stack"));
    let single = SINGLE
        .iter()
        .filter(|name| count(name) != 1)
        .map(|name| format!("`{name}` is there in {} versions instead of 1", count(name)));
    others.chain(single).collect()
}

fn lock() -> String {
    let path = environment::workspace_root().unwrap().join("Cargo.lock");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn there_is_one_stack() {
    assert_eq!(findings(&lock()), [""; 0]);
}

#[test]
fn another_stack_is_found() {
    for name in OTHERS {
        let lock = format!(
            "{}\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n",
            lock()
        );
        assert_eq!(findings(&lock), [format!("`{name}` is another TLS stack")]);
    }
}

#[test]
fn a_second_version_is_found_and_so_is_a_lost_one() {
    for name in SINGLE {
        let entry = format!("name = \"{name}\"\n");
        let twice = lock() + "\n[[package]]\n" + &entry + "version = \"0.0.1\"\n";
        assert_eq!(
            findings(&twice),
            [format!("`{name}` is there in 2 versions instead of 1")]
        );
        let never = lock().replace(&entry, "name = \"renamed\"\n");
        assert_eq!(
            findings(&never),
            [format!("`{name}` is there in 0 versions instead of 1")]
        );
    }
}
