//! The models that an op may use: those that its parameters name, and those that an operator that comes
//! with djhost looks for under a name of Data-Juicer's.

use std::path::Path;

use djhost_inference::Kind;
use serde_json::{Map, Value};

use super::granted_files::Files;
use super::grants::{Granting, comes_with_djhost, host_path};
use crate::config::Config;
use crate::error::UserError;
use crate::models::{Demand, Found, Lent, Library, files_inside, runtime};
use crate::remote::address::Address;
use crate::remote::fetch_files_to_cache;
use crate::wasm::{GrantedModel, OpEntry};

/// Returns where the user keeps models.
pub(super) fn library(config: &Config) -> Library {
    Library {
        names: config
            .models
            .0
            .iter()
            .map(|(name, path)| (name.clone(), host_path(path)))
            .collect(),
        dirs: config.model_dir.0.iter().map(|d| host_path(d)).collect(),
    }
}

impl Granting {
    /// Lends the models that parameters name, or that the operator asks for by a file name. Only
    /// operators that come with djhost may ask: from others that would be a default that grants.
    /// Returns whether it has parameters, in force here, that take a model.
    pub(super) fn models(
        &mut self,
        entry: &OpEntry,
        given: &Map<String, Value>,
        params: &Map<String, Value>,
        library: &Library,
        place: &dyn Fn(&str) -> String,
    ) -> bool {
        let demands = match Demand::of_schema(&entry.descriptor.params_schema, params) {
            Ok(demands) => demands,
            Err(wrong) => {
                let source = entry.component.source.to_string();
                self.wrong(&source, wrong, "its author must mend the schema");
                return false;
            }
        };
        let asks = !demands.is_empty();
        for mut demand in demands {
            if !comes_with_djhost(entry) {
                demand.file = None;
                demand.beside.clear();
            }
            let place = place(&demand.parameter);
            let text_of = |parameter: &str| {
                let text = given.get(parameter).and_then(Value::as_str);
                text.filter(|text| !text.is_empty())
            };
            let written = text_of(&demand.parameter);
            // The user has named it by another parameter: it may be a path, too.
            let by_other = demand.file_of.as_deref().and_then(text_of);
            let by_other = by_other.filter(|_| demand.file.is_some());
            let found = match (written.or(by_other), &demand.file) {
                (Some(written), _) => library.find(written, &host_path(written), demand.kind),
                (None, Some(file)) => library.find_default(file, demand.kind),
                (None, None) => Ok(None),
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    self.errors.push(UserError { place, ..error });
                    continue;
                }
            };
            let Some(found) = found else {
                let is_named = |file: &String| library.names.contains_key(file);
                let is_wanted = written.is_some()
                    || !demand.optional
                    || demand.file.as_ref().is_some_and(is_named);
                // Without a mistake in where it is looked for, an operator may do without.
                match library.missing_dir() {
                    Ok(None) if !is_wanted => {}
                    Ok(_) => self
                        .errors
                        .push(missing_model(&demand, written, library, &place)),
                    Err(error) => self.errors.push(error),
                }
                continue;
            };
            let runtime = match demand.kind {
                Kind::Onnx => runtime(),
                _ => Ok(None),
            };
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    self.errors.push(error);
                    continue;
                }
            };
            match Lent::open(&found.path, demand.kind, runtime) {
                Ok(model) => {
                    let name = written.or(by_other).or(demand.file.as_deref());
                    if let Some(name) = name.filter(|_| !demand.beside.is_empty()) {
                        self.beside(name, &found, &demand, &place);
                    }
                    self.with(|key| {
                        let key = key
                            .with("model")
                            .with(&demand.parameter)
                            .with(&model.digest);
                        // Another runtime, or another version, gives other last bits.
                        match &model.info.runtime {
                            Some(version) => key.with("onnxruntime").with(version),
                            None => key,
                        }
                    });
                    self.grants.models.push(GrantedModel {
                        parameter: demand.parameter,
                        address: found.address.map(|address| address.text),
                        model,
                    });
                }
                Err(wrong) => {
                    // The user knows nothing of the copy.
                    let wrong = match &found.address {
                        Some(address) => {
                            wrong.replace(&*found.path.to_string_lossy(), &address.text)
                        }
                        None => wrong,
                    };
                    self.wrong(&place, wrong, &another_file(&demand));
                }
            }
        }
        self.grants
            .models
            .sort_by(|a, b| a.parameter.cmp(&b.parameter));
        asks
    }
}

