"""Links printed in running text: found in every awkward form, repaired, and told by kind.

The forms are those of 128,000 real abstracts: with TeX or Markdown around them, glued to the next
sentence, broken by spaces and line ends, without scheme, escaped, repeated. What cannot be
repaired surely is left out: a missing link is better than a wrong one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from .papers import Link

# No text with a link lacks all of these; looking for them is a hundred times quicker than the rest.
_HINTS = (
    "http",
    "HTTP",
    "Http",
    "ithub",
    "GITHUB",
    "www.",
    "itlab",
    "uggingface",
    "hf.co/",
    "itbucket",
    "odeberg",
)

# Longer texts are no abstracts; longer addresses are no addresses.
_MAX_TEXT = 100_000
_MAX_URL = 500

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_TEX_TILDE = re.compile(r"\\~(?:\{\})?|\\textasciitilde(?:\{\}|(?![a-z]))|\$?\{?\\sim\}?\$?")
_TEX_ESCAPE = re.compile(r"\\([_%#&-])")
# "github$.$com", "github. com/ada/", "ada-lab. github.io/"
_TEX_DOT = re.compile(r"\$\.\$|\$(?=\.(?:com|io|org)/)")
_BROKEN_HOST = re.compile(
    r"(?i)(?<=[/\s])(?:(github|gitlab)\s?\.\s?com\s?/\s?(?=[\w-]+/)"
    r"|([a-z0-9-]{1,63}(?:-\s[a-z0-9-]{1,63})?)\.\s?github\s?\.\s?io\s?/)"
)
_BROKEN_HOST_HINTS = ("github. ", "github .", ". github", "/ github", "gitlab. ")
# The same before and within the slashes: a space in "https: //", "https:// ", or one slash too few.
_BROKEN_SCHEME = re.compile(r"(?i)\b(https?)(?:\s?:\s?/\s?/\s{0,4}|:/|//)(?=[a-z0-9-]{1,63}[.\s-])")

_SITES = r"(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|huggingface\.co|hf\.co)/"
_PAGES = r"[a-z0-9][a-z0-9-]{0,62}\.(?:github|gitlab)\.io(?![\w-])"
_START = re.compile(
    rf"(?i)https?://|(?:(?<![\w@./-])|(?<=\bat))(?:(?:www\.)?{_SITES}|{_PAGES}|www\.(?=[a-z0-9-]+\.))"
)
_BODY = re.compile(r"[A-Za-z0-9\-._~:/?#@!&*+,;=%()]*")
# The rest of an address that was broken after "-", "_" or "/".
_REST = re.compile(r"\s{1,6}([A-Za-z0-9][A-Za-z0-9\-._~/]*)")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
# Words that begin the next sentence where its space was forgotten: "…/repo.The data"
_NEXT_SENTENCE = re.compile(
    r"(?:[.,;:!?)]+|(?<=/))"
    r"(?:The|This|These|That|We|Our|Codes?|Data|Datasets?|Models?|Demo|Project|It|In|All|An?|And|and|for|with|to|is|"
    r"are|Keywords?|Index|Also|Please|To|For|More|Videos?|Note|See|Source|Additionally|Contributions?|Warning|"
    r"Disclaimer|Here|By|As|Extensive|Experiments|Its|Both|Finally|CCS)(?![A-Za-z0-9-])"
    r"(?!\.(?:git|io|com|org|md|html|py|ipynb))"
)

_PROJECT_CUE = r"project|web\s?-?page|web\s?-?site|home\s?-?page|\bpage\b|\bsite\b|demo|leaderboard|platform"
_CODE_CUE = (
    r"\bcodes?\b|codebase|source|implement|repositor|\brepo\b|software|toolkit|library|package|github|gitlab"
)
_CUES = re.compile(rf"(?i)(?P<project>{_PROJECT_CUE})|(?P<code>{_CODE_CUE})")

_CODE_HOSTS = {
    "github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitee.com", "sourceforge.net",
    "gist.github.com", "raw.githubusercontent.com", "anonymous.4open.science",
    "colab.research.google.com", "pypi.org", "git.sr.ht", "cran.r-project.org", "codeocean.com",
}  # fmt: skip
_VIDEO_HOSTS = {"youtu.be", "youtube.com", "m.youtube.com", "vimeo.com", "bilibili.com"}
_PAPER_HOSTS = {"arxiv.org", "doi.org", "dx.doi.org", "openreview.net", "aclanthology.org"}
_PROJECT_HOSTS = {"sites.google.com"}
# What stands where the real name is to come.
_PLACEHOLDER = re.compile(
    r"(?i)x{3,}|.*upon.?acceptance.*|anonymi[sz]ed.*|anonymous|user_?name|your_?name|.*:.*"
)
# Parts of huggingface.co that are no model's "owner/name".
_HUB_SECTIONS = {
    "papers",
    "collections",
    "docs",
    "blog",
    "organizations",
    "posts",
    "learn",
    "tasks",
    "api",
    "buckets",
}


def links_in(text: str) -> list[tuple[str, str]]:
    """The web addresses printed in ``text``, in order, each once, as ``(kind, url)``.

    ``kind`` is one of `papers.LINK_KINDS`: ``code`` (a repository), ``model``, ``dataset``,
    ``space`` (on the Hugging Face hub), ``project``, ``video`` or ``other``.

    >>> links_in("Code: https: //github.com/ada/engine.git.The data are large.")
    [('code', 'https://github.com/ada/engine')]
    """
    if not any(hint in text for hint in _HINTS):
        return []
    text = _plain(text[:_MAX_TEXT])
    found: dict[str, tuple[str, str]] = {}
    at = 0
    for hint in _hints_in(text):
        if hint < at:
            continue
        # Looking for a few words and then around them is ten times quicker than matching everywhere.
        start = _START.search(text, max(at, hint - 70), hint + 100)
        if not start:
            continue
        url, end = _url_at(text, start)
        if url:
            before = text[max(at, start.start() - 120) : start.start()]
            found.setdefault(_sameness(url), (_kind(url, before), url))
        at = max(end, start.end())
    return list(found.values())


def _hints_in(text: str) -> Iterator[int]:
    """The places of all `_HINTS` in ``text``, in order."""
    next_places = {hint: place for hint in _HINTS if (place := text.find(hint)) >= 0}
    while next_places:
        hint = min(next_places, key=next_places.__getitem__)
        place = next_places[hint]
        yield place
        following = text.find(hint, place + 1)
        if following < 0:
            del next_places[hint]
        else:
            next_places[hint] = following


def add_printed_links(links: list[Link], text: str | None, source: str, provenance: str = "abstract") -> None:
    """Appends to ``links`` those printed in ``text``, the field ``provenance`` of what ``source`` tells.

    Addresses that lead to where one of ``links`` leads already are left out.
    """
    if not text:
        return
    known = None
    for kind, url in links_in(text):
        known = {_sameness(link.url) for link in links} if known is None else known
        if _sameness(url) not in known:
            data = {"id": hub_name(url)} if kind in ("model", "dataset", "space") else None
            links.append(Link(kind, url, source, provenance, data))


def _sameness(url: str) -> str:
    """What two addresses share that lead to the same place: no scheme, no `www.`, no last slash."""
    return re.sub(r"^https?://(www\.)?", "", url).rstrip("/").removesuffix(".git").lower()


def page_link(url: str, source: str, provenance: str) -> Link:
    """``url``, given as the address of a paper: its repository, its PDF, or else its abstract page."""
    kind = _kind(url, "")
    if kind not in ("code", "video"):
        kind = "pdf" if url.split("?")[0].lower().endswith(".pdf") else "abstract"
    return Link(kind, url, source, provenance)


def hub_name(url: str) -> str:
    """``owner/name`` of the model, data set or space that ``url`` on huggingface.co leads to."""
    path = url.split("://", 1)[-1].partition("/")[2].split("?")[0].split("#")[0]
    return "/".join(path.removeprefix("datasets/").removeprefix("spaces/").split("/")[:2])


def _plain(text: str) -> str:
    """``text`` without the markup and the breaks that hide addresses."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _TEX_TILDE.sub("~", text)
        text = _TEX_ESCAPE.sub(r"\1", text)
    if "$" in text:
        text = _TEX_DOT.sub(lambda found: "." if len(found[0]) == 3 else "", text)
    whole = text.count("http://") + text.count("https://")
    if text.count("http") != whole or ":// " in text or "://\n" in text:
        text = _BROKEN_SCHEME.sub(r"\1://", text)
    if any(broken in text for broken in _BROKEN_HOST_HINTS):
        text = _BROKEN_HOST.sub(_whole_host, text)
    return text


