//! Completes the rows of a checkpoint: reads what it does not store from the input again, at the
//! place that the row's id gives.

use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{Array, BinaryViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer};
use memchr::memchr;

use super::codec::Stored;
use super::patch;
use crate::data::batch::split_id;
use crate::data::input::handle::Handle;
use crate::data::{Batch, Dataset, Refetched};

/// Bytes read at a time: rows lie close together, and most of them are wanted.
const PIECE: usize = 512 << 10;
/// Upper bound of rows per batch.
const MAX_ROWS: usize = 8192;

/// Yields whole rows. Ids ascend, so the input is read from front to back.
pub(crate) struct Refetch<'a, I> {
    dataset: &'a Dataset,
    batches: I,
    batch_bytes: usize,
    /// A batch, and how many of its rows have been returned.
    waiting: Option<(Stored, usize)>,
    open: Option<Open<'a>>,
}

/// A file and a piece of it.
struct Open<'a> {
    number: usize,
    /// Makes the rows of a file of pages.
    pages: Option<Refetched<'a>>,
    name: String,
    file: Handle,
    bytes: u64,
    at: u64,
    piece: Buffer,
}

impl<'a, I: Iterator<Item = Result<Stored>>> Refetch<'a, I> {
    /// Wraps batches of any size; yields batches of about `batch_bytes` where it fetches rows.
    pub(crate) fn new(dataset: &'a Dataset, batches: I, batch_bytes: usize) -> Self {
        Self {
            dataset,
            batches,
            batch_bytes,
            waiting: None,
            open: None,
        }
    }

    fn next_batch(&mut self) -> Result<Option<Batch>> {
        let (stored, from) = match self.waiting.take() {
            Some(waiting) => waiting,
            None => match self.batches.next().transpose()? {
                Some(stored) => (stored, 0),
                None => return Ok(None),
            },
        };
        let batch = &stored.batch;
        let Some(raw) = &batch.raw else {
            return Ok(Some(stored.batch));
        };
        if raw.null_count() == 0 {
            let unknown = BinaryViewArray::new_null(raw.len());
            return Ok(Some(Batch {
                origin: Some(unknown),
                ..stored.batch
            }));
        }
        // The buffers of rows stored whole, then pieces of the input, last the patched rows.
        let mut buffers: Vec<Buffer> = raw.data_buffers().to_vec();
        let (mut rows, mut origins, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let (mut patched, mut places) = (Vec::new(), Vec::new());
        let (mut bytes, mut at) = (0, from);
        let mut number = None;
        while at < batch.rows()
            && rows.len() < MAX_ROWS
            && (bytes < self.batch_bytes || rows.is_empty())
        {
            known.push(raw.is_null(at));
            if raw.is_valid(at) {
                rows.push(raw.views()[at]);
                origins.push(0);
                bytes += raw.value(at).len();
            } else {
                let id = batch.ids.value(at);
                let (file, offset) = split_id(id);
                if self.open.as_ref().is_none_or(|o| o.number != file) {
                    self.open = Some(Open::new(self.dataset, file)?);
                    number = None;
                }
                let open = self.open.as_mut().context("opened above")?;
                let (start, end, moved) = open.row(offset)?;
                if moved || number.is_none() {
                    number = Some(u32::try_from(buffers.len())?);
                    buffers.push(open.piece.clone());
                }
                let origin = &open.piece[start..end];
                let view = make_view(origin, number.unwrap_or_default(), u32::try_from(start)?);
                origins.push(view);
                match stored.patch.as_ref().filter(|p| p.is_valid(at)) {
                    None => rows.push(view),
                    Some(patch) => {
                        let start = patched.len();
                        patch::apply(origin, patch.value(at), &mut patched)?;
                        places.push((rows.len(), start, patched.len()));
                        rows.push(0);
                    }
                }
                bytes += end - start;
            }
            at += 1;
        }
        let number = u32::try_from(buffers.len())?;
        for (row, start, end) in places {
            rows[row] = make_view(
                &patched[start..end],
                number,
                u32::try_from(start).context("rows of more than 4 GiB in one batch")?,
            );
        }
        buffers.push(Buffer::from_vec(patched));
        let mut out = batch.slice(from, at - from);
        let patches = stored.patch.as_ref().map_or_else(
            || BinaryViewArray::new_null(at - from),
            |p| p.slice(from, at - from),
        );
        out.stored = out.raw.take().map(|rows| [rows, patches]);
        out.raw = Some(BinaryViewArray::try_new(
            rows.into(),
            buffers.clone(),
            None,
        )?);
        out.origin = Some(BinaryViewArray::try_new(
            origins.into(),
            buffers,
            Some(NullBuffer::from(known)),
        )?);
        if at < batch.rows() {
            self.waiting = Some((stored, at));
        }
        Ok(Some(out))
    }
}

impl<I: Iterator<Item = Result<Stored>>> Iterator for Refetch<'_, I> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

impl<'a> Open<'a> {
    fn new(dataset: &'a Dataset, number: usize) -> Result<Self> {
        let input = dataset
            .files
            .get(number)
            .context("a stored row belongs to a file that the dataset does not have")?;
        let name = input.path.display().to_string();
        let file = Handle::open(input).with_context(|| format!("cannot open `{name}`"))?;
        let is_same = match &file {
            Handle::Local(file) => {
                let found = file
                    .metadata()
                    .with_context(|| format!("cannot read `{name}`"))?;
                let modified = found
                    .modified()?
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |d| d.as_nanos() as i128);
                // The time of an unpacked copy does not matter.
                found.len() == input.bytes
                    && (input.origin.is_some() || modified == input.modified_ns)
            }
            // Each reply is compared.
            Handle::Remote(_) => true,
        };
        if !is_same {
            bail!(
                "`{name}` has changed while the job ran; run it again: what has changed is then done anew"
            );
        }
        let is_pages = input.format.is_pages();
        Ok(Self {
            number,
            pages: is_pages.then(|| Refetched::new(dataset, number)),
            name,
            file,
            bytes: input.bytes,
            at: 0,
            piece: Buffer::from_vec(Vec::<u8>::new()),
        })
    }

