//! One planned front end for all who use it.

use parking_lot::Mutex;

use super::Features;

/// The front end of a model. Its tables and buffers are as many times there as threads compute at the same time, not
/// once a stream.
#[derive(Debug)]
pub(crate) struct FrontEnd {
    plan: Features,
    idle: Mutex<Vec<Features>>,
}

impl FrontEnd {
    pub fn new(plan: Features) -> Self {
        Self { plan, idle: Mutex::default() }
    }

    /// For what depends on the plan alone.
    pub fn plan(&self) -> &Features {
        &self.plan
    }

    /// Lets `work` compute. Nobody waits for another.
    pub fn with<T>(&self, work: impl FnOnce(&mut Features) -> T) -> T {
        let idle = self.idle.lock().pop();
        let mut features = idle.unwrap_or_else(|| self.plan.clone());
        let result = work(&mut features);
        self.idle.lock().push(features);
        result
    }
}
