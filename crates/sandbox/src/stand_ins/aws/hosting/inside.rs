//! One request from its head to its answer: who asks, what goes wrong, who acts beside it, and what is written down.

use std::time::Duration;

use super::answered::{Answered, Refused};
use super::faults::{self, Hook, Moment, Rule, Seen};
use super::log::{self, HostingEntry};
use super::route::Route;
use super::settings::Settings;
use super::stock::Stock;
use crate::http::Request;
use crate::stand_ins::aws::call::Refusal;
use crate::stand_ins::aws::cloudfront;
use crate::stand_ins::aws::faults::Fault;
use crate::stand_ins::aws::home::Home;
use crate::stand_ins::aws::log::End;
use crate::stand_ins::aws::protocol::Keys;
use crate::stand_ins::aws::s3::{self, Ask, Intake, Regions, Taken, Work};

/// Bytes of a body that is no object.
const DOCUMENT: u64 = 4 * 1024 * 1024;

/// All that a hosting has.
pub(super) struct Inside {
    pub(super) stock: Stock,
    pub(super) settings: Settings,
    pub(super) faults: Vec<Rule>,
    pub(super) hooks: Vec<Hook>,
    pub(super) log: Vec<HostingEntry>,
    /// Requests to S3 in a second of the clock.
    pace: (u64, u32),
    requests: u64,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    Answer {
        answered: Answered,
        delay: Duration,
        /// After how many bytes of the body the connection closes.
        cut: Option<usize>,
    },
    Reset,
    Hang,
}

/// What was read from a request.
struct Call {
    service: &'static str,
    operation: &'static str,
    bucket: String,
    key: String,
    keys: Vec<String>,
    query: Vec<(String, String)>,
    asked: Result<Asked, Refused>,
}

enum Asked {
    S3(Ask),
    CloudFront(cloudfront::Ask),
}

/// Around a request.
pub(super) struct Around<'a> {
    pub(super) keys: &'a Keys,
    pub(super) home: &'a Home,
    pub(super) now: Duration,
    /// How many calls had been done when it came.
    pub(super) begun: usize,
}

