//! Networks are computed within bounds, and say what is wrong.

use super::{Model, Stopped};
use crate::mapped::Bytes;
use crate::{Tensor, TensorData};

const ENCODER: &[u8] = include_bytes!("../../tests/small/encoder.onnx");
const NUMBERS: &[u8] = include_bytes!("../../tests/small/numbers.onnx");

fn read(bytes: &[u8]) -> Result<Model, String> {
    Model::read(Bytes::Loaded(bytes.to_vec()), None)
}

fn encoder() -> Model {
    read(ENCODER).unwrap()
}

fn tokens(ids: &[i64], mask: &[i64], rows: u32) -> Vec<Tensor> {
    [("input_ids", ids), ("attention_mask", mask)]
        .map(|(name, values)| Tensor {
            name: name.into(),
            shape: vec![rows, values.len() as u32 / rows],
            data: TensorData::I64(values.to_vec()),
        })
        .into()
}

fn floats(tensor: &Tensor) -> &[f32] {
    match &tensor.data {
        TensorData::F32(values) => values,
        other => panic!("not floats: {other:?}"),
    }
}

#[test]
fn a_network_answers_what_onnx_runtime_answers() {
    let got = encoder()
        .run(&tokens(&[1, 3, 4, 5, 2], &[1; 5], 1))
        .unwrap();
    assert_eq!(
        (got[0].name.as_str(), &got[0].shape[..]),
        ("last_hidden_state", &[1, 5, 4][..])
    );
    let expected = [
        1.404_494,
        0.368_346_12,
        -1.616_078_3,
        -0.585_692_1,
        0.934_270_8,
    ];
    for (got, expected) in floats(&got[0]).iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
    }
    let model = read(NUMBERS).unwrap();
    let got = model
        .run(&[Tensor {
            name: "features".into(),
            shape: vec![2, 3],
            data: TensorData::F32(vec![1.0, 2.0, 3.0, -1.0, 0.5, 0.0]),
        }])
        .unwrap();
    let expected = [0.010_556_51, 0.989_443_54, 0.696_988_9, 0.303_011_12];
    for (got, expected) in floats(&got[0]).iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others_and_padded() {
    let model = encoder();
    let row = |i: i64| -> Vec<i64> { (0..9).map(|at| (i * 7 + at * 3) % 32).collect() };
    let rows: Vec<Vec<i64>> = (0..33).map(row).collect();
    let all = model
        .run(&tokens(&rows.concat(), &[1; 9 * 33], 33))
        .unwrap();
    for (at, row) in rows.iter().enumerate() {
        let alone = model.run(&tokens(row, &[1; 9], 1)).unwrap();
        let among = &floats(&all[0])[at * 36..][..36];
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(floats(&alone[0])), bits(among));
        let mut longer = row.clone();
        longer.resize(20, 0);
        let mask: Vec<i64> = (0..20).map(|at| i64::from(at < 9)).collect();
        let padded = model.run(&tokens(&longer, &mask, 1)).unwrap();
        assert_eq!(bits(&floats(&padded[0])[..36]), bits(among));
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let model = encoder();
    let good = tokens(&[1, 2], &[1, 1], 1);
    let wrong = |change: &dyn Fn(&mut Vec<Tensor>)| {
        let mut inputs = good.clone();
        change(&mut inputs);
        model.run(&inputs).unwrap_err()
    };
    let error = wrong(&|inputs| drop(inputs.pop()));
    assert!(
        error.contains(
            "`attention_mask` is missing: the network takes `input_ids`, `attention_mask`"
        ),
        "{error}"
    );
    let error = wrong(&|inputs| inputs.push(inputs[0].clone()));
    assert!(error.contains("`input_ids` is given twice"), "{error}");
    let error = wrong(&|inputs| inputs[1].name = "mask".into());
    assert!(error.contains("there is no input `mask`"), "{error}");
    let error = wrong(&|inputs| inputs[0].shape = vec![2]);
    assert!(
        error.contains("its shape is [2], and the network takes [any, any]"),
        "{error}"
    );
    let error = wrong(&|inputs| inputs[0].shape = vec![1, 3]);
    assert!(error.contains("2 numbers in the shape [1, 3]"), "{error}");
    let error = wrong(&|inputs| inputs[0].data = TensorData::F32(vec![0.0; 2]));
    assert!(
        error.contains("F32, and the network takes Int64"),
        "{error}"
    );
    let error = wrong(&|inputs| inputs[0].data = TensorData::I64(vec![1, 99]));
    assert!(
        error.contains("no place 99 in a dimension of 32"),
        "{error}"
    );
    let error = wrong(&|inputs| inputs[1].shape = vec![1, 2, 1]);
    assert!(error.contains("`attention_mask`: its shape"), "{error}");
}

#[test]
fn what_takes_too_much_memory_is_refused() {
    // The scores of 20,000 tokens for each other take 1.6 GB.
    let ids = vec![3; 20_000];
    let error = encoder().run(&tokens(&ids, &ids, 1)).unwrap_err();
    assert!(error.contains("beyond 1024 MB: give it fewer"), "{error}");
}

#[test]
fn a_call_ends_when_its_caller_wants() {
    let inputs = tokens(&[1, 2], &[1, 1], 1);
    for nodes in 0..13 {
        let mut left = nodes;
        let stopped = encoder().run_while(&inputs, &mut || {
            left -= 1;
            left >= 0
        });
        assert_eq!(stopped, Err(Stopped::Asked));
    }
}

/// A message of protocol buffers.
fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, content) in fields {
        message.extend([number << 3 | 2, content.len() as u8]);
        message.extend(*content);
    }
    message
}

/// A file with one node that reads `x` and writes `y`.
fn one_node(operator: &str, domain: &str) -> Vec<u8> {
    let node = message(&[
        (1, b"x"),
        (2, b"y"),
        (4, operator.as_bytes()),
        (7, domain.as_bytes()),
    ]);
    // Floats of any shape.
    let tensor = message(&[(1, &[0x08, 1])]);
    let described = |name: &str| message(&[(1, name.as_bytes()), (2, &tensor)]);
    let graph = message(&[(1, &node), (11, &described("x")), (12, &described("y"))]);
    let mut file = vec![0x08, 8];
    file.extend(message(&[(7, &graph), (8, &[0x10, 17])]));
    file
}

#[test]
fn what_is_not_supported_is_named() {
    assert!(read(&one_node("Relu", "")).is_ok());
    let error = read(&one_node("QLinearConv", "")).unwrap_err();
    assert!(
        error.contains("not supported: QLinearConv; export it without"),
        "{error}"
    );
    let error = read(&one_node("Relu", "com.microsoft")).unwrap_err();
    assert!(error.contains("Relu of com.microsoft"), "{error}");
    let error = read(b"\x08\x08").unwrap_err();
    assert!(error.contains("not a network in ONNX"), "{error}");
    for length in 0..ENCODER.len() {
        assert!(read(&ENCODER[..length]).is_err(), "{length}");
    }
}

#[test]
fn shapes_that_no_memory_holds_are_refused() {
    use super::value::count;
    assert_eq!(count(&[]), Ok(1));
    assert_eq!(count(&[3, 0, 5]), Ok(0));
    assert_eq!(count(&[1 << 16, 1 << 16]), Ok(1 << 32));
    for shape in [&[usize::MAX, 0][..], &[1 << 17, 1 << 16], &[usize::MAX; 3]] {
        assert!(count(shape).unwrap_err().contains("is too large"));
    }
    assert!(count(&[1; 9]).unwrap_err().contains("there may be 8"));
}
