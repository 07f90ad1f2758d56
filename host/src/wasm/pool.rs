//! The pool of one use of an operator in a recipe: instances for the workers, each with the
//! operator created with its parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use anyhow::Result;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use arrow::datatypes::{DataType, Field};

use super::abi::v0_2;
use super::clusters::Clusters;
use super::component::LoadedComponent;
use super::contract::{
    COUNTS, Computed, Cost, DROPPED, Descriptor, Input, Kind, Limits, Output, ROW, Reply, SEEN,
    Signature, Wanted,
};
use super::drop_reasons;
use super::grants::Grants;
use super::instance::{Bare, CallError, OpInstance};
use super::seen::Seen;
use super::size;
use crate::data::{Batch, FieldType, Stat};
use crate::error::UserError;

/// Hashes the keys of each row to 64 bits; the empty key is 0, and no other is. Fails unless the
/// keys are lists of strings.
pub fn key_hashes(keys: &dyn Array) -> Result<ListArray, String> {
    let lists = keys.as_list_opt::<i32>();
    let Some((lists, texts)) =
        lists.and_then(|lists| Some((lists, lists.values().as_string_opt::<i32>()?)))
    else {
        return Err("keys that are not lists of strings".into());
    };
    let hash = |text: &str| {
        if text.is_empty() {
            0
        } else {
            xxhash_rust::xxh3::xxh3_64(text.as_bytes()).max(1)
        }
    };
    let hashes: UInt64Array = texts
        .iter()
        .map(|text| hash(text.unwrap_or_default()))
        .collect();
    let item = Arc::new(Field::new_list_field(DataType::UInt64, true));
    Ok(ListArray::new(
        item,
        lists.offsets().clone(),
        Arc::new(hashes),
        lists.nulls().cloned(),
    ))
}

/// Drops the stats that no one reads, so that all answers to an op have the same ones.
fn drop_unwanted(output: &mut Output, wanted: &[String]) {
    if let Output::Filtered { stats, .. } = output {
        stats.retain(|stat| wanted.contains(&stat.key));
    }
}

/// Fingerprints of a grouper's keys: equal for equal keys, and for all rows without a key. Fails
/// unless the keys are strings or JSON texts.
fn group_prints(keys: &dyn Array) -> Result<Output, String> {
    let Some(keys) = keys.as_string_view_opt() else {
        return Err("keys that are not strings".into());
    };
    let print = |key: Option<&str>| {
        key.map_or(0, |key| xxhash_rust::xxh3::xxh3_128(key.as_bytes()).max(1))
            .to_le_bytes()
    };
    Ok(Output::Fingerprints {
        width: 16,
        per_row: 1,
        data: keys.iter().flat_map(print).collect(),
        valid: None,
    })
}

/// Linear memory up to which an instance is lent again: enough for small partitions, of which there are
/// many. Larger ones kept would cost a tenth of the memory of a run, and save no time that can be seen.
const LENT_AGAIN: usize = 4 << 20;

