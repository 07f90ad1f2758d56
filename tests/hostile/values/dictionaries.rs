//! Dictionaries: however many values they have between them, in whatever order.

use super::*;
use arrow::array::types::{Int8Type, UInt8Type};

/// `count` words in a dictionary with keys of 8 bits, alone, in a list and in a struct.
fn words(from: usize, count: usize) -> RecordBatch {
    let words = || -> DictionaryArray<Int8Type> {
        let words: Vec<String> = (from..from + count).map(|i| format!("word {i}")).collect();
        words.iter().map(String::as_str).collect()
    };
    let ty = words().data_type().clone();
    let list = ListArray::new(
        Arc::new(Field::new_list_field(ty.clone(), true)),
        OffsetBuffer::from_lengths(vec![1; count]),
        Arc::new(words()),
        None,
    );
    let object = StructArray::from(vec![(
        Arc::new(Field::new("word", ty, true)),
        Arc::new(words()) as ArrayRef,
    )]);
    table(vec![
        ("text", Arc::new(words())),
        ("list", Arc::new(list)),
        ("object", Arc::new(object)),
    ])
}

#[test]
fn many_small_ones_make_a_large_one() {
    let expected: Vec<Value> = (0..300)
        .map(|i| {
            let word = format!("word {i}");
            json!({"text": word, "list": [word], "object": {"word": word}})
        })
        .collect();
    for (ending, file) in [
        ("parquet", parquet as fn(&RecordBatch) -> Vec<u8>),
        ("arrow", ipc),
    ] {
        for output in ["result.jsonl", "result.parquet", "result.arrow"] {
            for process in [
                FILTER,
                "  - document_deduplicator:\n",
                "  - naive_grouper:\n  - naive_reverse_grouper:\n",
            ] {
                let case = Case::new();
                for i in 0..3 {
                    case.write(&format!("in/{i}.{ending}"), file(&words(i * 100, 100)));
                }
                let ran = case
                    .run(&format!(
                        "dataset_path: in\nexport_path: out/{output}\nprocess:\n{process}"
                    ))
                    .ok();
                let lines = if output == "result.jsonl" {
                    ran.text().to_owned()
                } else {
                    to_lines(&read(&case.path("out").join(output)))
                        .text()
                        .to_owned()
                };
                let rows: Vec<Value> = lines
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect();
                assert!(rows == expected, "{ending} {output} {process}");
            }
        }
    }
}

#[test]
fn an_operator_makes_more_words_than_there_were() {
    let long: Vec<String> = (0..100).map(|i| format!("{i:03} and {i:03}!")).collect();
    let text: DictionaryArray<UInt8Type> = long.iter().map(String::as_str).collect();
    let rows = table(vec![("text", Arc::new(text))]);
    for (name, file) in [("in.parquet", parquet(&rows)), ("in.arrow", ipc(&rows))] {
        for output in ["result.parquet", "result.arrow"] {
            let (case, ran) = run(
                name,
                &file,
                output,
                "  - text_chunk_mapper: {max_len: 4}\n  - document_deduplicator:\n",
            );
            ran.ok();
            let found = read(&case.path("out").join(output));
            // `000 `, `and ` (once), `000!`.
            assert_eq!(found.num_rows(), 201, "{name} {output}");
        }
    }
}
