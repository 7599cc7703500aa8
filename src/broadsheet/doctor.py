"""What `broadsheet doctor` looks at: each part of the home, in plain words with the remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .delivery.katex import mathml
from .delivery.mail.checks import mail_checks
from .gathering import configured_sources
from .gathering.schedule import next_try
from .sources.source import Source
from .web.coverage import TROUBLE, Account, SourceAccount, account, counted, moment
from .workspace import Workspace

# Days of which missing papers are told; older ones are on the coverage page.
_DAYS = 30
# A running server gathers within a minute of the hour; so late it does not run.
_OVERDUE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, whether it is well, what was found and what to do about it."""

    part: str
    ok: bool
    message: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(workspace: Workspace) -> list[Finding]:
    """One finding for each part, in the order in which the parts depend on each other."""
    return [
        Finding("home", True, str(workspace.home)),
        _papers(workspace),
        *_search(workspace),
        _formulas(),
        *_gathering(workspace),
        *(Finding(one.part, one.ok, one.message, one.remedy) for one in mail_checks(workspace.settings)),
    ]


def _papers(workspace: Workspace) -> Finding:
    counts = workspace.store.counts()
    return Finding(
        "papers",
        counts["papers"] > 0,
        f"{counts['papers']:,} papers on {counts['days']:,} days, {counts['abstracts']:,} with abstract",
        "" if counts["papers"] else "add some: broadsheet add FILE; or gather: broadsheet gather",
    )


def _search(workspace: Workspace) -> list[Finding]:
    state = workspace.engine.state()
    encoder = Finding(
        "encoder",
        bool(state.encoder),
        state.encoder or "none: search goes by words alone",
        "" if state.encoder else "install it: python -m broadsheet.search.encoder.install",
    )
    index = Finding(
        "index",
        state.behind == 0 and (not state.encoder or state.vectors >= state.words),
        f"{state.words:,} papers found by words, {state.vectors:,} by meaning, "
        f"{state.behind:,} changes to take in" + (f"; {state.message}" if state.message else ""),
        "" if state.behind == 0 else "a running server takes them in; or: broadsheet reindex",
    )
    return [encoder, index]


def _formulas() -> Finding:
    katex = mathml("x").startswith("<math")
    return Finding(
        "formulas",
        katex,
        "KaTeX renders them" if katex else "KaTeX is not installed: the TeX source is shown",
        "" if katex else "install it: python -m broadsheet.delivery.katex_install",
    )


def _gathering(workspace: Workspace) -> list[Finding]:
    """What is wrong with the settings of sources, and one finding for each source."""
    sources, problems = configured_sources(workspace.settings)
    findings = [Finding("sources", False, problem, "see docs/settings.md") for problem in problems]
    told = account(workspace.store, workspace.settings)
    configured = {source.name: source for source in sources}
    found = [(one, configured[one.name]) for one in told.sources if one.name in configured]
    return findings + [_source(one, source, told, workspace.settings.gather) for one, source in found]


def _source(one: SourceAccount, source: Source, told: Account, serving: bool) -> Finding:
    state, part = one.gathered, f"source {one.name}"
    gather = f"broadsheet gather {one.name}"
    if not state.tried:
        remedy = f"{'a running server gathers by itself; or: ' if serving else ''}{gather}"
        return Finding(part, True, "not gathered yet", remedy)
    last = f"last read {moment(state.succeeded)}" if state.succeeded else "never read"
    if state.failures:
        tries = "the last try" if state.failures == 1 else f"the last {state.failures:,} tries"
        remedy = f"{'a running server tries again by itself; at once: ' if serving else ''}{gather}"
        return Finding(part, False, f"{tries} failed: {state.problem}; {last}", remedy)
    now = datetime.now(UTC)
    due = next_try(source, state, now)
    if not state.holder and due + _OVERDUE < now:
        return Finding(
            part,
            False,
            f"{last}, and should have been read at {due:%Y-%m-%d %H:%M} UTC",
            f"have a server run (broadsheet serve), or: {gather}",
        )
    return _recent(one, told, part, last, gather)


def _recent(one: SourceAccount, told: Account, part: str, last: str, gather: str) -> Finding:
    """What a source that is read well lacks of the last days."""
    first = (date.fromisoformat(told.last) - timedelta(days=_DAYS - 1)).isoformat()
    days = [day for day in one.days.values() if day.day >= first]
    missing = sum(day.missing for day in days)
    unread = sum(day.state in TROUBLE and day.state != "incomplete" for day in days)
    if not missing and not unread:
        complete = sum(day.state == "complete" for day in days)
        found = f"; all of the last {_DAYS} days is here" if complete else ""
        return Finding(part, True, last + found)
    lacks = [f"{counted(missing, 'announced paper')} missing"] * bool(missing)
    lacks += [f"{counted(unread, 'day')} not read"] * bool(unread)
    return Finding(
        part,
        False,
        f"{last}; of the last {_DAYS} days {', '.join(lacks)}",
        f"which, and why: /coverage?source={one.name} on the site; asked for again by: {gather}",
    )
