//! What a task of the new version needs to start: images, roles, secrets, log groups. Each is asked for by the least call that
//! tells it; a value of a secret is never read. Where the policy does not allow a question, that is told and is nothing wrong.

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt as _};

use crate::api::Api;
use crate::api::secrets::Secret;
use crate::images;
use crate::task_definition::TaskDefinition;
use crate::task_definition::needs::{LogGroup, Needs, Role, SecretAt, account, trusts_tasks};

use super::checks::{Check, Found};

/// How many questions are asked at once.
const AT_ONCE: usize = 8;

/// Asks for all that a task definition needs. `service` is the service's ARN, where it is known.
pub(super) async fn of(
    definition: &TaskDefinition,
    service: Option<&str>,
    api: &Api,
    checks: &mut Vec<Check>,
) {
    let needs = Needs::of(definition);
    let own = service.and_then(account);
    let mut asked: Vec<LocalBoxFuture<'_, Check>> = Vec::new();
    for reference in &needs.images {
        asked.push(Box::pin(async move {
            Check::new("image", reference, image(api, reference).await)
        }));
    }
    for role_of in &needs.roles {
        let what = match role_of.key {
            "executionRoleArn" => "execution role",
            _ => "task role",
        };
        asked.push(Box::pin(async move {
            Check::new(what, role_of.name(), role(api, role_of, own).await)
        }));
    }
    for reference in &needs.secrets {
        asked.push(Box::pin(async move {
            Check::new("secret", reference, secret(api, reference, own).await)
        }));
    }
    for group in &needs.log_groups {
        asked.push(Box::pin(async move {
            Check::new("log group", &group.name, log_group(api, group).await)
        }));
    }
    let found: Vec<Check> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    checks.extend(found);
    if let Some(why) = needs.lacks_execution_role() {
        let found = Found::wrong(why, "name an execution role in the task definition");
        checks.push(Check::new("execution role", "", found));
    }
}

async fn image(api: &Api, reference: &str) -> Found {
    match images::look(api, reference).await {
        images::Found::There => Found::Well(String::new()),
        images::Found::Missing(why) => Found::wrong(
            why,
            "check `--image`, and that the image was pushed to this repository of this region",
        ),
        images::Found::Perhaps(why) | images::Found::NotAsked(why) => Found::NotAsked(why),
    }
}

async fn role(api: &Api, role: &Role, own: Option<&str>) -> Found {
    if let (Some(its), Some(own)) = (role.account(), own)
        && its != own
    {
        return Found::wrong(
            "it is of another account than the service",
            "name a role of the service's account in the task definition",
        );
    }
    match api.trust(role.name()).await {
        Ok(Some(policy)) if trusts_tasks(&policy) => Found::Well(String::new()),
        Ok(Some(policy)) if policy.is_null() => {
            Found::Well("it is there; whom it trusts can't be read".to_owned())
        }
        Ok(Some(_)) => Found::wrong(
            "it does not let `ecs-tasks.amazonaws.com` take it",
            "add the service to the role's trust policy",
        ),
        Ok(None) => Found::wrong(
            "there is no such role",
            "create it, or name another one in the task definition",
        ),
        Err(refused) => Found::not_asked(&refused),
    }
}

async fn secret(api: &Api, reference: &str, own: Option<&str>) -> Found {
    match SecretAt::of(reference) {
        SecretAt::Manager {
            arn,
            region,
            stage,
            version,
        } => match api.secret(&arn, &region).await {
            Ok(Some(secret)) => readable(&secret, stage.as_deref(), version.as_deref()),
            Ok(None) => Found::wrong(
                "there is no such secret",
                "create it, or name another one with `--secret`",
            ),
            Err(refused) => Found::not_asked(&refused),
        },
        SecretAt::Parameter {
            account: Some(its), ..
        } if own.is_some_and(|own| own != its) => {
            Found::NotAsked("a parameter of another account can't be asked for".to_owned())
        }
        SecretAt::Parameter { names, region, .. } => match api.has_parameter(&names, region.as_deref()).await
        {
            Ok(true) => Found::Well(String::new()),
            Ok(false) => Found::wrong(
                "there is no such parameter",
                "create it, or name another one with `--secret`",
            ),
            Err(refused) => Found::not_asked(&refused),
        },
        SecretAt::Elsewhere => Found::wrong(
            "it is neither a secret of Secrets Manager nor a parameter of SSM",
            "name another one with `--secret`",
        ),
    }
}

/// Whether what is asked for of a secret is there. Without a stage and a version that is the stage `AWSCURRENT`, which a
/// secret that never had a value lacks
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>).
fn readable(secret: &Secret, stage: Option<&str>, version: Option<&str>) -> Found {
    if secret.is_deleted {
        return Found::wrong(
            "it is being deleted, and can't be read",
            "restore it, or name another one with `--secret`",
        );
    }
    let stage = stage.or(version.is_none().then_some("AWSCURRENT"));
    let is = |(id, stages): &(String, Vec<String>)| {
        version.is_none_or(|version| version == id)
            && stage.is_none_or(|stage| stages.iter().any(|known| known == stage))
    };
    if secret.versions.iter().any(is) {
        Found::Well(String::new())
    } else {
        let asked = [
            version.map(|id| format!("version `{id}`")),
            stage.map(|name| format!("stage `{name}`")),
        ];
        let asked: Vec<String> = asked.into_iter().flatten().collect();
        Found::wrong(
            format!("it has no value with {}", asked.join(" and ")),
            "give it a value, or name another stage or version",
        )
    }
}

async fn log_group(api: &Api, group: &LogGroup) -> Found {
    match api.has_log_group(&group.name, group.region.as_deref()).await {
        Ok(true) => Found::Well(String::new()),
        Ok(false) if group.is_made => Found::Well("the first task makes it".to_owned()),
        Ok(false) => Found::wrong(
            "there is no such log group",
            "create it, or set `awslogs-create-group` and let the execution role make it",
        ),
        Err(refused) => Found::not_asked(&refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_what_is_asked_for_or_has_not() {
        let versions = vec![
            ("v1".to_owned(), vec!["AWSPREVIOUS".to_owned()]),
            ("v2".to_owned(), vec!["AWSCURRENT".to_owned(), "blue".to_owned()]),
        ];
        let secret = Secret {
            is_deleted: false,
            versions,
        };
        for (stage, version, is) in [
            (None, None, true),
            (Some("AWSPREVIOUS"), None, true),
            (Some("blue"), Some("v2"), true),
            (None, Some("v1"), true),
            (Some("green"), None, false),
            (None, Some("v3"), false),
            (Some("blue"), Some("v1"), false),
        ] {
            let found = readable(&secret, stage, version);
            assert_eq!(
                matches!(found, Found::Well(_)),
                is,
                "{stage:?} {version:?}: {found:?}"
            );
        }
        let gone = Secret {
            is_deleted: true,
            ..secret
        };
        assert!(matches!(readable(&gone, None, None), Found::Wrong { .. }));
        assert!(matches!(
            readable(&Secret::default(), None, None),
            Found::Wrong { .. }
        ));
    }
}
