//! What a deploy would do, as it becomes known.

use gha::{Exit, Failure, text};
use serde_json::Value;

use crate::api::{Kind, Refused};
use crate::apply::{self, How};
use crate::diagnose::redact::redact;
use crate::error::Error;
use crate::manifests::Manifest;
use crate::object;
use crate::permissions::Uses;
use crate::place::Place;
use crate::put;
use crate::refusals::{Concern, Grade};

/// What a deploy would do, as far as it is known.
#[derive(Debug, Default)]
pub struct Drawn {
    /// What is live already, where there is nothing to do.
    pub unchanged: Option<String>,
    /// The objects that it would touch: what the account is asked about.
    pub uses: Uses,
    /// What it does, line by line.
    pub(super) lines: Vec<String>,
    /// What it sends.
    pub(super) steps: Vec<Step>,
    /// What stands in its way.
    pub(super) refusals: Vec<Refusal>,
    /// What may go wrong.
    pub(super) warnings: Vec<String>,
}

/// Something that would be sent. What may be secret is left out of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is for, in a line.
    pub what: String,
    /// The object, or the operations of a JSON patch.
    pub sent: Value,
}

/// Something that stands in the way.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The exit code of a deploy that ends with it.
    pub exit: Exit,
    /// What, as a line.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl Refusal {
    /// What a deploy would end with.
    #[must_use]
    pub fn of(failure: Failure) -> Self {
        Self {
            exit: failure.exit,
            text: gha::failure::chain(failure.error.as_ref()),
            help: failure.help,
        }
    }
}

impl Drawn {
    /// Whether nothing is known yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.lines.is_empty() && self.steps.is_empty() && self.refusals.is_empty()
    }

    /// A line of what it does.
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Something that may go wrong.
    pub fn warn(&mut self, line: String) {
        self.warnings.push(line);
    }

    /// Something that stands in its way.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// The same, by the error with which a deploy would end.
    pub fn error(&mut self, error: Error) {
        self.refuse(Refusal::of(error.into()));
    }

    /// Something that would be sent, which the server was asked about, or can't be before.
    pub fn step(&mut self, what: String, mut sent: Value) {
        redact(&mut sent);
        self.steps.push(Step { what, sent });
    }

    /// What was seen around it.
    pub fn concern(&mut self, concern: Concern) {
        match concern.grade {
            Grade::Refusal => self.error(Error::unfit(concern.text)),
            Grade::Warning => self.warn(concern.text),
        }
    }

    /// An object that would be put there: the server is asked.
    pub async fn put(&mut self, kind: &Kind, object: &Value, place: &Place<'_>) {
        let called = called(kind, object::name(object));
        self.uses.name(kind, object::name(object));
        match put::would(kind, object, place).await {
            Ok(would) => self.step(format!("{called} {}", words(would)), object.clone()),
            Err(refused) => self.late(Error::refused(format!("write {called}"))(refused)),
        }
    }

    /// A JSON patch that would be sent: the server is asked.
    pub async fn patch(&mut self, kind: &Kind, name: &str, operations: Value, why: &str, place: &Place<'_>) {
        let called = called(kind, name);
        self.uses.name(kind, name);
        let (api, namespace) = (&place.api, &place.namespace);
        match api.patch(kind, namespace, name, &operations, true).await {
            Ok(_) => self.step(format!("a patch of {called} {why}"), operations),
            Err(refused) => self.no(&called, refused),
        }
    }

    /// The objects of manifests that would be applied: the server is asked about each. With Services whose traffic moves they are
    /// applied when the deploy is under way already.
    pub async fn manifests(&mut self, given: &[Manifest], services: &[String], place: &Place<'_>) {
        let how = How {
            dry_run: true,
            services,
            annotations: &[],
        };
        for (manifest, asked) in apply::would(given, how, place).await {
            match asked {
                Ok((kind, change)) => {
                    if let Some(kind) = kind {
                        self.uses.apply(&kind, object::name(&manifest.object));
                    }
                    self.say(change.line(true));
                }
                Err(error) if services.is_empty() => self.error(error.into()),
                Err(error) => self.late(error.into()),
            }
        }
    }

    /// An error at which a deploy is under way already, so that it is undone and has failed.
    fn late(&mut self, error: Error) {
        let mut refusal = Refusal::of(error.into());
        if refusal.exit == Exit::Usage {
            refusal.exit = Exit::Failed;
        }
        self.refuse(refusal);
    }

    /// The server's no.
    pub fn no(&mut self, called: &str, refused: Refused) {
        self.error(Error::refused(format!("write {called}"))(refused));
    }
}

fn called(kind: &Kind, name: &str) -> String {
    format!("{} `{}`", kind.kind, text::line(name))
}

/// What would come of putting an object there, in words.
fn words(would: put::Would) -> &'static str {
    match would {
        put::Would::Create => "would be created",
        put::Would::Replace => "would be replaced",
        put::Would::Nothing => "is there already",
    }
}
