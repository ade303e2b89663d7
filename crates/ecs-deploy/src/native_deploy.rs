//! Deploys whose traffic ECS itself shifts (blue-green, linear, canary): how the service is set for them, which service
//! deployment a run created, following it through its stages, answering its pauses, and taking it back.
//!
//! ECS does the shifting and the going back; this reads what it does and makes three calls: the update that begins it, the
//! answer to a pause, and the stop.

pub mod back;
pub mod failing;
pub mod follow;
pub mod listed;
pub mod recover;
pub mod rollback;
pub mod settings;
pub mod status;
pub mod stop;
