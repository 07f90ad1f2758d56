//! An operator that is lent a model, and asks the host for what it must not get. The parameter `how`
//! says what; it notes the host's answer as the stat `answer`.
//!
//! Empty for targets other than WebAssembly.

#![cfg(target_family = "wasm")]

use djhost_sdk::prelude::*;
use wit::djhost::op::models::{Model, Tensor, TensorData, Texts as Given, lent};

/// Generated from the WIT: the SDK would not let an operator lie.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod wit {
    wit_bindgen::generate!({
        path: "../../../wit/since-v0.2",
        world: "services",
        // The SDK describes the same imports.
        type_section_suffix: "of-the-borrower",
    });
}

/// Asks models for what it must not.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct BorrowerFilter {
    /// A classifier.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "fasttext", "file": "lang.ftz", "optional": true}))]
    model: String,
    /// A network that takes tokens.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "onnx", "optional": true}))]
    network: String,
    /// A list.
    #[schemars(extend("format" = "model", "x-model" = {"kind": "substrings", "optional": true}))]
    list: String,
    /// What it does.
    how: String,
}

impl Operator for BorrowerFilter {
    const NAME: &'static str = "borrower_filter";
    const KIND: Kind = Kind::Filter;

    fn signature(&self, _common: &Common) -> Signature {
        Signature {
            reads: vec![Input::required("text", ColumnType::Utf8)],
            writes_stats: vec![Computed::new("answer", ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
        let answers: Texts = (0..batch.rows())
            .map(|row| self.answer(batch.texts(0).map_or("", |texts| texts.value(row))))
            .collect::<Vec<String>>()
            .iter()
            .map(String::as_str)
            .collect();
        Ok(Output::Filtered {
            keep: vec![1; batch.rows()],
            stats: vec![Field {
                path: "answer".into(),
                values: Column::Utf8(answers),
            }],
            rejected: Vec::new(),
        })
    }
}

fn given(offsets: &[u32], data: &[u8]) -> Given {
    Given {
        offsets: offsets.to_vec(),
        data: data.to_vec(),
    }
}

fn tensor(name: &str, shape: &[u32], data: TensorData) -> Tensor {
    Tensor {
        name: name.into(),
        shape: shape.to_vec(),
        data,
    }
}

/// Both inputs of the network, for a row of so many tokens.
fn tokens(count: u32) -> [Tensor; 2] {
    ["input_ids", "attention_mask"].map(|name| {
        let data = TensorData::Int64(vec![1; count as usize]);
        tensor(name, &[1, count], data)
    })
}

impl BorrowerFilter {
    fn answer(&self, text: &str) -> String {
        let open = || Model::open("model").unwrap();
        let said = |answer: Result<(), String>| answer.err().unwrap_or_else(|| "done".into());
        // Only one row is to suffer.
        if !text.contains("GUILTY") {
            return String::new();
        }
        match self.how.as_str() {
            "lent" => lent().join(","),
            "open" => {
                let names = ["", "how", "/etc/passwd", "lang.ftz", "../lang.ftz"];
                let opened = names.iter().filter(|name| Model::open(name).is_ok());
                format!("{} opened", opened.count())
            }
            "classify" => {
                let model = open();
                let best = model.classify(&given(&[0, text.len() as u32], text.as_bytes()), 9);
                let (best, labels) = (best.unwrap(), model.labels().unwrap());
                format!(
                    "{} of {} labels, {}",
                    best.ids.len(),
                    labels.offsets.len() - 1,
                    model.info().bytes
                )
            }
            "another_kind" => {
                let (model, none) = (open(), given(&[0], b""));
                let tensor = Tensor {
                    name: "x".into(),
                    shape: vec![2],
                    data: TensorData::F32(vec![0.0]),
                };
                let answers = [
                    model.score(&none, true, true).map(drop),
                    model.count(&none, false).map(drop),
                    model.encode(&none, false).map(drop),
                    model.pieces(&none).map(drop),
                    model.decode(&[0], &[]).map(drop),
                    model.run(&[tensor]).map(drop),
                    model.contains(&none).map(drop),
                    model.occurrences(&none, 1).map(drop),
                ];
                let refused = answers.iter().filter(|answer| answer.is_err());
                format!("{} refused", refused.count())
            }
            "layouts" => {
                let model = open();
                let wrong = [
                    given(&[], b""),
                    given(&[1, 1], b"a"),
                    given(&[0, 2, 1], b"a"),
                    given(&[0, 2], b"a"),
                    given(&[0, u32::MAX], b"a"),
                    given(&[0], b"a"),
                    given(&[0, 1, 2], "é".as_bytes()),
                    given(&[0, 1], b"\xff"),
                ];
                let refused = wrong
                    .iter()
                    .filter(|texts| model.classify(texts, 1).is_err());
                format!("{} refused", refused.count())
            }
            "list" => {
                let list = Model::open("list").unwrap();
                let texts = given(&[0, 2, 2, 12], b"abxA-B, abab");
                let (entries, places) = (list.contains(&texts), list.occurrences(&texts, 2));
                let refused = [
                    list.contains(&given(&[0, 1], b"\xff")).is_err(),
                    list.occurrences(&given(&[0, 9], b"a"), 1).is_err(),
                    list.classify(&texts, 1).is_err(),
                ];
                format!("{entries:?} {places:?} {refused:?}")
            }
            "network" => {
                let network = Model::open("network").unwrap();
                let info = network.info();
                let answer = network.run(&tokens(7)).unwrap();
                format!("{} inputs, {:?}", info.inputs.len(), answer[0].shape)
            }
            "tensors" => {
                let network = Model::open("network").unwrap();
                let [ids, mask] = tokens(2);
                let int = TensorData::Int64;
                let first = |shape: &[u32], data| [tensor("input_ids", shape, data), mask.clone()];
                let wrong = [
                    vec![],
                    vec![ids.clone()],
                    vec![ids.clone(), ids.clone()],
                    vec![ids.clone(), mask.clone(), tensor("x", &[0], int(vec![]))],
                    first(&[1, 3], int(vec![1; 2])).to_vec(),
                    first(&[u32::MAX; 8], int(vec![])).to_vec(),
                    first(&[0, u32::MAX], int(vec![])).to_vec(),
                    first(&[2], int(vec![1; 2])).to_vec(),
                    first(&[1, 2], TensorData::F32(vec![1.0; 2])).to_vec(),
                    first(&[1, 2], int(vec![i64::MAX, i64::MIN])).to_vec(),
                ];
                let refused = wrong.iter().filter(|inputs| network.run(inputs).is_err());
                format!("{} of {} refused", refused.count(), wrong.len())
            }
            "wide" => {
                let network = Model::open("network").unwrap();
                said(network.run(&tokens(40_000)).map(drop))
            }
            "long_network" => {
                let network = Model::open("network").unwrap();
                loop {
                    drop(network.run(&tokens(500)));
                }
            }
            "too_much" => {
                let texts = given(&vec![0; 1_000_000], b"");
                said(open().classify(&texts, u32::MAX).map(drop))
            }
            "huge" => said(
                open()
                    .classify(&given(&vec![0; 4_000_000], b""), 1)
                    .map(drop),
            ),
            "hoard" => {
                for _ in 0..5_000_000 {
                    std::mem::forget(open());
                }
                "hoarded".into()
            }
            "reopen" => {
                (0..100_000).for_each(|_| drop(open()));
                "reopened".into()
            }
            "closed" => {
                let model = open();
                // SAFETY: none: this is the lie.
                let again = unsafe { Model::from_handle(model.handle()) };
                drop(model);
                said(again.labels().map(drop))
            }
            "long" => {
                let words = "word ".repeat(100_000);
                let model = open();
                loop {
                    drop(model.classify(&given(&[0, words.len() as u32], words.as_bytes()), 1));
                }
            }
            _ => "nothing".into(),
        }
    }
}

djhost_sdk::export!(BorrowerFilter);
