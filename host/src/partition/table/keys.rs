//! Lineage keys of the input: of a partition, and of everything that determines the export.

use super::Chosen;
use crate::checkpoint::Chains;
use crate::config::canonical_json;
use crate::data::{Dataset, InputFile, Partition};
use crate::plan::Prepared;
use crate::plan::lineage_key::{Key, KeyBuilder};

/// Returns the chains of lineage keys of all partitions.
pub(crate) fn chains(prepared: &Prepared, chosen: &Chosen) -> Chains {
    let inputs = chosen
        .identities
        .iter()
        .map(|identity| input_key(identity, prepared))
        .collect();
    Chains::new(&prepared.plan, inputs, &export_settings(prepared))
}

fn export_settings(prepared: &Prepared) -> String {
    let mut settings = format!(
        "{:?} stats {}",
        prepared.target.format, prepared.resolved.config.keep_stats_in_res_ds
    );
    // These are observed while parts are written.
    for key in prepared.plan.expect.stats() {
        settings.push_str(" expected ");
        settings.push_str(&key);
    }
    settings
}

/// Returns the key of what a partition's rows are made from: its input, and what the reader accepts
/// as a good row.
pub(super) fn input_key(identity: &Key, prepared: &Prepared) -> Key {
    reader(KeyBuilder::new("input").with(identity.as_str()), prepared).key()
}

fn reader(key: KeyBuilder, prepared: &Prepared) -> KeyBuilder {
    let config = &prepared.resolved.config;
    let key = key
        .with(canonical_json(&config.reader_json()))
        .with(config.on_error().word());
    let key = if prepared.export.makes_json() {
        key.with("as json")
    } else {
        key
    };
    // Types of columns depend on all files together: another file can change them.
    let columns = prepared
        .export
        .schema()
        .into_iter()
        .flat_map(|schema| schema.fields());
    let key = columns.fold(key, |key, field| {
        key.with(field.name()).with(field.data_type().to_string())
    });
    prepared
        .plan
        .fields
        .iter()
        .filter(|f| f.required)
        .fold(key, |key, field| {
            key.with(&field.path).with(field.ty.name().as_bytes())
        })
}

/// Returns the key of a partition's files in their present state and its slices of them. It
/// includes the number of each file, which is part of row ids.
pub(super) fn identity(dataset: &Dataset, partition: &Partition) -> Key {
    partition
        .slices
        .iter()
        .fold(KeyBuilder::new("slices"), |key, slice| {
            file(key, &dataset.files[slice.file])
                .number(slice.file as u64)
                .number(slice.start)
                .number(slice.end)
        })
        .key()
}

fn file(key: KeyBuilder, f: &InputFile) -> KeyBuilder {
    let (path, bytes, modified, version) = match &f.origin {
        Some(o) => (&o.path, o.bytes, o.modified_ns, &o.version),
        None => (&f.path, f.bytes, f.modified_ns, &f.version),
    };
    let key = key
        .with(path.as_os_str().as_encoded_bytes())
        .number(bytes)
        .with(modified.to_le_bytes());
    match version.as_ref().and_then(|version| version.tag.as_ref()) {
        Some(tag) => key.with(tag),
        None => key,
    }
}

/// Returns the key of everything that determines the bytes of the export. How the dataset is cut
/// does not.
pub(crate) fn request_key(prepared: &Prepared) -> Key {
    let target = &prepared.target;
    let place = target.remote.as_ref().unwrap_or(&target.path);
    let key = KeyBuilder::new("request")
        .with(place.as_os_str().as_encoded_bytes())
        .with(format!("{:?} {:?}", target.compression, target.shard_size))
        .with(export_settings(prepared));
    let key = target.split.iter().fold(key, |key, split| key.with(split));
    let key = prepared
        .dataset
        .files
        .iter()
        .fold(reader(key, prepared), file);
    prepared
        .plan
        .ops
        .iter()
        .fold(key, |key, op| key.with(op.identity.as_str()))
        .key()
}
