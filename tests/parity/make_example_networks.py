"""Makes the networks of the examples: `words.onnx`, vectors of the tokens of `tokenizer.json`, and `approval.onnx`, logits of three numbers.

    python tests/parity/make_example_networks.py      # needs onnx==1.23.2

All numbers are such that no sum is rounded: results are the same on all processors.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FILES = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "examples" / "files"
ABOUT = {"go": (1, 0, 0, 0), "walk": (1, 0, 0, 0), "##ing": (0.5, 0, 0, 0), "nice": (0, 1, 0, 0), ".": (0, 0, 0, 0.25), ",": (0, 0, 0, 0.25), "!": (0, 0, 0, 0.5)}


def save(name: str, nodes: list[onnx.NodeProto], given: onnx.ValueInfoProto, output: onnx.ValueInfoProto, weights: np.ndarray) -> None:
    graph = helper.make_graph(nodes, name, [given], [output], [numpy_helper.from_array(weights.astype(np.float32), "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="djhost")
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, FILES / f"{name}.onnx")


words = json.loads((FILES / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
vectors = np.array([ABOUT.get(word, (0, 0, 0.25, 0)) for word in sorted(words, key=words.__getitem__)])
tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
hidden = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", 4])
save("words", [helper.make_node("Gather", ["weights", "input_ids"], ["last_hidden_state"])], tokens, hidden, vectors)

numbers = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 3])
logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
save("approval", [helper.make_node("MatMul", ["features", "weights"], ["logits"])], numbers, logits, np.array([[-0.5, 0.5], [1, -1], [0, 0.25]]))
