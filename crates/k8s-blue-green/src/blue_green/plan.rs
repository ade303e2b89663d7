//! What a deploy of the strategies `blue-green` and `canary` would do. Nothing is changed.

use gha::{Failure, text};
use serde_json::{Value, json};

use super::look::{Found, found, of_another, unchanged, wanted};
use super::stopped::Stopped;
use super::{around, asked, bring, entry, fits, shift, watched};
use crate::api::Kind;
use crate::canary::mesh::{Mesh, Write};
use crate::canary::{Plan as Canary, undo};
use crate::cli::{Deploy, SwitchBy};
use crate::color;
use crate::copy;
use crate::error::Error;
use crate::held;
use crate::image::Wanted;
use crate::lead::Lead;
use crate::lock;
use crate::manifests::{self, Manifest};
use crate::marks::marks;
use crate::migrate::Asking;
use crate::object;
use crate::place::Place;
use crate::plan::{Drawn, Refusal};
use crate::route::canary_service;
use crate::run::Run;
use crate::scaler;
use crate::state::{Phase, State};
use crate::switch::Expected;

/// Draws what a deploy would do.
///
/// # Errors
/// When the flags are wrong, or what there is can't be deployed to.
pub async fn draw(flags: &Deploy, drawn: &mut Drawn, place: &Place<'_>) -> Result<(), Failure> {
    let canary = fits(flags)?;
    let gates = asked(&flags.gates, &watched(flags, canary.as_ref())?, place)?;
    drawn.uses.previews = gates.previews() || flags.gates.smoke.is_some();
    gates.preflight(place).await?;
    let asking = Asking::of("migrate", flags.migration.migrate.as_ref())?;
    let given = manifests::gather(&flags.version.manifests, &place.namespace, place.runner).await;
    let mut given = given.map_err(|error| Error::Flag {
        flag: "manifests",
        reason: error.to_string(),
    })?;
    let job = match &asking {
        Some(asking) => asking.job(&mut given)?,
        None => None,
    };
    let wanted = wanted(flags)?;
    let mut all = Vec::new();
    for name in &flags.target.service {
        // One that can't be deployed to keeps nobody from seeing what is wrong with the others.
        match read(name, &wanted, flags, &mut given, drawn, place).await {
            Ok(found) => all.push(found),
            Err(stopped) => drawn.refuse(Refusal::of(failure(stopped))),
        }
    }
    if all.len() == flags.target.service.len()
        && let Some(live) = unchanged(&all, flags)
    {
        drawn.unchanged = Some(live);
        return Ok(());
    }
    let run = Run::of(place.runner);
    let mut first_new = None;
    for one in &all {
        match of_service(one, flags, canary.as_ref(), &run, drawn, place).await {
            Ok(new) => {
                first_new.get_or_insert((one.lead.name.clone(), new));
            }
            Err(stopped) => drawn.refuse(Refusal::of(failure(stopped))),
        }
    }
    if let (Some(asking), Some((service, new))) = (&asking, &first_new) {
        drawn
            .migration(asking, job.as_ref(), (service, new), flags, place)
            .await?;
    }
    drawn.manifests(&given, &flags.target.service, place).await;
    Ok(())
}

/// What a Service leads to, where this run may deploy to it.
async fn read(
    name: &str,
    wanted: &[Wanted],
    flags: &Deploy,
    given: &mut Vec<Manifest>,
    drawn: &mut Drawn,
    place: &Place<'_>,
) -> Result<Found, Stopped> {
    drawn.uses.name(&Kind::service(), name);
    drawn.uses.name(&Kind::lease(), &lock::name(name));
    if let Some(by) = held::holder(name, place).await? {
        drawn.error(Error::Locked {
            service: name.to_owned(),
            by,
        });
    }
    let lead = Lead::read(name, place).await?;
    let state = lead.state()?;
    if let Some(state) = state.as_ref().filter(|state| state.is_under_way()) {
        match of_another(&lead, state, place) {
            Some(error) => drawn.error(error),
            None => drawn.warn(format!(
                "Service `{}`: {}, by run `{}`; a deploy undoes that first, where the run is over",
                text::line(name),
                state.phase.words(),
                text::line(&state.run)
            )),
        }
    }
    found(lead, state, wanted, flags, given, place).await
}

fn failure(stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Error(error) => (*error).into(),
        Stopped::Failed { exit, reason } => Failure::new(exit, reason),
    }
}