/// Makes and lends instances. Thread-safe; making one takes about 10 µs, the time of the guest's
/// `create`, and a fault for each page of memory that it then uses.
pub struct OpPool {
    component: Arc<LoadedComponent>,
    descriptor: Descriptor,
    params: String,
    limits: Limits,
    grants: Grants,
    seed: u64,
    signature: Signature,
    /// For an operator that is called again once all keys are known: the field in which it then
    /// gets what was found, and the signature of these calls.
    again: Option<(&'static str, Signature)>,
    seen: Option<Seen>,
    hamming_distance: Option<u32>,
    clusters: Clusters,
    /// The guest's own signature, where the host reads or writes more fields for it.
    own_signature: Option<Signature>,
    gives_stats: bool,
    /// The stats that someone reads, if the operator is told: it may leave out the others.
    wanted_stats: Option<Vec<String>>,
    idle: Mutex<Vec<OpInstance>>,
    created: AtomicU64,
    died: AtomicU64,
    /// From a deduplicator's or selector's first answer: type, bytes, number per row.
    key_shape: OnceLock<(DataType, usize, usize)>,
}

impl OpPool {
    /// Creates the operator once, so that a mistake in its parameters shows now, and asks for its
    /// signature.
    ///
    /// `params` is the object for the guest's `create`. Errors are the user's, at `place`.
    pub(crate) fn new(
        component: Arc<LoadedComponent>,
        descriptor: Descriptor,
        params: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        grants: Grants,
        seed: u64,
        place: &str,
    ) -> Result<Self> {
        let hamming_distance = match descriptor.hamming_parameter() {
            None => None,
            Some(parameter) => {
                let bits = params
                    .get(parameter)
                    .and_then(serde_json::Value::as_u64)
                    .filter(|bits| *bits < 64);
                let wrong = || {
                    let message = format!(
                        "operator `{}` gives no number below 64 as `{parameter}`, by which its fingerprints may differ",
                        descriptor.name
                    );
                    UserError::new(place, message)
                        .hint(format!("it comes from {}", component.source))
                };
                Some(bits.ok_or_else(wrong)? as u32)
            }
        };
        let clusters =
            Clusters::of(&descriptor, params).map_err(|message| UserError::new(place, message))?;
        let seen =
            Seen::of(&descriptor, params).map_err(|message| UserError::new(place, message))?;
        let params = serde_json::to_string(params)?;
        let mut pool = Self {
            component,
            descriptor,
            params,
            limits,
            grants,
            seed,
            signature: Signature::default(),
            again: None,
            seen,
            hamming_distance,
            clusters,
            own_signature: None,
            gives_stats: false,
            wanted_stats: None,
            idle: Mutex::default(),
            created: AtomicU64::new(0),
            died: AtomicU64::new(0),
            key_shape: OnceLock::new(),
        };
        let broken = |what: &str, error: CallError| {
            let name = &pool.descriptor.name;
            UserError::new(place, format!("operator `{name}` {what}: {error}"))
                .hint(format!("it comes from {}", pool.component.source))
        };
        let mut first = match pool.make(limits) {
            Ok(Ok(instance)) => instance,
            Ok(Err(message)) => return Err(UserError::new(place, message).into()),
            Err(error) => return Err(broken("failed while it was created", error).into()),
        };
        let mut signature = first
            .signature()
            .map_err(|e| broken("failed to say what it reads and writes", e))?;
        signature.json_constants = pool.descriptor.traits.json_constants;
        if signature.whole_rows && pool.descriptor.kind != Kind::Mapper {
            let kind = pool.descriptor.kind.as_str();
            let what = format!("it is a {kind}, and only mappers make whole rows");
            return Err(broken("cannot be used", CallError::Dead(what)).into());
        }
        let field = match (pool.descriptor.counts_keys(), &pool.seen) {
            (true, _) => Some(COUNTS),
            (false, Some(_)) => Some(SEEN),
            (false, None) => None,
        };
        if let Some(field) = field {
            let mut again = signature.clone();
            again.reads.push(Input {
                path: field.into(),
                ty: FieldType::F64List,
                required: false,
            });
            pool.again = Some((field, again));
        }
        if pool.descriptor.traits.gives_drop_reasons {
            let mut own = signature.clone();
            own.writes.push(Computed {
                path: DROPPED.into(),
                ty: FieldType::Utf8,
            });
            pool.own_signature = Some(own);
        }
        if pool.clusters.reads().is_some() || pool.clusters.has_fields() {
            pool.own_signature = Some(signature.clone());
            let reads = pool.clusters.reads().into_iter();
            let is_new = |read: &Input| signature.reads.iter().all(|r| r.path != read.path);
            let reads: Vec<Input> = reads.filter(is_new).collect();
            signature.reads.extend(reads);
            signature.writes.extend(pool.clusters.writes());
        }
        pool.signature = signature;
        pool.idle.get_mut().expect("just made").push(first);
        Ok(pool)
    }

    /// The operator's description of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Most rows that a call should have. A path is short and what it names is not: hundreds of images for
    /// a network, as many as a batch has, would run into the limit of a call's time.
    pub(crate) fn rows_per_call(&self) -> usize {
        match self.descriptor.needs.media && self.descriptor.cost == Cost::Heavy {
            true => 8,
            false => usize::MAX,
        }
    }

