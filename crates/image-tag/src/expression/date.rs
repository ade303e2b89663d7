//! The helpers `date` and `commit_date`: `{{date 'FORMAT' tz='ZONE'}}`.

use std::sync::{Arc, Mutex, PoisonError};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value;

use crate::moment::Moment;

/// `{{date 'FORMAT' tz='ZONE'}}`
pub(super) struct DateHelper {
    pub(super) at: Timestamp,
    pub(super) unknown_zones: Arc<Mutex<Vec<String>>>,
}

impl DateHelper {
    /// An unknown zone is UTC without a name, as in Moment.js.
    fn moment(&self, zone: &str) -> Moment {
        // The bundled data alone: what a machine has installed must not change a tag.
        match TimeZoneDatabase::bundled().get(zone) {
            Ok(zone) => {
                let zone_name = zone.to_offset_info(self.at).abbreviation().to_owned();
                Moment {
                    at: self.at.to_zoned(zone),
                    zone_name,
                }
            }
            Err(_) => {
                let mut unknown = self.unknown_zones.lock().unwrap_or_else(PoisonError::into_inner);
                if !unknown.iter().any(|known| known == zone) {
                    unknown.push(zone.to_owned());
                }
                Moment {
                    at: self.at.to_zoned(TimeZone::UTC),
                    zone_name: String::new(),
                }
            }
        }
    }
}

impl HelperDef for DateHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = helper.name();
        if let Some(other) = helper.hash().keys().find(|key| **key != "tz") {
            return Err(problem(format!("`{name}` has no attribute `{other}`, only `tz`")));
        }
        let zone = match helper.hash_get("tz").map(|zone| zone.value()) {
            None => "UTC",
            Some(Value::String(zone)) if !zone.is_empty() => zone,
            Some(_) => return Err(problem(format!("`tz` of `{name}` must be a zone in quotes"))),
        };
        let format = match helper.param(0).map(|format| format.value()) {
            Some(Value::String(format)) => format.as_str(),
            // Something unquoted that is no value: ISO 8601, as in Moment.js.
            Some(Value::Null) => "",
            _ => return Err(problem(format!("`{name}` needs a format in quotes"))),
        };
        Ok(ScopedJson::Derived(Value::String(
            self.moment(zone).format(format),
        )))
    }
}

fn problem(text: String) -> RenderError {
    RenderErrorReason::Other(text).into()
}
