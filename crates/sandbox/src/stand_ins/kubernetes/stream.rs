//! Bodies that come bit by bit. Who reads one asks again after a while; nothing is pushed.

use super::cluster::Shared;
use super::logs::Following;
use super::watch::Watching;
use super::world::World;

/// A body under way.
#[derive(Debug)]
pub struct Stream {
    shared: Shared,
    flow: Flow,
}

/// What there is of a body at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The next bytes.
    Data(Vec<u8>),
    /// Nothing now.
    Later,
    /// It is over.
    End,
}

#[derive(Debug)]
pub(crate) enum Flow {
    Watch(Box<Watching>),
    Log(Box<Following>),
}

impl Stream {
    pub(crate) fn new(shared: Shared, flow: Flow) -> Self {
        Self { shared, flow }
    }

    /// What has come since it was asked last, on the cluster's clock.
    pub fn take(&mut self) -> Piece {
        let Self { shared, flow } = self;
        match shared.read(|world| flow.take(world)) {
            None => Piece::End,
            Some(bytes) if bytes.is_empty() => Piece::Later,
            Some(bytes) => Piece::Data(bytes),
        }
    }
}

impl Flow {
    fn take(&mut self, world: &World) -> Option<Vec<u8>> {
        match self {
            Self::Watch(watching) => watching.take(world),
            Self::Log(following) => following.take(world),
        }
    }
}
