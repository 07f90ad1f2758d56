"""Writes the small networks of the tests: `pip install onnx numpy`, then `python make_onnx.py` in this directory.

`encoder.onnx` gives tokens of `hf/tokenizer.json` vectors that depend on their neighbours, `topics.onnx` texts two logits, and
`numbers.onnx` three numbers two probabilities."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)
WORDS = 32


def weight(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.round(random.standard_normal(shape), 2).astype(np.float32), name)


def integers(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def save(name: str, nodes: list[onnx.NodeProto], inputs: list[onnx.ValueInfoProto], output: onnx.ValueInfoProto, weights: list[onnx.TensorProto]) -> None:
    graph = helper.make_graph(nodes, name, inputs, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="djhost")
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, f"{name}.onnx")


tokens = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in ("input_ids", "attention_mask")]
# A layer of attention with one head.
encoder = [
    helper.make_node("Gather", ["words", "input_ids"], ["embedded"]),
    helper.make_node("MatMul", ["embedded", "query"], ["queries"]),
    helper.make_node("Transpose", ["embedded"], ["keys"], perm=[0, 2, 1]),
    helper.make_node("MatMul", ["queries", "keys"], ["scores"]),
    helper.make_node("Unsqueeze", ["attention_mask", "one"], ["wide_mask"]),
    helper.make_node("Cast", ["wide_mask"], ["float_mask"], to=TensorProto.FLOAT),
    helper.make_node("Sub", ["float_mask", "unit"], ["negative_mask"]),
    helper.make_node("Mul", ["negative_mask", "much"], ["added_mask"]),
    helper.make_node("Add", ["scores", "added_mask"], ["masked"]),
    helper.make_node("Softmax", ["masked"], ["shares"], axis=-1),
    helper.make_node("MatMul", ["shares", "embedded"], ["mixed"]),
    helper.make_node("Add", ["mixed", "embedded"], ["both"]),
    helper.make_node("LayerNormalization", ["both", "scale", "bias"], ["last_hidden_state"]),
]
weights = [weight("words", WORDS, 4), weight("query", 4, 4), weight("scale", 4), weight("bias", 4), integers("one", 1)]
weights += [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("unit", 1), ("much", 1e9))]
save("encoder", encoder, tokens, helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", 4]), weights)

topics = [
    helper.make_node("Gather", ["words", "input_ids"], ["embedded"]),
    helper.make_node("ReduceMean", ["embedded"], ["mean"], axes=[1], keepdims=0),
    helper.make_node("Gemm", ["mean", "classes", "bias"], ["logits"]),
]
save("topics", topics, tokens[:1], helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2]), [weight("words", WORDS, 4), weight("classes", 4, 2), weight("bias", 2)])

numbers = [helper.make_node("Gemm", ["features", "first", "bias"], ["hidden"]), helper.make_node("Relu", ["hidden"], ["active"]), helper.make_node("MatMul", ["active", "second"], ["logits"]), helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1)]
given = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 3])]
save("numbers", numbers, given, helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2]), [weight("first", 3, 4), weight("bias", 4), weight("second", 4, 2)])
