//! Opening files of the run directory without following links. Otherwise, whoever can create a link
//! there could make djhost write to any file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::error::UserError;

/// Creates an empty file at `path` and replaces whatever has that name.
pub(crate) fn new_file(path: &Path, mode: u32) -> io::Result<File> {
    let create = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
    };
    match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            create()
        }
        created => created,
    }
}

/// Opens a file that later attempts use too. Fails with a [`UserError`] if it is a link, has a
/// second name, or is not a regular file.
pub(crate) fn open_own(path: &Path, options: &mut OpenOptions) -> anyhow::Result<File> {
    let wrong = |what: &str| {
        UserError::new(
            path.display().to_string(),
            format!("this is {what}: djhost writes to files of its own only"),
        )
        .hint("if nobody needs it, remove it, and start the job again")
    };
    // Without NONBLOCK, opening a pipe would wait for a process at its other end.
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let file = match options.custom_flags(flags.cast_signed()).open(path) {
        Err(_) if path.is_symlink() => return Err(wrong("a symbolic link").into()),
        opened => opened?,
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(wrong("a directory, a pipe or a device").into());
    }
    if meta.nlink() > 1 {
        return Err(wrong("a file with more than one name (hard links)").into());
    }
    Ok(file)
}

/// Opens a file that somebody else may have put there for reading. Fails for a pipe, which would make
/// us wait, and for a device, which may have no end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other(
            "it is a directory, a pipe or a device, not a file",
        ));
    }
    Ok(file)
}

/// The content of such a file, as [`std::fs::read`] returns it. Fails for more than `limit` bytes,
/// too.
pub(crate) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut bytes = Vec::with_capacity(file.metadata()?.len().min(limit) as usize);
    // It may grow while it is read.
    let read = file.take(limit + 1).read_to_end(&mut bytes)?;
    if read as u64 > limit {
        return Err(io::Error::other(format!(
            "it has more than {} MB",
            limit >> 20
        )));
    }
    Ok(bytes)
}

/// Bytes of one document of a run directory; a plan of 100,000 partitions has 164 MB.
const DOCUMENT: u64 = 4 << 30;

/// The content of a document of a run directory; see [`read_regular`].
pub(crate) fn read_document(path: &Path) -> io::Result<Vec<u8>> {
    read_regular(path, DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("precious"), "precious").unwrap();
        std::os::unix::fs::symlink("precious", at("link")).unwrap();
        std::fs::hard_link(at("precious"), at("second")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        for name in ["link", "second", "dangling"] {
            let error = open_own(
                &at(name),
                OpenOptions::new().read(true).write(true).create(true),
            )
            .unwrap_err();
            assert!(error.is::<UserError>(), "{name}: {error}");
            std::io::Write::write_all(&mut new_file(&at(name), 0o666).unwrap(), b"mine").unwrap();
        }
        assert_eq!(std::fs::read_to_string(at("precious")).unwrap(), "precious");
        assert!(!at("nowhere").exists());
        open_own(&at("own"), OpenOptions::new().append(true).create(true)).unwrap();
        open_own(&at("own"), OpenOptions::new().append(true).create(true)).unwrap();
    }

    #[test]
    fn pipes_do_not_make_wait() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("lock");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(
            open_own(&pipe, OpenOptions::new().read(true).write(true))
                .unwrap_err()
                .is::<UserError>()
        );
        assert!(
            open_own(&pipe, OpenOptions::new().read(true))
                .unwrap_err()
                .is::<UserError>()
        );
        for path in [&pipe, Path::new("/dev/zero"), dir.path()] {
            let error = read_document(path).unwrap_err().to_string();
            assert!(error.contains("not a file"), "{error}");
        }
        let long = dir.path().join("long");
        std::fs::write(&long, vec![b' '; (1 << 20) + 1]).unwrap();
        assert!(read_regular(&long, 1 << 20).is_err());
        assert_eq!(
            read_regular(&long, (1 << 20) + 1).unwrap().len(),
            (1 << 20) + 1
        );
    }
}
