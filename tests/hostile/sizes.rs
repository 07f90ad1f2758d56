//! What the plan says of the size of rows.

use std::sync::Arc;

use arrow::array::StringArray;

use crate::harness::Case;
use crate::hostile::values::{ipc, parquet, table};

/// The rows of a large batch share their buffers; each is as large as its values.
#[test]
fn the_size_of_a_row_is_that_of_its_values() {
    let values = (0..20_000).map(|i| format!("row {i} {}", "text ".repeat(40)));
    let rows = table(vec![(
        "text",
        Arc::new(StringArray::from_iter_values(values)),
    )]);
    for (name, file) in [("a.arrow", ipc(&rows)), ("a.parquet", parquet(&rows))] {
        let case = Case::new();
        case.write(name, file);
        case.write(
            "recipe.yaml",
            format!(
                "dataset_path: {name}\nexport_path: out.jsonl\nprocess:\n  - text_length_filter:\n"
            ),
        );
        let plan = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(["plan", "recipe.yaml"])
            .current_dir(case.path(""))
            .output()
            .unwrap();
        let plan = String::from_utf8(plan.stdout).unwrap();
        assert!(
            plan.contains("a row has 22") || plan.contains("a row has 21"),
            "{plan}"
        );
    }
}