def _whole_host(found: re.Match[str]) -> str:
    return f"{found[1]}.com/" if found[1] else "".join(found[2].split()) + ".github.io/"


def _url_at(text: str, start: re.Match[str]) -> tuple[str | None, int]:
    """The repaired address that begins at ``start``, or None, and where reading goes on."""
    scheme = start[0].lower() if "://" in start[0] else "https://"
    begin = start.end() if "://" in start[0] else start.start()
    body = _BODY.match(text, begin, begin + _MAX_URL)[0]
    if re.match(r"(?i)https?:", body):
        # Written twice: "https://https://…"; the second one is read next.
        return None, begin
    end = begin + len(body)
    again = re.search(r"(?i)(?<![/=])https?://", body)
    if again:
        body, end = body[: again.start()], begin + again.start()
    else:
        body, end = _joined(text, body, end)
    whole, body = body, _trimmed(body)
    host, slash, path = body.partition("/")
    host = host.lower().removeprefix("hxxps.").rstrip(":")
    if re.fullmatch(r"hf-mirror(\.[a-z0-9-]+)+|hf\.co|www\.huggingface\.co", host):
        # Mirrors of the hub put their own name into the pages that they serve.
        host = "huggingface.co"
    if not _is_host(host):
        return None, end
    if body.endswith(("-", "_")) and body == whole and re.match(r"\s*[\w-]|\s*$", text[end : end + 9]):
        # Cut off. Before a full stop or a bracket it is a real end.
        return None, end
    bare = host.removeprefix("www.")
    path = re.sub(r"/{2,}", "/", path.lstrip("/")) if "//" in path or path.startswith("/") else path
    if bare in ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "huggingface.co", "gitee.com"):
        parts = [part for part in re.split(r"[/?#]", path) if part]
        if not parts or _PLACEHOLDER.fullmatch(parts[0]):
            return None, end
        scheme = "https://"
        path = re.sub(r"\.git/?$", "", path)
    return f"{scheme}{host}{slash}{path}", end


