//! The operators that a recipe may name: those embedded in the program, and those of components in
//! the plugin directories.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use rayon::prelude::*;

use super::absent::{self, absent};
use super::component::{self, Found, Loaded, LoadedComponent, Source};
use super::contract::{Descriptor, Limits};
use super::find::{Component, read_components};
use super::grants::Grants;
use super::inspect::Inspected;
use super::packs::{Pack, packs};
use super::pool::OpPool;
use super::{cache, compiling};
use crate::error::{UserError, UserErrors, did_you_mean};

/// Errors of plugins that a message shows; it counts the others.
const SHOWN: usize = 20;
/// Plugins that may fail to compile or start before the others are skipped: each may take a minute.
const MAX_BROKEN: usize = 5;
/// Names in one note.
const NAMES: usize = 3;

/// One operator that recipes may name.
#[derive(Clone)]
pub struct OpEntry {
    /// Its description of itself.
    pub descriptor: Descriptor,
    /// The component that contains it.
    pub component: Arc<LoadedComponent>,
}

/// Which operators of plugins replace built-in ones of the same name. All others are left out.
#[derive(Debug, Clone, Copy)]
pub enum Replace<'a> {
    /// Those named by the user.
    These(&'a [String]),
    /// All: the user named the plugin for that purpose.
    All,
}

impl Replace<'_> {
    fn allows(self, name: &str) -> bool {
        match self {
            Self::These(names) => names.iter().any(|n| n == name),
            Self::All => true,
        }
    }
}

/// The operators by name.
#[derive(Default)]
pub struct Registry {
    ops: BTreeMap<String, OpEntry>,
    /// Plugin operators with the name of a built-in one, left out because nobody asked for them.
    left_out: BTreeMap<String, Source>,
    notes: Vec<String>,
}

impl Registry {
    /// Loads every `.wasm` file under `dirs` (recursively, sorted by name), then the built-in
    /// packs. An operator of a file replaces a built-in one of the same name if `replace` says so,
    /// with a note; two files with the same operator are an error.
    pub fn load(dirs: &[PathBuf], replace: Replace<'_>) -> Result<Self> {
        Self::load_packs(dirs, replace, |_, _| true)
    }

    /// Like [`Self::load`], for a recipe with the operators `names`: skips packs without any of
    /// them. If an operator is found nowhere, loads all packs, unless djhost is known to lack it.
    pub fn load_for(dirs: &[PathBuf], replace: Replace<'_>, names: &[&str]) -> Result<Self> {
        Self::load_packs(dirs, replace, |files, pack| {
            let missing = || names.iter().filter(|name| !files.ops.contains_key(**name));
            missing().any(|name| pack.operators.contains(name))
                || missing().any(|name| {
                    absent(name).is_none() && !packs().any(|p| p.operators.contains(name))
                })
        })
    }

    /// Calls `is_wanted` for each pack, with the operators of files that are not packs.
    fn load_packs(
        dirs: &[PathBuf],
        replace: Replace<'_>,
        is_wanted: impl Fn(&Self, &Pack) -> bool,
    ) -> Result<Self> {
        // A pack may be among the files, since `plugins/dist` has copies. It is just as trusted.
        let is_pack = |bytes: &[u8]| packs().any(|pack| pack.component == bytes);
        let (components, mut errors) = read_components(dirs, is_pack)?;
        if !errors.is_empty() {
            return Err(few(errors).into());
        }
        let mut registry = Self::default();
        components
            .iter()
            .for_each(|c| registry.notes.extend(note_copies(c)));
        let (copies, files): (Vec<Component>, Vec<Component>) =
            components.into_iter().partition(|c| c.inspected.is_none());
        let files: Vec<_> = files.into_iter().map(|c| (c.found, c.inspected)).collect();
        errors.extend(registry.add_all(files, false, replace)?);
        if !errors.is_empty() {
            return Err(few(errors).into());
        }
        registry.note_names(replace);
        let wanted: Vec<Pack> = packs().filter(|pack| is_wanted(&registry, pack)).collect();
        // Hashes only what is wanted: all packs have 16 MB.
        let find = |pack: Pack| {
            let found = Found::embedded(pack.name, pack.component);
            let copy = copies.iter().find(|c| c.found.digest == found.digest);
            // The copy is named as the source; the bytes are those in the program.
            match copy {
                Some(copy) => (found.named(copy.found.source.clone()), None),
                None => (found, None),
            }
        };
        let wanted = wanted.into_par_iter().map(find).collect();
        errors.extend(registry.add_all(wanted, true, replace)?);
        registry.notes.extend(cache::problem().map(str::to_owned));
        if errors.is_empty() {
            Ok(registry)
        } else {
            Err(few(errors).into())
        }
    }