    /// The fields it reads and writes, those that the host reads or writes for it included.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether it changes rows by the number of rows with their keys; see
    /// [`Descriptor::counts_keys`].
    pub fn counts_keys(&self) -> bool {
        self.descriptor.counts_keys()
    }

    /// How keys are looked up, for a deduplicator that changes rows by what earlier rows have.
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// For a deduplicator that gives lists of keys, and is called again once those of all rows are
    /// known: the field in which it then gets what was found.
    pub fn field_of_found(&self) -> Option<&'static str> {
        self.again.as_ref().map(|(field, _)| *field)
    }

    /// For a deduplicator whose fingerprints need not be equal: the number of bits by which those
    /// of duplicates may differ.
    pub fn hamming_distance(&self) -> Option<u32> {
        self.hamming_distance
    }

    /// What becomes of each cluster of duplicates, if it is a deduplicator.
    pub fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    /// Reads the field by which rows are compared with their duplicates as `ty`, as another op does.
    pub fn rank_as(&mut self, ty: FieldType) {
        let field = self.clusters.reads().map(|read| read.path);
        let mut reads = self.signature.reads.iter_mut();
        if let Some(read) = reads.find(|read| Some(&read.path) == field.as_ref()) {
            read.ty = ty;
        }
    }

    /// Sets whether it receives the stats that it computes, where rows already have them. Off by
    /// default.
    pub fn give_stats(&mut self, give: bool) {
        self.gives_stats = give;
    }

    /// Sets the keys of its stats that someone reads; by default all are wanted. An operator that
    /// takes this is created with it from now on. Its other stats are left out of the answers.
    pub fn want_stats(&mut self, keys: Vec<String>) {
        if self.descriptor.traits.leaves_out_stats {
            self.idle.get_mut().expect("no panic while held").clear();
        }
        self.wanted_stats = Some(keys);
    }

    /// The component that it comes from.
    pub fn component(&self) -> &LoadedComponent {
        &self.component
    }

    /// The parameters with which instances are created, as JSON.
    pub fn params(&self) -> &str {
        &self.params
    }

    /// The limits of its instances.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What its instances may see beyond their batches.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The seed of its random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Instances made and instances that died so far.
    pub fn counts(&self) -> (u64, u64) {
        (
            self.created.load(Ordering::Relaxed),
            self.died.load(Ordering::Relaxed),
        )
    }

    /// Lends an instance, which [`give_back`](Self::give_back) takes back. A task takes one per
    /// operator.
    pub fn checkout(&self) -> Result<OpInstance> {
        match self.idle.lock().expect("no panic while held").pop() {
            Some(instance) => Ok(instance),
            None => self.fresh(),
        }
    }

    /// Makes an instance that has seen nothing.
    pub(crate) fn fresh(&self) -> Result<OpInstance> {
        match self.make(self.limits) {
            Ok(Ok(instance)) => Ok(instance),
            Ok(Err(message)) => anyhow::bail!(
                "operator `{}` refused the parameters it took before: {message}",
                self.descriptor.name
            ),
            Err(error) => anyhow::bail!(
                "operator `{}` could not be created again: {error}",
                self.descriptor.name
            ),
        }
    }

    /// Takes an instance back at the end of a task, to lend it again if it is of a pack that comes
    /// with djhost: what these answer depends on the batch alone, as tests make sure by cutting the
    /// same rows in different places. Of other operators that is not known, so no state of theirs
    /// outlives a partition.
    pub(crate) fn give_back(&self, instance: OpInstance) {
        if self.component.comes_with_djhost() && instance.peak_memory() <= LENT_AGAIN {
            self.idle
                .lock()
                .expect("no panic while held")
                .push(instance);
        }
    }

    /// Drops the instances that are not lent, with their memory: no task needs them soon.
    pub(crate) fn rest(&self) {
        self.idle.lock().expect("no panic while held").clear();
    }

