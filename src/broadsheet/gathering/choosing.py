"""Which of the configured sources are meant: those named, those of the settings, or all."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Settings
from ..sources.configured import FOLDERS, configured
from ..sources.source import Source


class UnknownSource(ValueError):
    """A name that no configured source has; the message lists those there are."""


def chosen(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """Those of ``sources`` that ``names`` name, in their order; all where there are no names.

    ``feed`` names all sources ``feed:...``.

    Raises:
        UnknownSource: if a name is that of none.
    """
    if not names:
        return list(sources)
    for name in names:
        if not any(_is(source, name) for source in sources):
            raise UnknownSource(_unknown(name, sources))
    return [source for source in sources if any(_is(source, name) for name in names)]


def configured_sources(settings: Settings) -> tuple[list[Source], list[str]]:
    """The sources that are gathered by default, and what is wrong with the settings of others."""
    found = configured(settings)
    names = [name.strip() for name in settings.sources.split(",") if name.strip()]
    there: list[str] = []
    for name in names:
        try:
            chosen(found.sources, [name])
        except UnknownSource as error:
            found.problems.append(f"BROADSHEET_SOURCES: {error}")
        else:
            there.append(name)
    return (chosen(found.sources, there) if there or not names else []), found.problems


def _is(source: Source, name: str) -> bool:
    return source.name == name or source.name.partition(":")[0] == name


def _unknown(name: str, sources: Sequence[Source]) -> str:
    there = ", ".join(source.name for source in sources) or "none"
    if name in FOLDERS:
        return (
            f"{name} is not configured: see the settings that begin with BROADSHEET_{FOLDERS[name].upper()} "
            f"in docs/settings.md; configured are {there}"
        )
    return f"there is no source {name!r}; configured are {there}"
