//! What does a whole run cost, from file to file?
//!
//! Runs the program itself on one worker and asks the system what each run took.

#[allow(dead_code)]
mod common;

const ROUNDS: usize = 3;

/// Recipes by what they show. All rows pass the filters, so that every one has work with every row.
const RECIPES: [(&str, &str); 3] = [
    ("pass-through", "[{text_length_filter: {min_len: 0}}]"),
    (
        "repetition, ratio, length filters",
        "[{text_length_filter: {min_len: 0}}, {words_num_filter: {min_num: 0}}, {alphanumeric_filter: {min_ratio: 0}}, \
         {special_characters_filter: {max_ratio: 1}}, {average_line_length_filter: {min_len: 0}}, \
         {maximum_line_length_filter: {min_len: 0}}, {character_repetition_filter: {max_ratio: 1}}, {word_repetition_filter: {max_ratio: 1}}]",
    ),
    (
        "exact deduplication",
        "[{document_deduplicator: {lowercase: true}}]",
    ),
];

fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data =
        std::env::var_os(common::DATA).map_or_else(|| common::made_up_file(dir.path()), Into::into);
    let bytes = std::fs::metadata(&data)
        .unwrap_or_else(|e| panic!("{}: {e}", data.display()))
        .len() as usize;
    println!("{:.0} MB of JSONL, one worker\n", bytes as f64 / 1e6);
    println!(
        "{:34} {:>10} {:>12} {:>15}",
        "recipe", "CPU s", "MB per CPU s", "peak memory MB"
    );
    for (title, process) in RECIPES {
        let recipe = dir.path().join("recipe.yaml");
        let text = format!(
            "dataset_path: {data}\nexport_path: {out}/result.jsonl\nwork_dir: {out}/work\nnp: 1\nprocess: {process}\n",
            data = serde_json::json!(data),
            out = dir.path().display()
        );
        std::fs::write(&recipe, text).expect("the temporary directory is writable");
        let runs = (0..ROUNDS).map(|round| {
            common::run(
                &recipe,
                &format!("{round}-{}", title.split(' ').next().unwrap_or_default()),
                &[],
            )
        });
        let (cpu, memory) = runs.min().expect("at least one round");
        let _ = std::fs::remove_dir_all(dir.path().join("work"));
        println!(
            "{title:34} {:>10.2} {:>12.0} {:>15.0}",
            cpu.as_secs_f64(),
            common::speed(bytes, cpu),
            memory as f64 / 1e6
        );
    }
}