    /// Adds all operators of some components; returns the user's errors. `trusted` are packs, whose
    /// operators are left out where another component has them.
    fn add_all(
        &mut self,
        found: Vec<(Found, Option<Inspected>)>,
        trusted: bool,
        replace: Replace<'_>,
    ) -> Result<Vec<UserError>> {
        let broken = AtomicUsize::new(0);
        // Compiling uses all cores; loading from the cache is a read.
        compiling::expect(found.len());
        let load = |(found, inspected): (Found, Option<Inspected>)| {
            if broken.load(Ordering::Relaxed) >= MAX_BROKEN {
                return None;
            }
            let loaded = component::load(found, inspected);
            if loaded.is_err() {
                broken.fetch_add(1, Ordering::Relaxed);
            }
            compiling::loaded();
            Some(loaded)
        };
        let loaded: Vec<Option<Result<Loaded>>> = found.into_par_iter().map(load).collect();
        let skipped = loaded.iter().filter(|loaded| loaded.is_none()).count();
        let mut errors = Vec::new();
        for result in loaded.into_iter().flatten() {
            match result {
                Ok((component, descriptors)) => {
                    descriptors.into_iter().for_each(|d| {
                        errors.extend(self.add(d, &component, trusted, replace).err())
                    });
                }
                Err(error) => errors.push(error.downcast::<UserError>()?),
            }
        }
        if skipped > 0 {
            let message = format!("{skipped} more were not tried, as {MAX_BROKEN} cannot be used");
            errors.push(UserError::new("--plugins", message).hint("mend or remove those first"));
        }
        Ok(errors)
    }

    fn add(
        &mut self,
        descriptor: Descriptor,
        component: &Arc<LoadedComponent>,
        trusted: bool,
        replace: Replace<'_>,
    ) -> Result<(), UserError> {
        let name = descriptor.name.clone();
        let is_built_in = || packs().any(|pack| pack.operators.contains(&name.as_str()));
        if !trusted && !replace.allows(&name) && is_built_in() {
            self.left_out
                .entry(name)
                .or_insert_with(|| component.source.clone());
            return Ok(());
        }
        match self.ops.get(&name) {
            None => {
                self.ops.insert(
                    name,
                    OpEntry {
                        descriptor,
                        component: Arc::clone(component),
                    },
                );
                Ok(())
            }
            Some(_) if trusted => Ok(()),
            Some(other) => {
                let message = format!("operator `{name}` is also in {}", other.component.source);
                Err(UserError::new(component.source.to_string(), message)
                    .hint("remove one of the two, or name a narrower `--plugins` directory"))
            }
        }
    }

    /// Notes operators of files with the names of built-in ones, and which of the two is used.
    fn note_names(&mut self, replace: Replace<'_>) {
        let is_built_in = |name: &str| packs().any(|pack| pack.operators.contains(&name));
        for (name, entry) in self.ops.iter().filter(|(name, _)| is_built_in(name)) {
            self.notes.push(format!(
                "operator `{name}` of {} replaces the built-in one",
                entry.component.source
            ));
        }
        let mut of_file: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, source) in &self.left_out {
            of_file
                .entry(source.to_string())
                .or_default()
                .push(format!("`{name}`"));
        }
        for (file, names) in of_file {
            self.notes.push(format!(
                "{file} has {}, as djhost itself does: the built-in ones are used; `--allow-override NAME` takes the plugin's",
                shortened(&names)
            ));
        }
        if let Replace::These(names) = replace {
            let unused = names
                .iter()
                .filter(|name| !(is_built_in(name) && self.ops.contains_key(*name)));
            self.notes.extend(unused.map(|name| {
                format!("`allow_override` names `{name}`, which replaces no built-in operator")
            }));
        }
    }

    /// The operator called `name`. The user's error at `place` says, for an operator of Data-Juicer
    /// that djhost lacks, why and what to do instead; for a misspelt one, the likely name. A name
    /// that is both built in and in a plugin is an error, too, unless the user chose one.
    pub fn get(&self, name: &str, place: &str) -> Result<&OpEntry, UserError> {
        if let Some(plugin) = self.left_out.get(name) {
            return Err(UserError::new(place, format!("operator `{name}` is built in, and {plugin} has one of the same name")).hint(format!(
                "`--allow-override {name}`, or `allow_override: [{name}]` in the recipe, takes that of the plugin; for the built-in one remove \
                 the plugin, or name a narrower `--plugins` directory"
            )));
        }
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

    /// All operators, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &OpEntry> {
        self.ops.values()
    }

    /// Notes for the user on how the operators were found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Makes the pool of one use of an operator. `params` is the full object for `create`; see
    /// [`OpPool`].
    pub fn pool(
        &self,
        entry: &OpEntry,
        params: &serde_json::Map<String, serde_json::Value>,
        limits: Limits,
        grants: Grants,
        seed: u64,
        place: &str,
    ) -> Result<OpPool> {
        OpPool::new(
            Arc::clone(&entry.component),
            entry.descriptor.clone(),
            params,
            limits,
            grants,
            seed,
            place,
        )
    }
}

/// The first errors, and the number of the others.
fn few(mut errors: Vec<UserError>) -> UserErrors {
    let more = errors.len().saturating_sub(SHOWN);
    if more > 0 {
        errors.truncate(SHOWN);
        errors.push(UserError::new(
            "",
            format!("and {more} more mistakes of this kind in plugins"),
        ));
    }
    UserErrors(errors)
}

/// A note on a component that is in several files.
fn note_copies(component: &Component) -> Option<String> {
    let names: Vec<String> = component
        .copies
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| {
        format!(
            "{} {are} the same component as {}",
            shortened(&names),
            component.found.source
        )
    })
}

/// The first names, and the number of the others.
fn shortened(names: &[String]) -> String {
    let shown = names[..names.len().min(NAMES)].join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
