"""Plain ids and addresses, as a file or as words: papers that are asked for."""

from __future__ import annotations

import io
from pathlib import Path

from broadsheet.model.papers import Rejection, Wanted
from broadsheet.sources.files import read_file, read_words
from broadsheet.sources.identifiers import identifiers_in

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"


def test_a_file_of_ids_in_every_written_form() -> None:
    items = list(read_file(FIXTURES / "ids.txt"))
    assert [(item.identifier.key, item.identifier.version) for item in items if isinstance(item, Wanted)] == [
        ("arxiv:2407.21783", None),
        ("arxiv:hep-th/9901001", 3),
        ("arxiv:1706.03762", 7),
        ("doi:10.1038/nature14539", None),
        ("openreview:rJXMpikCZ", None),
        ("acl:2020.acl-main.1", None),
    ]
    (rejected,) = [item for item in items if isinstance(item, Rejection)]
    assert rejected.where.endswith("ids.txt line 8")
    assert "24O7.21783" in rejected.why


def test_several_ids_on_a_line() -> None:
    found, rejected = identifiers_in("2407.21783, 2407.21784;2407.21785 10.1000/a,10.1000/b")
    assert [i.value for i in found] == ["2407.21783", "2407.21784", "2407.21785", "10.1000/a", "10.1000/b"]
    assert rejected == []


def test_dois_keep_their_odd_characters() -> None:
    found, _ = identifiers_in(
        "10.1016/0022-2836(81)90087-5\n10.1002/(SICI)1097-0258(19980815)17:15/16<1661::AID-SIM968>3.0.CO;2-2"
    )
    assert [i.value for i in found] == [
        "10.1016/0022-2836(81)90087-5",
        "10.1002/(sici)1097-0258(19980815)17:15/16<1661::aid-sim968>3.0.co;2-2",
    ]


def test_words_of_a_command_line() -> None:
    items = list(read_words(["2407.21783v2", "https://huggingface.co/papers/2407.21784", "nonsense"]))
    assert [item.identifier.value for item in items[:2]] == ["2407.21783", "2407.21784"]
    assert isinstance(items[2], Rejection)
    assert "arXiv id" in items[2].why


def test_one_id_alone_is_a_file_of_ids() -> None:
    (item,) = read_file(io.BytesIO(b"arXiv:2407.21783\n"))
    assert isinstance(item, Wanted)
