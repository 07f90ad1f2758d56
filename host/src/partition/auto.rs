//! Auto mode: chooses the size of partitions from measurements of a sample. A pure function: the
//! caller reads the rows and asks the machine.
//!
//! The rules are those of Data-Juicer's `PartitionSizeOptimizer` (1.6.1), including the parts that
//! have no effect there: the sample is spread over the dataset, operators count by their cost
//! class, memory multipliers apply, and available memory and `max_size_mb` are honoured.

use std::fmt;

use crate::term::{bytes, count, counted};

/// Bytes per MB of the options `target_size_mb` and `max_size_mb`, as in Data-Juicer.
const MB: f64 = 1_048_576.0;

/// Fewest rows per partition: with fewer, overhead is all that counts (Data-Juicer's lower limit).
const MIN_ROWS: f64 = 10.0;

/// Partitions per worker for datasets worth splitting. With four rounds, the last one, where
/// workers run out of work, is a small share.
const ROUNDS: u64 = 4;

/// Smallest partition worth splitting off: smaller ones cost more in files and fsyncs (some
/// milliseconds) than in reading and the lightest operators (300 MB/s).
const SMALL_BYTES: f64 = 4.0 * MB;

/// Share of the available memory that partitions in work may take (as in Data-Juicer).
const MEMORY_SHARE: f64 = 0.8;

/// If the spread of row sizes (standard deviation over mean, at most 1) is above this, partitions
/// are made smaller by a fifth (as in Data-Juicer).
const UNEVEN: f64 = 0.7;

/// What the rows of a dataset contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Text only.
    Text,
    /// Images without text.
    Image,
    /// Audio without text.
    Audio,
    /// Video without text.
    Video,
    /// Several of them.
    Multimodal,
}

/// Limits for one modality, from the table in Data-Juicer's documentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModalitySizes {
    /// Rows per partition if nothing better is known.
    pub default_rows: u64,
    /// Most rows per partition.
    pub max_rows: u64,
    /// Memory that a row needs, as a multiple of its bytes in the dataset: media are decoded.
    pub memory: f64,
}

impl Modality {
    /// All modalities, in the order of the documentation's table.
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Image,
        Self::Audio,
        Self::Video,
        Self::Multimodal,
    ];

    /// Returns the limits of this modality, from the table "Default partition sizes by modality" of
    /// Data-Juicer's documentation.
    pub const fn sizes(self) -> ModalitySizes {
        let (default_rows, max_rows, memory) = match self {
            Self::Text => (10_000, 50_000, 1.0),
            Self::Image => (2_000, 10_000, 5.0),
            Self::Audio => (1_000, 4_000, 8.0),
            Self::Video => (400, 2_000, 20.0),
            Self::Multimodal => (1_600, 6_000, 10.0),
        };
        ModalitySizes {
            default_rows,
            max_rows,
            memory,
        }
    }

    /// Returns the modality of one row from its text and which media fields have entries.
    /// Data-Juicer's special tokens in the text count as media, not as text. An empty row is text.
    pub fn of_row(text: &str, images: bool, audios: bool, videos: bool) -> Self {
        const TOKENS: [(&str, usize); 4] = [
            ("<__dj__image>", 0),
            ("<__dj__audio>", 1),
            ("<__dj__video>", 2),
            ("<|__dj__eoc|>", 3),
        ];
        let mut media = [images, audios, videos, false];
        let mut rest = text.trim_start();
        let mut has_text = false;
        while !rest.is_empty() {
            match TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
                Some((token, kind)) => {
                    media[*kind] = true;
                    rest = rest[token.len()..].trim_start();
                }
                None => {
                    has_text = true;
                    break;
                }
            }
        }
        for (token, kind) in &TOKENS[..3] {
            media[*kind] |= rest.contains(token);
        }
        match (has_text, media[0], media[1], media[2]) {
            (_, false, false, false) => Self::Text,
            (false, true, false, false) => Self::Image,
            (false, false, true, false) => Self::Audio,
            (false, false, false, true) => Self::Video,
            _ => Self::Multimodal,
        }
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Multimodal => "multimodal",
        })
    }
}

