//! Files and directories that operators read and that are elsewhere: fetched, and granted under
//! their addresses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::file_params::Names;
use super::granted_files::Files;
use super::grants::Granting;
use crate::error::UserError;
use crate::remote::address::Address;
use crate::remote::{fetch_dir_to_cache, fetch_files_to_cache};

/// An address that stands in place of the path of a file or directory.
pub(super) struct Elsewhere {
    pub(super) written: String,
    pub(super) what: Names,
    /// What grants it, for the plan.
    pub(super) why: String,
    /// Where it is written, for messages.
    pub(super) place: String,
    /// What to do if it is not there.
    pub(super) if_missing: Option<String>,
}

impl Elsewhere {
    fn mistake(&self, error: UserError) -> UserError {
        UserError {
            place: self.place.clone(),
            hint: error.hint.clone().or_else(|| self.if_missing.clone()),
            ..error
        }
    }

    /// The address of the directory that the file is in, as it is written.
    fn parent(&self) -> String {
        let written = self.written.trim_end_matches('/');
        written
            .rsplit_once('/')
            .unwrap_or(("", written))
            .0
            .to_owned()
    }
}

impl Granting {
    /// Grants what is at these addresses. Its content becomes part of the identity, the same on each
    /// machine.
    pub(super) fn elsewhere(&mut self, all: Vec<Elsewhere>) {
        // A guest path leads to one directory: so the files of one directory are fetched into one.
        let mut files: BTreeMap<String, Vec<Elsewhere>> = BTreeMap::new();
        for one in all {
            if one.what == Names::File || !self.directory(&one) {
                files.entry(one.parent()).or_default().push(one);
            }
        }
        for (parent, files) in files {
            self.files(&parent, &files);
        }
    }

    /// Grants a directory; false if it is a file and may be.
    fn directory(&mut self, one: &Elsewhere) -> bool {
        let fetched = Address::parse_file(&one.written)
            .and_then(|address| fetch_dir_to_cache(&address, |_| true));
        match fetched {
            Err(error) => self.errors.push(one.mistake(error)),
            Ok(fetched) if fetched.path.is_dir() => {
                let digest = Files::of(&fetched.path).and_then(|files| files.content_digest());
                match digest {
                    Ok(digest) => {
                        self.with(|key| key.with("dir").with(&one.written).with(digest.as_str()));
                    }
                    Err(error) => self.errors.push(unreadable(one, &error)),
                }
                let guest = one.written.trim_end_matches('/');
                self.show(guest, fetched.path, &one.why);
            }
            Ok(_) if one.what == Names::Path => return false,
            Ok(_) => self.wrong(
                &one.place,
                format!("`{}` is a file, not a directory", one.written),
                "name what files are below: `s3://BUCKET/PREFIX`",
            ),
        }
        true
    }

    /// Grants the files of one directory, and nothing else that is there.
    fn files(&mut self, parent: &str, files: &[Elsewhere]) {
        let addresses = files.iter().enumerate().map(|(number, file)| {
            let address = Address::parse_file(&file.written);
            address.map_err(|error| (number, error))
        });
        let fetched = addresses
            .collect::<Result<Vec<_>, _>>()
            .and_then(|addresses| fetch_files_to_cache(&addresses));
        let dir = match fetched {
            Ok(dir) => dir,
            Err((number, error)) => {
                return self.errors.push(files[number].mistake(error));
            }
        };
        for file in files {
            let name = file.written.rsplit('/').next().unwrap_or_default();
            let digest = Files::of(&dir.join(name)).and_then(|files| files.content_digest());
            match digest {
                Ok(digest) => {
                    self.with(|key| key.with("file").with(&file.written).with(digest.as_str()));
                }
                Err(error) => self.errors.push(unreadable(file, &error)),
            }
        }
        let why: Vec<&str> = files.iter().map(|file| file.why.as_str()).collect();
        self.show(parent, dir, &why.join(", "));
    }

    /// Also under the address as languages write it that take two slashes of a path for one.
    pub(super) fn show(&mut self, guest: &str, host: PathBuf, why: &str) {
        self.grants.add_dir(guest, host.clone(), why);
        let other = guest.replacen("://", ":/", 1);
        self.grants.add_dir(other, host, "");
    }
}

fn unreadable(one: &Elsewhere, error: &anyhow::Error) -> UserError {
    UserError::new(&one.place, format!("{error:#}"))
}
