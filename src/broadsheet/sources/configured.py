"""The sources that the settings configure: each folder makes its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module

from ..config import Settings
from .source import Source

# What is gathered under a name (of a feed: what stands before the colon), and the folder that does it.
# A new source is a folder whose ``source.py`` offers ``sources(settings)``, and a line here.
FOLDERS = {
    "arxiv": "arxiv",
    "daily_papers": "daily_papers",
    "openreview": "openreview",
    "acl": "acl",
    "biorxiv": "biorxiv",
    "medrxiv": "biorxiv",
    "pubmed": "pubmed",
    "feed": "feeds",
    "folder": "folder",
    "zotero": "zotero",
    # These add to papers that are stored: what the others brought comes first.
    "crossref": "crossref",
    "openalex": "openalex",
    "semantic_scholar": "semantic_scholar",
    "github": "github",
}


@dataclass(slots=True)
class Configured:
    """The sources that could be made, and what is wrong with the settings of the others."""

    sources: list[Source] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def configured(settings: Settings) -> Configured:
    """All sources that ``settings`` configure, in the order of `FOLDERS`; each name once."""
    found = Configured()
    names: set[str] = set()
    for folder in dict.fromkeys(FOLDERS.values()):
        # Loaded where it is needed: most of what the command line does needs none.
        module = import_module(f".{folder}.source", __package__)
        try:
            made = module.sources(settings)
        except (ValueError, OSError) as error:
            found.problems.append(f"{folder}: {error}")
            continue
        for source in made:
            if source.name in names:
                found.problems.append(f"{source.name} is configured twice; the first is taken")
                continue
            names.add(source.name)
            found.sources.append(source)
    return found