impl Inside {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            stock: Stock::new(&settings),
            settings,
            faults: Vec::new(),
            hooks: Vec::new(),
            log: Vec::new(),
            pace: (0, 0),
            requests: 0,
        }
    }

    /// Gets ready for the body of a request.
    pub(super) fn intake(&self, head: &Request) -> Intake {
        let limit = match head.method.as_str() {
            "PUT" => self.settings.keep,
            _ => DOCUMENT,
        };
        Intake::of(head, limit)
    }

    /// Answers a request of S3 or CloudFront.
    pub(super) fn take(
        &mut self,
        route: Route,
        head: &Request,
        taken: &Taken,
        around: &Around<'_>,
    ) -> Outcome {
        self.requests += 1;
        let id = format!("SANDBOX{:09}", self.requests);
        self.stock.advance(around.now, &self.settings);
        let call = match route {
            Route::CloudFront => Call::of_cloudfront(head, taken),
            _ => Call::of_s3(head, taken),
        };
        let by = match &call.asked {
            Err(_) => Ok(String::new()),
            Ok(asked) => self.authorize(asked, head, taken, around),
        };
        let fault = self.struck(&call, around.now);
        self.others(&call, Moment::Before);
        let (result, mut end) = self.attempt(&call, head, taken, around, &fault, by.as_ref().err());
        let mut answered = match (&result, call.service) {
            (Ok(answered), _) => answered.clone(),
            (Err(refused), "s3") => Answered::s3_error(refused, &id),
            (Err(refused), _) => cloudfront::error(refused, &id),
        };
        if call.service == "s3" {
            answered = answered
                .header("date", around.home.date(around.now))
                .header("x-amz-request-id", id.clone())
                .header("x-amz-id-2", "sandbox");
        } else {
            answered = answered.header("x-amzn-requestid", id.clone());
        }
        if head.method == "HEAD" {
            answered.body = bytes::Bytes::new();
        }
        if let (End::Done, Some(code)) = (&end, &answered.code) {
            end = End::Refused(code.clone());
        }
        let silent = matches!(end, End::Reset | End::Hung | End::Lost);
        let entry = HostingEntry {
            at: around.now,
            service: call.service,
            operation: call.operation,
            bucket: call.bucket.clone(),
            key: call.key.clone(),
            keys: call.keys.clone(),
            headers: log::telling(head),
            query: call.query.clone(),
            size: taken.size,
            by: by.ok().filter(|by| !by.is_empty()),
            status: if silent { 0 } else { answered.status },
            end: end.clone(),
            begun: around.begun,
        };
        self.others(&call, Moment::After);
        self.log.push(entry);
        let delay = self.settings.latency
            + match fault {
                Some(Fault::Slow(delay)) => delay,
                _ => Duration::ZERO,
            };
        match end {
            End::Reset | End::Lost => Outcome::Reset,
            End::Hung => Outcome::Hang,
            End::Done | End::Refused(_) => Outcome::Answer {
                answered,
                delay,
                cut: match fault {
                    Some(Fault::Cut(bytes)) => Some(bytes),
                    _ => None,
                },
            },
        }
    }

    /// Whose keys signed it.
    fn authorize(
        &self,
        asked: &Asked,
        head: &Request,
        taken: &Taken,
        around: &Around<'_>,
    ) -> Result<String, Refused> {
        match asked {
            Asked::S3(ask) => {
                let regions = Regions {
                    home: &self.settings.region,
                    bucket: self.stock.s3.region(&ask.bucket),
                };
                let unsigned = self.settings.unsigned_payload;
                s3::check(head, around.keys, &regions, unsigned, around.now)
            }
            Asked::CloudFront(_) => {
                let whole = Request {
                    body: taken.bytes().to_vec(),
                    ..head.clone()
                };
                cloudfront::check(&whole, around.keys, around.now)
            }
        }
    }

    fn attempt(
        &mut self,
        call: &Call,
        head: &Request,
        taken: &Taken,
        around: &Around<'_>,
        fault: &Option<Fault>,
        denied: Option<&Refused>,
    ) -> (Result<Answered, Refused>, End) {
        match fault {
            Some(Fault::Reset) => return (Ok(Answered::empty(0)), End::Reset),
            Some(Fault::Hang) => return (Ok(Answered::empty(0)), End::Hung),
            _ => {}
        }
        let struck = fault
            .as_ref()
            .and_then(|fault| faults::refusal(fault, call.service));
        let slow = call.service == "s3" && !self.in_pace(around.now);
        let refused = denied
            .cloned()
            .or_else(|| struck.map(Refused::from))
            .or_else(|| slow.then(|| faults::slow_down().into()));
        let result = match refused {
            Some(refused) => Err(refused),
            None => self.run(call, head, taken, around),
        };
        let end = match (&result, fault) {
            (_, Some(Fault::Lost)) => End::Lost,
            (Err(refused), _) => End::Refused(refused.refusal.code.clone()),
            (Ok(_), _) => End::Done,
        };
        (result, end)
    }

    fn run(
        &mut self,
        call: &Call,
        head: &Request,
        taken: &Taken,
        around: &Around<'_>,
    ) -> Result<Answered, Refused> {
        match &call.asked {
            Err(refused) => Err(refused.clone()),
            Ok(Asked::CloudFront(ask)) => {
                self.stock
                    .cloudfront
                    .answer(ask, taken, &self.settings, around.home)
            }
            Ok(Asked::S3(ask)) => {
                // The faults of single keys of a batch.
                let rules: Vec<(&str, Refusal)> = self
                    .faults
                    .iter()
                    .filter(|rule| faults::fits(&rule.selector, call.seen()))
                    .filter(|rule| rule.strikes(self.nth(&rule.selector), around.now))
                    .filter_map(|rule| Some((rule.pattern()?, faults::refusal(&rule.fault, "s3")?)))
                    .collect();
                let refusal = |key: &str| {
                    let found = rules.iter().find(|(pattern, _)| faults::matches(pattern, key));
                    found.map(|(_, refusal)| refusal.clone())
                };
                let work = Work {
                    ask,
                    head,
                    taken,
                    settings: &self.settings,
                    home: around.home,
                    now: around.now,
                    refusal: &refusal,
                };
                self.stock.s3.answer(&work)
            }
        }
    }

    /// The fault that strikes a call; one of single keys of a batch is none of the call.
    fn struck(&self, call: &Call, now: Duration) -> Option<Fault> {
        let rule = self.faults.iter().find(|rule| {
            faults::fits(&rule.selector, call.seen()) && rule.strikes(self.nth(&rule.selector), now)
        })?;
        let single = call.operation == "DeleteObjects"
            && rule.pattern().is_some()
            && faults::refusal(&rule.fault, "s3").is_some();
        (!single).then(|| rule.fault.clone())
    }

    /// The how-manieth of a selector's calls the next is.
    fn nth(&self, selector: &str) -> usize {
        let fitting = self
            .log
            .iter()
            .filter(|entry| faults::fits(selector, Seen::from(*entry)));
        fitting.count() + 1
    }

    /// Lets those act whose moment it is.
    fn others(&mut self, call: &Call, moment: Moment) {
        if self.hooks.is_empty() {
            return;
        }
        let due: Vec<bool> = self
            .hooks
            .iter()
            .map(|hook| {
                hook.moment == moment
                    && faults::fits(&hook.selector, call.seen())
                    && self.nth(&hook.selector) == hook.nth
            })
            .collect();
        let mut due = due.into_iter();
        let hooks: Vec<Hook> = self
            .hooks
            .extract_if(.., |_| due.next().unwrap_or_default())
            .collect();
        for hook in hooks {
            (hook.act)(&mut self.stock);
        }
    }

    /// Counts a request; whether S3 still takes it.
    fn in_pace(&mut self, now: Duration) -> bool {
        if self.pace.0 != now.as_secs() {
            self.pace = (now.as_secs(), 0);
        }
        self.pace.1 += 1;
        self.settings.rate.is_none_or(|rate| self.pace.1 <= rate)
    }
}