/// What a deploy would do to one Service.
async fn of_service(
    one: &Found,
    flags: &Deploy,
    canary: Option<&crate::state::Canary>,
    run: &Run,
    drawn: &mut Drawn,
    place: &Place<'_>,
) -> Result<Value, Stopped> {
    drawn.uses.name(&Kind::deployment(), one.live.side.name());
    let mut new = bring::free(one, flags, run, place).await?;
    let state = bring::state(one, &new, flags, canary, run, place);
    let service = text::line(&one.lead.name);
    drawn.say(format!(
        "Service `{service}` leads to `{}`; `{}` comes up with {} pods",
        text::line(&state.old.deployment),
        text::line(&state.new.deployment),
        state.new.replicas
    ));
    one.images.iter().for_each(|change| drawn.say(change.to_string()));
    if let Some(known) = &state.scaler {
        drawn.say(format!(
            "autoscaler `{}` goes with the traffic",
            text::line(&known.name)
        ));
    }
    for concern in around::concerns(one, &new, flags, place).await {
        drawn.concern(concern);
    }
    entry::fits(&one.lead.name, &state, &new, place).await?;
    new["spec"]["replicas"] = bring::first(one, &state)?.into();
    drawn.put(&Kind::deployment(), &new, place).await;
    let marks = marks(&one.lead.name, run);
    let preview = copy::preview_service(
        &one.lead.object,
        &state.new.selector,
        &color::preview(&one.lead.name),
        &marks,
    );
    drawn.put(&Kind::service(), &preview, place).await;
    let expected = Expected::of(&one.lead.object);
    let first = expected.patch(&one.narrowed, Some(&state));
    let narrowed = if one.narrowed == one.live.selector {
        "says that a deploy is under way"
    } else {
        "narrows it to the pods that it leads to; none of them restarts"
    };
    drawn
        .patch(&Kind::service(), &one.lead.name, first, narrowed, place)
        .await;
    routes(one, (&state, &new), &marks, drawn, place).await?;
    switched(one, &state, flags, drawn, place).await;
    Ok(new)
}

/// What a canary would do to its routes.
async fn routes(
    one: &Found,
    (state, new): (&State, &Value),
    marks: &object::Labels,
    drawn: &mut Drawn,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let Some(canary) = &state.canary else {
        return Ok(());
    };
    let plan = Canary::of(canary)?;
    drawn.say(format!("steps: {}", plan.steps));
    if plan.by_pods() {
        return Ok(());
    }
    let sides = plan.sides(&one.lead.name, &place.namespace);
    let service = canary_service::of(&one.lead.object, &sides, &state.new.selector, marks);
    drawn.put(&Kind::service(), &service, place).await;
    let divisions = undo::divisions(&one.lead.name, state, place).await?;
    for division in &divisions {
        drawn.uses.name(&division.route.kind(), &division.route.name);
    }
    if let Some(mesh) = Mesh::of(&divisions, place).await? {
        let writes = mesh.writes(&object::labels_at(new, "/spec/template/metadata/labels"), marks);
        let kind = mesh.kind();
        for write in writes.map_err(|error| Error::unfit(error.to_string()))? {
            match write {
                Write::Put(rule) => drawn.put(kind, &rule, place).await,
                Write::Open { rule, operations } => {
                    let why = "opens its subsets for the new version";
                    drawn.patch(kind, &rule, operations, why, place).await;
                }
            }
        }
    }
    for division in divisions {
        let route = text::line(&division.route.to_string());
        match division.would_enter(plan.header.as_ref(), marks, place).await {
            Ok(change) => drawn.step(
                format!(
                    "`{route}` leads to `{}` with the weight 0",
                    text::line(&sides.canary)
                ),
                change,
            ),
            Err(error) => drawn.error(error),
        }
    }
    Ok(())
}

/// The switch, as it would be sent when the new version is ready.
async fn switched(one: &Found, state: &State, flags: &Deploy, drawn: &mut Drawn, place: &Place<'_>) {
    let why = match flags.switch.switch {
        SwitchBy::Atomic => None,
        SwitchBy::Overlap => Some("it was asked for".to_owned()),
        SwitchBy::Auto => shift::in_front(&one.lead, place).await,
    };
    let how = why.map_or_else(
        || "at once".to_owned(),
        |why| format!("with both versions behind it for a moment, because {why}"),
    );
    // The state that the patch before would have left.
    let mut before = one.lead.object.clone();
    before["spec"]["selector"] = json!(one.narrowed);
    before["metadata"]["annotations"][crate::state::STATE] = state.written().into();
    let switched = state.at_phase(Phase::Switched, state.at);
    let patch = Expected::of(&before).patch(&state.new.selector, Some(&switched));
    drawn.step(
        format!(
            "Service `{}` is switched to `{}`, {how}",
            text::line(&one.lead.name),
            text::line(&object::written(&state.new.selector))
        ),
        patch,
    );
    if let Some(known) = &state.scaler {
        let sides = (&*state.old.deployment, &*state.new.deployment);
        drawn.uses.keda |= known.keda;
        match scaler::would_point(known, sides, place).await {
            Ok(None) => {}
            Ok(Some((kind, patch))) => {
                let why = "points it at the new version when that has the traffic";
                drawn.patch(&kind, &known.name, patch, why, place).await;
            }
            Err(refused) => drawn.no(&format!("autoscaler `{}`", text::line(&known.name)), refused),
        }
    }
}
