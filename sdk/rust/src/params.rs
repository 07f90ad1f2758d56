//! Parameters: from the recipe's JSON to the operator's struct, and the schema by which the host
//! checks them first.

use crate::batch::OpError;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the struct of an operator must implement. Derive `Serialize, Deserialize, JsonSchema` and
/// `Default` (or write it, where a default is not zero), and put `#[serde(default)]` on the struct;
/// fields that are not parameters (scratch buffers, compiled patterns) get `#[serde(skip)]`.
pub trait Params: Serialize + DeserializeOwned + JsonSchema + Default + 'static {}

impl<T: Serialize + DeserializeOwned + JsonSchema + Default + 'static> Params for T {}

/// The parameters that every operator has. The SDK takes them out before the operator's own
/// parameters are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Common {
    /// Path of the field that holds the text.
    pub text_key: String,
    /// Path of the field that lists the images.
    pub image_key: String,
    /// Path of the field with the bytes of the images, where they are inside of rows.
    pub image_bytes_key: String,
    /// Path of the field that lists the audio files.
    pub audio_key: String,
    /// Path of the field that lists the videos.
    pub video_key: String,
    /// Filters: whether the minimum itself belongs to the range that is kept.
    pub min_closed_interval: bool,
    /// Filters: whether the maximum itself belongs to the range that is kept.
    pub max_closed_interval: bool,
    /// Filters: keep what is outside the range.
    pub reversed_range: bool,
    /// Seed of every random choice of the job.
    pub seed: u64,
    /// Filters that [leave out stats](crate::Traits::leaves_out_stats): the keys of the stats that someone reads. None
    /// where the host does not say: all are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted_stats: Option<Vec<String>>,
    /// Mappers that [give reasons](crate::Traits::gives_drop_reasons): whether the host takes reasons for
    /// dropped rows, in [`DROPPED`](crate::DROPPED).
    #[serde(skip_serializing_if = "is_false")]
    pub drop_reasons: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Default for Common {
    fn default() -> Self {
        Self {
            text_key: "text".into(),
            image_key: "images".into(),
            image_bytes_key: "image_bytes".into(),
            audio_key: "audios".into(),
            video_key: "videos".into(),
            min_closed_interval: true,
            max_closed_interval: true,
            reversed_range: false,
            seed: 42,
            wanted_stats: None,
            drop_reasons: false,
        }
    }
}

const COMMON: [&str; 11] = [
    "text_key",
    "image_key",
    "image_bytes_key",
    "audio_key",
    "video_key",
    "min_closed_interval",
    "max_closed_interval",
    "reversed_range",
    "seed",
    "wanted_stats",
    "drop_reasons",
];

impl Common {
    /// Data-Juicer's keep test: whether `value` is between `min` and `max`, or outside with
    /// `reversed_range`. A closed end belongs to what is kept, so with `reversed_range` the ends
    /// themselves stay by default.
    pub fn keeps(&self, value: f64, min: f64, max: f64) -> bool {
        self.within(value, min, max) != self.reversed_range
    }

    /// Whether `value` is between `min` and `max`, so that of two such values all between them are,
    /// too. An end belongs to the range or not as [`keeps`](Self::keeps) has it.
    pub(crate) fn within(&self, value: f64, min: f64, max: f64) -> bool {
        let closed = |flag: bool| flag != self.reversed_range;
        let above = if closed(self.min_closed_interval) {
            value >= min
        } else {
            value > min
        };
        let below = if closed(self.max_closed_interval) {
            value <= max
        } else {
            value < max
        };
        above && below
    }

    /// Whether anyone reads the stat `key`.
    pub fn wants(&self, key: &str) -> bool {
        match &self.wanted_stats {
            None => true,
            Some(keys) => keys.iter().any(|wanted| wanted == key),
        }
    }
}

/// Parses the JSON object `params` into the operator and the common parameters.
///
/// # Errors
/// [`OpError::InvalidParams`], naming the parameter.
pub(crate) fn parse<T: Params>(params: &str) -> Result<(T, Common), OpError> {
    let invalid = |message: String| OpError::InvalidParams(message);
    let mut own: Map<String, Value> = match serde_json::from_str(params) {
        Ok(map) => map,
        Err(_) if params.trim().is_empty() => Map::new(),
        Err(error) => {
            return Err(invalid(format!(
                "the parameters are not a JSON object: {error}"
            )));
        }
    };
    let common = COMMON
        .iter()
        .filter_map(|&key| own.shift_remove_entry(key))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let common = read::<Common>(common).map_err(invalid)?;
    let names: Vec<String> = schema::<T>()["properties"]
        .as_object()
        .map(|p| p.keys().cloned().collect())
        .unwrap_or_default();
    if let Some(unknown) = own.keys().find(|key| !names.contains(key)) {
        let valid = if names.is_empty() {
            "it has none".into()
        } else {
            format!("valid are `{}`", names.join("`, `"))
        };
        return Err(invalid(format!("no parameter `{unknown}`: {valid}")));
    }
    Ok((read(own).map_err(invalid)?, common))
}

/// Reads an object; the error names the first field that does not fit.
fn read<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(object.clone())).map_err(|error| {
        let alone = |(key, value): (String, Value)| {
            let wrong =
                serde_json::from_value::<T>(Value::Object(Map::from_iter([(key.clone(), value)])))
                    .err()?;
            Some(format!("`{key}`: {wrong}"))
        };
        object
            .into_iter()
            .find_map(alone)
            .unwrap_or_else(|| error.to_string())
    })
}

/// The JSON Schema of `T`, with defaults and with the doc comments as descriptions.
pub(crate) fn schema<T: Params>() -> Value {
    schemars::schema_for!(T).to_value()
}

/// Summary (the first paragraph of the doc comment of the struct) and schema of `T`.
pub(crate) fn describe<T: Params>() -> (String, Value) {
    let mut schema = schema::<T>();
    let mut summary = String::new();
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
        if let Some(Value::String(doc)) = object.remove("description") {
            summary = doc
                .split("\n\n")
                .next()
                .unwrap_or_default()
                .replace('\n', " ");
        }
        object
            .entry("properties")
            .or_insert_with(|| Value::Object(Map::new()));
    }
    (summary, schema)
}
