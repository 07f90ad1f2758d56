//! Makes the list of the SDKs' files, which `djhost ops new` puts into a project: `SDK` in `sdk.rs`
//! of `OUT_DIR`.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// What a plugin's author needs of `sdk/LANGUAGE`; of directories all that is in them.
const FILES: &[(&str, &[&str])] = &[
    ("rust", &["Cargo.toml", "README.md", "src", "wit"]),
    (
        "python",
        &["README.md", "requirements.txt", "djhost_sdk", "wit"],
    ),
    (
        "js",
        &["README.md", "package.json", "build.js", "src", "wit"],
    ),
    (
        "c",
        &[
            "README.md",
            "requirements.txt",
            "build.sh",
            "djhost.c",
            "djhost.h",
            "models.c",
            "models.h",
            "wit",
        ],
    ),
    ("cpp", &["README.md", "build.sh", "djhost.hpp", "wit"]),
    ("zig", &["README.md", "build.sh", "djhost.zig", "wit"]),
];

fn main() {
    println!("cargo::rerun-if-changed=host/build.rs");
    let sdk = Path::new(&env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("sdk");
    let mut list = String::from("const SDK: &[(&str, &str)] = &[\n");
    for (language, names) in FILES {
        for name in *names {
            let path = sdk.join(language).join(name);
            println!("cargo::rerun-if-changed={}", path.display());
            let mut files = Vec::new();
            collect(&path, &mut files);
            for file in files {
                let name = file
                    .strip_prefix(&sdk)
                    .expect("it is below")
                    .display()
                    .to_string();
                list += &format!(
                    "    ({name:?}, include_str!({:?})),\n",
                    file.display().to_string()
                );
            }
        }
    }
    list += "];\n";
    fs::write(
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("sdk.rs"),
        list,
    )
    .expect("OUT_DIR is writable");
}

/// All files at or below a path, sorted, without what tools leave there.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut below: Vec<PathBuf> = fs::read_dir(path)
            .expect("it is readable")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        below.sort();
        below
            .iter()
            .filter(|path| !path.ends_with("__pycache__"))
            .for_each(|path| collect(path, files));
    } else if path.is_file() {
        files.push(path.to_owned());
    }
}
