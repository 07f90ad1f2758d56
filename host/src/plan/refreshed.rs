//! Which fields an op must get anew, because an earlier op changed what lies in them or around them.

use super::PlannedOp;
use super::stats::overlap;
use crate::data::ReadField;

/// Returns for each op the fields that it uses and that an earlier op may have changed from inside
/// or outside: `meta` where one writes `meta.lang`, `meta.lang` where one writes `meta`. Fields are
/// taken out of a row once, so these must be made anew before the op looks (`data/refresh.rs`).
pub(crate) fn refreshed(ops: &[PlannedOp]) -> Vec<Vec<ReadField>> {
    let mut written: Vec<&str> = Vec::new();
    let each = ops.iter().map(|op| {
        let signature = op.pool.signature();
        let reads = signature.reads.iter().map(|read| ReadField {
            path: read.path.clone(),
            ty: read.ty,
            required: read.required,
        });
        let writes = signature.writes.iter().map(|write| ReadField {
            path: write.path.clone(),
            ty: write.ty,
            required: false,
        });
        let fields = reads.chain(writes).filter(|field| {
            let beside = |path: &&str| *path != field.path && overlap(path, &field.path);
            written.iter().any(beside)
        });
        let fields = fields.collect();
        if op.changes_shape() {
            written.clear();
        } else {
            written.extend(signature.writes.iter().map(|write| write.path.as_str()));
        }
        fields
    });
    each.collect()
}
