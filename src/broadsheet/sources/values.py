"""Values of the expected type from the JSON of services, which may hold anything anywhere."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str:
    """``value`` where it is a text (or a number), else an empty one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def number(value: Any) -> int | None:
    """``value`` where it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects of ``value`` where it is a list, else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def object_in(value: Any) -> dict[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first(value: Any) -> Any:
    """The first of a list, or ``value`` itself."""
    return (value[0] if value else None) if isinstance(value, list) else value