/// One sampled row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SampledRow {
    /// Its bytes in the dataset: of a JSON line, or of the uncompressed values for Parquet and
    /// Arrow.
    pub bytes: u64,
    /// Unicode code points of the text.
    pub text_chars: u64,
    /// See [`Modality::of_row`].
    pub modality: Modality,
}

/// Returns how many rows to sample of a columnar dataset with `rows` rows: Data-Juicer's numbers,
/// but at least 100. The caller takes them at even distances over the whole dataset.
pub(crate) fn sample_rows(rows: u64) -> u64 {
    match rows {
        0..1_000 => rows,
        1_000..100_000 => (rows / 100).max(100),
        _ => (rows / 1_000).min(10_000),
    }
}

/// How many operators of each cost class a pipeline has (`cost` of the WIT's descriptor).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpCosts {
    /// Operators at memory speed.
    pub light: usize,
    /// Operators at tens of MB/s.
    pub medium: usize,
    /// Operators at less than about 10 MB/s.
    pub heavy: usize,
}

impl OpCosts {
    /// Returns Data-Juicer's linear score: 1 for an empty pipeline. The slower the pipeline, the
    /// smaller partitions should be, because a failure loses time, not bytes. At most 4, so that a
    /// long recipe of light filters does not lead to tiny partitions.
    pub(crate) fn complexity(&self) -> f64 {
        (1.0 + 0.3 * self.heavy as f64 + 0.2 * self.medium as f64 + 0.1 * self.light as f64)
            .min(4.0)
    }
}

/// The number of rows in a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowCount {
    /// Counted, or stored in the files.
    Exact(u64),
    /// Estimated from a part of the dataset.
    About(u64),
}

impl RowCount {
    /// Returns the number, exact or not.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Exact(rows) | Self::About(rows) => rows,
        }
    }
}

/// What is known about the dataset without reading it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DatasetSize {
    /// Bytes on disk.
    pub bytes: u64,
    /// Number of rows; None if it must be estimated from the sample.
    pub rows: Option<RowCount>,
    /// Average bytes of a row, if the files say it better than the sample.
    pub row_bytes: Option<f64>,
}

/// The resources of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Machine {
    /// Number of worker threads.
    pub workers: usize,
    /// Bytes of memory available, the smaller of the system's and the container's limit; None if
    /// unknown.
    pub memory: Option<u64>,
}

/// The options under `partition` that apply to auto mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AutoOptions {
    /// `target_size_mb`.
    pub target_size_mb: u64,
    /// `max_size_mb`: the limit if there is no sample.
    pub max_size_mb: u64,
    /// `size`: rows per partition if there is no sample.
    pub size: Option<u64>,
    /// `num_of_partitions` as a number: at most this many partitions.
    pub most: Option<u64>,
}

/// The size of partitions that auto mode chose.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AutoSize {
    /// Modality of the dataset; `Text` if there is no sample.
    pub modality: Modality,
    /// Number of partitions, at least 1. The caller balances them by bytes or rows.
    pub partitions: u64,
    /// Approximate rows per partition.
    pub rows: u64,
    /// Approximate bytes of input per partition.
    pub bytes: u64,
    /// Whether the analysis failed, so that `size` and `max_size_mb` decided.
    pub fell_back: bool,
    /// What was measured and why it led to this result, one line each, for `djhost plan`.
    pub why: Vec<String>,
}

/// Chooses the number of partitions. `sample` has rows from all over the dataset, or the reason why
/// there are none.
pub(crate) fn choose(
    sample: Result<&[SampledRow], &str>,
    dataset: DatasetSize,
    costs: OpCosts,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    match sample {
        Ok([]) => fall_back(
            "the dataset has no rows to sample",
            dataset,
            machine,
            options,
        ),
        Ok(rows) => analyse(rows, dataset, costs, machine, options),
        Err(reason) => fall_back(reason, dataset, machine, options),
    }
}

