//! The planned features of a model, with tables and buffers for each thread that computes, not for each stream.

use crate::features::Features;
use crate::pool::Pool;

/// Threads whose tables and buffers are kept.
const MAX_IDLE: usize = 64;

#[derive(Debug)]
pub(crate) struct FeaturesPool {
    plan: Features,
    idle: Pool<Features>,
}

impl FeaturesPool {
    pub fn new(plan: Features) -> Self {
        Self { plan, idle: Pool::new(MAX_IDLE) }
    }

    /// For what depends on the plan alone.
    pub fn plan(&self) -> &Features {
        &self.plan
    }

    /// Lets `work` compute. Nobody waits for another.
    pub fn with<T>(&self, work: impl FnOnce(&mut Features) -> T) -> T {
        let mut features = self.idle.take(|_| true).unwrap_or_else(|| self.plan.clone());
        let result = work(&mut features);
        self.idle.put(features);
        result
    }
}
