//! The footer of an Arrow IPC file: the only place that says for sure where its record batches are.
//! Writers put before the first batch what they like; polars does.

use super::handle::Handle;
use anyhow::{Context, Result, anyhow, bail, ensure};
use arrow::datatypes::SchemaRef;
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::{Block, root_as_footer, root_as_message};
use std::sync::Arc;

/// The start and the end of a file.
pub(crate) const MAGIC: &[u8; 6] = b"ARROW1";

/// No sound footer or message has more metadata than this.
pub(crate) const MAX_METADATA: u64 = 256 << 20;

pub(crate) struct Footer {
    pub(crate) schema: SchemaRef,
    /// Rows of each record batch, in the order of the file.
    pub(crate) rows: Vec<u64>,
    /// Where the first block is, or the footer if there is none.
    pub(crate) first: u64,
}

/// Reads the footer of a file of `size` bytes. All that it points to lies within the file.
pub(crate) fn read(file: &Handle, size: u64) -> Result<Footer> {
    // The length of the footer, and the magic again.
    let mut tail = [0; 10];
    let at = size.checked_sub(10).context("it is too short")?;
    file.read_exact_at(&mut tail, at)?;
    let [a, b, c, d, magic @ ..] = tail;
    // A file without its footer was not written to the end.
    ensure!(
        magic == *MAGIC,
        "it is not complete: it does not end with `ARROW1`"
    );
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    ensure!(
        length <= at && length <= MAX_METADATA,
        "a footer of {length} bytes does not fit into the file"
    );
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, at - length)?;
    let footer = root_as_footer(&bytes).map_err(|e| anyhow!("its footer is no footer: {e}"))?;
    let schema = footer.schema().context("its footer has no schema")?;
    let schema = Arc::new(try_fb_to_schema(schema)?);
    let mut first = at - length;
    for block in footer.dictionaries().into_iter().flatten() {
        first = first.min(check(block, at)?);
    }
    let blocks = footer.recordBatches().into_iter().flatten();
    let mut rows = Vec::with_capacity(blocks.size_hint().0);
    for block in blocks {
        first = first.min(check(block, at)?);
        rows.push(rows_of(file, block)?);
    }
    Ok(Footer {
        schema,
        rows,
        first,
    })
}

/// Fails if `block` does not end before `end`. Returns where it starts.
fn check(block: &Block, end: u64) -> Result<u64> {
    let [at, metadata, body] = [
        block.offset(),
        block.metaDataLength().into(),
        block.bodyLength(),
    ]
    .map(|number| u64::try_from(number).ok());
    let (Some(at), Some(metadata), Some(body)) = (at, metadata, body) else {
        bail!("its footer has a block of less than no bytes");
    };
    let last = at
        .checked_add(metadata)
        .and_then(|last| last.checked_add(body));
    ensure!(
        metadata <= MAX_METADATA && last.is_some_and(|last| last <= end),
        "the block at byte {at} does not fit into the file: it was cut"
    );
    Ok(at)
}

/// The rows of the record batch in `block`.
fn rows_of(file: &Handle, block: &Block) -> Result<u64> {
    let at = u64::try_from(block.offset())?;
    let mut bytes = vec![0; block.metaDataLength() as usize];
    file.read_exact_at(&mut bytes, at)?;
    // Its length stands before a message, behind four bytes of ones in all but old files.
    let message = match &bytes[..] {
        [0xff, 0xff, 0xff, 0xff, _, _, _, _, message @ ..] | [_, _, _, _, message @ ..] => message,
        _ => bail!("no message starts at byte {at}"),
    };
    let message = root_as_message(message).map_err(|e| anyhow!("at byte {at}: {e}"))?;
    let batch = message
        .header_as_record_batch()
        .with_context(|| format!("no record batch is at byte {at}"))?;
    Ok(u64::try_from(batch.length())?)
}
