//! AWS STS: who one is, and temporary keys of a role by another identity or by a token of GitHub's OIDC.
//!
//! Limits: a token's signature is not checked, its audience, subject and expiry are. Roles trust whom the test says.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::protocol::{Identity, Key, Keys};

/// What [`AssumeRole`](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html) gives without being asked.
const HOUR: u64 = 3600;

/// The security token service of one account, and all keys it gave away.
#[derive(Clone, Debug)]
pub struct Sts {
    /// The keys that requests may be signed with.
    pub keys: Keys,
    roles: Vec<Role>,
    /// The time of the cloud's clock at zero, in seconds since 1970: an expiry is a date.
    began: f64,
}

/// A role and whom it trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `arn:aws:iam::ACCOUNT:role/NAME`.
    pub arn: String,
    /// The longest session.
    pub longest: Duration,
    /// The audience and the beginning of the subject of tokens that may assume it; none: no token may.
    pub web: Option<(String, String)>,
    /// Whether identities of the account may assume it.
    pub by_account: bool,
}

impl Role {
    /// A role of one hour that GitHub's tokens of a repository (`org/shop`) may assume, and the account's identities.
    #[must_use]
    pub fn of_repository(arn: &str, repository: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            longest: Duration::from_secs(HOUR),
            web: Some(("sts.amazonaws.com".to_owned(), format!("repo:{repository}:"))),
            by_account: true,
        }
    }
}

impl Sts {
    /// A service with these keys, whose clock was at zero at this time (seconds since 1970).
    #[must_use]
    pub fn new(keys: Keys, began: f64) -> Self {
        Self {
            keys,
            roles: Vec::new(),
            began,
        }
    }

    /// Adds a role.
    pub fn add(&mut self, role: Role) {
        self.roles.push(role);
    }

    /// Answers one call of somebody; of nobody only a role by a token.
    pub fn answer(&mut self, call: &Call, by: Option<&Identity>) -> Answer {
        match (call.operation.as_str(), by) {
            ("AssumeRoleWithWebIdentity", _) => self.by_token(call),
            ("GetCallerIdentity", Some(by)) => {
                Ok(json!({ "UserId": by.user_id, "Account": by.account, "Arn": by.arn }))
            }
            ("AssumeRole", Some(by)) => self.by_identity(call, by),
            (operation, _) => Err(Refusal::new(
                "InvalidAction",
                format!("Could not find operation {operation} for version 2011-06-15"),
            )),
        }
    }

    fn by_identity(&mut self, call: &Call, by: &Identity) -> Answer {
        let arn = text(call, "RoleArn")?;
        let known = self.roles.iter().find(|role| role.arn == arn && role.by_account);
        let Some(role) = known.cloned() else {
            let message = format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                by.arn
            );
            return Err(Refusal::new("AccessDenied", message).status(403));
        };
        self.session(call, &role)
    }

    fn by_token(&mut self, call: &Call) -> Answer {
        let (arn, token) = (text(call, "RoleArn")?, text(call, "WebIdentityToken")?);
        let Some(claims) = claims(token) else {
            return Err(Refusal::new(
                "InvalidIdentityToken",
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            ));
        };
        let now = self.began + call.now.as_secs_f64();
        if claims["exp"].as_f64().is_some_and(|expires| expires <= now) {
            let message =
                format!("Token expired: current date/time {now:.0} must be before the expiration date/time");
            return Err(Refusal::new("ExpiredTokenException", message));
        }
        let claim = |name: &str| claims[name].as_str().unwrap_or_default();
        let role = self.roles.iter().find(|role| role.arn == arn).cloned();
        if let Some(role) = &role
            && let Some((audience, _)) = &role.web
            && claim("aud") != audience
        {
            return Err(Refusal::new("InvalidIdentityToken", "Incorrect token audience"));
        }
        let trusted = role.filter(|role| {
            let web = role.web.as_ref();
            web.is_some_and(|(_, subject)| claim("sub").starts_with(subject.as_str()))
        });
        let Some(role) = trusted else {
            let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            return Err(Refusal::new("AccessDenied", message).status(403));
        };
        let mut output = self.session(call, &role)?;
        output["SubjectFromWebIdentityToken"] = json!(claim("sub"));
        output["Audience"] = json!(claim("aud"));
        output["Provider"] = json!(claim("iss"));
        Ok(output)
    }

    fn session(&mut self, call: &Call, role: &Role) -> Answer {
        let name = text(call, "RoleSessionName")?;
        let asked = call.input["DurationSeconds"].as_u64().unwrap_or(HOUR);
        if asked > role.longest.as_secs() {
            return Err(Refusal::new(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        if asked < 900 {
            let message = format!(
                "1 validation error detected: Value '{asked}' at 'durationSeconds' failed to satisfy constraint: Member \
                 must have value greater than or equal to 900"
            );
            return Err(Refusal::new("ValidationError", message));
        }
        let identity = session_of(role, name);
        let (arn, id) = (identity.arn.clone(), identity.user_id.clone());
        let key = self.keys.issue(identity, call.now + Duration::from_secs(asked));
        Ok(json!({
            "Credentials": self.credentials(&key),
            "AssumedRoleUser": { "AssumedRoleId": id, "Arn": arn },
        }))
    }

    fn credentials(&self, key: &Key) -> Value {
        let expires = key.expires.unwrap_or_default().as_secs_f64();
        json!({
            "AccessKeyId": key.id,
            "SecretAccessKey": key.secret,
            "SessionToken": key.token,
            "Expiration": self.began + expires,
        })
    }
}

/// `arn:aws:iam::1:role/deploy` as `arn:aws:sts::1:assumed-role/deploy/session`.
fn session_of(role: &Role, session: &str) -> Identity {
    let account = role.arn.split(':').nth(4).unwrap_or_default();
    let name = role.arn.rsplit('/').next().unwrap_or_default();
    Identity {
        account: account.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        user_id: format!("AROASANDBOXROLE00001:{session}"),
    }
}

fn text<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.input[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
        let message = format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null");
        Refusal::new("ValidationError", message)
    })
}

fn claims(token: &str) -> Option<Value> {
    let [_, claims, _] = token.split('.').collect::<Vec<_>>()[..] else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests;
