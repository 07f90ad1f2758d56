//! HTML files: each is a row.

use super::page::{Page, too_large, write};
use super::settings::PageSettings;
use crate::data::input::file::InputFile;
use crate::data::input::not_data::foreign;
use crate::data::input::packing::open_unpacked;
use crate::remote::address::of_path;
use anyhow::Result;
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// Appends the row of a file to `out`; or why there is none, and the first bytes of the file.
pub(super) fn row(
    input: &InputFile,
    settings: &PageSettings,
    limit: usize,
    zstd_window: u64,
    out: &mut Vec<u8>,
) -> Result<Result<(), (String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let from = open_unpacked(input, input.compression, zstd_window)?;
    if let Err(error) = from.take(limit as u64 + 1).read_to_end(&mut bytes) {
        let is_packed = input.compression != crate::data::Compression::None;
        return match is_packed {
            true => Ok(Err((format!("it cannot be unpacked: {error}"), bytes))),
            false => Err(error.into()),
        };
    }
    if bytes.len() > limit {
        let size = input.bytes.max(bytes.len() as u64);
        return Ok(Err((too_large(size, limit), bytes)));
    }
    if let Some(other) = foreign(&bytes) {
        let reason = format!("it is no HTML page: this is {}", other.what);
        return Ok(Err((reason, bytes)));
    }
    let page = Page {
        url: Some(Cow::Owned(url_of(&input.path))),
        ..Page::default()
    };
    write(&page, &bytes, true, settings, out);
    Ok(Ok(()))
}

/// The `file:` URL of an absolute path, or where a remote page is.
fn url_of(path: &Path) -> String {
    if of_path(path).is_some() {
        return path.display().to_string();
    }
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(*byte)),
            b'/' | b'-' | b'.' | b'_' | b'~' | b'+' | b'@' | b',' | b'=' | b':' => {
                url.push(char::from(*byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_files_are_escaped() {
        assert_eq!(
            url_of(Path::new("/a b/ü.html")),
            "file:///a%20b/%C3%BC.html"
        );
    }
}