def _joined(text: str, body: str, end: int) -> tuple[str, int]:
    """``body`` with the rest that a space or line end in ``text`` has cut off at ``end``."""
    for _ in range(3):
        rest = _REST.match(text, end, end + 200)
        if not rest:
            break
        word = rest[1].rstrip(".,")
        host, _, path = body.lower().partition("/")
        depth = len([part for part in path.split("/") if part])
        is_repository_site = host.removeprefix("www.") in (
            "github.com",
            "gitlab.com",
            "huggingface.co",
            "bitbucket.org",
        )
        if body.endswith(("-", "_")):
            joins = word.lower() not in (
                "and",
                "for",
                "a",
                "the",
                "with",
                "or",
                "which",
                "we",
                "our",
                "to",
                "is",
                "in",
            )
        elif body.endswith("/") and is_repository_site:
            if depth == 0:
                joins = bool(re.fullmatch(r"[\w.-]+/[\w.-]+(/[\w./-]*)?", word))
            else:
                # A name, not the next word of the sentence: "eka-eval", "MoBind", "FEAST", not "soon".
                joins = depth == 1 and bool(re.search(r"\w[-_]\w|[a-z][A-Z]|[A-Z]{3}|[A-Za-z]\d", word))
                joins = joins and bool(
                    re.match(r"(?<=\.)(\s|$)|\s?\.?$", text[rest.end(1) : rest.end(1) + 3])
                )
        else:
            joins = body.endswith("/") and depth == 0 and rest[1].rstrip(".").endswith("/") and "-" in word
        if not joins:
            break
        body, end = body + rest[1], rest.end()
    return body, end


def _trimmed(body: str) -> str:
    """``body`` without what belongs to the sentence around it."""
    glued = _NEXT_SENTENCE.search(body)
    if glued and "/" in body[: glued.start()] + body[glued.start() : glued.start() + 1]:
        body = body[: glued.start()]
    body = re.sub(r"[,;](?=[A-Za-z]).*", "", body)
    while body:
        if body.endswith(")") and body.count(")") > body.count("("):
            body = body[:-1]
        elif "(" in body and body.count("(") > body.count(")"):
            body = body[: body.rindex("(")]
        elif body[-1] in ".,;:!?*&@":
            body = body[:-1]
        else:
            break
    return body


def _is_host(host: str) -> bool:
    """Whether ``host`` can be the name of a public web server."""
    name = host.split("@")[-1].split(":")[0]
    labels = name.split(".")
    return (
        len(labels) >= 2
        and "@" not in host
        and len(name) <= 253
        and all(_LABEL.fullmatch(label) for label in labels)
        and bool(
            re.fullmatch(r"[a-z]{2,24}|xn--[a-z0-9-]+", labels[-1]) or re.fullmatch(r"\d+(\.\d+){3}", name)
        )
        # Addresses cut off in their middle.
        and labels[-1] not in ("github", "gitlab", "huggingface")
        and labels != ["github", "io"]
    )


def _kind(url: str, before: str) -> str:
    """The kind of ``url``, which stands in running text after ``before``."""
    host, _, path = url.split("://", 1)[-1].partition("/")
    host = host.lower().removeprefix("www.")
    parts = [part for part in re.split(r"[?#]", path)[0].split("/") if part]
    if host == "huggingface.co":
        if parts[:1] == ["datasets"]:
            return "dataset" if len(parts) > 2 else "other"
        if parts[:1] == ["spaces"]:
            return "space" if len(parts) > 2 else "other"
        return "model" if len(parts) > 1 and parts[0] not in _HUB_SECTIONS else "other"
    if host in _CODE_HOSTS or host.startswith(("gitlab.", "git.")):
        # A single part is somebody's account, not a repository.
        return "code" if len(parts) > 1 else "other"
    if host in _PROJECT_HOSTS or host.endswith((".github.io", ".gitlab.io", ".hf.space")):
        return "project"
    if host in _VIDEO_HOSTS:
        return "video"
    if host in _PAPER_HOSTS:
        return "other"
    cues = list(_CUES.finditer(re.split(r"[.!?]\s+(?=[A-Z])", before)[-1]))
    if not cues:
        return "other"
    # "Code and data are at https://robocasa.ai": a whole site is no repository.
    return (cues[-1].lastgroup or "other") if parts else "project"
