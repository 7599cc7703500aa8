"""Turns the weights of a BERT sentence encoder (safetensors) into an ONNX graph with int8 weights.

The same weights give the same bytes on every run with the same version of `onnx`. Nothing but numpy
and onnx is needed: the graph is written node by node. Choices, with measurements in docs/search.md:

- Weights are symmetric int8, one scale for each output channel, and use 7 bits (-63 to 63). Processors
  without VNNI add pairs of products in 16 bits, which saturate with 8; with 7 every processor gives
  the same vectors. One scale for a whole matrix loses far more (cosine 0.93 instead of 0.99).
- Word embeddings are int8 with one scale for each word: 12 MB instead of 47, at no loss.
- `QAttention` and `DynamicQuantizeMatMul` multiply in int8. `Add` and `LayerNormalization` stand
  apart: ONNX Runtime's fused `SkipLayerNormalization` is ten times slower on processors.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# Raise when the graph changes: an encoder of another format is converted anew at installation.
FORMAT = 3

_WEIGHT_LIMIT = 63
_MICROSOFT = "com.microsoft"

Weights = dict[str, NDArray[np.float32]]


class ConversionError(ValueError):
    """The weights are not those of a BERT encoder that this program can convert."""


def read_weights(data: bytes) -> Weights:
    """The float32 tensors in ``data``, a safetensors file, by name.

    Format: https://github.com/huggingface/safetensors#format: the header's length (uint64, little
    endian), a JSON header with type, shape and byte range of every tensor, the tensors.

    Raises:
        ConversionError: if ``data`` is cut short or no safetensors file.
    """
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        tensors: Weights = {}
        for name, entry in header.items():
            if name == "__metadata__" or entry["dtype"] != "F32":
                continue
            start, end = entry["data_offsets"]
            array = np.frombuffer(data, "<f4", count=(end - start) // 4, offset=8 + length + start)
            tensors[name] = array.reshape(entry["shape"])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise ConversionError(f"no complete safetensors file ({error}); fetch it again") from error
    return tensors


class _Bert:
    """The shape of the encoder and its tensors, under the names of its parts."""

    def __init__(self, weights: Weights, config: dict[str, Any]):
        try:
            if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
                raise ConversionError("only BERT encoders with the gelu activation can be converted")
            self.layers: int = config["num_hidden_layers"]
            self.heads: int = config["num_attention_heads"]
            self.epsilon: float = config["layer_norm_eps"]
            self.size: int = config["hidden_size"]
            self._weights = weights
            self.words = self["embeddings.word_embeddings.weight"]
            # Every token is of type 0, so its embedding belongs to the position.
            self.positions = (
                self["embeddings.position_embeddings.weight"]
                + self["embeddings.token_type_embeddings.weight"][0]
            )
        except KeyError as error:
            raise ConversionError(f"the configuration lacks {error}") from error

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        try:
            return self._weights[name]
        except KeyError:
            raise ConversionError(f"the weights lack the tensor {name}") from None

    def dense(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Matrix (inputs x outputs) and bias of a dense layer."""
        return np.ascontiguousarray(self[f"{name}.weight"].T), self[f"{name}.bias"]

    def attention_input(self, layer: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Matrix and bias that give query, key and value side by side."""
        parts = [self.dense(f"encoder.layer.{layer}.attention.self.{n}") for n in ("query", "key", "value")]
        return np.concatenate([w for w, _ in parts], axis=1), np.concatenate([b for _, b in parts])


def quantised(
    matrix: NDArray[np.float32], axis: int, limit: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """``matrix`` as int8 in [-limit, limit] and the scales along the other axis than ``axis``."""
    scales = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True) / limit, 1e-12).astype(np.float32)
    return np.rint(matrix / scales).astype(np.int8), scales


class _Graph:
    """An ONNX graph under construction: constants, nodes and fresh names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        array = np.ascontiguousarray(value, dtype=dtype)
        self.constants.setdefault(name, numpy_helper.from_array(array.reshape(np.shape(value)), name))
        return name

    def node(self, operator: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> Any:
        """Adds a node; the name of its output, or the names where there are several."""
        stem = name or f"{operator}_{len(self.nodes)}"
        names = [stem] if outputs == 1 else [f"{stem}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=stem, **attributes))
        return names[0] if outputs == 1 else names


def convert(weights: bytes, config: dict[str, Any], precision: str = "int8") -> bytes:
    """The ONNX file of the encoder: token ids in, unit vectors out.

    Inputs ``input_ids`` and ``attention_mask`` (int64, texts x tokens); outputs ``sentence_embedding``
    (float32, texts x dimensions): the mean over the tokens of the mask, scaled to length 1, and
    ``token_embeddings`` (float32, texts x tokens x dimensions), of which it is the mean.

    Args:
        weights: the safetensors file; config: what its ``config.json`` says.
        precision: ``int8``, or ``float32`` for comparison.
    Raises:
        ConversionError: if the weights are not those of a BERT encoder.
    """
    bert = _Bert(read_weights(weights), config)
    graph = _Graph()
    if precision == "int8":
        x = _embedded_int8(graph, bert)
    else:
        x = graph.node("Gather", graph.constant("words", bert.words), "input_ids")
    length = graph.node("Gather", graph.node("Shape", "input_ids"), graph.constant("one", [1], np.int64))
    zero = graph.constant("zero", [0], np.int64)
    x = graph.node(
        "Add", x, graph.node("Slice", graph.constant("positions", bert.positions), zero, length, zero)
    )
    x = _normalised(graph, bert, x, "embeddings.LayerNorm")
    mask = graph.node("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(bert.layers):
        x = _layer(graph, bert, x, mask, layer, precision)
    x = graph.node("Identity", x, name="token_embeddings")
    weight = graph.node(
        "Unsqueeze",
        graph.node("Cast", "attention_mask", to=TensorProto.FLOAT),
        graph.constant("last", [-1], np.int64),
    )
    total = graph.node(
        "ReduceSum", graph.node("Mul", x, weight), graph.constant("one", [1], np.int64), keepdims=0
    )
    # The direction of the mean is that of the sum.
    graph.node("LpNormalization", total, name="sentence_embedding", axis=-1, p=2)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [
        helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["texts", bert.size]),
        helper.make_tensor_value_info("token_embeddings", TensorProto.FLOAT, ["texts", "tokens", bert.size]),
    ]
    made = helper.make_graph(graph.nodes, "encoder", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_MICROSOFT, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=9, producer_name="broadsheet")
    return model.SerializeToString(deterministic=True)


def _embedded_int8(graph: _Graph, bert: _Bert) -> str:
    words, scales = quantised(bert.words, axis=1, limit=127)
    found = graph.node("Gather", graph.constant("words", words, np.int8), "input_ids")
    scale = graph.node("Gather", graph.constant("words_scale", scales), "input_ids")
    return graph.node("Mul", graph.node("Cast", found, to=TensorProto.FLOAT), scale)


def _normalised(graph: _Graph, bert: _Bert, x: str, name: str) -> str:
    gain, bias = (
        graph.constant(f"{name}.weight", bert[f"{name}.weight"]),
        graph.constant(f"{name}.bias", bert[f"{name}.bias"]),
    )
    return graph.node("LayerNormalization", x, gain, bias, axis=-1, epsilon=bert.epsilon)


def _dense(graph: _Graph, bert: _Bert, x: str, name: str, precision: str) -> str:
    """``x`` times the matrix of the dense layer ``name``, without its bias."""
    matrix, _ = bert.dense(name)
    if precision != "int8":
        return graph.node("MatMul", x, graph.constant(name, matrix))
    values, scales = quantised(matrix, axis=0, limit=_WEIGHT_LIMIT)
    inputs = graph.constant(name, values, np.int8), graph.constant(f"{name}.scale", scales[0])
    return graph.node("DynamicQuantizeMatMul", x, *inputs, domain=_MICROSOFT)


def _attention(graph: _Graph, bert: _Bert, x: str, mask: str, layer: int, precision: str) -> str:
    matrix, bias = bert.attention_input(layer)
    name = f"encoder.layer.{layer}.attention.self"
    bias_name = graph.constant(f"{name}.bias", bias)
    if precision != "int8":
        inputs = (x, graph.constant(name, matrix), bias_name, mask)
        return graph.node("Attention", *inputs, domain=_MICROSOFT, num_heads=bert.heads)
    values, scales = quantised(matrix, axis=0, limit=_WEIGHT_LIMIT)
    x_int8, x_scale, x_zero = graph.node("DynamicQuantizeLinear", x, outputs=3)
    return graph.node(
        "QAttention",
        x_int8,
        graph.constant(name, values, np.int8),
        bias_name,
        x_scale,
        graph.constant(f"{name}.scale", scales[0]),
        mask,
        x_zero,
        graph.constant(f"{name}.zero", np.zeros(matrix.shape[1]), np.int8),
        domain=_MICROSOFT,
        num_heads=bert.heads,
    )


def _layer(graph: _Graph, bert: _Bert, x: str, mask: str, layer: int, precision: str) -> str:
    stem = f"encoder.layer.{layer}"

    def joined(y: str, x: str, name: str) -> str:
        """``y`` plus the bias of ``name`` plus ``x``, normalised."""
        bias = graph.constant(f"{stem}.{name}.dense.bias", bert[f"{stem}.{name}.dense.bias"])
        return _normalised(
            graph, bert, graph.node("Add", graph.node("Add", y, bias), x), f"{stem}.{name}.LayerNorm"
        )

    y = _attention(graph, bert, x, mask, layer, precision)
    x = joined(_dense(graph, bert, y, f"{stem}.attention.output.dense", precision), x, "attention.output")
    name = f"{stem}.intermediate.dense"
    bias = graph.constant(f"{name}.bias", bert[f"{name}.bias"])
    y = graph.node("FastGelu", _dense(graph, bert, x, name, precision), bias, domain=_MICROSOFT)
    return joined(_dense(graph, bert, y, f"{stem}.output.dense", precision), x, "output")


def reference_vector(weights: bytes, config: dict[str, Any], ids: list[int]) -> NDArray[np.float32]:
    """The unit vector of one text's token ``ids``, computed with numpy alone: slow, and plain to see."""
    bert = _Bert(read_weights(weights), config)
    count, width = len(ids), bert.size // bert.heads
    gelu = np.vectorize(lambda v: v * 0.5 * (1.0 + math.erf(v / math.sqrt(2.0))), otypes=[np.float32])

    def normalised(x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + bert.epsilon)
        return centred / deviation * bert[f"{name}.weight"] + bert[f"{name}.bias"]

    def dense(x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        matrix, bias = bert.dense(name)
        return x @ matrix + bias

    x = normalised(bert.words[ids] + bert.positions[:count], "embeddings.LayerNorm")
    for layer in range(bert.layers):
        stem = f"encoder.layer.{layer}"
        matrix, bias = bert.attention_input(layer)
        query, key, value = (x @ matrix + bias).reshape(count, 3, bert.heads, width).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(width)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        y = (scores @ value).transpose(1, 0, 2).reshape(count, bert.size)
        x = normalised(dense(y, f"{stem}.attention.output.dense") + x, f"{stem}.attention.output.LayerNorm")
        y = gelu(dense(x, f"{stem}.intermediate.dense"))
        x = normalised(dense(y, f"{stem}.output.dense") + x, f"{stem}.output.LayerNorm")
    total = x.sum(axis=0)
    return (total / np.linalg.norm(total)).astype(np.float32)
