"""arXiv's categories: their aliases, and the sets of OAI-PMH and the feeds that hold them."""

from __future__ import annotations

import re
from functools import lru_cache

# Categories that are two names for one; arXiv lists the papers under both.
ALIASES = {
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
    "stat.TH": "math.ST",
}
# The archives of each group, as OAI-PMH names its sets (GROUP:ARCHIVE:CATEGORY).
_PHYSICS = (
    "astro-ph cond-mat gr-qc hep-ex hep-lat hep-ph hep-th math-ph nlin nucl-ex nucl-th physics quant-ph"
)
_GROUPS = dict.fromkeys(_PHYSICS.split(), "physics") | {
    name: name for name in ("cs", "econ", "eess", "math", "q-bio", "q-fin", "stat")
}
# MSC and ACM classes stand among the categories of the API, and are none.
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]{2}|\.[a-z]+(?:-[a-z]+)*)?")


class CategoryError(ValueError):
    """A text that was given as a category of arXiv is none; the message says what one looks like."""


@lru_cache(4096)
def categories_of(terms: str) -> tuple[str, ...]:
    """The categories that ``terms``, divided by spaces, names: each once, aliases as one.

    >>> categories_of("math.NA cs.NA 65F10")
    ('math.NA',)
    """
    found = (ALIASES.get(term, term) for term in terms.split() if _CATEGORY.fullmatch(term))
    return tuple(dict.fromkeys(found))


def configured(text: str) -> list[str]:
    """The categories and archives of ``text``, a setting divided by commas or spaces, aliases as one.

    Raises:
        CategoryError: naming what is no category.
    """
    names = re.split(r"[,\s]+", text.strip())
    for name in names:
        if name and (not _CATEGORY.fullmatch(name) or name.split(".")[0] not in _GROUPS):
            raise CategoryError(
                f"{name[:40]!r} is no category of arXiv; write it as cs.LG, math.NA, hep-th or, for all of "
                "an archive, cs"
            )
    return list(dict.fromkeys(ALIASES.get(name, name) for name in names if name))


def set_of(category: str) -> str:
    """The set of OAI-PMH that holds ``category`` or archive.

    >>> set_of("cs.LG"), set_of("hep-th"), set_of("astro-ph.CO")
    ('cs:cs:LG', 'physics:hep-th', 'physics:astro-ph:CO')
    """
    archive, _, subject = category.partition(".")
    return ":".join(filter(None, (_GROUPS[archive], archive, subject)))