impl Granting {
    /// Grants the files that the operator reads in the directory of a model, under the name that the
    /// recipe has for it.
    fn beside(&mut self, name: &str, found: &Found, demand: &Demand, place: &str) {
        let why = format!("parameter `{}`", demand.parameter);
        let Some(address) = &found.address else {
            if found.path.is_dir() {
                self.files_in(&found.path, name, &demand.beside, &why, place);
            }
            return;
        };
        let key = address.key.trim_end_matches('/');
        let inside = files_inside(demand.kind).iter();
        let dir = inside.rev().find_map(|file| key.strip_suffix(file));
        let dir = dir.map_or(key, |dir| dir.trim_end_matches('/'));
        let files: Vec<Address> = demand
            .beside
            .iter()
            .map(|file| address.beside(format!("{dir}/{file}").trim_start_matches('/')))
            .collect();
        let digest = |dir: &Path| Files::of(dir).and_then(|files| files.content_digest());
        match fetch_files_to_cache(&files) {
            Err((_, error)) => self.errors.push(UserError {
                place: place.to_owned(),
                ..error
            }),
            Ok(dir) => match digest(&dir) {
                Ok(digest) => {
                    self.with(|key| key.with("beside").with(digest.as_str()));
                    self.show(name.trim_end_matches('/'), dir, &why);
                }
                Err(error) => self
                    .errors
                    .push(UserError::new(place, format!("{error:#}"))),
            },
        }
    }
}

/// The mistake of a model that is nowhere: which file, where it was looked for, where to get it.
fn missing_model(
    demand: &Demand,
    written: Option<&str>,
    library: &Library,
    place: &str,
) -> UserError {
    let Demand {
        parameter,
        kind,
        file,
        wish,
        ..
    } = demand;
    let message = match (written, file) {
        (Some(written), _) => format!(
            "there is no {} `{}`: {}",
            kind.noun(),
            written.escape_debug(),
            library.places(written)
        ),
        (None, Some(file)) => format!(
            "{}the {} `{file}` is {}, and {}",
            wish.as_ref()
                .map(|wish| format!("for `{wish}` "))
                .unwrap_or_default(),
            kind.noun(),
            if demand.optional {
                "looked for"
            } else {
                "needed"
            },
            library.places(file)
        ),
        (None, None) => format!("`{parameter}` must name {}", kind.with_article()),
    };
    let how = match file {
        Some(file) => format!(
            "put `{file}` into a directory and name that with `--model-dir DIR`, or name another file with `{parameter}`"
        ),
        None => "name a path, a name of `models`, or a file in a `--model-dir`".to_owned(),
    };
    let source = demand
        .published
        .as_ref()
        .map(|address| format!("; {}", is_published(address)))
        .unwrap_or_default();
    UserError::new(place, message).hint(format!("{how}{source}"))
}

fn another_file(demand: &Demand) -> String {
    let name = format!("name {}", demand.kind.with_article());
    match &demand.published {
        Some(address) => format!("{name}; {}", is_published(address)),
        None => name,
    }
}

/// Where a model is published, as a sentence.
fn is_published(address: &str) -> String {
    match address.strip_prefix("for instance ") {
        Some(one) => format!("one is published at {one}"),
        None => format!("the original is published at {address}"),
    }
}
