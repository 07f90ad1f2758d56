//! The pool of one operator use in a recipe: as many instances as workers want, each with the operator created with its parameters.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use arrow::array::ArrayRef;

use super::contract::{Descriptor, Limits, Reply, Signature};
use super::instance::{Bare, CallError, OpInstance};
use super::registry::LoadedComponent;
use crate::dataset::Batch;
use crate::error::UserError;

/// Makes and hands out instances. Thread-safe; making one takes about 10 µs plus what the guest's `create` takes.
pub struct OpPool {
    component: Arc<LoadedComponent>,
    descriptor: Descriptor,
    params: String,
    limits: Limits,
    seed: u64,
    signature: Signature,
    idle: Mutex<Vec<OpInstance>>,
    created: AtomicU64,
    died: AtomicU64,
}

impl OpPool {
    /// Creates the operator once, so that a mistake in its parameters shows now, and asks for its signature.
    ///
    /// `params` is the object that the guest's `create` gets. Errors are the user's, at `place`.
    pub(super) fn new(
        component: Arc<LoadedComponent>,
        descriptor: Descriptor,
        params: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        seed: u64,
        place: &str,
    ) -> Result<Self> {
        let params = serde_json::to_string(params)?;
        let mut pool = Self {
            component,
            descriptor,
            params,
            limits,
            seed,
            signature: Signature::default(),
            idle: Mutex::default(),
            created: AtomicU64::new(0),
            died: AtomicU64::new(0),
        };
        let mut first = match pool.make() {
            Ok(Ok(instance)) => instance,
            Ok(Err(message)) => return Err(UserError::new(place, message).into()),
            Err(error) => return Err(UserError::new(place, format!("the operator failed while it was created: {error}")).into()),
        };
        pool.signature =
            first.signature().map_err(|e| UserError::new(place, format!("the operator failed to say what it reads and writes: {e}")))?;
        pool.idle.get_mut().expect("just made").push(first);
        Ok(pool)
    }

    /// The operator's own description.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What it reads and writes.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The component that it comes from.
    pub fn component(&self) -> &LoadedComponent {
        &self.component
    }

    /// The parameters with which instances are created, as JSON.
    pub fn params(&self) -> &str {
        &self.params
    }

    /// Its limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Instances made and instances that died so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.created.load(Ordering::Relaxed), self.died.load(Ordering::Relaxed))
    }

    /// An instance of one's own, until it dies or is dropped. A task takes one per operator and drops it at its end, so no state of a guest
    /// outlives a partition.
    pub fn checkout(&self) -> Result<OpInstance> {
        if let Some(instance) = self.idle.lock().expect("no panic while held").pop() {
            return Ok(instance);
        }
        match self.make() {
            Ok(Ok(instance)) => Ok(instance),
            Ok(Err(message)) => anyhow::bail!("operator `{}` refused the parameters it took before: {message}", self.descriptor.name),
            Err(error) => anyhow::bail!("operator `{}` could not be created again: {error}", self.descriptor.name),
        }
    }

    /// The answer to `batch`. An instance that dies is replaced at once: `slot` is always good afterwards.
    pub fn process(&self, slot: &mut OpInstance, batch: &Batch) -> Result<Result<Reply, CallError>> {
        let reply = slot.process(&self.signature, batch);
        if let Err(CallError::Dead(_)) = reply {
            self.died.fetch_add(1, Ordering::Relaxed);
            let fresh = self.checkout()?;
            std::mem::replace(slot, fresh).hand_over(slot);
        }
        Ok(reply)
    }

    /// Selectors: which rows stay, given the keys of all rows of the dataset in input order.
    pub fn select(&self, keys: &ArrayRef) -> Result<Vec<bool>> {
        self.checkout()?
            .select(keys)
            .map_err(|e| anyhow::anyhow!("operator `{}` failed to select among {} keys: {e}", self.descriptor.name, keys.len()))
    }

    fn make(&self) -> Result<Result<OpInstance, String>, CallError> {
        self.created.fetch_add(1, Ordering::Relaxed);
        let bare = Bare::new(self.component.runtime(), self.component.pre(), &self.descriptor.name, self.limits, self.seed)
            .map_err(|e| CallError::Dead(format!("{e:#}")))?;
        bare.create(&self.descriptor.name, &self.params)
    }
}
