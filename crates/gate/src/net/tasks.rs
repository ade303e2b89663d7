//! HTTP's own tasks beside a request, inside one future: what hyper would spawn lives here, and is dropped with the look.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The tasks of one connection.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    new: Rc<RefCell<Vec<Task>>>,
}

impl<F: Future<Output = ()> + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.new.borrow_mut().push(Box::pin(task));
    }
}

impl Tasks {
    /// Runs `work` to its end, and the tasks as long as that takes.
    pub(crate) async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let mut running = FuturesUnordered::new();
        let mut work = pin!(work);
        poll_fn(|context| {
            loop {
                running.extend(self.new.take());
                while let Poll::Ready(Some(())) = running.poll_next_unpin(context) {}
                if let Poll::Ready(done) = work.as_mut().poll(context) {
                    return Poll::Ready(done);
                }
                // A task that was added meanwhile has not been polled, so nothing would wake it.
                if self.new.borrow().is_empty() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn tasks_run_beside_the_work_and_end_with_it() {
        let tasks = Tasks::default();
        let (tell, told) = oneshot::channel();
        let kept = Rc::new(());
        let (spawner, held) = (tasks.clone(), Rc::clone(&kept));
        tasks.execute(async move {
            spawner.execute(async move {
                tell.send(7).unwrap();
            });
            std::future::pending::<()>().await;
            drop(held);
        });
        assert_eq!(tasks.beside(told).await, Ok(7));
        assert_eq!(Rc::strong_count(&kept), 1, "what went on was dropped");
    }
}
