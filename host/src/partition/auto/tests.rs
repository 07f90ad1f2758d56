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
            (auto.rows as f64 - (4096.0 / sizes.memory).min(sizes.max_rows as f64)).abs() <= 1.0,
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
            "target 268.4 MB (`target_size_mb` 256) / (4.4 kB a row × 1 for text × complexity 1.5 of 3 light, 1 medium, 0 heavy operators) = 40,672 rows",
            "4 partitions for each of 2 workers, as far as each has 4.2 MB: 8",
            "8 partitions of about 2,979 rows, 13.1 MB",
        ]
    );
}
