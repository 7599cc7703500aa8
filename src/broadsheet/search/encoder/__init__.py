"""Sentence encoders in ONNX Runtime: texts in, unit vectors out. No PyTorch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...assets import SHARE, sha256_of

# A query is answered while one waits; what follows the first 256 tokens hardly turns its vector.
QUERY_TOKENS = 256
DEFAULT_TOKENS = 256
_PUNCTUATION = re.compile(r"[^\w\s]+")
# What an encoder's folder holds; the last one may be missing.
FILES = ("model.onnx", "tokenizer.json", "encoder.json")
# Names under which encoders are exported.
_WHOLE_OUTPUT = "sentence_embedding"
_TOKEN_OUTPUTS = ("token_embeddings", "last_hidden_state")


T = TypeVar("T")


class EncoderError(RuntimeError):
    """There is no usable encoder; the message says why and what to do."""


def installed_folder() -> Path:
    """Where the installation puts the encoder: inside the Python environment that runs."""
    return SHARE / "encoder"


def _cut(tokens: list[T], limit: int) -> list[T]:
    """At most ``limit`` of ``tokens``; the last one, which marks the end of a text, stays."""
    return tokens if len(tokens) <= limit else tokens[: limit - 1] + tokens[-1:]


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 and np.isfinite(length) else np.zeros_like(vector)


class Encoder:
    """A sentence encoder: a folder with ``model.onnx``, ``tokenizer.json`` and, optionally, ``encoder.json``.

    ``encoder.json`` may say ``name``, ``max_tokens`` (tokens of a paper that are read),
    ``drop_punctuation`` (of papers, not of queries), ``query_prefix``, ``document_prefix`` and
    ``optimise`` (false: the graph runs as it is written).
    The model takes ``input_ids``, ``attention_mask`` and, where it asks for them, ``token_type_ids``,
    and gives one vector a text, or one a token: then their mean is taken. Where it gives one a token,
    parts of a text (its sentences) have vectors too: the means over their tokens, read in their context.

    Every text is encoded by itself, ``threads`` texts at a time. So no padding is computed, and a
    text has the same vector in whatever company it is encoded.
    """

    def __init__(self, folder: Path, threads: int = 2):
        """Loads the encoder in ``folder``.

        Raises:
            EncoderError: naming the file that is missing or broken.
        """
        # Imported here: a command that encodes nothing does not wait for it.
        import onnxruntime
        from tokenizers import Tokenizer

        self.folder = folder
        model, words = folder / FILES[0], folder / FILES[1]
        for path in (model, words):
            if not path.is_file():
                raise EncoderError(f"{path} is missing; `make install` makes it")
        try:
            about = (
                json.loads((folder / "encoder.json").read_text())
                if (folder / "encoder.json").exists()
                else {}
            )
            self.name: str = str(about.get("name", folder.name))
            self.max_tokens = int(about.get("max_tokens", DEFAULT_TOKENS))
            self._prefixes = str(about.get("document_prefix", "")), str(about.get("query_prefix", ""))
            self._drop_punctuation = bool(about.get("drop_punctuation", False))
            self._tokenizer = Tokenizer.from_file(str(words))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(max(self.max_tokens, QUERY_TOKENS))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            if not about.get("optimise", True):
                options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
            self._inputs = [given.name for given in self._session.get_inputs()]
            self._output, self._token_output = self._choose_outputs()
            settings = f"{sha256_of(model)} {sha256_of(words)} {self.max_tokens} {self._prefixes}"
            if self._drop_punctuation:
                settings += " without punctuation"
            self.identity = hashlib.sha256(settings.encode()).hexdigest()[:32]
            self.dims = int(self._encode_one([0]).shape[0])
        except EncoderError:
            raise
        except Exception as error:  # each library has exceptions of its own for a broken file
            first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise EncoderError(
                f"the encoder in {folder} cannot be used ({first}); install it again"
            ) from error
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="encoder")

    def _choose_outputs(self) -> tuple[str, str]:
        """The output that gives a vector of a text, and the one that gives one a token ("" for none)."""
        shapes = {output.name: output.shape or () for output in self._session.get_outputs()}
        tokens = next((name for name in _TOKEN_OUTPUTS if len(shapes.get(name, ())) == 3), "")
        whole = _WHOLE_OUTPUT if _WHOLE_OUTPUT in shapes else tokens or next(iter(shapes))
        return whole, tokens

    @property
    def gives_parts(self) -> bool:
        """Whether `encode_with_parts` gives vectors of parts."""
        return bool(self._token_output)

    def _run(self, ids: list[int], outputs: list[str]) -> list[NDArray[np.float32]]:
        values = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
            "token_type_ids": np.zeros((1, len(ids)), dtype=np.int64),
        }
        unknown = [name for name in self._inputs if name not in values]
        if unknown:
            raise EncoderError(f"the model asks for {unknown[0]!r}, which a sentence encoder does not need")
        found = self._session.run(outputs, {name: values[name] for name in self._inputs})
        return [np.asarray(output[0], dtype=np.float32) for output in found]

    def _encode_one(self, ids: list[int]) -> NDArray[np.float32]:
        (vector,) = self._run(ids, [self._output])
        return _unit(vector.mean(axis=0) if vector.ndim == 2 else vector)

    def _encode_parts(
        self, ids: list[int], offsets: list[tuple[int, int]], spans: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vectors of a text (dims) and of its parts (parts that were read, dims)."""
        if not self._token_output or not spans:
            return self._encode_one(ids), np.zeros((0, self.dims), np.float32)
        outputs = [self._token_output] + ([self._output] if self._output != self._token_output else [])
        tokens, *whole = self._run(ids, outputs)
        starts = np.array([start for start, _ in offsets])
        ends = np.array([end for _, end in offsets])
        parts = []
        for first, last in spans:
            inside = (starts >= first) & (ends <= last) & (ends > starts)
            if not inside.any():
                break
            parts.append(_unit(tokens[inside].mean(axis=0)))
        vector = whole[0] if whole else tokens.mean(axis=0)
        return _unit(vector), np.array(parts, np.float32).reshape(-1, self.dims)

    def _read(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """The tokens of papers as they are encoded, and where in its text each stands."""
        prefix = self._prefixes[0]
        if self._drop_punctuation:
            # As many spaces as there were marks: every word keeps its place.
            texts = [_PUNCTUATION.sub(lambda marks: " " * len(marks[0]), text) for text in texts]
        tokens = self._tokenizer.encode_batch([prefix + text for text in texts])
        before = len(prefix)
        return [
            (
                _cut(entry.ids, self.max_tokens),
                [(start - before, end - before) for start, end in _cut(entry.offsets, self.max_tokens)],
            )
            for entry in tokens
        ]

    def _encode_all(self, lengths: Sequence[int], encode: Callable[[int], Any]) -> list[Any]:
        # The longest first: then no thread is left alone with a long text at the end.
        order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
        found: list[Any] = [None] * len(lengths)
        for i, encoded in zip(order, self._threads.map(encode, order), strict=True):
            found[i] = encoded
        return found

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors of ``texts``, float32, shape (len(texts), dims). An empty text has one too."""
        read = self._read(texts)
        vectors = self._encode_all([len(ids) for ids, _ in read], lambda i: self._encode_one(read[i][0]))
        return np.array(vectors, np.float32).reshape(-1, self.dims)

    def encode_with_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """The vectors of ``texts`` and of parts of them, from one reading of each text.

        Args:
            spans: for each text where its parts begin and end, in characters, from left to right.
        Returns:
            unit vectors of the texts, float32, (len(texts), dims), the same as `encode` gives; and for each
            text those of its parts, (parts, dims): fewer than asked for where the encoder does not read that
            far, none where it gives no vectors of tokens.
        """
        read = self._read(texts)
        found = self._encode_all(
            [len(ids) for ids, _ in read], lambda i: self._encode_parts(*read[i], spans[i])
        )
        vectors = np.array([vector for vector, _ in found], np.float32).reshape(-1, self.dims)
        return vectors, [parts for _, parts in found]

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a query, float32, shape (dims,)."""
        return self._encode_one(_cut(self._tokenizer.encode(self._prefixes[1] + text).ids, QUERY_TOKENS))

    def close(self) -> None:
        """Ends the threads; the texts that are being encoded are finished first."""
        self._threads.shutdown()
