//! Tries files and directories in all ways that could lead out of a grant.

use std::fs;
use std::io;

fn word<T>(result: io::Result<T>, of: impl Fn(T) -> String) -> String {
    result.map_or_else(|_| "refused".to_owned(), of)
}

/// Tries each of the paths in `text`, separated by `|`, and returns a line `path=content` for it. A
/// path that ends in `/` is listed; `>` before one tries to change it in every possible way.
pub(crate) fn report(text: &str) -> String {
    text.split('|')
        .skip(1)
        .map(|path| format!("{path}={}", attempt(path)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn attempt(path: &str) -> String {
    if let Some(path) = path.strip_prefix('>') {
        return change(path);
    }
    if path.ends_with('/') {
        return word(fs::read_dir(path), |entries| {
            let mut names: Vec<String> = entries
                .map(|e| word(e, |e| e.file_name().to_string_lossy().into_owned()))
                .collect();
            names.sort();
            names.join(",")
        });
    }
    word(fs::read_to_string(path), |content| {
        content.trim().to_owned()
    })
}

/// Number of ways of changing something that worked.
fn change(path: &str) -> String {
    let beside = format!("{path}.rogue");
    let tries = [
        fs::write(path, "rogue").is_ok(),
        fs::write(&beside, "rogue").is_ok(),
        fs::OpenOptions::new().append(true).open(path).is_ok(),
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .is_ok(),
        fs::File::open(path).is_ok_and(|f| f.set_len(0).is_ok()),
        fs::rename(path, &beside).is_ok(),
        fs::hard_link(path, &beside).is_ok(),
        fs::create_dir(&beside).is_ok(),
        fs::remove_file(path).is_ok(),
        fs::remove_dir(path).is_ok(),
    ];
    tries.iter().filter(|worked| **worked).count().to_string()
}

/// Opens `path` a hundred times and keeps every handle.
pub(crate) fn hoard(path: &str) {
    let kept: Vec<_> = (0..100).map_while(|_| fs::File::open(path).ok()).collect();
    panic!("{} files are open", kept.len());
}
