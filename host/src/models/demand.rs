//! What an operator's schema says about a parameter with a model.

use djhost_inference::Kind;
use serde_json::{Map, Value};

/// A parameter that takes a model: `"format": "model"` in the schema, with `x-model` next to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The parameter.
    pub(crate) parameter: String,
    /// The kind of model that it takes.
    pub(crate) kind: Kind,
    /// The file that is looked for where the recipe names none.
    pub(crate) file: Option<String>,
    /// The other parameter whose value is `file`, if one is.
    pub(crate) file_of: Option<String>,
    /// Files in the model's directory that the operator reads by itself.
    pub(crate) beside: Vec<String>,
    /// Whether the operator works without.
    pub(crate) optional: bool,
    /// What in the recipe asks for it, for messages: `tokenization: true`.
    pub(crate) wish: Option<String>,
    /// The address at which the model is published.
    pub(crate) published: Option<String>,
}

impl Demand {
    /// Returns the models that an operator with this schema may use with these parameters, its
    /// defaults included.
    ///
    /// # Errors
    /// What is wrong with the schema, which its author must mend.
    pub(crate) fn of_schema(
        schema: &Value,
        params: &Map<String, Value>,
    ) -> Result<Vec<Self>, String> {
        let mut demands = Vec::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (parameter, property) in properties.into_iter().flatten() {
            if property.get("format").and_then(Value::as_str) != Some("model") {
                continue;
            }
            let about = &property["x-model"];
            let text = |key: &str| about[key].as_str();
            let kind = text("kind").ok_or_else(|| {
                format!("parameter `{parameter}` has the format `model` and no `x-model.kind`")
            })?;
            let kind = kind
                .parse()
                .map_err(|wrong| format!("parameter `{parameter}`: `x-model.kind`: {wrong}"))?;
            let when = text("when");
            let wish = when.map(|condition| wish(params, condition));
            if wish == Some(None) {
                continue;
            }
            let filled = |text: &str| fill(text, params);
            demands.push(Self {
                parameter: parameter.clone(),
                kind,
                file: text("file").map(filled),
                file_of: text("file")
                    .and_then(|file| file.strip_prefix('{')?.strip_suffix('}'))
                    .map(str::to_owned),
                beside: about["beside"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
                optional: about["optional"] == true,
                wish: wish.flatten(),
                published: text("published").map(filled),
            });
        }
        Ok(demands)
    }
}

/// What in the recipe meets a condition: `flag` for true, `parameter=word` for a word.
fn wish(params: &Map<String, Value>, condition: &str) -> Option<String> {
    let (parameter, wanted) = match condition.split_once('=') {
        Some((parameter, word)) => (parameter, Value::from(word)),
        None => (condition, Value::Bool(true)),
    };
    let word = wanted.as_str().unwrap_or("true");
    (params.get(parameter) == Some(&wanted)).then(|| format!("{parameter}: {word}"))
}

/// Puts the values of parameters in the place of their names: `{lang}.sp.model`.
fn fill(text: &str, params: &Map<String, Value>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in params {
        if let Value::String(value) = value {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_says_which_model_and_when() {
        let schema = json!({"properties": {
            "lang": {"type": "string"},
            "words": {"type": "string", "format": "model", "x-model": {
                "kind": "tokenizer", "file": "{lang}.sp.model", "when": "cut", "published": "https://models.test/{lang}"}},
            "model": {"type": ["string", "null"], "format": "model", "x-model": {"kind": "kenlm", "optional": true}},
        }});
        let of = |params: Value| Demand::of_schema(&schema, params.as_object().unwrap()).unwrap();
        let demands = of(json!({"lang": "en", "cut": true}));
        assert_eq!(demands.len(), 2);
        let words = demands.iter().find(|d| d.parameter == "words").unwrap();
        assert_eq!(words.file.as_deref(), Some("en.sp.model"));
        assert_eq!(words.published.as_deref(), Some("https://models.test/en"));
        assert_eq!(words.wish.as_deref(), Some("cut: true"));
        assert!(!words.optional);
        let without = of(json!({"lang": "en", "cut": false}));
        assert_eq!(without.len(), 1);
        assert!(without[0].optional && without[0].kind == Kind::Kenlm);
        let beside = json!({"properties": {
            "clip": {"type": "string", "format": "model", "x-model": {"kind": "onnx", "file": "{clip}", "beside": ["config.json"]}},
            "tokenizer": {"type": "string", "format": "model", "x-model": {"kind": "tokenizer", "file": "{clip}"}},
        }});
        let params = json!({"clip": "org/clip", "tokenizer": ""});
        let demands = Demand::of_schema(&beside, params.as_object().unwrap()).unwrap();
        for demand in &demands {
            assert_eq!(demand.file.as_deref(), Some("org/clip"));
            assert_eq!(demand.file_of.as_deref(), Some("clip"));
            assert_eq!(demand.beside.len(), usize::from(demand.parameter == "clip"));
        }
        let wrong = json!({"properties": {"m": {"format": "model", "x-model": {"kind": "torch"}}}});
        let error = Demand::of_schema(&wrong, &Map::new()).unwrap_err();
        assert!(error.contains("`torch` is no kind of model"), "{error}");
    }
}