    /// Returns the answer to `batch`. Replaces an instance that dies at once: `slot` is always
    /// usable afterwards.
    pub fn process(
        &self,
        slot: &mut OpInstance,
        batch: &Batch,
    ) -> Result<Result<Reply, CallError>> {
        let again = self.again.as_ref();
        let signature = again
            .filter(|(field, _)| batch.column(field).is_some())
            .map(|(_, signature)| signature)
            .or(self.own_signature.as_ref())
            .unwrap_or(&self.signature);
        let reply = slot
            .process(signature, batch, self.gives_stats)
            .and_then(|mut reply| {
                if self.descriptor.kind == Kind::Grouper && !matches!(reply.output, Output::Keys(_))
                {
                    return Err(CallError::Dead(
                        "invalid answer: a grouper gave the answer of another kind of operator"
                            .into(),
                    ));
                }
                if let Some(wanted) = &self.wanted_stats {
                    drop_unwanted(&mut reply.output, wanted);
                }
                if self.descriptor.traits.gives_drop_reasons {
                    drop_reasons::take_out(&mut reply)
                        .map_err(|m| CallError::Dead(format!("invalid answer: {m}")))?;
                }
                if let (Some(_), Output::Keys(keys)) = (&self.again, &reply.output) {
                    reply.output = Output::KeyLists(
                        key_hashes(keys)
                            .map_err(|m| CallError::Dead(format!("invalid answer: {m}")))?,
                    );
                }
                if let (Kind::Grouper, Output::Keys(keys)) = (self.descriptor.kind, &reply.output) {
                    reply.output = group_prints(keys)
                        .map_err(|m| CallError::Dead(format!("invalid answer: {m}")))?;
                }
                self.check(&reply.output, batch)
                    .map_err(|m| CallError::Dead(format!("invalid answer: {m}")))?;
                reply.beyond = size::check(&reply.output, batch, signature, &self.limits)
                    .map_err(|m| CallError::Dead(format!("invalid answer: {m}")))?;
                Ok(reply)
            });
        if let Err(CallError::Dead(_) | CallError::TimedOut(_)) = reply {
            self.died.fetch_add(1, Ordering::Relaxed);
            self.renew(slot)?;
        }
        Ok(reply)
    }

    /// Returns all stats of the rows of `batch`, those too that it is told nobody wants, where the
    /// operator is a filter. For a few rows: an operator that is told may decide much faster. `slot`
    /// has the instance between calls; an instance that dies is replaced.
    pub fn stats_of(
        &self,
        slot: &mut Option<OpInstance>,
        batch: &Batch,
    ) -> Result<Result<Vec<Stat>, CallError>> {
        let mut instance = match slot.take() {
            Some(instance) => instance,
            None => match self.create(self.limits, None) {
                Ok(Ok(instance)) => instance,
                Ok(Err(message)) => return Ok(Err(CallError::Failed(message))),
                Err(error) => return Ok(Err(error)),
            },
        };
        let reply = instance.process(&self.signature, batch, self.gives_stats);
        if !matches!(reply, Err(CallError::Dead(_) | CallError::TimedOut(_))) {
            *slot = Some(instance);
        }
        Ok(reply.and_then(|reply| match reply.output {
            Output::Filtered { stats, .. } if reply.rejected.is_empty() => Ok(stats),
            _ => Err(CallError::Failed("no stats of all rows".into())),
        }))
    }

    /// Replaces an instance with another one.
    fn renew(&self, slot: &mut OpInstance) -> Result<()> {
        let fresh = self.checkout()?;
        std::mem::replace(slot, fresh).hand_over(slot);
        Ok(())
    }

    /// For selectors: the rows that stay, given the keys of all rows of the dataset in input order.
    /// The limits grow with the keys.
    pub fn select(&self, keys: &ArrayRef) -> Result<Vec<bool>> {
        let failed = |what: String| {
            let (name, rows) = (&self.descriptor.name, keys.len());
            let error =
                anyhow::anyhow!("operator `{name}` failed to select among {rows} keys: {what}");
            if what.contains("out of memory") {
                return error
                    .context("a selector gets the keys of all its rows at once; drop rows before it, or select in parts of the dataset");
            }
            error
        };
        let column = v0_2::column(keys).map_err(failed)?;
        let limits = self
            .limits
            .for_keys(keys.len(), v0_2::column_bytes(&column));
        let mut instance = match self.make(limits) {
            Ok(made) => made.map_err(failed)?,
            Err(error) => return Err(failed(error.to_string())),
        };
        instance
            .select(column, keys.len())
            .map_err(|error| failed(error.to_string()))
    }

