//! Many requests side by side, as many as the store takes, each again where it may pass.

use std::cell::RefCell;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::sleep;

use crate::api::Refused;
use crate::pace::{Pace, pause};

/// How often a request is tried.
const TRIES: u32 = 8;

/// How many failures are told.
const TOLD: usize = 10;

/// What became of many requests.
#[derive(Debug)]
pub struct Ended<T> {
    /// What came of those that were done, by their number.
    pub done: Vec<(usize, T)>,
    /// Those that failed, the first few; none after the first are begun.
    pub failed: Vec<(usize, Refused)>,
}

/// Does `op` for each number below `count`. After one has failed for good, or the pace is stopped, no more are begun; those
/// under way are waited for.
pub async fn all<T, F>(
    count: usize,
    pace: &RefCell<Pace>,
    op: impl Fn(usize) -> F,
    mut each: impl FnMut(usize, &T),
) -> Ended<T>
where
    F: Future<Output = Result<T, Refused>>,
{
    let under_way = std::cell::Cell::new(0_usize);
    let one = |number: usize| {
        let (op, under_way) = (&op, &under_way);
        async move {
            let mut tried = 1;
            loop {
                match op(number).await {
                    Err(refused) if refused.may_pass() && tried < TRIES && !pace.borrow().is_stopped() => {
                        if refused.is_slow_down() {
                            pace.borrow_mut().slow_down(under_way.get());
                        }
                        sleep(pause(tried, number as u64)).await;
                        if pace.borrow().is_stopped() {
                            return (number, Err(refused));
                        }
                        tried += 1;
                    }
                    said => return (number, said),
                }
            }
        }
    };
    let mut running = FuturesUnordered::new();
    let mut ended = Ended {
        done: Vec::with_capacity(count),
        failed: Vec::new(),
    };
    let mut next = 0;
    loop {
        while next < count && ended.failed.is_empty() && running.len() < pace.borrow().limit() {
            if pace.borrow().is_stopped() {
                ended.failed.push((next, Refused::stopped()));
                break;
            }
            running.push(one(next));
            next += 1;
        }
        under_way.set(running.len());
        let Some((number, said)) = running.next().await else {
            return ended;
        };
        match said {
            Ok(value) => {
                pace.borrow_mut().well();
                each(number, &value);
                ended.done.push((number, value));
            }
            Err(refused) if ended.failed.len() < TOLD => ended.failed.push((number, refused)),
            Err(_) => {}
        }
    }
}
