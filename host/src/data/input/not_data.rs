//! Recognises files without rows, despite their name or place, by their first bytes, and says what
//! to do about them.

/// What a file really is.
#[derive(Clone)]
pub(crate) struct NotData {
    /// `a ZIP archive`.
    pub(crate) what: String,
    /// What the user can do.
    pub(crate) hint: String,
}

impl NotData {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// A pointer file of a few lines in place of a file that was not fetched.
pub(crate) fn pointer(head: &[u8]) -> Option<NotData> {
    if head.starts_with(b"version https://git-lfs.github.com/spec/")
        || head.starts_with(b"version https://hawser.github.com/spec/")
    {
        let text = String::from_utf8_lossy(&head[..head.len().min(1024)]);
        let size = text
            .lines()
            .find_map(|line| line.strip_prefix("size ")?.trim().parse::<u64>().ok());
        let of = size
            .map(|bytes| format!(" of a file of {bytes} bytes"))
            .unwrap_or_default();
        return Some(NotData::new(
            format!("a Git LFS pointer{of}, not the file itself"),
            "run `git lfs pull` in its repository, or download the file by itself",
        ));
    }
    (head.len() < 1024
        && (head.starts_with(b"/annex/objects/") || head.starts_with(b".git/annex/objects/")))
    .then(|| {
        NotData::new(
            "a pointer of git-annex, not the file itself",
            "run `git annex get` on it, or download the file by itself",
        )
    })
}

/// Common formats that djhost does not read.
pub(crate) fn foreign(head: &[u8]) -> Option<NotData> {
    const UNPACK: &str = "unpack it, and name the files in it";
    const CONVERT: &str = "convert it to JSONL or Parquet first";
    let (what, hint) = match head {
        [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => {
            ("a ZIP archive, or a file of Office or NumPy", UNPACK)
        }
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => ("a 7z archive", UNPACK),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => ("a RAR archive", UNPACK),
        [4, 0x22, 0x4d, 0x18, ..] => ("packed by LZ4", "unpack it first: `lz4 -d FILE`"),
        [0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => {
            ("packed by Snappy", "unpack it first, or pack it as `.zst`")
        }
        [0x5d, 0, 0, ..] => (
            "packed by LZMA",
            "unpack it first: `xz -d --format=lzma FILE`",
        ),
        [0x1f, 0x9d, ..] => ("packed by `compress`", "unpack it first: `gzip -d FILE`"),
        [b'P', b'A', b'R', b'E', ..] => ("an encrypted Parquet file", "decrypt it first"),
        [b'F', b'E', b'A', b'1', ..] => (
            "a Feather file of version 1",
            "write it as version 2, which is Arrow IPC",
        ),
        [b'O', b'R', b'C', ..] => ("an ORC file", CONVERT),
        [b'O', b'b', b'j', 1, ..] => ("an Avro file", CONVERT),
        [b'S', b'E', b'Q', 4..=6, ..] => ("a Hadoop sequence file", CONVERT),
        [0x89, b'H', b'D', b'F', ..] => ("an HDF5 file", CONVERT),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => ("a NumPy file", CONVERT),
        [0x80, 2..=5, ..] => ("a pickled Python object", CONVERT),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..] => ("an SQLite database", CONVERT),
        [b'%', b'P', b'D', b'F', b'-', ..] => ("a PDF document", "extract its text first"),
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => (
            "an image",
            "rows name images by their paths: name the file with the rows",
        ),
        _ if head.get(257..262) == Some(b"ustar") => ("a tar archive", UNPACK),
        _ => return None,
    };
    Some(NotData::new(what, hint))
}

/// A server's error page in place of a file.
pub(crate) fn page(head: &[u8]) -> Option<NotData> {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let starts = |tag: &str| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    let what = match () {
        () if starts("<!doctype html") || starts("<html") || starts("<head") => "an HTML page",
        () if starts("<?xml") || starts("<Error>") => "an XML document",
        () => return None,
    };
    Some(NotData::new(
        format!("{what}, perhaps what a server said in place of the file"),
        "look into it, and download the file again",
    ))
}
