//! A thread with a run time of its own that listens on loopback until it is dropped.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::thread::{self, JoinHandle};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// Stops and joins its thread when dropped; open connections are closed by that.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Hands each connection to `serve`, on a port that the system chooses.
    pub(crate) fn start<F, T>(name: &str, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + 'static,
    {
        Self::start_at(name, 0, serve)
    }

    /// The same on this port; 0 for one that the system chooses.
    pub(crate) fn start_at<F, T>(name: &str, port: u16, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> T + Send + 'static,
        T: Future<Output = ()> + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            LocalSet::new().block_on(&runtime, async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    () = accept(listener, Rc::new(serve)) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Dropping the sender is the sign to stop.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed by the thread itself.
            let _ = thread.join();
        }
    }
}

async fn accept<F, T>(listener: TcpListener, serve: Rc<F>)
where
    F: Fn(TcpStream) -> T + 'static,
    T: Future<Output = ()> + 'static,
{
    loop {
        // An error here is one client's that left before it was accepted.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(stream));
        }
    }
}