fn analyse(
    sample: &[SampledRow],
    dataset: DatasetSize,
    costs: OpCosts,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    let mut why = Vec::new();
    let n = sample.len() as f64;
    let modality = most_frequent(sample, &mut why);
    let sizes = modality.sizes();

    let sampled = (sample.iter().map(|r| r.bytes as f64).sum::<f64>() / n).max(1.0);
    let variance = sample
        .iter()
        .map(|r| (r.bytes as f64 - sampled).powi(2))
        .sum::<f64>()
        / n;
    let spread = (variance.sqrt() / sampled).min(1.0);
    let mean = dataset.row_bytes.unwrap_or(sampled).max(1.0);
    let mut lengths: Vec<u64> = sample.iter().map(|r| r.bytes).collect();
    lengths.sort_unstable();
    let p90 = lengths[(lengths.len() - 1) * 9 / 10];
    let chars = sample.iter().map(|r| r.text_chars as f64).sum::<f64>() / n;
    let rows = dataset
        .rows
        .map_or(dataset.bytes as f64 / mean, |rows| rows.number() as f64)
        .max(1.0);
    why.push(format!(
        "a row has {} on average ({} at the 90th percentile), {} of text; the dataset has {}{}, {}",
        bytes(mean as u64),
        bytes(p90),
        counted(chars.round() as u64, "character"),
        if matches!(dataset.rows, Some(RowCount::Exact(_))) {
            ""
        } else {
            "about "
        },
        n_rows(rows),
        bytes(dataset.bytes),
    ));

    let complexity = costs.complexity();
    let memory = mean * sizes.memory;
    let mut per_partition = options.target_size_mb as f64 * MB / (memory * complexity);
    why.push(format!(
        "target {} MiB / ({} a row × {} for {modality} × complexity {complexity:.1} of {} light, {} medium, {} heavy operators) = {}",
        options.target_size_mb,
        bytes(mean as u64),
        sizes.memory,
        costs.light,
        costs.medium,
        costs.heavy,
        n_rows(per_partition),
    ));
    if spread > UNEVEN {
        per_partition *= 0.8;
        why.push(format!(
            "rows differ much in size (spread {spread:.2}): a fifth less, {}",
            n_rows(per_partition)
        ));
    }
    if let Some(available) = machine.memory {
        let share = MEMORY_SHARE * available as f64 / machine.workers.max(1) as f64;
        if per_partition * memory > share {
            per_partition = share / memory;
            why.push(format!(
                "{} of memory for {} allow {} a partition: {}",
                bytes(available),
                counted(machine.workers as u64, "worker"),
                bytes(share as u64),
                n_rows(per_partition)
            ));
        }
    }
    if per_partition > sizes.max_rows as f64 {
        per_partition = sizes.max_rows as f64;
        why.push(format!("at most {} for {modality}", n_rows(per_partition)));
    }
    if per_partition < MIN_ROWS {
        per_partition = MIN_ROWS;
        why.push(format!("at least {MIN_ROWS} rows"));
    }
    let partitions = (rows / per_partition).ceil() as u64;
    finish(
        AutoSize {
            modality,
            partitions,
            rows: rows.round() as u64,
            bytes: dataset.bytes,
            fell_back: false,
            why,
        },
        machine,
        options,
    )
}

