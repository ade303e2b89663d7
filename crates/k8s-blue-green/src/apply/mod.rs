//! Applies the objects of the manifests beside the workload that changes colour: by server-side apply, under our own name, in
//! an order in which none needs a later one. All kinds are looked up before the first write. Fields that somebody else has are
//! left to them, and the run ends there; only what the same manifests wrote by `kubectl apply` is taken over. An apply whose answer
//! is unknown is looked after, and is done again only where it was not done, which is the same.
//!
//! Objects without a namespace are not for this program: a Namespace of the run's own name is left out, since it is there when
//! anything in it is; any other is refused. The Role of a deploy has nothing outside its namespace.

use std::time::Duration;

use gha::text;
use serde_json::{Map, Value};
use tokio::time::sleep;

use crate::api::{Api, Apply, Kind, Refused};
use crate::manifests::Manifest;
use crate::object;
use crate::place::Place;

pub mod compare;
pub mod conflict;
pub mod kinds;
pub mod order;

mod error;

use compare::{changed, holds};
pub use error::ApplyError;
use kinds::Kinds;

/// The pauses before a look after an apply whose answer is unknown.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How objects are applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct How<'a> {
    /// Whether the server only says what would come of it.
    pub dry_run: bool,
    /// The Services whose traffic this run moves: their selector is left as it is.
    pub services: &'a [String],
    /// Annotations for what is made or changed: owner, run.
    pub annotations: &'a [(String, String)],
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was not there.
    Created,
    /// It was there and differs; the fields, without their values.
    Changed(Vec<String>),
    /// It was there, and is as it was.
    Unchanged,
    /// It was applied; what it was before may not be read.
    Applied,
    /// It was left out; why.
    LeftOut(&'static str),
}

/// An object that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub what: What,
}

impl Change {
    /// As a person reads it: `ConfigMap web: changed (.data.a)`.
    #[must_use]
    pub fn line(&self, dry_run: bool) -> String {
        let would = if dry_run { "would be " } else { "" };
        let what = match &self.what {
            What::Created => format!("{would}created"),
            What::Changed(fields) => format!("{would}changed ({})", fields.join(", ")),
            What::Unchanged => "unchanged".to_owned(),
            What::Applied => format!("{would}applied"),
            What::LeftOut(why) => format!("left out: {why}"),
        };
        text::line(&format!("{} {}: {what}", self.kind, self.name))
    }
}

/// The ConfigMaps and Secrets that a workload of this template reads and that are not what they were: pods of the old version
/// would read the new ones when they start again, so that a rollback would not bring back all of it. As `ConfigMap web`.
#[must_use]
pub fn touched(changes: &[Change], live_template: &Value) -> Vec<String> {
    let reads = compare::reads(live_template);
    let is_touched = |change: &&Change| {
        matches!(change.what, What::Changed(_))
            && reads
                .iter()
                .any(|(kind, name)| *kind == change.kind && *name == change.name)
    };
    let touched = changes.iter().filter(is_touched);
    touched
        .map(|change| text::line(&format!("{} {}", change.kind, change.name)))
        .collect()
}

/// Applies objects, or asks what would come of it. The workload and the Services' colours are not among them.
///
/// # Errors
/// When one is not applied; those behind it are not tried then.
pub async fn apply(
    manifests: &[Manifest],
    how: How<'_>,
    place: &Place<'_>,
) -> Result<Vec<Change>, ApplyError> {
    let mut sorted: Vec<&Manifest> = manifests.iter().collect();
    sorted.sort_by_key(|manifest| order::rank(&manifest.object));
    let mut kinds = Kinds::default();
    let mut known = Vec::with_capacity(sorted.len());
    for manifest in sorted {
        let kind = kind_of(manifest, &mut kinds, place).await?;
        known.push((manifest, kind));
    }
    let mut changes = Vec::with_capacity(known.len());
    for (manifest, kind) in known {
        changes.push(one(manifest, kind.as_ref(), how, place).await?);
    }
    Ok(changes)
}

/// Asks what would come of applying each of these objects, whatever became of those before it; gives its kind too.
pub async fn would<'a>(
    manifests: &'a [Manifest],
    how: How<'_>,
    place: &Place<'_>,
) -> Vec<(&'a Manifest, Result<(Option<Kind>, Change), ApplyError>)> {
    let mut sorted: Vec<&Manifest> = manifests.iter().collect();
    sorted.sort_by_key(|manifest| order::rank(&manifest.object));
    let how = How { dry_run: true, ..how };
    let mut kinds = Kinds::default();
    let mut all = Vec::with_capacity(sorted.len());
    for manifest in sorted {
        let asked = match kind_of(manifest, &mut kinds, place).await {
            Ok(kind) => one(manifest, kind.as_ref(), how, place)
                .await
                .map(|change| (kind, change)),
            Err(error) => Err(error),
        };
        all.push((manifest, asked));
    }
    all
}

async fn one(
    manifest: &Manifest,
    kind: Option<&Kind>,
    how: How<'_>,
    place: &Place<'_>,
) -> Result<Change, ApplyError> {
    let what = match kind {
        None => What::LeftOut("the namespace of this run is there already"),
        Some(kind) => {
            let one = One {
                manifest,
                kind,
                object: ready(&manifest.object, &how),
                how,
                place,
            };
            one.apply().await?
        }
    };
    Ok(Change {
        kind: text::line(object::text(&manifest.object, "/kind")),
        name: object::name(&manifest.object).to_owned(),
        what,
    })
}

