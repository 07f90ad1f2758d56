//! What does it cost to find duplicates among the fingerprints of very many rows, in bounded
//! memory?
//!
//! Key files as a job has them are made up on disk: unique rows, pairs, one huge group of equal
//! rows, and long chains (row 1 shares a band with row 2, row 2 another with row 3, …).
//! `DJHOST_BENCH_ROWS` says how many rows (20 million by default), `DJHOST_BENCH_MEMORY_MB` how
//! much memory (512 by default).

use std::path::PathBuf;
use std::time::Duration;

use djhost::testing::{
    Crew, Duplicates, KeyTable, KeysWriter, Mask, count_keys, first_in_pieces, first_of_groups,
    first_of_keys, first_of_near,
};
use djhost::testing::{Output, key_hashes};

/// Rows per key file, about what a partition of short web pages has.
const PARTITION: usize = 100_000;
/// Fingerprints of the last partition that are all equal.
const HUGE: usize = 50_000;

fn main() {
    let number = |name: &str, default: usize| {
        std::env::var(name).ok().map_or(default, |v| {
            v.parse().unwrap_or_else(|_| panic!("{name}: not a number"))
        })
    };
    let rows = number("DJHOST_BENCH_ROWS", 20_000_000);
    let memory = number("DJHOST_BENCH_MEMORY_MB", 512) << 20;
    println!("{rows} rows, {} MB for tables\n", memory >> 20);
    println!(
        "{:46} {:>13} {:>8} {:>13} {:>9} {:>10}",
        "keys", "fingerprints", "CPU s", "ns per print", "tables MB", "rows kept"
    );
    exact(rows, memory);
    bands(rows / 4, 25, memory);
    bands(rows / 40, 25, memory);
    near(rows / 4, memory);
    lines(rows / 20, 20, memory);
    let peak = peak_memory();
    println!("\npeak memory of the process: {peak} MB");
}

/// A number that looks random, always the same for the same `n`.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Key files of partitions.
struct Files {
    _dir: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn make(rows: usize, mut output: impl FnMut(std::ops::Range<u64>) -> Output) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut paths = Vec::new();
        for start in (0..rows).step_by(PARTITION) {
            let end = rows.min(start + PARTITION);
            let mut keys = KeysWriter::new();
            keys.add(end - start, Some(output(start as u64..end as u64)), &[])
                .expect("keys");
            let path = dir.path().join(format!("{start}.arrow"));
            std::fs::write(&path, keys.finish().expect("a file of keys"))
                .expect("room for the keys");
            paths.push(path);
        }
        Self { _dir: dir, paths }
    }

    fn table(&self, p: usize) -> anyhow::Result<KeyTable> {
        KeyTable::from_bytes(std::fs::read(&self.paths[p])?)
    }

    fn resolve(
        &self,
        title: &str,
        prints: usize,
        work: impl FnOnce(
            &(dyn Fn(usize) -> anyhow::Result<KeyTable> + Sync),
            &mut [Mask],
        ) -> anyhow::Result<usize>,
    ) {
        let mut masks: Vec<Mask> = (0..self.paths.len())
            .map(|p| Mask::new(0, self.table(p).expect("a table").accepted()))
            .collect();
        let mut used = 0;
        let cpu = cpu_time(|| used = work(&|p| self.table(p), &mut masks).expect("a result"));
        let kept: usize = masks.iter().map(Mask::count).sum();
        let per_print = cpu.as_nanos() as f64 / prints as f64;
        println!(
            "{title:46} {prints:>13} {:>8.2} {per_print:>13.0} {:>9} {kept:>10}",
            cpu.as_secs_f64(),
            used >> 20
        );
    }
}

/// One fingerprint of 16 bytes per row: one row in ten has that of the row before, the last rows
/// all have the same.
fn exact(rows: usize, memory: usize) {
    let files = Files::make(rows, |range| {
        let print = |row: u64| match row {
            _ if row as usize + HUGE >= rows => 7,
            _ if row % 10 == 9 => mix(row - 1),
            _ => mix(row),
        };
        let data = range
            .flat_map(|row| [print(row), mix(print(row))])
            .flat_map(u64::to_le_bytes)
            .collect();
        Output::Fingerprints {
            width: 16,
            per_row: 1,
            data,
            valid: None,
        }
    });
    files.resolve(
        "exact, a tenth doubled, 50,000 equal",
        rows,
        |tables, masks| {
            let crew = Crew::new(memory, 1);
            first_of_keys(tables, masks, 16, &crew, &mut Duplicates::ignored())
        },
    );
    in_pieces(&files, ("exact", rows), ((16, 1), None), memory);
}

