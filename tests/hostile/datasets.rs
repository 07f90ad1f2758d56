//! Datasets as the Hugging Face hub lays them out, in directories: read by their cards, and written.
//! (`tests/datasets` compares with the library `datasets`.)

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::{Case, Ran};
use crate::hostile::KEEP;

fn row(text: &str) -> String {
    format!("{{\"text\": \"{text}\"}}\n")
}

#[track_caller]
fn read(case: &Case, more: &str) -> Ran {
    let _ = std::fs::remove_dir_all(case.path("work"));
    case.run(&format!("{KEEP}dataset_path: in\n{more}\n"))
}

fn with_card(card: &str) -> Case {
    let case = Case::new();
    for (file, text) in [
        ("a/train.jsonl", "one"),
        ("a/test.jsonl", "two"),
        ("b.jsonl", "three"),
    ] {
        case.write(&format!("in/{file}"), row(text));
    }
    case.write("in/README.md", format!("---\n{card}---\n# A card\n"));
    case
}

#[test]
fn the_card_says_which_files_are_rows() {
    let case = with_card(
        "configs:\n- config_name: x\n  data_dir: a\n- config_name: y\n  data_files: b.jsonl\n",
    );
    read(&case, "").failed(
        2,
        &[
            "2 configurations",
            "`x` (`train`, `test`), `y` (`train`)",
            "--config_name x",
        ],
    );
    read(&case, "config_name: x").failed(2, &["the splits `train`, `test`", "--split train"]);
    assert_eq!(
        read(&case, "config_name: x\nsplit: test").ok().text(),
        row("two")
    );
    assert_eq!(read(&case, "config_name: y").ok().text(), row("three"));
    read(&case, "config_name: y\nsplit: train[:10%]")
        .failed(2, &["a part of a split", "random_selector"]);
    // What the card says of a default.
    let case = with_card(
        "configs:\n- config_name: x\n  data_dir: a\n- config_name: y\n  data_files: b.jsonl\n  default: true\n",
    );
    let ran = read(&case, "").ok();
    assert_eq!(ran.text(), row("three"));
    assert!(
        ran.stderr
            .contains("has 2 configurations: `y`, the default, is read"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_card_without_configurations_changes_nothing() {
    let case = with_card("license: mit\n");
    assert_eq!(read(&case, "").ok().text().lines().count(), 3);
    assert_eq!(read(&case, "split: test").ok().text(), row("two"));
    read(&case, "config_name: x").failed(2, &["no configuration `x`", "declares none"]);
}

#[test]
fn mistakes_of_a_card_are_said() {
    for (card, says) in [
        (
            "configs: [{config_name: x, data_files: ../secret.jsonl}]\n",
            "not in the dataset",
        ),
        (
            "configs: [{config_name: x, data_files: [a/train.jsonl, gone.jsonl]}]\n",
            "gone.jsonl",
        ),
        (
            "configs: [{config_name: x, data_files: gone/*}]\n",
            "has no files",
        ),
        (
            "configs: [{config_name: x, data_files: 'a**b'}]\n",
            "not a valid pattern",
        ),
    ] {
        read(&with_card(card), "split: train").failed(2, &["in", says]);
    }
}

#[test]
fn caches_of_datasets_are_left_out() {
    let case = Case::new();
    case.write("in/train.jsonl", row("one"));
    case.write("in/dataset_info.json", "{}");
    case.write("in/cache-0123456789abcdef.arrow", "no rows");
    let ran = read(&case, "").ok();
    assert_eq!(ran.text(), row("one"));
    assert!(
        ran.stderr.contains("is a cache of `datasets`"),
        "{}",
        ran.stderr
    );
}

fn rows() -> String {
    (0..3000)
        .map(|i| row(&format!("the text of row {i}")))
        .collect()
}

const DATASET: &str = "export_path: made/mine\nexport_type: hf\nexport_shard_size: 32KiB\nprocess:\n- text_length_filter: {min_len: 18}\n";

fn export(case: &Case, more: &str) -> Ran {
    case.run(&format!("{DATASET}{more}"))
}

fn files_in(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_dataset_is_shards_and_a_card() {
    let case = Case::with_input(rows());
    export(&case, "croissant: {name: My rows, license: MIT}\n").ok();
    let files = files_in(&case.path("made/mine"));
    let names: Vec<&String> = files.keys().collect();
    assert!(names.len() > 2, "{names:?}");
    let last = names.len() - 2;
    let count = names.len() - 1;
    assert_eq!(
        names[count],
        &format!("data/train-{last:05}-of-{count:05}.parquet")
    );
    let card = std::str::from_utf8(&files["README.md"]).unwrap();
    for part in [
        "license: mit\n",
        "pretty_name: My rows\n",
        "path: data/train-*\n",
        "dtype: string\n",
        "num_examples: 2990\n",
        "- 1K<n<10K\n",
        "# My rows\n",
        "`in.jsonl`",
        "3,000 rows in, 2,990 out",
        "| `text_length_filter` |",
        "min_len: 18\n",
    ] {
        assert!(card.contains(part), "`{part}` is not in {card}");
    }
    let here = case.path("").to_string_lossy().into_owned();
    assert!(!card.contains(&*here) && !card.contains("work"), "{card}");
    // It is a dataset for the next job, and the same whatever the partitions.
    let read = Case::with_input("");
    let place = case.path("made/mine");
    let ran = read
        .run(&format!("{KEEP}dataset_path: {}\n", place.display()))
        .ok();
    assert_eq!(ran.text().lines().count(), 2990);
    let other = Case::with_input(rows());
    export(&other, "partition: {mode: manual, num_of_partitions: 7}\ncroissant: {name: My rows, license: MIT}\n").ok();
    assert!(files_in(&other.path("made/mine")) == files);
}

#[test]
fn an_earlier_dataset_is_replaced_and_nothing_else_is() {
    let case = Case::with_input(rows());
    export(&case, "").ok();
    let before = files_in(&case.path("made/mine"));
    let card = String::from_utf8(before["README.md"].clone()).unwrap();
    case.write(
        "made/mine/README.md",
        card.replace("# mine\n", "# By hand\n"),
    );
    case.write("in.jsonl", row("the text of the only row"));
    export(&case, "").ok();
    let after = files_in(&case.path("made/mine"));
    assert_eq!(after.len(), 2, "{:?}", after.keys());
    let card = String::from_utf8(after["README.md"].clone()).unwrap();
    assert!(
        card.contains("# By hand\n") && card.contains("num_examples: 1\n"),
        "{card}"
    );
    assert_eq!(std::fs::read_dir(case.path("made")).unwrap().count(), 1);
    case.write("made/mine/data/notes.txt", "mine");
    export(&case, "np: 1\n").failed(2, &["`data/notes.txt`", "would be lost"]);
    case.write("made/file", "mine");
    let onto = |path: &str| DATASET.replace("made/mine", path);
    case.run(&onto("made/file")).failed(2, &["this is a file"]);
    case.run(&onto("made/rows.parquet"))
        .failed(2, &["writes a directory", "outputs/my_dataset"]);
    case.run(&onto("s3://bucket/mine"))
        .failed(2, &["to a directory or to the hub"]);
}

/// A kill at any call that gives or takes a name beside the result leaves the earlier one, the new one,
/// or, where there was none, nothing.
#[test]
fn a_dataset_appears_whole_or_not_at_all() {
    let (first, second) = (rows(), rows().replace("row", "line"));
    let made = |input: &str| {
        let case = Case::with_input(input);
        export(&case, "").ok();
        files_in(&case.path("made/mine"))
    };
    let (old, new) = (made(&first), made(&second));
    assert!(old != new);
    let mut kills = 0;
    for had_one in [false, true] {
        for operation in ["rename", "remove", "sync_dir"] {
            for number in [1, 2, 5] {
                let case = Case::with_input(&first);
                if had_one {
                    export(&case, "").ok();
                }
                case.write("in.jsonl", &second);
                let fault = format!("kill@disk:{operation}:made/:{number}");
                kills += usize::from(case.killed_by(&fault, DATASET));
                let there = files_in(&case.path("made/mine"));
                let is_whole = there == new
                    || if had_one {
                        there == old
                    } else {
                        there.is_empty()
                    };
                assert!(is_whole, "{fault} {had_one}: {:?}", there.keys());
                export(&case, "").ok();
                assert!(
                    files_in(&case.path("made/mine")) == new,
                    "{fault} {had_one}"
                );
                assert_eq!(
                    std::fs::read_dir(case.path("made")).unwrap().count(),
                    1,
                    "{fault}"
                );
            }
        }
    }
    assert!(kills > 8, "{kills} kills");
}
