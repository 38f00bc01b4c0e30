//! The planned features of a model, with buffers for each thread that computes, not for each stream.

use crate::error::Result;
use crate::features::Features;
use crate::pool::Pool;

/// Threads whose buffers are kept.
const MAX_IDLE: usize = 64;

#[derive(Debug)]
pub(crate) struct FeaturesPool {
    plan: Features,
    idle: Pool<Features>,
}

impl FeaturesPool {
    pub fn new(plan: Features) -> Result<Self> {
        Ok(Self { plan, idle: Pool::new(MAX_IDLE)? })
    }

    /// For what depends on the plan alone.
    pub fn plan(&self) -> &Features {
        &self.plan
    }

    /// Lets `work` compute. Nobody waits for another.
    pub fn with<T>(&self, work: impl FnOnce(&mut Features) -> T) -> Result<T> {
        let mut features = match self.idle.take(|_| true) {
            Some(features) => features,
            None => self.plan.try_clone()?,
        };
        let result = work(&mut features);
        self.idle.put(features);
        Ok(result)
    }
}
