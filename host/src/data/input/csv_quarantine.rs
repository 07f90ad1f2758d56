//! Separates the rows of a table that do not fit its header from the others.

use super::csv_lines::{Counted, Lines};
use super::source_lines::LineWriter;
use crate::term::counted;
use anyhow::{Result, bail, ensure};
use csv::{ByteRecord, Reader, ReaderBuilder, Writer, WriterBuilder};
use memchr::memmem;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Chain, Cursor, Read, Write};
use std::rc::Rc;

/// Appended to the table as a last row. If it does not come back as one, a quote is open.
const END: &[u8] = b"\x01end of the table\x01";

/// Bytes prepared at a time.
const PIECE: usize = 64 << 10;

type Source<R> = Counted<Chain<Chain<Cursor<Vec<u8>>, R>, Cursor<Vec<u8>>>>;

/// Strips a byte order mark, which would become part of the first name.
pub(crate) fn without_mark<R: Read>(mut from: R) -> Result<Chain<Cursor<Vec<u8>>, R>> {
    let mut head = Vec::new();
    from.by_ref().take(3).read_to_end(&mut head)?;
    if head == b"\xef\xbb\xbf" {
        head.clear();
    }
    Ok(Cursor::new(head).chain(from))
}

/// Reads a table and passes on the rows that fit.
pub(crate) struct Sieve<R: Read> {
    rows: Reader<Source<R>>,
    record: ByteRecord,
    delimiter: u8,
    /// Number of fields in the header.
    fields: Option<usize>,
    /// Good rows so far, header excluded.
    rows_before: u64,
    /// What the next read returns.
    text: Cursor<Vec<u8>>,
    lines: Rc<RefCell<Lines>>,
    rows_read: Rc<RefCell<RowsRead>>,
}

/// What is known of rows that were read and not yet written.
#[derive(Default)]
pub(crate) struct RowsRead {
    /// Whether somebody asks for it.
    is_wanted: bool,
    /// The line in which each good row begins.
    good: VecDeque<u64>,
    /// The other rows: the number of good rows before each, its line, and its replacement.
    bad: VecDeque<(u64, u64, String)>,
}

impl RowsRead {
    /// Writes the replacements of the bad rows before good row `row`, and notes their lines.
    pub(crate) fn write_bad_before(
        &mut self,
        row: u64,
        out: &mut impl Write,
        lines: &mut LineWriter<impl Write>,
    ) -> Result<()> {
        while let Some((_, line, text)) = self.bad.pop_front_if(|(before, ..)| *before <= row) {
            lines.row(line)?;
            writeln!(out, "{text}")?;
        }
        Ok(())
    }

    /// The line of the next good row.
    pub(crate) fn next_line(&mut self) -> Option<u64> {
        self.good.pop_front()
    }
}

impl<R: Read> Sieve<R> {
    pub(crate) fn new(from: R, delimiter: u8) -> Result<Self> {
        let lines = Rc::<RefCell<Lines>>::default();
        let inner = without_mark(from)?.chain(Cursor::new([b"\n", END, b"\n"].concat()));
        let source = Counted {
            inner,
            lines: Rc::clone(&lines),
        };
        Ok(Self {
            rows: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .from_reader(source),
            record: ByteRecord::new(),
            delimiter,
            fields: None,
            rows_before: 0,
            text: Cursor::default(),
            lines,
            rows_read: Rc::default(),
        })
    }

    /// What becomes known of the rows as they are read.
    pub(crate) fn rows_read(&self) -> Rc<RefCell<RowsRead>> {
        self.rows_read.borrow_mut().is_wanted = true;
        Rc::clone(&self.rows_read)
    }

    /// Puts the next good rows into `text`; leaves it empty at the end.
    fn fill(&mut self) -> Result<()> {
        let mut out = self.writer();
        let mut bytes = 0;
        while bytes < PIECE && self.next(&mut out)? {
            bytes += self.record.as_slice().len();
        }
        self.text = Cursor::new(out.into_inner()?);
        Ok(())
    }

    /// Writes the next good row to `out`; false at the end.
    fn next(&mut self, out: &mut Writer<Vec<u8>>) -> Result<bool> {
        while self.rows.read_byte_record(&mut self.record)? {
            // The reader's own count is late where lines end in `\r\n`, and early after blank
            // lines.
            let line = self
                .lines
                .borrow_mut()
                .of(self.record.position().map_or(0, |at| at.byte()));
            if self.record.len() == 1 && &self.record[0] == END {
                return Ok(false);
            }
            if self
                .record
                .iter()
                .next_back()
                .is_some_and(|last| memmem::find(last, END).is_some())
            {
                bail!(
                    "a quote that opens in line {line} or below is never closed: all that follows would be one field"
                );
            }
            let is_header = self.fields.is_none();
            let fields = *self.fields.get_or_insert(self.record.len());
            let wrong = if self.record.len() != fields {
                format!(
                    "line {line} has {}, the header has {fields}",
                    counted(self.record.len() as u64, "field")
                )
            } else if self
                .record
                .iter()
                .any(|field| std::str::from_utf8(field).is_err())
            {
                ensure!(!is_header, "the header is not UTF-8");
                format!("line {line} is not UTF-8")
            } else {
                out.write_byte_record(&self.record)?;
                self.rows_before += u64::from(!is_header);
                let mut rows_read = self.rows_read.borrow_mut();
                if !is_header && rows_read.is_wanted {
                    rows_read.good.push_back(line);
                }
                return Ok(true);
            };
            if !self.rows_read.borrow().is_wanted {
                continue;
            }
            let mut text = self.writer();
            text.write_byte_record(&self.record)?;
            let text = String::from_utf8_lossy(&text.into_inner()?)
                .trim_end()
                .to_owned();
            self.rows_read.borrow_mut().bad.push_back((
                self.rows_before,
                line,
                serde_json::to_string(&[wrong, text])?,
            ));
        }
        Ok(false)
    }

    fn writer(&self) -> Writer<Vec<u8>> {
        WriterBuilder::new()
            .flexible(true)
            .delimiter(self.delimiter)
            .from_writer(Vec::new())
    }
}

impl<R: Read> Read for Sieve<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.text.read(bytes)?;
            if got > 0 || bytes.is_empty() {
                return Ok(got);
            }
            self.fill().map_err(io::Error::other)?;
            if self.text.get_ref().is_empty() {
                return Ok(0);
            }
        }
    }
}
