"""An encoder that is quick with papers and takes many seconds for a long query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.search import tiny

_SIZE = 16
# Every token stands for so many rows, and all rows are multiplied with all others so many times.
_COPIES, _ROUNDS = 20, 60


def slow_encoder(folder: Path) -> Path:
    """Makes the encoder in ``folder``: its time grows with the square of the number of tokens."""
    folder.mkdir()
    table = np.random.default_rng(3).normal(size=(len(tiny.WORDS) + 4, _SIZE)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("Tile", ["tokens", "copies"], ["x0"]),
    ]
    for i in range(_ROUNDS):
        nodes += [
            helper.make_node("Transpose", [f"x{i}"], [f"t{i}"], perm=[0, 2, 1]),
            helper.make_node("MatMul", [f"x{i}", f"t{i}"], [f"p{i}"]),
            helper.make_node("MatMul", [f"p{i}", f"x{i}"], [f"q{i}"]),
            helper.make_node("LpNormalization", [f"q{i}"], [f"x{i + 1}"], axis=-1, p=2),
        ]
    nodes.append(helper.make_node("ReduceMean", [f"x{_ROUNDS}", "one"], ["sentence_embedding"], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "slow",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["b", _SIZE])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([1, _COPIES, 1], np.int64), "copies"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    tiny.tokenizer().save(str(folder / "tokenizer.json"))
    return folder
