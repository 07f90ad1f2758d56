//! What `ops new` and `ops build` know about each language.

use crate::error::{UserError, did_you_mean};
use crate::wasm::Kind;

/// A language that a project can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    JavaScript,
    TypeScript,
    C,
    Cpp,
    Zig,
}

use Language::{C, Cpp, JavaScript, Python, Rust, TypeScript, Zig};

const ALL: [Language; 7] = [Rust, Python, JavaScript, TypeScript, C, Cpp, Zig];

impl Language {
    /// Parses `--lang`: the short name of a language or another common one.
    pub(crate) fn read(text: &str, place: &str) -> Result<Self, UserError> {
        let lower = text.to_lowercase();
        let short = match lower.as_str() {
            "rs" => "rust",
            "py" | "python3" => "python",
            "javascript" => "js",
            "typescript" => "ts",
            "c++" | "cxx" | "cc" => "cpp",
            other => other,
        };
        let names = ALL.map(Self::id);
        ALL.into_iter().find(|l| l.id() == short).ok_or_else(|| {
            let near = did_you_mean(short, names)
                .map(|n| format!("did you mean `{n}`? "))
                .unwrap_or_default();
            UserError::new(place, format!("there is no SDK for `{text}`"))
                .hint(format!("{near}valid are {}", names.join(", ")))
        })
    }

    /// Returns the name for `--lang`. Except for Rust, it is also the suffix of source files.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Rust => "rust",
            Python => "python",
            JavaScript => "js",
            TypeScript => "ts",
            C => "c",
            Cpp => "cpp",
            Zig => "zig",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Rust => "Rust",
            Python => "Python",
            JavaScript => "JavaScript",
            TypeScript => "TypeScript",
            C => "C",
            Cpp => "C++",
            Zig => "Zig",
        }
    }

    /// Returns the path of the file with the operator.
    pub(crate) fn source_file(self, name: &str) -> String {
        match self {
            Rust => "src/lib.rs".into(),
            Python => format!("{name}.py"),
            other => format!("{name}.{}", other.id()),
        }
    }

    /// Returns the command that installs the tools, for the directory of the project.
    pub(crate) fn setup(self) -> &'static str {
        match self {
            Rust => "rustup target add wasm32-wasip2",
            JavaScript | TypeScript => "npm install",
            Python | C | Cpp | Zig => {
                "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
            }
        }
    }

    /// Returns where a file of an SDK goes in a project, or None if it is not needed.
    pub(crate) fn place_of(self, file: &str) -> Option<String> {
        let (of, path) = file.split_once('/')?;
        match (self, of) {
            (Rust, "rust") | (Python, "python") | (JavaScript | TypeScript, "js") => {
                Some(format!("sdk/{path}"))
            }
            (C, "c") | (Cpp, "cpp") | (Zig, "zig") => Some(format!("sdk/{file}")),
            // The C++ and Zig SDKs are layers over the C SDK and need its sources.
            (Cpp | Zig, "c") if path.ends_with(".c") || path.ends_with(".h") => {
                Some(format!("sdk/{file}"))
            }
            _ => None,
        }
    }

    /// Returns the source of an operator of a kind, or None if the SDK does not have that kind.
    pub(crate) fn template(self, kind: Kind) -> Option<&'static str> {
        macro_rules! of {
            ($dir:literal, $end:literal) => {
                match kind {
                    Kind::Filter => include_str!(concat!("templates/", $dir, "/filter.", $end)),
                    Kind::Mapper => include_str!(concat!("templates/", $dir, "/mapper.", $end)),
                    Kind::Deduplicator => {
                        include_str!(concat!("templates/", $dir, "/deduplicator.", $end))
                    }
                    Kind::Selector | Kind::Grouper => return None,
                }
            };
        }
        Some(match (self, kind) {
            (Rust, Kind::Selector) => include_str!("templates/rust/selector.rs"),
            (Python, Kind::Selector) => include_str!("templates/python/selector.py"),
            (JavaScript | TypeScript, Kind::Selector) => include_str!("templates/js/selector.js"),
            (Rust, _) => of!("rust", "rs"),
            (Python, _) => of!("python", "py"),
            // Types are inferred from the definition, so the source is valid TypeScript, too.
            (JavaScript | TypeScript, _) => of!("js", "js"),
            (C, _) => of!("c", "c"),
            (Cpp, _) => of!("cpp", "cpp"),
            (Zig, _) => of!("zig", "zig"),
        })
    }

    /// Returns the path and text of the other files of a project.
    pub(crate) fn more(self) -> Vec<(&'static str, &'static str)> {
        let native = || vec![("build.sh", include_str!("templates/c/build.sh"))];
        let js = || {
            vec![
                ("build.sh", include_str!("templates/js/build.sh")),
                ("package.json", include_str!("templates/js/package.json")),
            ]
        };
        match self {
            Rust => vec![
                ("build.sh", include_str!("templates/rust/build.sh")),
                ("Cargo.toml", include_str!("templates/rust/Cargo.toml.txt")),
                (
                    ".cargo/config.toml",
                    include_str!("templates/rust/config.toml"),
                ),
            ],
            Python => vec![("build.sh", include_str!("templates/python/build.sh"))],
            JavaScript => js(),
            TypeScript => js()
                .into_iter()
                .chain([("tsconfig.json", include_str!("templates/js/tsconfig.json"))])
                .collect(),
            C | Cpp | Zig => native(),
        }
    }

    /// Returns the SDK's file with the versions of the tools, which goes to the root of the
    /// project.
    pub(crate) fn requirements(self) -> Option<&'static str> {
        match self {
            Python => Some("python/requirements.txt"),
            C | Cpp | Zig => Some("c/requirements.txt"),
            Rust | JavaScript | TypeScript => None,
        }
    }
}