    /// Fills `piece` to its capacity, starting at `offset`.
    fn fill(&self, piece: &mut Vec<u8>, offset: u64) -> Result<()> {
        let len = piece.capacity();
        while piece.len() < len {
            let from = piece.len();
            let file = match &self.file {
                Handle::Local(file) => file,
                Handle::Remote(remote) => {
                    let end = offset + len as u64;
                    piece.extend_from_slice(&remote.object.fetch(offset..end)?);
                    return Ok(());
                }
            };
            match rustix::io::pread(
                file,
                rustix::buffer::spare_capacity(piece),
                offset + from as u64,
            ) {
                Ok(0) => bail!("it ends before byte {}", offset + len as u64),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The range of the row at `offset` in the piece, without its line end, and whether the piece
    /// is a new one.
    fn row(&mut self, offset: u64) -> Result<(usize, usize, bool)> {
        ensure!(
            offset < self.bytes,
            "`{}` has no row at byte {offset}",
            self.name
        );
        if let Some(pages) = &mut self.pages {
            self.piece = Buffer::from_vec(pages.row(offset)?);
            return Ok((0, self.piece.len(), true));
        }
        let (mut moved, mut want) = (false, PIECE);
        loop {
            if let Some(start) = offset
                .checked_sub(self.at)
                .map(|s| s as usize)
                .filter(|s| *s < self.piece.len())
            {
                let rest = &self.piece[start..];
                let newline = memchr(b'\n', rest);
                if newline.is_some() || self.at + self.piece.len() as u64 == self.bytes {
                    let end = newline.unwrap_or(rest.len());
                    let end = if end > 0 && rest[end - 1] == b'\r' {
                        end - 1
                    } else {
                        end
                    };
                    return Ok((start, start + end, moved));
                }
            }
            let mut piece = Vec::with_capacity(want.min((self.bytes - offset) as usize));
            self.fill(&mut piece, offset)
                .with_context(|| format!("cannot read `{}` at byte {offset}", self.name))?;
            (self.at, self.piece, moved) = (offset, Buffer::from_vec(piece), true);
            want *= 2;
        }
    }
}
