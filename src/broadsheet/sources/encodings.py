"""Text from bytes: UTF-8, or another encoding where it can be told surely; never by guessing."""

from __future__ import annotations

import codecs
import re

# What a file says of itself: "% Encoding: GBK" (JabRef), "Saved with string encoding …" (BibDesk),
# <meta charset="…">, <?xml … encoding="…"?>, "-*- coding: … -*-".
_DECLARED = re.compile(
    rb"(?i)(?:charset\s*=\s*[\"']?|<\?xml[^>]{0,80}encoding=[\"']|"
    rb"^%+\s*encoding\s*:\s*|coding[:=]\s*|string encoding )"
    rb"([a-z][\w.:+-]{2,30})",
    re.MULTILINE,
)
_HIGH = re.compile(rb"[\x80-\xff]+")
# Letters with accents in ISO 8859-1 and Windows-1252.
_LATIN_LETTERS = frozenset(range(0xC0, 0x100)) - {0xD7, 0xF7}
# What stands between words in Windows-1252: quotes, dashes, dots, no-break space, degree, signs.
_LATIN_SIGNS = frozenset(b"\x85\x91\x92\x93\x94\x96\x97\xa0\xa7\xa9\xab\xae\xb0\xb1\xb5\xb7\xbb\xd7")
_REMEDY = "save it as UTF-8, for example with: iconv -f ENCODING -t UTF-8 FILE"


class UnknownEncoding(ValueError):
    """Bytes that are no UTF-8 and in no encoding that can be told surely."""


def wide_encoding(head: bytes) -> str | None:
    """``utf-16`` or ``utf-32`` with its byte order where ``head`` is surely in it, else None."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32-le" if head.startswith(codecs.BOM_UTF32_LE) else "utf-32-be"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    # Without a mark: the markup of every format read here is ASCII, every other byte of which is 0.
    head = head[: min(len(head), 400) // 4 * 4]
    if len(head) < 8:
        return None
    zeros = [head[i::4].count(0) * 4 / len(head) for i in range(4)]
    ones = [sum(0 < byte < 128 for byte in head[i::4]) * 4 / len(head) for i in range(4)]
    if zeros[1] > 0.7 and zeros[3] > 0.7 and ones[0] > 0.7:
        return "utf-32-le" if zeros[2] > 0.9 else "utf-16-le"
    if zeros[0] > 0.7 and zeros[2] > 0.7 and ones[3] > 0.7:
        return "utf-32-be" if zeros[1] > 0.9 else "utf-16-be"
    return None


def decoded(data: bytes) -> str:
    """``data`` as text.

    Raises:
        UnknownEncoding: with what is wrong and the remedy.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        first_wrong = error.start
    declared = _DECLARED.search(data[:4096])
    if declared:
        text = _text(data, declared[1].decode("ascii"))
        if text is not None:
            return text
    if b"\0" in data:
        raise UnknownEncoding(
            "it is no text but binary data; give a text file of one of the formats that are read"
        )
    if _is_latin(data):
        return data.decode("cp1252", "replace")
    if _is_simplified_chinese(data):
        return data.decode("gb18030")
    if len(data) - first_wrong < 4 and data[first_wrong] >= 0xC2:
        # Cut off within its last character.
        return data[:first_wrong].decode("utf-8")
    line = data.count(b"\n", 0, first_wrong) + 1
    raise UnknownEncoding(
        f"it is not UTF-8 (byte {first_wrong}, line {line}) and its encoding cannot be told surely; {_REMEDY}"
    )


def _text(data: bytes, encoding: str) -> str | None:
    try:
        name = codecs.lookup(encoding).name
        if name == "utf-8":
            return None
        # Files that say GB2312 or GBK often hold the later characters; the first is part of the last.
        return data.decode({"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252"}.get(name, name))
    except (LookupError, UnicodeDecodeError, ValueError, TypeError):
        return None


def _is_latin(data: bytes) -> bool:
    """Whether every byte over 127 is an accented letter beside ASCII letters, or a sign beside none."""
    letters = 0
    for run in _HIGH.finditer(data):
        if len(run[0]) > 2:
            return False
        around = data[max(0, run.start() - 1) : run.start()] + data[run.end() : run.end() + 1]
        if all(byte in _LATIN_LETTERS for byte in run[0]):
            if not any(chr(byte).isalpha() for byte in around):
                return False
            letters += 1
        elif not all(byte in _LATIN_SIGNS or byte in _LATIN_LETTERS for byte in run[0]):
            return False
    return letters > 0 or bool(_HIGH.search(data))


def _is_simplified_chinese(data: bytes) -> bool:
    """Whether the bytes over 127 are pairs in GB 2312, with characters that no Korean text has."""
    pairs = [run[0] for run in _HIGH.finditer(data)]
    if any(len(run) % 2 for run in pairs):
        return False
    leads = [run[i] for run in pairs for i in range(0, len(run), 2)]
    try:
        data.decode("gb2312")
    except UnicodeDecodeError:
        return False
    # EUC-KR writes all its syllables with the lead bytes B0 to C8, EUC-JP has kana in A4 and A5.
    return len(leads) >= 4 and any(0xC9 <= lead <= 0xD7 for lead in leads) and not {0xA4, 0xA5} & set(leads)
