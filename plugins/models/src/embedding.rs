//! `embedding_mapper`

use crate::embedder::Embedder;
use crate::pooling::Pooling;
use djhost_sdk::prelude::*;

/// Writes the vector that a sentence model gives to a text into a field.
///
/// The model is a network in ONNX with its tokenizer, as `sentence-transformers` and `optimum`
/// export them. Texts are cut to `max_length` tokens.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EmbeddingMapper {
    /// The sentence model: a network in ONNX.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "onnx",
        "published": "for instance https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (`onnx/model.onnx`)"
    }))]
    pub model: String,
    /// Its tokenizer: a `tokenizer.json`, or a directory with one.
    #[schemars(extend("format" = "model", "x-model" = {
        "kind": "tokenizer",
        "published": "for instance https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (`tokenizer.json`)"
    }))]
    pub tokenizer: String,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// Whether vectors get the length 1.
    pub normalize: bool,
    /// The most tokens of a text, special ones included; the rest of the text is not seen.
    #[schemars(range(min = 1, max = 4096))]
    pub max_length: u32,
    /// The field for the vectors: lists of numbers, in columns of fixed size and single precision.
    pub embedding_field: String,
    #[serde(skip)]
    embedder: Option<Embedder>,
}

impl Default for EmbeddingMapper {
    fn default() -> Self {
        Self {
            model: String::new(),
            tokenizer: String::new(),
            pooling: Pooling::Mean,
            normalize: true,
            max_length: 256,
            embedding_field: "embedding".into(),
            embedder: None,
        }
    }
}

impl Operator for EmbeddingMapper {
    const NAME: &'static str = "embedding_mapper";
    const KIND: Kind = Kind::Mapper;
    const COST: Cost = Cost::Heavy;

    fn prepare(&mut self) -> Result<(), String> {
        if self.embedding_field.is_empty() {
            return Err("`embedding_field`: it must name a field".into());
        }
        self.embedder = Some(Embedder::open(
            self.pooling,
            self.normalize,
            self.max_length,
        )?);
        Ok(())
    }

    fn signature(&self, common: &Common) -> Signature {
        Signature {
            reads: vec![Input::required(&common.text_key, ColumnType::Utf8)],
            writes: vec![Computed::new(
                &self.embedding_field,
                ColumnType::Vector(self.width()),
            )],
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let Some(embedder) = &self.embedder else {
            return Err(OpError::Failed("there is no model".into()));
        };
        let vectors = embedder.vectors((0..batch.rows()).map(|row| texts.value(row)));
        let (mut rows, mut rejected) = (Vec::new(), Vec::new());
        let mut values = Vec::new();
        for (row, vector) in vectors.into_iter().enumerate() {
            match vector {
                Ok(vector) if vector.len() != self.width() as usize => rejected.push(Rejection {
                    row: row as u32,
                    reason: format!("the network gave a vector of {} numbers", vector.len()),
                }),
                Ok(vector) => {
                    rows.push(row as u32);
                    values.extend(vector);
                }
                Err(Reject(reason)) => rejected.push(Rejection {
                    row: row as u32,
                    reason,
                }),
            }
        }
        let values =
            djhost_sdk::Vectors::new(self.width(), values, None).map_err(OpError::Failed)?;
        let update = Update {
            path: self.embedding_field.clone(),
            rows: Some(rows),
            values: Column::Vector(values),
        };
        let updates = if update.values.is_empty() {
            Vec::new()
        } else {
            vec![update]
        };
        Ok(Output::Updated { updates, rejected })
    }
}

impl EmbeddingMapper {
    /// The numbers of a vector.
    fn width(&self) -> u32 {
        self.embedder.as_ref().map_or(1, Embedder::width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::models::{Element, Lend, Tensor, TensorData, TensorInfo, lend};
    use djhost_sdk::operator;

    /// Tokens are letters, between 1 and 2.
    struct Letters;

    impl Lend for Letters {
        fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, String> {
            let mut ids: Vec<u32> = text.chars().map(u32::from).collect();
            if special {
                ids.insert(0, 1);
                ids.push(2);
            }
            Ok(ids)
        }
    }

    /// The vector of a token is its id and 1. It takes 8 tokens, and no `!`.
    struct Network;

    impl Lend for Network {
        fn inputs(&self) -> Vec<TensorInfo> {
            ["input_ids", "attention_mask"]
                .map(|name| info(name, Element::I64))
                .into()
        }
        fn outputs(&self) -> Vec<TensorInfo> {
            vec![info("last_hidden_state", Element::F32)]
        }
        fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
            let TensorData::I64(ids) = &inputs[0].data else {
                return Err("ids are integers".into());
            };
            let TensorData::I64(mask) = &inputs[1].data else {
                return Err("a mask has integers".into());
            };
            assert!(mask.len() == ids.len() && mask.iter().all(|x| *x == 1));
            if inputs[0].shape[1] > 8 || ids.contains(&i64::from(u32::from('!'))) {
                return Err("it is too much".into());
            }
            let data = ids.iter().flat_map(|id| [*id as f32, 1.0]).collect();
            Ok(vec![Tensor {
                name: "last_hidden_state".into(),
                shape: vec![inputs[0].shape[0], inputs[0].shape[1], 2],
                data: TensorData::F32(data),
            }])
        }
    }

    fn info(name: &str, element: Element) -> TensorInfo {
        TensorInfo {
            name: name.into(),
            element,
            shape: vec![None, None],
        }
    }

    #[test]
    fn each_text_gets_its_own_vector() {
        let _lent = (lend("tokenizer", Letters), lend("model", Network));
        let params = r#"{"normalize": false, "max_length": 4, "embedding_field": "v"}"#;
        let mut op = Runner::new(operator!(EmbeddingMapper), params).unwrap();
        let texts = ["ab", "", "c", "abcdef", "!", "ab"];
        let Ok(Output::Updated { updates, rejected }) = op.process(&Runner::text_batch(&texts))
        else {
            panic!("a mapper updates");
        };
        let Column::Vector(vectors) = &updates[0].values else {
            panic!("an embedding is a vector");
        };
        let numbers = |i: usize| vectors.get(i).unwrap();
        assert_eq!(updates[0].rows.as_deref(), Some(&[0, 1, 2, 3, 5][..]));
        let ab = [f32::from(1u16 + 97 + 98 + 2) / 4.0, 1.0];
        assert_eq!(numbers(0), ab);
        assert_eq!(numbers(1), [1.5, 1.0]);
        assert_eq!(numbers(2), [34.0, 1.0]);
        assert_eq!(numbers(3), ab, "cut to two letters");
        assert_eq!(numbers(4), ab);
        assert_eq!(rejected.len(), 1);
        assert_eq!(
            (rejected[0].row, rejected[0].reason.as_str()),
            (4, "it is too much")
        );
    }

    #[test]
    fn what_does_not_fit_is_found_before_any_work() {
        let _lent = (lend("tokenizer", Letters), lend("model", Network));
        let error = |params: &str| {
            Runner::new(operator!(EmbeddingMapper), params)
                .unwrap_err()
                .to_string()
        };
        let message = error(r#"{"max_length": 9}"#);
        assert!(
            message.contains("cannot take `max_length` (9) tokens"),
            "{message}"
        );
        let message = error(r#"{"max_length": 2}"#);
        assert!(
            message.contains("more than 2, the number of special"),
            "{message}"
        );
        let message = error(r#"{"max_length": 8, "pooling": "none"}"#);
        assert!(message.contains("use mean or cls"), "{message}");
    }
}