fn fall_back(
    reason: &str,
    dataset: DatasetSize,
    machine: Machine,
    options: AutoOptions,
) -> AutoSize {
    let mut why = vec![format!("no analysis: {reason}")];
    let by_bytes = (dataset.bytes as f64 / (options.max_size_mb as f64 * MB)).ceil() as u64;
    let per_partition = options.size.unwrap_or(Modality::Text.sizes().default_rows);
    let by_rows = dataset
        .rows
        .map_or(0, |rows| rows.number().div_ceil(per_partition));
    why.push(match dataset.rows {
        Some(rows) => {
            let (rows, partitions) = (counted(rows.number(), "row"), counted(by_rows, "partition"));
            format!(
                "{rows} / {} (`partition.size`) = {partitions}",
                count(per_partition)
            )
        }
        None => "the number of rows is not known, so `partition.size` does not help".to_owned(),
    });
    let partitions = counted(by_bytes, "partition");
    why.push(format!(
        "{} / {} MiB (`partition.max_size_mb`) = {partitions}",
        bytes(dataset.bytes),
        options.max_size_mb
    ));
    let rows = dataset.rows.map_or(0, RowCount::number);
    let partitions = by_rows.max(by_bytes);
    finish(
        AutoSize {
            modality: Modality::Text,
            partitions,
            rows,
            bytes: dataset.bytes,
            fell_back: true,
            why,
        },
        machine,
        options,
    )
}

/// Adjusts the number of partitions: enough for the workers, at most what was asked for, and no
/// more than rows. Then turns the totals into sizes per partition.
fn finish(mut auto: AutoSize, machine: Machine, options: AutoOptions) -> AutoSize {
    let workers = machine.workers.max(1) as u64;
    auto.partitions = auto.partitions.max(1);
    let worthwhile = (auto.bytes as f64 / SMALL_BYTES).floor() as u64;
    let wanted = (ROUNDS * workers).min(worthwhile);
    if auto.partitions < wanted {
        auto.partitions = wanted;
        auto.why.push(format!(
            "{ROUNDS} partitions for each of {}, as far as each has {}: {wanted}",
            counted(workers, "worker"),
            bytes(SMALL_BYTES as u64)
        ));
    } else if workers > 1
        && auto.partitions > workers
        && auto.partitions < 2 * ROUNDS * workers
        && !auto.partitions.is_multiple_of(workers)
    {
        auto.partitions = auto.partitions.next_multiple_of(workers);
        auto.why.push(format!(
            "a multiple of {}: {}",
            counted(workers, "worker"),
            auto.partitions
        ));
    }
    if let Some(most) = options.most.filter(|most| auto.partitions > *most) {
        auto.partitions = most.max(1);
        auto.why
            .push(format!("at most {most} (`partition.num_of_partitions`)"));
    }
    if auto.rows > 0 && auto.partitions > auto.rows {
        auto.partitions = auto.rows;
        auto.why.push(format!("not more than rows: {}", auto.rows));
    }
    auto.rows = auto.rows.div_ceil(auto.partitions);
    auto.bytes = auto.bytes.div_ceil(auto.partitions);
    let rows = if auto.rows > 0 {
        format!("{}, ", counted(auto.rows, "row"))
    } else {
        String::new()
    };
    auto.why.push(format!(
        "{} of about {rows}{}",
        counted(auto.partitions, "partition"),
        bytes(auto.bytes)
    ));
    auto
}

fn most_frequent(sample: &[SampledRow], why: &mut Vec<String>) -> Modality {
    let mut counts = Modality::ALL.map(|m| (sample.iter().filter(|r| r.modality == m).count(), m));
    // The sort is stable: among equal counts, the order of the table decides.
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let shares: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, m)| format!("{m} {:.0} %", 100.0 * *count as f64 / sample.len() as f64))
        .collect();
    why.push(format!(
        "{} sampled over the whole dataset: {}",
        counted(sample.len() as u64, "row"),
        shares.join(", ")
    ));
    counts[0].1
}

