//! Files that claim more than they may use.

use std::io::Write;

use crate::hostile::{good, run_on};

/// xz data whose header claims a dictionary: 30 stands for 128 MiB, 31 for 192, 40 for 4 GiB.
fn xz_with_dictionary(content: &str, size: u8) -> Vec<u8> {
    let mut encoder =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    encoder.write_all(content.as_bytes()).unwrap();
    let mut packed = encoder.finish().unwrap();
    // After twelve bytes the header of the block: its length, flags, the filter LZMA2 with one byte
    // of properties; last a checksum.
    assert_eq!(packed[13..16], [0, 0x21, 1]);
    packed[16] = size;
    let end = 12 + usize::from(packed[12]) * 4;
    let sum = crc32fast::hash(&packed[12..end]);
    packed[end..end + 4].copy_from_slice(&sum.to_le_bytes());
    packed
}

#[test]
fn xz_data_may_ask_for_128_mib() {
    let plain = good(2000);
    assert_eq!(
        run_on("in.jsonl.xz", xz_with_dictionary(&plain, 30))
            .ok()
            .text(),
        plain
    );
    for size in [31, 40] {
        let packed = xz_with_dictionary(&plain, size);
        run_on("in.jsonl.xz", packed).failed(
            2,
            &["in.jsonl.xz", "a dictionary of more than 128 MiB", "xz -9"],
        );
    }
    // One that comes later is found during unpacking.
    let two = [
        xz_with_dictionary(&good(20_000), 20),
        xz_with_dictionary(&plain, 40),
    ]
    .concat();
    run_on("in.jsonl.xz", two).failed(
        1,
        &[
            "in.jsonl.xz",
            "a dictionary of more than 128 MiB",
            "unpacked bytes",
        ],
    );
}

#[test]
fn xz_data_cut_or_damaged() {
    let plain = good(20_000);
    let whole = xz_with_dictionary(&plain, 20);
    assert_eq!(
        run_on("in.jsonl.xz", whole.repeat(2)).ok().text(),
        plain.repeat(2)
    );
    for cut in [13, whole.len() / 2, whole.len() - 1] {
        run_on("in.jsonl.xz", &whole[..cut]).failed(1, &["in.jsonl.xz", "cut or damaged"]);
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x10;
    run_on("in.jsonl.xz", damaged).failed(1, &["in.jsonl.xz", "cut or damaged"]);
}

/// A job may have more parts than a process may have open files.
#[cfg(target_os = "linux")]
#[test]
fn more_partitions_than_open_files() {
    let plain = good(500);
    for output in ["out.jsonl", "out.jsonl.gz", "out.parquet"] {
        let case = crate::harness::Case::with_input(&plain);
        case.write(
            "recipe.yaml",
            format!(
                "dataset_path: in.jsonl\nexport_path: {output}\nnp: 2\ncheckpoint: {{strategy: disabled}}\n\
                 partition: {{mode: manual, num_of_partitions: 500}}\nprocess:\n  - text_length_filter: {{min_len: 0}}\n"
            ),
        );
        let program = env!("CARGO_BIN_EXE_djhost");
        let run = std::process::Command::new("sh")
            .args([
                "-c",
                "ulimit -n 320 && exec \"$0\" run recipe.yaml -q",
                program,
            ])
            .current_dir(case.path(""))
            .env("XDG_STATE_HOME", case.path("state"))
            .env("DJHOST_CACHE_DIR", crate::harness::cache())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{output}: {said}");
        assert!(said.contains("500 written"), "{output}: {said}");
        if output == "out.jsonl" {
            assert_eq!(std::fs::read_to_string(case.path(output)).unwrap(), plain);
        }
    }
}
