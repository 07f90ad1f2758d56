//! Opening files of the run directory without following links. Otherwise, whoever can create a link
//! there could make djhost write to any file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::error::UserError;

/// Creates an empty file at `path` and replaces whatever has that name.
pub(crate) fn new_file(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(path)?;
            File::create_new(path)
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
            std::io::Write::write_all(&mut new_file(&at(name)).unwrap(), b"mine").unwrap();
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
    }
}
