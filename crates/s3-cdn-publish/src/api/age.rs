//! How old an object is, by the clock of who keeps it: an answer to `GET` has the time at which it was made, and the time at
//! which the object was written (<https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1>, `#section-8.8.2`). Both are of one clock,
//! and no runner's clock has a say.
//!
//! Limits: whole seconds; a store whose clock was set back says zero until it has caught up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

/// How long ago an object was written; none where an answer does not tell both times.
fn age(answered: Option<&str>, written: Option<&DateTime>) -> Option<Duration> {
    let answered = DateTime::from_str(answered?.trim(), DateTimeFormat::HttpDate).ok()?;
    let seconds = answered.secs().saturating_sub(written?.secs());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Remembers when the last answer to a call was made, which the SDK does not hand on.
#[derive(Clone, Debug, Default)]
pub(super) struct Answered(Arc<Mutex<Option<String>>>);

impl Answered {
    /// How old an object was then.
    pub(super) fn age(&self, written: Option<&DateTime>) -> Option<Duration> {
        let answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        age(answered.as_deref(), written)
    }
}

impl Intercept for Answered {
    fn name(&self) -> &'static str {
        "Answered"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    const WRITTEN: i64 = 1_767_225_600;

    #[test]
    fn the_age_is_between_two_times_of_one_clock() {
        let written = DateTime::from_secs(WRITTEN);
        let whole = |date: &str| age(Some(date), Some(&written)).map(|age| age.as_secs());
        for (date, age) in [
            ("Thu, 01 Jan 2026 00:00:00 GMT", Some(0)),
            ("Thu, 01 Jan 2026 00:02:00 GMT", Some(120)),
            // A store of several machines.
            ("Wed, 31 Dec 2025 23:59:58 GMT", Some(0)),
            ("", None),
            ("2026-01-01T00:02:00Z", None),
            ("soon", None),
        ] {
            assert_eq!(whole(date), age, "{date}");
        }
        assert_eq!(age(None, Some(&written)), None);
        assert_eq!(age(Some("Thu, 01 Jan 2026 00:02:00 GMT"), None), None);
    }

    proptest! {
        #[test]
        fn no_date_panics(date in any::<String>(), written in any::<i64>()) {
            let _ = age(Some(&date), Some(&DateTime::from_secs(written)));
            let _ = age(Some("Thu, 01 Jan 2026 00:02:00 GMT"), Some(&DateTime::from_secs(written)));
        }
    }
}
