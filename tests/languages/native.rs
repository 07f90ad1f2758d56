//! C, C++ and Zig, by the Zig compiler from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

use crate::alone::tests;
use crate::frame::{Language, imports, repository, run, works};

pub(crate) static C: Language = Language {
    name: "C",
    prefix: "c",
    build: |dir| build(dir, "c"),
    built: OnceLock::new(),
};

pub(crate) static CPP: Language = Language {
    name: "C++",
    prefix: "cpp",
    build: |dir| build(dir, "cpp"),
    built: OnceLock::new(),
};

pub(crate) static ZIG: Language = Language {
    name: "Zig",
    prefix: "zig",
    build: |dir| build(dir, "zig"),
    built: OnceLock::new(),
};

/// The languages share the installed packages.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A virtual environment with the compiler and wasm-tools.
fn tools(dir: &Path) -> Result<PathBuf, String> {
    let venv = dir.with_file_name("zig-venv");
    let _guard = INSTALLING.lock().unwrap();
    let ready = || {
        works(Command::new(venv.join("bin/python")).args(["-m", "ziglang", "version"]))
            && works(Command::new(venv.join("bin/wasm-tools")).arg("--version"))
    };
    if !ready() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let pip = ["-m", "pip", "install", "--quiet", "-r"];
        run(Command::new(venv.join("bin/python"))
            .args(pip)
            .arg(repository("sdk/c/requirements.txt")))?;
    }
    Ok(venv)
}

/// The five of every language, and one with lists.
const EXAMPLES: [&str; 6] = [
    "alnum_filter",
    "split_mapper",
    "prefix_deduplicator",
    "histogram_mapper",
    "fluency_filter",
    "reverse_mapper",
];

fn build(dir: &Path, language: &str) -> Result<Vec<PathBuf>, String> {
    let venv = tools(dir)?;
    let path = format!(
        "{}:{}",
        venv.join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let sdk = repository("sdk").join(language);
    let mut components = Vec::new();
    let tokens = ["tokens_mapper"].into_iter().filter(|_| language == "zig");
    for example in EXAMPLES.into_iter().chain(tokens) {
        let name = format!("{language}_{example}");
        let component = dir.join(format!("{name}.wasm"));
        let source = sdk.join(format!("examples/{name}.{language}"));
        run(Command::new(sdk.join("build.sh"))
            .arg(&component)
            .arg(source)
            .env("PATH", &path)
            .env("PYTHON", venv.join("bin/python")))?;
        components.push(component);
    }
    Ok(components)
}

/// Lists of every type, of rows and of columns.
fn turns_lists_around(language: &'static Language) {
    let rows = [
        r#"{"words": ["a", "", "é"], "files": ["00", "ff01", ""], "counts": [1, -9007199254740991, 3], "weights": [0.5, 1.0]}"#,
        r#"{"words": [], "files": [], "counts": [], "weights": []}"#,
        r#"{"words": null, "weights": [2.5]}"#,
        r#"{"words": ["x", "y"], "counts": [7, 8]}"#,
    ];
    let expected = [
        r#"{"words": ["é", "", "a"], "files": ["", "ff01", "00"], "counts": [3, -9007199254740991, 1], "weights": [1.0, 0.5]}"#,
        r#"{"words": [], "files": [], "counts": [], "weights": []}"#,
        r#"{"words": null, "weights": [2.5]}"#,
        r#"{"words": ["y", "x"], "counts": [8, 7]}"#,
    ];
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let input: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let case = Language::case(&[(language, language.components())], &input);
    let recipe = format!("process:\n  - {}_reverse_mapper:\n", language.prefix);
    let ran = case.run(&recipe).ok();
    let found: Vec<Value> = ran.text().lines().map(parse).collect();
    assert_eq!(found, expected.map(parse));
    // An operator that asks for no model has no import of them.
    let component = &language.components()[EXAMPLES.len() - 1];
    assert_eq!(imports(component), [serde_json::json!([])]);
}

mod c {
    super::tests!(super::C);

    #[test]
    fn turns_lists_around() {
        super::turns_lists_around(&super::C);
    }
}

mod cpp {
    super::tests!(super::CPP);

    #[test]
    fn turns_lists_around() {
        super::turns_lists_around(&super::CPP);
    }
}

mod zig {
    use serde_json::{Value, json};

    use crate::frame::{Language, repository};

    super::tests!(super::ZIG);

    #[test]
    fn turns_lists_around() {
        super::turns_lists_around(&super::ZIG);
    }

    #[test]
    fn asks_for_tokens_of_all_texts_at_once() {
        let input = "{\"text\": \"the cat\"}\n{\"text\": \"\"}\n{\"text\": \"a cat sat\"}\n";
        let language = &super::ZIG;
        let case = Language::case(&[(language, language.components())], input);
        let model = repository("host/models/tests/small/small.unigram.model");
        case.write("small.model", std::fs::read(model).unwrap());
        let ran = case
            .run("process:\n  - zig_tokens_mapper: {model: small.model}\n")
            .ok();
        let rows: Vec<Value> = ran
            .text()
            .lines()
            .map(|row| serde_json::from_str(row).unwrap())
            .collect();
        assert_eq!(rows.len(), 3);
        for row in &rows {
            let pieces: Vec<&str> = row["pieces"]
                .as_array()
                .unwrap()
                .iter()
                .map(|piece| piece.as_str().unwrap())
                .collect();
            assert_eq!(pieces.len(), row["ids"].as_array().unwrap().len(), "{row}");
            assert_eq!(
                pieces.concat().replace('\u{2581}', " ").trim_start(),
                row["text"],
                "{row}"
            );
            assert_eq!(row["decoded"], row["text"], "{row}");
        }
        assert_eq!(rows[1]["ids"], json!([]));
    }
}
