//! Operators that break every rule (`tests/guests`), run by the built program: each costs at most
//! the rows that cause it, or is refused before the job starts.

mod answers;
mod bombs;
mod breaker;
mod columns;
mod determinism;
mod grants;
pub(crate) mod guests;
mod load;
mod lock;
mod models;
mod packs;
mod retry;
mod size;
mod world;

use crate::harness::{Case, Ran};
use serde_json::Value;

/// Rows of the ordinary dataset; they fit into one batch.
const ROWS: usize = 1000;

/// Lines of a dataset in which the rows `guilty` make the operators misbehave.
fn lines(rows: usize, guilty: &[usize]) -> Vec<String> {
    (0..rows)
        .map(|i| match guilty.contains(&i) {
            true => format!("{{\"id\": {i},  \"text\": \"GUILTY row {i}\"}}\n"),
            false => format!("{{\"id\": {i},  \"text\": \"an innocent row {i}\", \"n\": 1e2}}\n"),
        })
        .collect()
}

/// A case with that dataset and the misbehaving component.
fn case(lines: &[String]) -> Case {
    let mut case = Case::with_input(lines.concat());
    case.write("plugins/rogue.wasm", guests::component());
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    case
}

/// A recipe with one operator that misbehaves on guilty rows in the way `how`.
fn recipe(op: &str, how: &str, settings: &str) -> String {
    format!(
        "partition: {{mode: manual, num_of_partitions: 1}}\n{settings}\nprocess:\n  - {op}: {{how: {how}}}\n"
    )
}

/// The ids of the rows in quarantine.
fn quarantined(ran: &Ran) -> Vec<usize> {
    ran.quarantine
        .iter()
        .map(|e| {
            serde_json::from_str::<Value>(e["row"].as_str().unwrap()).unwrap()["id"]
                .as_u64()
                .unwrap() as usize
        })
        .collect()
}

/// Runs `op` over a dataset with `guilty` rows: only these are in quarantine, with a reason that
/// contains `reason`; all others come out unchanged, and few calls were needed.
#[track_caller]
fn isolates(op: &str, how: &str, settings: &str, guilty: &[usize], reason: &str) -> Ran {
    let lines = lines(ROWS, guilty);
    let ran = case(&lines).run(&recipe(op, how, settings)).ok();
    assert_eq!(quarantined(&ran), guilty, "{how}");
    for (entry, row) in ran.quarantine.iter().zip(guilty) {
        let said = entry["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{how}: `{reason}` is not in: {said}");
        assert_eq!(
            (
                entry["operation_name"].as_str(),
                entry["operation_idx"].as_u64()
            ),
            (Some(op), Some(0))
        );
        assert_eq!(
            (
                entry["line"].as_u64().unwrap() as usize,
                entry["attempt"].as_u64()
            ),
            (row + 1, Some(1))
        );
        assert!(entry["file"].as_str().unwrap().ends_with("in.jsonl"));
        assert_eq!(entry["row"].as_str().unwrap(), lines[*row].trim_end());
    }
    let kept: String = lines
        .iter()
        .enumerate()
        .filter(|(i, _)| !guilty.contains(i))
        .map(|(_, line)| line.as_str())
        .collect();
    assert!(
        ran.text() == kept,
        "{how}: innocent rows are lost, changed or out of order"
    );
    let calls = ran.summary["ops"][0]["traps"].as_u64().unwrap();
    assert!(
        calls <= 25 * guilty.len() as u64,
        "{how}: {calls} failed calls for {} guilty rows",
        guilty.len()
    );
    ran
}