impl Call {
    fn of_s3(head: &Request, taken: &Taken) -> Self {
        let asked = Ask::of(head);
        let ask = asked.as_ref().ok();
        Self {
            service: "s3",
            operation: ask.map_or("Unknown", |ask| ask.operation),
            bucket: ask.map(|ask| ask.bucket.clone()).unwrap_or_default(),
            key: ask.map(|ask| ask.key.clone()).unwrap_or_default(),
            keys: match ask.map(|ask| ask.operation) {
                Some("DeleteObjects") => s3::keys_of(taken.bytes()),
                _ => Vec::new(),
            },
            query: ask.map(|ask| ask.query.clone()).unwrap_or_default(),
            asked: asked.map(Asked::S3),
        }
    }

    fn of_cloudfront(head: &Request, taken: &Taken) -> Self {
        let asked = cloudfront::Ask::of(head);
        let ask = asked.as_ref().ok();
        Self {
            service: "cloudfront",
            operation: ask.map_or("Unknown", |ask| ask.operation),
            bucket: ask.map(|ask| ask.distribution.clone()).unwrap_or_default(),
            key: ask.map(|ask| ask.invalidation.clone()).unwrap_or_default(),
            keys: match ask.map(|ask| ask.operation) {
                Some("CreateInvalidation") => cloudfront::paths_of(taken.bytes()),
                _ => Vec::new(),
            },
            query: ask.map(|ask| ask.query.clone()).unwrap_or_default(),
            asked: asked.map(Asked::CloudFront),
        }
    }

    fn seen(&self) -> Seen<'_> {
        Seen {
            service: self.service,
            operation: self.operation,
            key: &self.key,
            keys: &self.keys,
        }
    }
}
