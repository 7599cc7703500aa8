"""What `broadsheet doctor` looks at: each part of the home, in plain words with the remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .web.katex import mathml
from .workspace import Workspace


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
    counts, state = workspace.store.counts(), workspace.engine.state()
    findings = [Finding("home", True, str(workspace.home))]
    findings.append(
        Finding(
            "papers",
            counts["papers"] > 0,
            f"{counts['papers']:,} papers on {counts['days']:,} days, {counts['abstracts']:,} with abstract",
            "" if counts["papers"] else "add some: broadsheet add FILE",
        )
    )
    findings.append(
        Finding(
            "encoder",
            bool(state.encoder),
            state.encoder or "none: search goes by words alone",
            "" if state.encoder else "install it: python -m broadsheet.search.encoder.install",
        )
    )
    findings.append(
        Finding(
            "index",
            state.behind == 0 and (not state.encoder or state.vectors >= state.words),
            f"{state.words:,} papers found by words, {state.vectors:,} by meaning, "
            f"{state.behind:,} changes to take in" + (f"; {state.message}" if state.message else ""),
            "" if state.behind == 0 else "a running server takes them in; or: broadsheet reindex",
        )
    )
    katex = mathml("x").startswith("<math")
    findings.append(
        Finding(
            "formulas",
            katex,
            "KaTeX renders them" if katex else "KaTeX is not installed: the TeX source is shown",
            "" if katex else "install it: python -m broadsheet.web.katex_install",
        )
    )
    return findings
