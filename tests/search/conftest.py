"""A tiny encoder, an empty store, and papers to search."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broadsheet.model.identifiers import arxiv_identifier
from broadsheet.model.papers import Author, Record
from broadsheet.search import Engine
from broadsheet.search.encoder import installed_folder
from broadsheet.search.encoder.install import install
from broadsheet.store import Store
from tests.search import tiny


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny encoder, made by the real conversion and installation."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    install(tiny.files(), folder)
    return folder


@pytest.fixture(scope="session")
def real_encoder() -> Path:
    """The folder of the installed encoder."""
    if not (installed_folder() / "model.onnx").exists():
        pytest.skip("the encoder is not installed: run python -m broadsheet.search.encoder.install")
    return installed_folder()


@pytest.fixture
def papers_store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in ``tmp_path``, which serves as home."""
    store = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    yield store
    store.close()


@pytest.fixture
def open_engine(tmp_path: Path, papers_store: Store) -> Iterator[Callable[..., Engine]]:
    """Opens engines on ``papers_store``; closes them at the end."""
    opened: list[Engine] = []

    def open_one(encoder: Path | str, **options: str) -> Engine:
        opened.append(Engine.open(tmp_path, papers_store, str(encoder), 1, **options))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()


def record(
    number: int, title: str, abstract: str = "", authors: tuple[str, ...] = (), **more: object
) -> Record:
    """A record with the arXiv id ``2401.<number>``."""
    identifier = arxiv_identifier(f"2401.{number:05}")
    assert identifier
    return Record(
        title=title,
        source="test",
        identifiers=[identifier],
        abstract=abstract,
        authors=[Author(name) for name in authors],
        **more,  # type: ignore[arg-type]
    )


def made_up(count: int, seed: int = 1, first: int = 1) -> list[Record]:
    """``count`` papers of random words that the tiny encoder knows."""
    chance = random.Random(seed)
    return [
        record(
            first + i,
            f"{' '.join(chance.sample(tiny.WORDS, 5))} {first + i}",
            " ".join(chance.choices(tiny.WORDS, k=chance.randint(0, 60))),
        )
        for i in range(count)
    ]
