"""The content of one input: opened, unpacked from gzip, its encoding recognised, read in bounded pieces."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from .encodings import UnknownEncoding, decoded, wide_encoding

CHUNK = 1 << 18
# What is looked at to recognise the format.
HEAD = 1 << 16
# One paper a line: the longest real one has 40 kB.
MAX_LINE = 10_000_000
# Formats that are one document are held in memory whole.
MAX_DOCUMENT = 100_000_000
# Standard input and pipes are kept in a temporary file while they are read.
MAX_SPOOLED = 8_000_000_000
_IN_MEMORY = 16_000_000


class InputError(ValueError):
    """An input that cannot be opened; the message names it, the reason and the remedy."""


class Unreadable(ValueError):
    """A content that cannot be read as what it is; the message says why and what to do."""


class Content:
    """The bytes of one input, as often as they are asked for, in bounded memory.

    ``name`` is what messages call it. After the bytes were read to their end, ``broken`` says why
    they end too early (a truncated gzip file), or is None.

    Args:
        source: a path, or a binary stream (standard input), which is not closed.

    Raises:
        InputError: if there is no such file, or it cannot be opened.
    """

    def __init__(self, source: str | Path | BinaryIO, name: str | None = None) -> None:
        self.broken: str | None = None
        self._own = True
        if isinstance(source, str | Path):
            self.name = name or str(source)
            self._file = _opened(Path(source), self.name)
        else:
            self.name = name or "standard input"
            self._file, self._own = source, False
        if not _seekable(self._file):
            spooled = _spooled(self._file, self.name)
            if self._own:
                self._file.close()
            self._file, self._own = spooled, True
        self._start = self._file.tell()

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._file.close()

    @cached_property
    def head(self) -> bytes:
        """The first `HEAD` bytes, unpacked, in UTF-8 where their encoding says itself."""
        head = b""
        for chunk in self.chunks():
            head += chunk
            if len(head) >= HEAD:
                break
        return head[:HEAD]

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the unpacked content."""
        # It is asked for while the content is being read, which goes on as if nothing had happened.
        broken, digest = self.broken, hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        self.broken = broken
        return digest.hexdigest()[:16]

    def chunks(self) -> Iterator[bytes]:
        """The content in pieces, unpacked, without byte order mark, UTF-16 and UTF-32 as UTF-8."""
        chunks = self._unpacked()
        first = next(chunks, b"")
        if first[:3] == codecs.BOM_UTF8:
            first = first[3:]
        wide = wide_encoding(first)
        if not wide:
            yield first
            yield from chunks
            return
        decoder = codecs.getincrementaldecoder(wide)(errors="replace")
        yield decoder.decode(first).lstrip("\ufeff").encode("utf-8", "replace")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")

    def lines(self) -> Iterator[tuple[int, bytes | None]]:
        """The lines with their numbers from 1; None for one longer than `MAX_LINE`, which is skipped."""
        number, rest, skipping = 0, b"", False
        for chunk in self.chunks():
            lines = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
            rest = lines.pop()
            for line in lines:
                number += 1
                if skipping:
                    skipping = False
                else:
                    yield number, line if len(line) <= MAX_LINE else None
            if skipping:
                rest = b""
            elif len(rest) > MAX_LINE:
                yield number + 1, None
                rest, skipping = b"", True
        if rest:
            yield number + 1, rest

    def data(self) -> bytes:
        """The whole content.

        Raises:
            Unreadable: if it is longer than `MAX_DOCUMENT`.
        """
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > MAX_DOCUMENT:
                raise Unreadable(
                    f"it is larger than {MAX_DOCUMENT // 1_000_000} MB; "
                    "split it, or write it as JSON lines, one paper a line"
                )
        return bytes(data)

    def text(self) -> str:
        """The whole content as text with ``\\n`` line ends.

        Raises:
            Unreadable: if it is too long, or its encoding is not surely known.
        """
        try:
            return decoded(self.data()).replace("\r\n", "\n").replace("\r", "\n")
        except UnknownEncoding as error:
            raise Unreadable(str(error)) from error

    def _pieces(self) -> Iterator[bytes]:
        """The bytes of the input as they are. Several readers may take turns."""
        place = self._start
        while True:
            self._file.seek(place)
            piece = self._file.read(CHUNK)
            if not piece:
                return
            place += len(piece)
            yield piece

    def _unpacked(self) -> Iterator[bytes]:
        """The bytes as they stand in the input, or in the gzip members that it consists of."""
        self.broken = None
        pieces = self._pieces()
        packed = next(pieces, b"")
        if packed[:2] != b"\x1f\x8b":
            yield packed
            yield from pieces
            return
        unpacker = zlib.decompressobj(31)
        while packed:
            try:
                data = unpacker.decompress(packed, CHUNK)
            except zlib.error as error:
                self.broken = f"the gzip data are damaged ({error}); fetch the file again"
                return
            if data:
                yield data
            if unpacker.eof:
                # Another member, or the zeros that tapes and some tools put at the end.
                packed = unpacker.unused_data.lstrip(b"\0") or next(pieces, b"").lstrip(b"\0")
                if packed and not packed.startswith(b"\x1f"):
                    return
                unpacker = zlib.decompressobj(31) if packed else unpacker
            else:
                packed = unpacker.unconsumed_tail or next(pieces, b"")
        if not unpacker.eof:
            self.broken = (
                "the gzip data end before their end (an interrupted download?); fetch the file again"
            )


def _opened(path: Path, name: str) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(
                f"{name} is a directory; name the files in it, for example {name.rstrip(os.sep)}{os.sep}*"
            )
        return path.open("rb")
    except FileNotFoundError as error:
        if "://" in name:
            raise InputError(
                f"{name[:200]} is no address of a paper that is known here; save the page and add the file"
            ) from error
        raise InputError(f"there is no file {name}; check the name") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read by this user; change its permissions") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{name[:200]} cannot be opened: {getattr(error, 'strerror', None) or error}"
        ) from error


def _seekable(file: BinaryIO) -> bool:
    try:
        return file.seekable() and (isinstance(file, io.BytesIO) or file.seek(0, os.SEEK_CUR) >= 0)
    except (OSError, AttributeError, ValueError):
        return False


def _spooled(file: BinaryIO, name: str) -> BinaryIO:
    """A copy of what ``file`` gives that can be read twice, in memory as long as it is small."""
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    try:
        size = 0
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if size > MAX_SPOOLED:
                raise InputError(
                    f"{name} has more than {MAX_SPOOLED // 1_000_000_000} GB; save it as a file first"
                )
            copy.write(chunk)
    except OSError as error:
        copy.close()
        raise InputError(f"{name} could not be read: {error.strerror or error}") from error
    except InputError:
        copy.close()
        raise
    copy.seek(0)
    return copy
