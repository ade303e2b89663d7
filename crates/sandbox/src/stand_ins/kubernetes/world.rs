//! The cluster's state: what is stored, what runs, and the time up to which all of it has happened.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::Users;
use super::controllers::{self, Memory};
use super::kinds::{self, Kind};
use super::kubelet::Kubelet;
use super::object;
use super::patch;
use super::settings::Settings;
use super::store::{self, Key, Store};

/// How often controllers are asked at one moment before the world goes on as it is.
const ROUNDS: usize = 200;

/// The cluster as a test looks at it and changes it, past the API and by hands that nothing hinders.
#[derive(Debug)]
pub struct World {
    /// How nodes, networks and images are.
    pub settings: Settings,
    pub(crate) store: Store,
    pub(crate) now: Duration,
    pub(crate) kubelet: Kubelet,
    pub(crate) memory: Memory,
    pub(crate) users: Users,
    pub(crate) round: u64,
    /// The version at which nothing was left to do, and when the next thing is due.
    settled: Option<(u64, Option<Duration>)>,
    addresses: u32,
    names: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            settings: Settings::default(),
            store: Store::new(),
            now: Duration::ZERO,
            kubelet: Kubelet::default(),
            memory: Memory::default(),
            users: Users::new(),
            round: 0,
            settled: None,
            addresses: 0,
            names: 0,
        };
        for name in ["default", "kube-system"] {
            world.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        }
        world
    }

    /// The moment up to which everything has happened.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// An object by its plural (`deployments`), its namespace (empty for what has none) and its name.
    #[must_use]
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<&Value> {
        let kind = kinds::named(plural)?;
        self.store.get(&Key::new(kind.plural, namespace, name))
    }

    /// Those of a plural, by name; of all namespaces for an empty one.
    #[must_use]
    pub fn list(&self, plural: &str, namespace: &str) -> Vec<&Value> {
        match kinds::named(plural) {
            Some(kind) => self.store.list(kind.plural, namespace).collect(),
            None => Vec::new(),
        }
    }

    /// Creates an object or replaces it whole, with what the server fills in. Its status is taken as it is; one of a kind that
    /// the cluster does not know is dropped.
    pub fn put(&mut self, mut object: Value) -> Value {
        let Some((kind, _)) = store::key_of(&object) else {
            return Value::Null;
        };
        if kind.namespaced && object::namespace(&object).is_empty() {
            object::put(&mut object, &["metadata", "namespace"], json!("default"));
        }
        super::api::defaults::fill(self, kind, &mut object);
        match self.store.get(&Key::of(kind, &object)).cloned() {
            None => self.add(kind, object),
            Some(before) => {
                self.keep_identity(&mut object, &before);
                self.store.replace(kind, object)
            }
        }
    }

    /// Changes an object by a merge patch; as it is then.
    pub fn merge(&mut self, plural: &str, namespace: &str, name: &str, change: Value) -> Option<Value> {
        let before = self.get(plural, namespace, name)?.clone();
        let mut after = patch::merge(&before, &change);
        self.keep_identity(&mut after, &before);
        Some(self.save(after))
    }

    /// Takes an object away at once, without grace.
    pub fn delete(&mut self, plural: &str, namespace: &str, name: &str) {
        if let Some(kind) = kinds::named(plural) {
            self.drop_object(&Key::new(kind.plural, namespace, name));
        }
    }

    /// Forgets the changes so far: who watches or lists on from an earlier version hears 410.
    pub fn compact(&mut self) {
        self.store.compact();
    }

    /// Moves the world on to a moment.
    pub(crate) fn advance(&mut self, to: Duration) {
        loop {
            let next = match self.settled {
                Some((revision, next)) if revision == self.store.revision() => next,
                _ => self.settle(),
            };
            match next {
                Some(next) if next <= to => self.now = self.now.max(next),
                _ => {
                    self.now = self.now.max(to);
                    return;
                }
            }
            self.settled = None;
        }
    }

    /// Something may have changed that is not stored.
    pub(crate) fn unsettle(&mut self) {
        self.settled = None;
    }

    /// Lets controllers and nodes do what is due, until nothing changes any more; when the next thing is due.
    fn settle(&mut self) -> Option<Duration> {
        let mut next = None;
        for _ in 0..ROUNDS {
            let before = self.store.revision();
            next = controllers::run(self);
            if self.store.revision() == before {
                break;
            }
        }
        self.settled = Some((self.store.revision(), next));
        next
    }

    /// Stores a new object.
    pub(crate) fn add(&mut self, kind: &Kind, object: Value) -> Value {
        self.store.create(kind, object, self.now)
    }

    /// Stores a changed object, counting changes of what is wanted.
    pub(crate) fn save(&mut self, mut object: Value) -> Value {
        let Some((kind, key)) = store::key_of(&object) else {
            return object;
        };
        if let Some(before) = self.store.get(&key)
            && before.get("spec") != object.get("spec")
            && let Some(generation) = object::number(before, "/metadata/generation")
        {
            object::put(&mut object, &["metadata", "generation"], json!(generation + 1));
        }
        self.store.replace(kind, object)
    }

    pub(crate) fn drop_object(&mut self, key: &Key) {
        self.store.remove(key);
    }

    pub(crate) fn next_service_address(&mut self) -> String {
        self.addresses += 1;
        format!("10.96.{}.{}", self.addresses / 250, self.addresses % 250 + 1)
    }

    pub(crate) fn next_pod_address(&mut self) -> String {
        self.addresses += 1;
        format!("10.244.{}.{}", self.addresses / 250, self.addresses % 250 + 1)
    }

    pub(crate) fn next_node_port(&mut self) -> u32 {
        self.addresses += 1;
        30000 + self.addresses % 2768
    }

    /// The end of a generated name: five letters of those that Kubernetes takes, another each time and the same in each run.
    pub(crate) fn random_end(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.names += 1;
        // A step that is coprime to the number of names, so that they look mixed and none comes twice.
        let mut rest = self.names.wrapping_mul(7_654_321) % 27_u64.pow(5);
        let mut name = String::new();
        for _ in 0..5 {
            let at = usize::try_from(rest % 27).unwrap_or_default();
            name.push(char::from(LETTERS[at]));
            rest /= 27;
        }
        name
    }

    pub(crate) fn random_mark(&mut self) -> String {
        Uuid::new_v4().to_string()
    }

    fn keep_identity(&self, after: &mut Value, before: &Value) {
        for field in ["uid", "creationTimestamp", "generation"] {
            if let Some(value) = before.pointer(&format!("/metadata/{field}")) {
                object::put(after, &["metadata", field], value.clone());
            }
        }
        if before.get("spec") != after.get("spec")
            && let Some(generation) = object::number(before, "/metadata/generation")
        {
            object::put(after, &["metadata", "generation"], json!(generation + 1));
        }
    }
}
