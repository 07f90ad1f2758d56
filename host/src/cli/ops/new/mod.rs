//! `djhost ops new`: writes a project for an operator that builds outside of this repository. The
//! SDKs are embedded in the program.

mod language;
mod name;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

pub(crate) use language::Language;

use super::list::read_kind;
use crate::error::UserError;
use crate::ops::given;
use crate::wasm::{Kind, Source};

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The file by which `ops build` recognises a project.
pub(crate) const PROJECT_FILE: &str = "djhost-plugin.json";

/// Write a project for a new operator: source, build script, test data, and the SDK
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct NewArgs {
    /// The operator, for instance my_words_filter
    name: String,
    /// rust, python, js, ts, c, cpp or zig
    #[arg(long, value_name = "LANG")]
    lang: String,
    /// filter, mapper, deduplicator or selector [default: what the name ends with, or else filter]
    #[arg(long)]
    kind: Option<String>,
    /// Directory to create [default: the operator's name]
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &NewArgs) -> Result<u8> {
    let language = Language::read(&args.lang, "--lang")?;
    let kind = kind(args)?;
    check_is_new(&args.name)?;
    let Some(template) = language.template(kind) else {
        let error = UserError::new(
            "--kind",
            format!("the SDK for {} has no {}s", language.title(), kind.as_str()),
        );
        return Err(error.hint("rust, python, js and ts have them").into());
    };
    let dir = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    if dir.exists() && !(dir.is_dir() && std::fs::read_dir(&dir)?.next().is_none()) {
        let error = UserError::new(
            dir.display().to_string(),
            "is there already, and nothing is overwritten",
        );
        return Err(error
            .hint("name another directory with --dir, or remove this one")
            .into());
    }
    for (path, text) in files(&args.name, kind, language, template) {
        write(&dir.join(&path), &text)
            .with_context(|| format!("cannot write {}", dir.join(&path).display()))?;
    }
    let shown = dir.display();
    crate::cli::print(&format!(
        "{shown}: a {} in {}; begin with {shown}/{}\n\n    cd {shown}\n    {}\n    djhost ops build .\n    djhost ops run {}.wasm < test/input.jsonl\n",
        kind.as_str(),
        language.title(),
        language.source_file(&args.name),
        language.setup(),
        args.name,
    ))?;
    Ok(0)
}

/// Returns the kind that the arguments ask for. Fails if the name says another one.
fn kind(args: &NewArgs) -> Result<Kind> {
    let named = name::kind_of(&args.name);
    let kind = match &args.kind {
        Some(text) => read_kind(text)?,
        None => named.unwrap_or(Kind::Filter),
    };
    name::check(&args.name, kind)?;
    if let Some(named) = named.filter(|&named| named != kind) {
        let (named, kind) = (named.as_str(), kind.as_str());
        let error = UserError::new(
            "--kind",
            format!(
                "`{}` has the name of a {named}, but the kind is {kind}",
                args.name
            ),
        );
        let other = format!(
            "{}{kind}",
            args.name.strip_suffix(named).unwrap_or_default()
        );
        return Err(error
            .hint(format!("name it `{other}`, or leave out --kind"))
            .into());
    }
    if kind == Kind::Grouper {
        let error = UserError::new("--kind", "no project is made for groupers");
        return Err(error.hint("make one for a selector, and see `Grouper` in the Rust SDK or the kind `grouper` in wit/README.md").into());
    }
    Ok(kind)
}

/// Fails if there is an operator of this name.
fn check_is_new(name: &str) -> Result<()> {
    let registry = given()?.load(&[name])?;
    let Some(entry) = registry.iter().find(|e| e.descriptor.name == name) else {
        return Ok(());
    };
    let message = match &entry.component.source {
        Source::Builtin(_) => {
            format!("there is a built-in operator `{name}`, which yours would override")
        }
        Source::File(path) => {
            format!(
                "there is an operator `{name}` in {} already",
                path.display()
            )
        }
    };
    Err(UserError::new("NAME", message)
        .hint("put a word of your own before it")
        .into())
}

/// Returns path and text of all files of a project.
fn files(name: &str, kind: Kind, language: Language, template: &str) -> Vec<(String, String)> {
    let source = language.source_file(name);
    let (params, kept) = sample(kind);
    // If djhost was built without the Rust SDK beside it, projects take the SDK from the registry.
    let embedded = SDK.iter().any(|(file, _)| *file == "rust/Cargo.toml");
    let sdk = if embedded {
        "{ path = \"sdk\" }"
    } else {
        concat!("\"", env!("CARGO_PKG_VERSION"), "\"")
    };
    let fill = |text: &str| {
        text.replace("@NAME@", name)
            .replace("@TYPE@", &name::type_name(name))
            .replace("@KIND@", kind.as_str())
            .replace("@LANG@", language.id())
            .replace("@LANGUAGE@", language.title())
            .replace("@FILE@", &source)
            .replace("@SETUP@", language.setup())
            .replace("@PARAMS@", params)
            .replace("@SDK@", sdk)
    };
    let mut files = vec![
        (
            PROJECT_FILE.to_owned(),
            format!("{:#}\n", json!({ "name": name, "lang": language.id() })),
        ),
        (
            "README.md".to_owned(),
            fill(include_str!("templates/README.md")),
        ),
        ("test/input.jsonl".to_owned(), INPUT.to_owned()),
        ("test/expected.jsonl".to_owned(), expected(kept)),
        (
            ".gitignore".to_owned(),
            "/target\n/node_modules\n/.venv\n__pycache__/\n*.wasm\n".to_owned(),
        ),
        (source.clone(), fill(template)),
    ];
    for (path, text) in language.more() {
        let mut text = fill(text);
        if path == "Cargo.toml" && kind != Kind::Deduplicator {
            // Only fingerprints need a hash.
            text = text
                .lines()
                .filter(|line| !line.starts_with("xxhash-rust"))
                .fold(String::new(), |all, line| all + line + "\n");
        }
        files.push((path.to_owned(), text));
    }
    for (file, text) in SDK {
        if language.requirements() == Some(*file) {
            files.push(("requirements.txt".to_owned(), (*text).to_owned()));
        }
        files.extend(
            language
                .place_of(file)
                .map(|place| (place, (*text).to_owned())),
        );
    }
    files
}

const INPUT: &str = include_str!("templates/input.jsonl");

/// Returns parameters to try, and the lines of the test data that remain with the defaults.
fn sample(kind: Kind) -> (&'static str, &'static [usize]) {
    match kind {
        Kind::Filter => (r#"{"min_num": 3}"#, &[1]),
        Kind::Mapper => (r#"{"max_chars": 100}"#, &[0, 1, 2, 3, 4, 5]),
        Kind::Deduplicator => (r#"{"length": 20}"#, &[0, 1, 3, 4]),
        Kind::Selector | Kind::Grouper => (r#"{"count": 1}"#, &[2, 4]),
    }
}

/// Returns the result for the test data. Only the mapper changes the texts.
fn expected(kept: &[usize]) -> String {
    let cut = |line: &str| {
        line.replace("one line, and more of it", "one line")
            .replace("äöü, 日本語 and 🙂", "äöü, 日本語")
    };
    let lines: Vec<&str> = INPUT.lines().collect();
    let change = |line: &str| {
        if kept.len() == lines.len() {
            cut(line)
        } else {
            line.to_owned()
        }
    };
    kept.iter().map(|&row| change(lines[row]) + "\n").collect()
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(path, text)?;
    #[cfg(unix)]
    if path.extension().is_some_and(|e| e == "sh") {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
