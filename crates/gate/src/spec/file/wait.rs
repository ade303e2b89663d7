//! `wait`: what must be ready, and when to try.

use std::time::Duration;

use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::keys;
use crate::spec::file::targets::WaitTarget;
use crate::wait::Until;

keys! {
    /// Waits until targets are ready.
    Wait {
        /// The longest the wait may take. Default: `5m`.
        timeout: Leaf<Duration>,
        /// From the start of one try to the start of the next, at least `100ms`. Default: `5s`.
        interval: Leaf<Duration>,
        /// The longest one try may take. Default: `5s`.
        try_timeout: Leaf<Duration>,
        /// How many good tries in a row are a yes. Default: 1.
        success_threshold: Leaf<u32>,
        /// Whether all targets must be ready at the same moment (the default), or any one.
        until: Leaf<Until>,
        /// What must be ready: 1 to 200 targets.
        #[schemars(required, length(min = 1, max = 200))]
        targets: Vec<WaitTarget>,
    }
}
