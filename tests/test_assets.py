"""Files from packages pinned by hash: taken by the real pip from a folder of wheels, and checked."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from broadsheet.assets import AssetError, pinned_files

CONTENT = b"what was pinned\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def requirement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wheel that pip finds without a network, as a pinned requirement."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "pinned_demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pinned_demo/data.bin", CONTENT)
        archive.writestr(
            "pinned_demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: pinned-demo\nVersion: 1.0\n"
        )
        archive.writestr(
            "pinned_demo-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("pinned_demo-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return f"pinned-demo==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def test_files_are_taken_once(requirement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "share"
    (path,) = pinned_files(requirement, {"pinned_demo/data.bin": SHA256}, folder)
    assert path.read_bytes() == CONTENT
    # What is there and right needs no package any more.
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert pinned_files(requirement, {"pinned_demo/data.bin": SHA256}, folder) == [path]


def test_a_spoilt_file_is_taken_again(requirement: str, tmp_path: Path) -> None:
    (path,) = pinned_files(requirement, {"pinned_demo/data.bin": SHA256}, tmp_path)
    path.write_bytes(b"spoilt")
    pinned_files(requirement, {"pinned_demo/data.bin": SHA256}, tmp_path)
    assert path.read_bytes() == CONTENT


def test_a_file_that_differs_from_its_hash_is_refused(requirement: str, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    with pytest.raises(AssetError, match="not the pinned 0000"):
        pinned_files(requirement, {"pinned_demo/data.bin": "0" * 64}, folder)
    assert list(folder.iterdir()) == []


def test_a_package_that_differs_from_its_hash_is_refused(requirement: str, tmp_path: Path) -> None:
    other = requirement.split("sha256:")[0] + "sha256:" + "0" * 64
    with pytest.raises(AssetError, match=r"pinned-demo==1\.0 could not be downloaded"):
        pinned_files(other, {"pinned_demo/data.bin": SHA256}, tmp_path / "share")


def test_a_package_without_the_file_is_refused(requirement: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="holds no pinned_demo/other"):
        pinned_files(requirement, {"pinned_demo/other": SHA256}, tmp_path / "share")


def test_a_package_that_cannot_be_had_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(AssetError, match="check the network and install again"):
        pinned_files(
            f"pinned-demo==1.0 --hash=sha256:{'0' * 64}", {"pinned_demo/data.bin": SHA256}, tmp_path / "share"
        )
