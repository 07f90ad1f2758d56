//! A test double: a disk that fails or loses power at a chosen call.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::rundir::storage::{Disk, DiskFile};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call fails once, as on a full disk; a write has then written half of its bytes.
    Fail,
    /// Power fails before the call; unsynced names and bytes are lost.
    CutPower,
    /// Power fails; names reached the disk, unsynced bytes did not: such files are empty.
    CutPowerKeepNames,
}

/// Works on a real directory and tracks what a power cut would leave of it.
#[derive(Clone)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    root: PathBuf,
    fault: Option<(usize, Fault)>,
    calls: usize,
    cut: bool,
    /// Bytes of each file as of its last sync, by its current name.
    synced: BTreeMap<PathBuf, Vec<u8>>,
    /// Names and bytes that survive.
    durable: BTreeMap<PathBuf, Vec<u8>>,
}

impl FaultyDisk {
    /// A disk over the directory `root`, whose existing files are durable. `fault` happens at that
    /// call, counted from 0; None only counts.
    pub fn new(root: &Path, fault: Option<(usize, Fault)>) -> io::Result<Self> {
        let durable = files(root)?;
        Ok(Self {
            state: Arc::new(Mutex::new(State {
                root: root.to_owned(),
                fault,
                calls: 0,
                cut: false,
                synced: durable.clone(),
                durable,
            })),
        })
    }

    /// Calls made so far.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Whether the power was cut.
    pub fn is_cut(&self) -> bool {
        self.lock().cut
    }

    /// Leaves the directory as the next start would find it after a power cut now.
    pub fn restart(&self) -> io::Result<()> {
        let state = self.lock();
        let keep_names = matches!(state.fault, Some((_, Fault::CutPowerKeepNames)));
        let mut left = state.durable.clone();
        if keep_names {
            left = files(&state.root)?
                .into_keys()
                .map(|path| {
                    (
                        path.clone(),
                        state.synced.get(&path).cloned().unwrap_or_default(),
                    )
                })
                .collect();
        }
        for path in files(&state.root)?.keys() {
            fs::remove_file(path)?;
        }
        left.iter()
            .try_for_each(|(path, bytes)| fs::write(path, bytes))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call; fails if it must not take place.
    fn call(&mut self) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        if self.cut {
            return Err(io::Error::other("the power is off"));
        }
        match self.fault {
            Some((at, Fault::Fail)) if at == number => Err(io::Error::other("injected fault")),
            Some((at, Fault::CutPower | Fault::CutPowerKeepNames)) if at == number => {
                self.cut = true;
                Err(io::Error::other("the power is off"))
            }
            _ => Ok(()),
        }
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, _mode: u32) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.call()?;
        state.synced.remove(path);
        Ok(Box::new(FaultyFile {
            disk: self.clone(),
            path: path.to_owned(),
            file: fs::File::create(path)?,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        fs::rename(from, to)?;
        match state.synced.remove(from) {
            Some(bytes) => state.synced.insert(to.to_owned(), bytes),
            None => state.synced.remove(to),
        };
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        fs::remove_file(path)?;
        state.synced.remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.call()?;
        state.durable.retain(|path, _| path.parent() != Some(dir));
        for path in files(&state.root)?
            .into_keys()
            .filter(|path| path.parent() == Some(dir))
        {
            let bytes = state.synced.get(&path).cloned().unwrap_or_default();
            state.durable.insert(path, bytes);
        }
        Ok(())
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    file: fs::File,
}

impl Write for FaultyFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self.disk.lock().call() {
            Ok(()) => self.file.write(buf),
            Err(error) => {
                self.file.write_all(&buf[..buf.len() / 2])?;
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.call()?;
        let bytes = fs::read(&self.path)?;
        if let Some(durable) = state.durable.get_mut(&self.path) {
            durable.clone_from(&bytes);
        }
        state.synced.insert(self.path.clone(), bytes);
        Ok(())
    }
}

fn files(dir: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else {
            found.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rundir::Storage;

    const OLD: &[u8] = b"the old content";
    const NEW: &[u8] = b"the new content, which is longer";

    /// Replaces a file, with a fault at every possible call; calls `check` with the result and what
    /// is there after a restart.
    fn at_every_call(
        fault: Fault,
        act: impl Fn(&Storage, &Path) -> anyhow::Result<()>,
        check: impl Fn(bool, &[u8], usize),
    ) {
        for call in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            fs::write(&path, OLD).unwrap();
            let disk = FaultyDisk::new(dir.path(), Some((call, fault))).unwrap();
            let result = act(&Storage::on(Arc::new(disk.clone())), &path);
            if let Err(error) = &result {
                assert!(
                    error.to_string().contains(dir.path().to_str().unwrap()),
                    "the error does not name the path: {error:#}"
                );
            }
            if disk.is_cut() {
                disk.restart().unwrap();
            } else if fault == Fault::Fail {
                assert_eq!(
                    fs::read_dir(dir.path()).unwrap().count(),
                    1,
                    "a temporary file is left after a fault at call {call}"
                );
            }
            check(result.is_ok(), &fs::read(&path).unwrap(), call);
            if disk.calls() <= call {
                assert!(call >= 4, "the fault never happened");
                return;
            }
        }
    }

    #[test]
    fn a_replaced_file_is_old_or_new_and_new_once_the_call_has_returned() {
        for fault in [Fault::Fail, Fault::CutPower, Fault::CutPowerKeepNames] {
            let act = |storage: &Storage, path: &Path| storage.write_atomic(path, NEW);
            at_every_call(fault, act, |ok, content, call| {
                assert!(
                    content == OLD || content == NEW,
                    "{fault:?} at call {call}: torn"
                );
                assert!(
                    !ok || content == NEW,
                    "{fault:?} at call {call}: lost after success"
                );
            });
        }
    }

    #[test]
    fn this_disk_finds_a_writer_that_does_not_sync() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let disk = FaultyDisk::new(dir.path(), Some((99, Fault::CutPowerKeepNames))).unwrap();
        Storage::on(Arc::new(disk.clone()))
            .replace(&path, NEW)
            .unwrap();
        disk.restart().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
