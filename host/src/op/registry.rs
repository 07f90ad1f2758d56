//! All operators that a recipe may name: those embedded in the program, and those of the components in the plugin directories.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::absent::{self, absent};
use super::component::{self, Found, LoadedComponent, Source};
use super::contract::{Descriptor, Limits};
use super::find::read_components;
use super::grants::Grants;
use super::packs::{Pack, packs};
use super::pool::OpPool;
use crate::error::{UserError, UserErrors, did_you_mean};

/// One operator that recipes may name.
#[derive(Clone)]
pub struct OpEntry {
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// The component that has it.
    pub component: Arc<LoadedComponent>,
}

/// The operators by name.
#[derive(Default)]
pub struct Registry {
    ops: BTreeMap<String, OpEntry>,
    notes: Vec<String>,
}

impl Registry {
    /// Loads every `.wasm` file under `dirs` (recursively, in the order of their names), then the built-in packs. An operator of a file replaces
    /// a built-in one of the same name, with a note; two files with the same operator are an error.
    pub fn load(dirs: &[PathBuf]) -> Result<Self> {
        Self::load_packs(dirs, |_, _| true)
    }

    /// The same for a recipe with the operators `names`: packs without any of them are not loaded. If one of the operators is nowhere, all are,
    /// unless djhost is known to lack it: then there is nothing to look for.
    pub fn load_for(dirs: &[PathBuf], names: &[&str]) -> Result<Self> {
        Self::load_packs(dirs, |files, pack| {
            let missing = || names.iter().filter(|name| !files.ops.contains_key(**name));
            missing().any(|name| pack.operators.contains(name))
                || missing().any(|name| absent(name).is_none() && !packs().any(|p| p.operators.contains(name)))
        })
    }

    /// `is_wanted` is asked for each pack, given what the files that are no packs have.
    fn load_packs(dirs: &[PathBuf], is_wanted: impl Fn(&Self, &Pack) -> bool) -> Result<Self> {
        let embedded: Vec<Pack> = packs().collect();
        let embedded: Vec<(Pack, Found)> =
            embedded.into_par_iter().map(|pack| (pack, Found::new(Source::Builtin(pack.name.into()), pack.component))).collect();
        // A pack may be among the files, as a copy of each is in `plugins/dist`. It is no less to be trusted for that.
        let is_pack = |file: &Found| embedded.iter().any(|(_, found)| found.digest == file.digest);
        let (copies, files): (Vec<Found>, Vec<Found>) = read_components(dirs)?.into_iter().partition(is_pack);
        let mut registry = Self::default();
        let mut errors = registry.add_all(files, false)?;
        let mut wanted = Vec::new();
        for (pack, found) in &embedded {
            let replaced = pack.operators.iter().filter_map(|name| registry.ops.get_key_value(*name));
            let notes = replaced.map(|(name, other)| format!("operator `{name}` of {} replaces the built-in one", other.component.source));
            registry.notes.extend(notes.collect::<Vec<_>>());
            if is_wanted(&registry, pack) {
                let copies: Vec<Found> = copies.iter().filter(|copy| copy.digest == found.digest).cloned().collect();
                wanted.extend(if copies.is_empty() { vec![found.clone()] } else { copies });
            }
        }
        errors.extend(registry.add_all(wanted, true)?);
        if errors.is_empty() { Ok(registry) } else { Err(UserErrors(errors).into()) }
    }

    /// Adds all operators of some components; gives the user's errors. `trusted` are packs, whose operators are left out where another component
    /// has them.
    fn add_all(&mut self, found: Vec<Found>, trusted: bool) -> Result<Vec<UserError>> {
        // Compiling uses all cores; from the cache it is a read.
        let loaded: Vec<Result<(Arc<LoadedComponent>, Vec<Descriptor>)>> =
            found.into_par_iter().map(|f| component::load(f, trusted)).collect();
        let mut errors = Vec::new();
        for result in loaded {
            match result {
                Ok((component, descriptors)) => {
                    descriptors.into_iter().for_each(|d| errors.extend(self.add(d, &component, trusted).err()));
                }
                Err(error) => errors.push(error.downcast::<UserError>()?),
            }
        }
        Ok(errors)
    }

    fn add(&mut self, descriptor: Descriptor, component: &Arc<LoadedComponent>, trusted: bool) -> Result<(), UserError> {
        let name = descriptor.name.clone();
        let Some(other) = self.ops.get(&name) else {
            self.ops.insert(name, OpEntry { descriptor, component: Arc::clone(component) });
            return Ok(());
        };
        match &component.source {
            Source::File(path) if other.component.digest == component.digest => {
                self.notes.push(format!("{} is the same component as {}", path.display(), other.component.source));
                Ok(())
            }
            Source::File(path) if !trusted => {
                Err(UserError::new(path.display().to_string(), format!("operator `{name}` is also in {}", other.component.source))
                    .hint("remove one of the two, or name a narrower `--plugins` directory"))
            }
            _ => Ok(()),
        }
    }

    /// The operator called `name`. An unknown one is the user's error at `place`: for an operator of Data-Juicer that djhost lacks it says why and
    /// what to do instead, for a misspelt one the name that was meant.
    pub fn get(&self, name: &str, place: &str) -> Result<&OpEntry, UserError> {
        self.ops.get(name).ok_or_else(|| {
            if let Some(known) = absent(name) {
                return UserError::new(place, format!("djhost lacks Data-Juicer's `{name}`: {}", known.why)).hint(known.instead);
            }
            let error = UserError::new(place, format!("there is no operator `{name}`"));
            let names = self.ops.keys().map(String::as_str).chain(absent::all().map(|op| op.name));
            match did_you_mean(name, names) {
                Some(near) if !self.ops.contains_key(near) => {
                    let why = absent(near).map(|known| format!(": {}; {}", known.why, known.instead)).unwrap_or_default();
                    error.hint(format!("did you mean Data-Juicer's `{near}`? djhost lacks it{why}"))
                }
                Some(near) => error.hint(format!("did you mean `{near}`? `djhost ops list` shows all {}", self.ops.len())),
                None => error.hint(format!(
                    "`djhost ops list` shows all {}; more come with `--plugins DIR`, and `djhost ops new` begins one of your own",
                    self.ops.len()
                )),
            }
        })
    }

    /// All operators in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &OpEntry> {
        self.ops.values()
    }

    /// What the user should know of how the operators were found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The pool of one use of an operator. `params` is the full object for `create`; see [`OpPool`].
    pub fn pool(
        &self,
        entry: &OpEntry,
        params: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        grants: Grants,
        seed: u64,
        place: &str,
    ) -> Result<OpPool> {
        OpPool::new(Arc::clone(&entry.component), entry.descriptor.clone(), params, limits, grants, seed, place)
    }
}
