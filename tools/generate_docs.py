"""Writes the pages of docs/ that repeat what the code says: settings, commands, the API; --check compares."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import click
import typer.main
from api_reference import api_page
from pydantic_core import PydanticUndefined

from broadsheet.cli import app
from broadsheet.config import Settings

ROOT = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by tools/generate_docs.py from the code; `make docs` writes it anew. -->"


def settings_page() -> str:
    """Every setting with its variable, default and reason."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "",
        "Each setting is an environment variable, or a line `NAME=value` in `broadsheet.env` in the home",
        "folder. The environment goes before the file.",
        "",
        "| variable | default | what it is for |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "the user's data folder" if field.default is PydanticUndefined else f"`{field.default}`"
        if field.default == "":
            default = "empty"
        lines.append(f"| `BROADSHEET_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its help, as the command line prints it."""
    group = typer.main.get_command(app)
    lines = ["# Commands", "", NOTE, ""]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        context = click.Context(command, info_name=f"broadsheet {name}")
        lines += [f"## broadsheet {name}", "", (command.help or "").strip(), ""]
        usage = " ".join(command.collect_usage_pieces(context))
        lines += ["```", f"broadsheet {name} {usage}", "```", "", "| option | meaning |", "|---|---|"]
        for parameter in command.params:
            names = ", ".join(f"`{option}`" for option in parameter.opts)
            if isinstance(parameter, click.Argument):
                names = f"`{parameter.make_metavar(context)}`"
            meaning = getattr(parameter, "help", "") or ""
            default = parameter.default
            if (
                default not in (None, False)
                and not callable(default)
                and not isinstance(parameter, click.Argument)
            ):
                meaning += f" Default: `{default}`."
            lines.append(f"| {names} | {meaning} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def reference_page() -> str:
    """Every address of the JSON API and the shape of every answer."""
    return "\n".join(["# Reference of the JSON API", "", NOTE, "", api_page()])


PAGES = {
    "docs/settings.md": settings_page,
    "docs/commands.md": commands_page,
    "docs/api_reference.md": reference_page,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the pages are up to date")
    check = parser.parse_args().check
    stale = []
    for name, page in PAGES.items():
        path, text = ROOT / name, page()
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    if stale:
        sys.exit(f"{', '.join(stale)} no longer says what the code says; run `make docs` and commit it")


if __name__ == "__main__":
    main()