/// The kind of an object that is applied; none for the run's own Namespace.
async fn kind_of(
    manifest: &Manifest,
    kinds: &mut Kinds,
    place: &Place<'_>,
) -> Result<Option<Kind>, ApplyError> {
    let object = &manifest.object;
    let word = |pointer| text::line(object::text(object, pointer));
    let from = || manifest.from.to_string();
    let is_namespace = word("/apiVersion") == "v1" && word("/kind") == "Namespace";
    if is_namespace && object::name(object) == place.namespace {
        return Ok(None);
    }
    let wide = || ApplyError::Wide {
        from: from(),
        kind: word("/kind"),
        name: word("/metadata/name"),
    };
    if is_namespace {
        return Err(wide());
    }
    let found = kinds.of(object, &place.api).await;
    let found = found.map_err(|refused| ApplyError::Refused {
        from: from(),
        refused,
    })?;
    match found {
        Some(kind) if kind.namespaced => Ok(Some(kind)),
        Some(_) => Err(wide()),
        None => Err(ApplyError::Unknown {
            from: from(),
            kind: word("/kind"),
            api_version: word("/apiVersion"),
        }),
    }
}

/// The object as it is sent: the selector of a Service whose traffic this run moves is not ours to apply.
fn ready(object: &Value, how: &How<'_>) -> Value {
    let mut object = object.clone();
    let is_moved =
        object["kind"] == "Service" && how.services.iter().any(|name| name == object::name(&object));
    if is_moved && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.shift_remove("selector");
    }
    if !how.annotations.is_empty()
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        let annotations = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(Map::new()));
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        if let Some(annotations) = annotations.as_object_mut() {
            for (key, value) in how.annotations {
                annotations.insert(key.clone(), value.as_str().into());
            }
        }
    }
    object
}

/// One object on its way.
struct One<'a> {
    manifest: &'a Manifest,
    kind: &'a Kind,
    object: Value,
    how: How<'a>,
    place: &'a Place<'a>,
}

impl One<'_> {
    fn api(&self) -> &Api {
        &self.place.api
    }

    async fn live(&self) -> Result<Option<Value>, Refused> {
        let name = object::name(&self.object);
        self.api().get(self.kind, &self.place.namespace, name).await
    }

    async fn apply(&self) -> Result<What, ApplyError> {
        // The Role of a deploy may write Secrets without reading them.
        let before = match self.live().await {
            Ok(before) => Some(before),
            Err(refused) if refused.is_access() && refused.status == Some(403) => None,
            Err(refused) => return Err(self.refused(refused)),
        };
        let after = self.send(before.as_ref().and_then(Option::as_ref)).await?;
        Ok(match before {
            None => What::Applied,
            Some(None) => What::Created,
            Some(Some(before)) => match changed(&self.without_marks(before), &self.without_marks(after)) {
                fields if fields.is_empty() => What::Unchanged,
                fields => What::Changed(fields),
            },
        })
    }

    /// The object without the marks of runs, which are others each time.
    fn without_marks(&self, mut object: Value) -> Value {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
            && let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut)
        {
            for (key, _) in self.how.annotations {
                annotations.shift_remove(key);
            }
            if annotations.is_empty() {
                metadata.shift_remove("annotations");
            }
        }
        object
    }

    async fn send(&self, before: Option<&Value>) -> Result<Value, ApplyError> {
        let refused = match self.sent(&self.object, false).await {
            Ok(after) => return Ok(after),
            Err(refused) => refused,
        };
        let is_conflict = refused.status == Some(409) && !refused.is_there_already();
        if !is_conflict {
            return Err(self.refused(refused));
        }
        let version = before.map(|before| object::text(before, "/metadata/resourceVersion"));
        let Some(version) = version.filter(|_| conflict::is_earlier_way(&refused.message)) else {
            return Err(self.conflict(&refused));
        };
        // The fields as they were read: what somebody changes in between is theirs.
        let mut object = self.object.clone();
        object["metadata"]["resourceVersion"] = version.into();
        match self.sent(&object, true).await {
            Ok(after) => Ok(after),
            Err(refused) if refused.status == Some(409) => Err(self.conflict(&refused)),
            Err(refused) => Err(self.refused(refused)),
        }
    }

    /// Applies, and looks where the answer is unknown.
    async fn sent(&self, object: &Value, force: bool) -> Result<Value, Refused> {
        let how = Apply {
            force,
            dry_run: self.how.dry_run,
        };
        let namespace = &self.place.namespace;
        let mut pauses = PAUSES.into_iter();
        loop {
            let refused = match self.api().apply(self.kind, namespace, object, how).await {
                Err(refused) if refused.unknown || refused.may_pass() => refused,
                done => return done,
            };
            let Some(pause) = pauses.next() else {
                return Err(refused);
            };
            sleep(pause).await;
            if !self.how.dry_run
                && let Ok(Some(live)) = self.live().await
                && holds(&live, &self.object)
            {
                return Ok(live);
            }
        }
    }

    fn refused(&self, refused: Refused) -> ApplyError {
        ApplyError::Refused {
            from: self.manifest.from.to_string(),
            refused,
        }
    }

    fn conflict(&self, refused: &Refused) -> ApplyError {
        let managers = conflict::managers(&refused.message);
        let managers: Vec<String> = managers
            .iter()
            .map(|manager| format!("`{}`", text::cut(&text::line(manager), 60)))
            .collect();
        let managers = match managers.is_empty() {
            true => "somebody else".to_owned(),
            false => managers.join(" and "),
        };
        ApplyError::Conflict {
            from: self.manifest.from.to_string(),
            kind: self.kind.kind.clone(),
            name: text::line(object::name(&self.object)),
            managers,
            said: refused.message.clone(),
        }
    }
}