/// Bands of 8 bytes: one row in ten is like the row before in one band; the last rows are all
/// equal; the first ones are a chain.
fn bands(rows: usize, per_row: usize, memory: usize) {
    let files = Files::make(rows, |range| {
        let mut data = Vec::with_capacity(range.clone().count() * per_row * 8);
        for row in range {
            for band in 0..per_row as u64 {
                let print = match row {
                    _ if row as usize + HUGE >= rows => band,
                    // A chain of 1,000 rows: each shares one band with the next, another with the
                    // one before.
                    0..1000 if band == row % 25 || band == (row + 1) % 25 => {
                        mix((row + u64::from(band != row % 25)) << 8)
                    }
                    _ if row % 10 == 9 && band == row % per_row as u64 => {
                        mix((row - 1) * 31 + band)
                    }
                    _ => mix(row * 31 + band),
                };
                data.extend_from_slice(&print.to_le_bytes());
            }
        }
        Output::Fingerprints {
            width: 8,
            per_row,
            data,
            valid: None,
        }
    });
    let title = format!("{per_row} bands of {rows} rows");
    files.resolve(&title, rows * per_row, |tables, masks| {
        first_of_groups(
            tables,
            masks,
            (8, per_row),
            &Crew::new(memory, 1),
            &mut Duplicates::ignored(),
        )
    });
    let how = ((8, per_row), None);
    in_pieces(&files, (&title, rows * per_row), how, memory);
}

/// Simhashes: one row in ten is three bits from the row before; the last rows are all equal; the
/// first ones are a chain.
fn near(rows: usize, memory: usize) {
    let files = Files::make(rows, |range| {
        let print = |row: u64| match row {
            _ if row as usize + HUGE >= rows => 7,
            // A chain of 1,000 rows: each differs from the next in a bit or two.
            0..1000 => mix(1) ^ row ^ row >> 1,
            _ if row % 10 == 9 => mix(row - 1) ^ 0x1000_0200_0040_0000,
            _ => mix(row),
        };
        Output::Fingerprints {
            width: 8,
            per_row: 1,
            data: range.map(print).flat_map(u64::to_le_bytes).collect(),
            valid: None,
        }
    });
    let title = format!("simhashes of {rows} rows, up to 4 bits apart");
    files.resolve(&title, rows, |tables, masks| {
        first_of_near(tables, masks, 4, memory, &mut Duplicates::ignored())
    });
    in_pieces(&files, ("simhashes", rows), ((8, 1), Some(4)), memory);
}

/// Keys that are counted: lines, one in five of which many rows have.
fn lines(rows: usize, per_row: usize, memory: usize) {
    use arrow::array::{ListBuilder, StringBuilder};
    let files = Files::make(rows, |range| {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in range {
            let line = |line: u64| {
                if line.is_multiple_of(5) {
                    mix(row * 31 + line) % 1000
                } else {
                    mix(row * 31 + line)
                }
            };
            lists.append_value((0..per_row as u64).map(|n| Some(line(n).to_string())));
        }
        Output::KeyLists(key_hashes(&lists.finish()).expect("lists of strings"))
    });
    let scratch = std::env::temp_dir();
    files.resolve(
        &format!("lines of {rows} rows, counted"),
        rows * per_row,
        |tables, masks| count_keys(tables, masks, memory, &scratch),
    );
}

/// The same in pieces of a tenth of the memory, with files in a directory. The column of tables has the
/// bytes of the files.
fn in_pieces(
    files: &Files,
    (title, prints): (&str, usize),
    how: ((usize, usize), Option<u32>),
    memory: usize,
) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    files.resolve(&format!("{title}, in pieces"), prints, |tables, masks| {
        first_in_pieces(tables, masks, how, memory as u64 / 10, dir.path())
    });
}

fn cpu_time(work: impl FnOnce()) -> Duration {
    let before = djhost::testing::thread_cpu();
    work();
    djhost::testing::thread_cpu().saturating_sub(before)
}

/// In MB, from the system's accounting.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|kb| kb.parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}
