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

/// `words` in that order of which the rows have the last one and the first.
fn ordered(words: &[&str]) -> RecordBatch {
    let keys = Int8Array::from(vec![words.len() as i8 - 1, 0]);
    let values = Arc::new(StringArray::from(words.to_vec()));
    let grades: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
    let field = |name: &str, ty: &DataType| Field::new(name, ty.clone(), true);
    let grade = field("grade", grades.data_type()).with_dict_is_ordered(true);
    let object = StructArray::from(vec![(
        Arc::new(grade.clone().with_name("g")),
        Arc::clone(&grades),
    )]);
    let fields = vec![
        field("text", &DataType::Utf8),
        grade,
        field("o", object.data_type()),
    ];
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    RecordBatch::try_new(schema, vec![texts(2), grades, Arc::new(object)]).unwrap()
}

#[test]
fn an_order_that_is_lost_is_said_and_not_pretended() {
    let abc = ordered(&["low", "middle", "high"]);
    for (ending, file) in [
        ("parquet", parquet as fn(&RecordBatch) -> Vec<u8>),
        ("arrow", ipc),
    ] {
        for output in ["result.parquet", "result.arrow"] {
            for process in [
                FILTER,
                "  - document_deduplicator:\n",
                "  - naive_grouper:\n  - naive_reverse_grouper:\n",
            ] {
                for others in [vec![], vec![ordered(&["none", "high", "low"])]] {
                    let case = Case::new();
                    case.write(&format!("in/a.{ending}"), file(&abc));
                    for other in &others {
                        case.write(&format!("in/b.{ending}"), file(other));
                    }
                    let ran = case
                        .run(&format!(
                            "dataset_path: in\nexport_path: out/{output}\nprocess:\n{process}"
                        ))
                        .ok();
                    for column in ["grade", "o"] {
                        let said = format!("column `{column}` is a dictionary with an order");
                        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
                    }
                    let found = read(&case.path("out").join(output));
                    let schema = found.schema();
                    let grade = schema.field_with_name("grade").unwrap();
                    assert_eq!(grade.dict_is_ordered(), Some(false));
                    let line = "{\"text\":\"row 0\",\"grade\":\"high\",\"o\":{\"g\":\"high\"}}\n";
                    assert!(to_lines(&found).text().starts_with(line));
                }
            }
        }
    }
    // JSON has no dictionaries.
    assert!(!to_lines(&abc).stderr.contains("with an order"));
}

#[test]
fn runs_go_on_through_all_files() {
    use arrow::array::types::Int16Type;
    let rows = 20_000;
    let numbers = Int32Array::from_iter_values(0..rows);
    let ends = Int16Array::from_iter_values((1..=rows).map(|end| end as i16));
    let runs = RunArray::<Int16Type>::try_new(&ends, &numbers).unwrap();
    let file = ipc(&table(vec![
        ("text", texts(rows as usize)),
        ("run", Arc::new(runs)),
    ]));
    for output in ["result.arrow", "result.parquet"] {
        let case = Case::new();
        case.write("in/a.arrow", &file);
        case.write("in/b.arrow", &file);
        case.run(&format!(
            "dataset_path: in\nexport_path: out/{output}\nprocess:\n{FILTER}"
        ))
        .ok();
        let found = read(&case.path("out").join(output));
        let numbers = arrow::compute::cast(found.column(1), &DataType::Int32).unwrap();
        let numbers = numbers.as_primitive::<Int32Type>();
        assert!(
            numbers.iter().flatten().eq((0..rows).chain(0..rows)),
            "{output}"
        );
    }
}