fn n_rows(n: f64) -> String {
    counted(n.max(0.0).round() as u64, "row")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: AutoOptions = AutoOptions {
        target_size_mb: 256,
        max_size_mb: 256,
        size: None,
        most: None,
    };
    const MACHINE: Machine = Machine {
        workers: 2,
        memory: Some(8 << 30),
    };

    fn rows(n: usize, bytes: u64, modality: Modality) -> Vec<SampledRow> {
        vec![
            SampledRow {
                bytes,
                text_chars: bytes,
                modality
            };
            n
        ]
    }

    fn big(bytes: u64) -> DatasetSize {
        DatasetSize {
            bytes,
            rows: None,
            row_bytes: None,
        }
    }

    #[test]
    fn modality_of_a_row() {
        use Modality::*;
        for (text, media, expected) in [
            ("some text", [false; 3], Text),
            ("", [false; 3], Text),
            ("", [true, false, false], Image),
            ("<__dj__image> <|__dj__eoc|>", [true, false, false], Image),
            ("<__dj__image> a cat", [false; 3], Multimodal),
            ("a cat <__dj__video>", [false; 3], Multimodal),
            ("<__dj__audio>", [false; 3], Audio),
            ("", [true, true, false], Multimodal),
            ("<__dj__video>", [false, false, true], Video),
        ] {
            assert_eq!(
                Modality::of_row(text, media[0], media[1], media[2]),
                expected,
                "{text:?} {media:?}"
            );
        }
    }

    #[test]
    fn the_target_decides_for_large_text() {
        let sample = rows(1000, 8192, Modality::Text);
        let half = choose(
            Ok(&sample),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            AutoOptions {
                target_size_mb: 128,
                ..OPTIONS
            },
        );
        let full = choose(
            Ok(&sample),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            OPTIONS,
        );
        assert_eq!((half.partitions, half.rows), (512, 16_384));
        assert_eq!((full.partitions, full.rows), (256, 32_768));
        assert_eq!(full.bytes, 256 << 20);
    }

    #[test]
    fn complexity_and_modality_make_partitions_smaller() {
        let text = rows(1000, 65_536, Modality::Text);
        let plain = choose(
            Ok(&text),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            OPTIONS,
        );
        let slow = choose(
            Ok(&text),
            big(64 << 30),
            OpCosts {
                heavy: 2,
                medium: 2,
                light: 0,
            },
            MACHINE,
            OPTIONS,
        );
        assert_eq!((plain.rows, slow.rows), (4096, 2048));
        for modality in Modality::ALL {
            let sample = rows(1000, 65_536, modality);
            let auto = choose(
                Ok(&sample),
                big(640 << 30),
                OpCosts::default(),
                Machine {
                    memory: None,
                    ..MACHINE
                },
                OPTIONS,
            );
            let sizes = modality.sizes();
            assert_eq!(auto.modality, modality);
            assert!(
                (auto.rows as f64 - (4096.0 / sizes.memory).min(sizes.max_rows as f64)).abs()
                    <= 1.0,
                "{modality}: {}",
                auto.rows
            );
        }
    }

    #[test]
    fn tiny_rows_stop_at_the_largest_size_of_the_table() {
        for modality in Modality::ALL {
            let sample = rows(1000, 50, modality);
            let auto = choose(
                Ok(&sample),
                big(10 << 30),
                OpCosts::default(),
                MACHINE,
                OPTIONS,
            );
            assert!(
                auto.rows <= modality.sizes().max_rows && auto.rows + 2 > modality.sizes().max_rows,
                "{modality}: {}",
                auto.rows
            );
        }
    }

    #[test]
    fn little_memory_makes_partitions_smaller() {
        let sample = rows(1000, 8192, Modality::Text);
        let machine = Machine {
            workers: 4,
            memory: Some(256 << 20),
        };
        let auto = choose(
            Ok(&sample),
            big(8 << 30),
            OpCosts::default(),
            machine,
            OPTIONS,
        );
        assert!(auto.bytes * 4 <= (256 << 20) * 8 / 10 + 4, "{}", auto.bytes);
        assert!(
            auto.why
                .iter()
                .any(|line| line.contains("of memory for 4 workers")),
            "{:?}",
            auto.why
        );
    }

    #[test]
    fn uneven_rows_make_partitions_smaller() {
        let mut sample = rows(900, 1000, Modality::Text);
        let even = choose(
            Ok(&sample),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            OPTIONS,
        );
        sample.extend(rows(100, 91_000, Modality::Text));
        let uneven = choose(
            Ok(&sample),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            OPTIONS,
        );
        assert!((49_900..=50_000).contains(&even.rows), "{}", even.rows);
        // 10,000 bytes on average: 26,844 rows for the target, less a fifth.
        assert!((21_470..=21_476).contains(&uneven.rows), "{}", uneven.rows);
    }

    #[test]
    fn every_worker_gets_work_where_it_pays() {
        let sample = rows(500, 4096, Modality::Text);
        let auto = |bytes, workers| {
            choose(
                Ok(&sample),
                big(bytes),
                OpCosts::default(),
                Machine {
                    workers,
                    memory: None,
                },
                OPTIONS,
            )
            .partitions
        };
        assert_eq!(auto(200 << 20, 2), 8);
        assert_eq!(auto(200 << 20, 8), 32);
        assert_eq!(auto(12 << 20, 8), 3);
        assert_eq!(auto(1 << 20, 8), 1);
        assert_eq!(auto(0, 8), 1);
    }

    #[test]
    fn never_more_partitions_than_rows_or_than_asked_for() {
        let sample = rows(3, 100 << 20, Modality::Text);
        let auto = choose(
            Ok(&sample),
            big(300 << 20),
            OpCosts::default(),
            MACHINE,
            OPTIONS,
        );
        assert_eq!((auto.partitions, auto.rows), (3, 1));
        let sample = rows(500, 8192, Modality::Text);
        let auto = choose(
            Ok(&sample),
            big(64 << 30),
            OpCosts::default(),
            MACHINE,
            AutoOptions {
                most: Some(5),
                ..OPTIONS
            },
        );
        assert_eq!(auto.partitions, 5);
    }

    #[test]
    fn without_a_sample_the_fallbacks_decide() {
        let dataset = DatasetSize {
            bytes: 1 << 30,
            rows: Some(RowCount::Exact(100_000)),
            row_bytes: None,
        };
        let options = AutoOptions {
            size: Some(5000),
            ..OPTIONS
        };
        let auto = choose(
            Err("the first file cannot be read"),
            dataset,
            OpCosts::default(),
            MACHINE,
            options,
        );
        assert_eq!(
            (auto.partitions, auto.rows, auto.fell_back),
            (20, 5000, true)
        );
        assert_eq!(auto.why[0], "no analysis: the first file cannot be read");
        let by_bytes = choose(
            Ok(&[]),
            big(10 << 30),
            OpCosts::default(),
            MACHINE,
            AutoOptions {
                max_size_mb: 64,
                ..OPTIONS
            },
        );
        assert_eq!((by_bytes.partitions, by_bytes.fell_back), (160, true));
    }

    #[test]
    fn the_reasons_can_be_followed() {
        let sample = rows(400, 4400, Modality::Text);
        let auto = choose(
            Ok(&sample),
            big(100 << 20),
            OpCosts {
                light: 3,
                medium: 1,
                heavy: 0,
            },
            MACHINE,
            OPTIONS,
        );
        assert_eq!(
            auto.why,
            [
                "400 rows sampled over the whole dataset: text 100 %",
                "a row has 4.4 kB on average (4.4 kB at the 90th percentile), 4,400 characters of text; the dataset has about 23,831 rows, 104.9 MB",
                "target 256 MiB / (4.4 kB a row × 1 for text × complexity 1.5 of 3 light, 1 medium, 0 heavy operators) = 40,672 rows",
                "4 partitions for each of 2 workers, as far as each has 4.2 MB: 8",
                "8 partitions of about 2,979 rows, 13.1 MB",
            ]
        );
    }
}
