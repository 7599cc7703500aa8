"""JSON lines: one paper a line, in the form that `docs/sources.md` describes."""
