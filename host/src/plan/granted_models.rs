//! The models that an op may use: those that its parameters name, and those that an operator that comes
//! with djhost looks for under a name of Data-Juicer's.

use djhost_inference::Kind;
use serde_json::{Map, Value};

use super::grants::{Granting, comes_with_djhost, host_path};
use crate::config::Config;
use crate::error::UserError;
use crate::models::{Demand, Found, Lent, Library, runtime};
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
            }
            let place = place(&demand.parameter);
            let written = given
                .get(&demand.parameter)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty());
            let found = match (written, &demand.file) {
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
            let Some(Found { path, address }) = found else {
                if written.is_some() || !demand.optional {
                    self.errors
                        .push(missing_model(&demand, written, library, &place));
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
            match Lent::open(&path, demand.kind, runtime) {
                Ok(model) => {
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
                        address: address.map(|address| address.text),
                        model,
                    });
                }
                Err(wrong) => {
                    // The user knows nothing of the copy.
                    let wrong = match &address {
                        Some(address) => wrong.replace(&*path.to_string_lossy(), &address.text),
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
            "{}the {} `{file}` is needed, and {}",
            wish.as_ref()
                .map(|wish| format!("for `{wish}` "))
                .unwrap_or_default(),
            kind.noun(),
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
