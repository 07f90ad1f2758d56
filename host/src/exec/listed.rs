//! Tasks that are told instead of done: whoever runs the job in this way has others do them.

use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::context::TaskContext;
use super::executor::{Executor, Steps};
use crate::checkpoint::Manifest;
use crate::error::Stopped;

/// The tasks that can be done now. Cheap to clone; all clones are one list.
#[derive(Debug, Clone, Default)]
pub struct TaskList(Arc<Mutex<Vec<String>>>);

impl TaskList {
    /// Returns them, as `steps.SEGMENT.PARTITION`, by partition.
    pub fn ids(&self) -> Vec<String> {
        self.0.lock().expect("no panic while held").clone()
    }
}

impl Executor for TaskList {
    fn slots(&self) -> usize {
        1
    }

    fn run(&self, _: &TaskContext<'_>, steps: &Steps<'_>, _: &dyn Fn(Manifest)) -> Result<()> {
        self.0.lock().expect("no panic while held").push(steps.id());
        Ok(())
    }

    fn end(&self, env: &TaskContext<'_>) -> Result<()> {
        if self.0.lock().expect("no panic while held").is_empty() {
            return Ok(());
        }
        env.stop.request("its tasks are for others");
        Err(Stopped.into())
    }
}
