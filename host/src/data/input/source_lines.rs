//! Maps rows of an unpacked file to lines of the original: rows of tables and elements of arrays
//! span lines, or share one.
//!
//! A file next to the unpacked rows has runs of equally spaced rows: number of rows, line of the
//! first (relative to the previous run's first), lines from each to the next. A number takes seven
//! bits per byte, lowest first; the eighth bit says that more follow. A table without line breaks
//! in its fields is one run, and so is an array on one line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::rundir::AtomicFile;

/// The path of the line file for the unpacked rows at `path`.
pub(crate) fn lines_path(path: &Path) -> PathBuf {
    path.with_extension("lines")
}

/// Rows that begin in lines `first`, `first + step`, ….
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    rows: u64,
    first: u64,
    step: u64,
}

/// Writes the lines.
pub(crate) struct LineWriter<W: Write> {
    out: BufWriter<W>,
    run: Run,
    /// The first line of the previous run.
    before: u64,
}

impl<W: Write> LineWriter<W> {
    pub(crate) fn new(file: W) -> Self {
        Self {
            out: BufWriter::new(file),
            run: Run::default(),
            before: 0,
        }
    }

    /// Notes that the next row begins in `line`, at or after the previous one's.
    pub(crate) fn row(&mut self, line: u64) -> io::Result<()> {
        let run = &mut self.run;
        if run.rows == 1 {
            run.step = line - run.first;
        }
        if run.rows > 0 && line == run.first + run.step * run.rows {
            run.rows += 1;
            return Ok(());
        }
        self.end_run()?;
        self.run = Run {
            rows: 1,
            first: line,
            step: 0,
        };
        Ok(())
    }

    fn end_run(&mut self) -> io::Result<()> {
        let Run { rows, first, step } = std::mem::take(&mut self.run);
        if rows > 0 {
            for number in [rows, first - self.before, step] {
                write_number(&mut self.out, number)?;
            }
            self.before = first;
        }
        Ok(())
    }

    /// The file, with all of it written.
    fn end(mut self) -> io::Result<W> {
        self.end_run()?;
        self.out.into_inner().map_err(|e| e.into_error())
    }
}

impl LineWriter<AtomicFile> {
    /// Puts the file at its place.
    pub(crate) fn finish(self) -> Result<()> {
        self.end()?.commit()
    }
}

fn write_number(out: &mut impl Write, mut number: u64) -> io::Result<()> {
    while number >= 0x80 {
        out.write_all(&[number as u8 | 0x80])?;
        number >>= 7;
    }
    out.write_all(&[number as u8])
}

/// Looks up the lines of rows, in ascending order.
pub(crate) struct LineReader {
    from: BufReader<File>,
    run: Run,
    /// Rows before the run.
    rows_before: u64,
}

impl LineReader {
    /// For the unpacked rows at `path`; None if they have no line file, because their lines are
    /// those of the file itself.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match File::open(lines_path(path)) {
            Ok(file) => Ok(Some(Self {
                from: BufReader::new(file),
                run: Run::default(),
                rows_before: 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The line in which row `row`, counted from 0, begins. `row` must not decrease between calls.
    /// None after the last row.
    pub(crate) fn line(&mut self, row: u64) -> io::Result<Option<u64>> {
        while row >= self.rows_before + self.run.rows {
            if self.from.fill_buf()?.is_empty() {
                return Ok(None);
            }
            self.rows_before += self.run.rows;
            let rows = self.number()?;
            let first = self.run.first + self.number()?;
            self.run = Run {
                rows,
                first,
                step: self.number()?,
            };
        }
        Ok(Some(
            self.run.first + self.run.step * (row - self.rows_before),
        ))
    }

    fn number(&mut self) -> io::Result<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let mut byte = [0];
            self.from.read_exact(&mut byte)?;
            number |= u64::from(byte[0] & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte[0] < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_in_few_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let rows = dir.path().join("input_00000.jsonl");
        let through = |lines: &[u64]| {
            let mut writer = LineWriter::new(File::create(lines_path(&rows)).unwrap());
            lines.iter().for_each(|line| writer.row(*line).unwrap());
            writer.end().unwrap();
            let mut reader = LineReader::of(&rows).unwrap().unwrap();
            let read: Vec<u64> = (0..lines.len() as u64)
                .map(|row| reader.line(row).unwrap().unwrap())
                .collect();
            assert_eq!(read, lines);
            assert_eq!(reader.line(lines.len() as u64).unwrap(), None);
            std::fs::metadata(lines_path(&rows)).unwrap().len()
        };
        assert_eq!(through(&[]), 0);
        assert!(through(&(2..100_000).collect::<Vec<_>>()) < 8);
        assert!(through(&[1; 100_000]) < 8);
        assert!(through(&(0..1000).map(|i| 3 + 7 * i).collect::<Vec<_>>()) < 8);
        through(&[
            2,
            5,
            5,
            5,
            9,
            10,
            11,
            300,
            1_000_000,
            1_000_001,
            1_000_003,
            u64::from(u32::MAX) << 10,
        ]);
        assert!(
            LineReader::of(&dir.path().join("other.jsonl"))
                .unwrap()
                .is_none()
        );
    }
}
