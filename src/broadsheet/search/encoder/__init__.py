"""Sentence encoders in ONNX Runtime: texts in, unit vectors out. No PyTorch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...assets import SHARE, sha256_of

# A query is answered while one waits; what follows the first 256 tokens hardly turns its vector.
QUERY_TOKENS = 256
DEFAULT_TOKENS = 256
_PUNCTUATION = re.compile(r"[^\w\s]+")


class EncoderError(RuntimeError):
    """There is no usable encoder; the message says why and what to do."""


def installed_folder() -> Path:
    """Where the installation puts the encoder: inside the Python environment that runs."""
    return SHARE / "encoder"


def _cut(ids: list[int], limit: int) -> list[int]:
    """At most ``limit`` of ``ids``; the last one, which marks the end of a text, stays."""
    return ids if len(ids) <= limit else ids[: limit - 1] + ids[-1:]


class Encoder:
    """A sentence encoder: a folder with ``model.onnx``, ``tokenizer.json`` and, optionally, ``encoder.json``.

    ``encoder.json`` may say ``name``, ``max_tokens`` (tokens of a paper that are read),
    ``drop_punctuation`` (of papers, not of queries), ``query_prefix``, ``document_prefix`` and
    ``optimise`` (false: the graph runs as it is written).
    The model takes ``input_ids``, ``attention_mask`` and, where it asks for them, ``token_type_ids``,
    and gives one vector a text, or one a token: then their mean is taken.

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

        model, words = folder / "model.onnx", folder / "tokenizer.json"
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
            self._output = self._choose_output()
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

    def _choose_output(self) -> str:
        outputs = {output.name: output for output in self._session.get_outputs()}
        for name in ("sentence_embedding", "last_hidden_state", "token_embeddings"):
            if name in outputs:
                return name
        return next(iter(outputs))

    def _encode_one(self, ids: list[int]) -> NDArray[np.float32]:
        values = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
            "token_type_ids": np.zeros((1, len(ids)), dtype=np.int64),
        }
        unknown = [name for name in self._inputs if name not in values]
        if unknown:
            raise EncoderError(f"the model asks for {unknown[0]!r}, which a sentence encoder does not need")
        (output,) = self._session.run([self._output], {name: values[name] for name in self._inputs})
        vector = np.asarray(output[0], dtype=np.float32)
        if vector.ndim == 2:
            vector = vector.mean(axis=0)
        length = float(np.linalg.norm(vector))
        return vector / length if length > 0 and np.isfinite(length) else np.zeros_like(vector)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The unit vectors of ``texts``, float32, shape (len(texts), dims). An empty text has one too."""
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        prefix = self._prefixes[0]
        if self._drop_punctuation:
            texts = [_PUNCTUATION.sub(" ", text) for text in texts]
        tokens = self._tokenizer.encode_batch([prefix + text for text in texts])
        ids = [_cut(entry.ids, self.max_tokens) for entry in tokens]
        # The longest first: then no thread is left alone with a long text at the end.
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        for i, vector in zip(
            order, self._threads.map(self._encode_one, [ids[i] for i in order]), strict=True
        ):
            vectors[i] = vector
        return vectors

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a query, float32, shape (dims,)."""
        return self._encode_one(_cut(self._tokenizer.encode(self._prefixes[1] + text).ids, QUERY_TOKENS))

    def close(self) -> None:
        """Ends the threads; the texts that are being encoded are finished first."""
        self._threads.shutdown()