    /// Checks what the contract demands of an answer beyond its columns, and that all keys have the
    /// same shape.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, output: &Output, batch: &Batch) -> Result<(), String> {
        if let Some((field, _)) = &self.again {
            return match (batch.column(field), output) {
                (None, Output::KeyLists(_)) | (Some(_), Output::Updated(_)) => Ok(()),
                (None, _) => Err("it must give lists of keys, and gave none".into()),
                (Some(_), _) => Err(format!("with `{field}` it must answer with new values")),
            };
        }
        if self.signature.whole_rows && !matches!(output, Output::Rows { .. }) {
            return Err("it rewrites whole rows, and must answer with rows".into());
        }
        let shape = match (self.descriptor.kind, output) {
            (Kind::Filter, Output::Filtered { .. }) | (Kind::Mapper, Output::Updated(_)) => {
                return Ok(());
            }
            (Kind::Mapper, Output::Rows { origins, fields }) if self.signature.whole_rows => {
                let whole = fields.len() == 1
                    && fields[0].path == ROW
                    && fields[0].values.null_count() == 0;
                return if whole || origins.is_empty() {
                    Ok(())
                } else {
                    Err(format!("it must give `{ROW}`, and nothing else"))
                };
            }
            (Kind::Mapper, Output::Rows { .. }) => return Ok(()),
            (Kind::Deduplicator, Output::Fingerprints { width, per_row, .. })
                if self.hamming_distance.is_some() && (*width, *per_row) != (8, 1) =>
            {
                return Err(format!(
                    "{per_row} fingerprints of {width} bytes per row; their bits are compared only where it is one of 8"
                ));
            }
            (Kind::Deduplicator | Kind::Grouper, Output::Fingerprints { width, per_row, .. }) => {
                (DataType::Null, *width, *per_row)
            }
            (Kind::Selector, Output::Keys(keys)) => (keys.data_type().clone(), 0, 0),
            (kind, _) => {
                return Err(format!(
                    "a {} gave the answer of another kind of operator",
                    kind.as_str()
                ));
            }
        };
        // Keys of all batches are compared with each other.
        let first = self.key_shape.get_or_init(|| shape.clone());
        if *first == shape {
            Ok(())
        } else {
            Err("keys of another type or shape than those of the batches before".into())
        }
    }

    fn make(&self, limits: Limits) -> Result<Result<OpInstance, String>, CallError> {
        self.create(limits, self.wanted_stats.as_deref())
    }

    /// Makes an instance that is told that only the stats `wanted` are; None: all.
    fn create(
        &self,
        limits: Limits,
        wanted: Option<&[String]>,
    ) -> Result<Result<OpInstance, String>, CallError> {
        self.created.fetch_add(1, Ordering::Relaxed);
        let (runtime, pre) = (self.component.runtime(), self.component.pre());
        let bare = Bare::new(
            runtime,
            pre,
            &self.descriptor.name,
            limits,
            &self.grants,
            self.seed,
        )
        .map_err(|e| {
            e.downcast::<CallError>()
                .unwrap_or_else(|e| CallError::Dead(format!("{e:#}")))
        })?;
        let traits = self.descriptor.traits;
        let wanted = Wanted {
            stats: wanted
                .filter(|_| traits.leaves_out_stats)
                .map(<[String]>::to_vec),
            drop_reasons: traits.gives_drop_reasons,
        };
        bare.create(&self.descriptor.name, &self.params, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{BooleanArray, Int64Array};

    #[test]
    fn unwanted_stats_are_dropped() {
        let stat = |key: &str| Stat {
            key: key.into(),
            data: Arc::new(Int64Array::from(vec![1])),
        };
        let mut output = Output::Filtered {
            keep: BooleanArray::from(vec![true]),
            stats: vec![stat("a"), stat("b")],
        };
        drop_unwanted(&mut output, &["b".into(), "c".into()]);
        let Output::Filtered { stats, .. } = output else {
            panic!("still a filter's answer");
        };
        assert_eq!(stats.len(), 1);
        assert_eq!(stats[0].key, "b");
    }
}
