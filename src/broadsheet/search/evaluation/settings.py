"""Settings of the engine as text: `side`, `encoder` and every field of `Tuning`, each as `NAME=VALUE`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from ..engine import SIDES, Tuning
from .collection import EvaluationError

T = TypeVar("T")

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def _boolean(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError


# In the order in which the types of a union are tried.
_READERS: dict[type, tuple[str, Callable[[str], Any]]] = {
    NoneType: ("none", _none),
    bool: ("true or false", _boolean),
    int: ("a whole number", int),
    float: ("a number", _number),
    str: ("a text", str),
}


def replaced(defaults: T, pairs: Mapping[str, str]) -> T:
    """The dataclass instance ``defaults`` with the fields that ``pairs`` names, read from text.

    Raises:
        EvaluationError: for a name that is no field, or a value that is not of its type.
    """
    hints = get_type_hints(type(defaults))
    values: dict[str, Any] = {}
    for name, text in pairs.items():
        if name not in hints:
            known = [f"{f.name}={getattr(defaults, f.name)}" for f in fields(defaults)]  # type: ignore[arg-type]
            raise EvaluationError(
                f"there is no setting {name!r}; settings and their defaults: "
                f"{', '.join(['side=both', 'encoder=FOLDER', *known])}"
            )
        hint = hints[name]
        allowed = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        kinds = [kind for kind in _READERS if kind in allowed]
        for kind in kinds:
            try:
                values[name] = _READERS[kind][1](text)
                break
            except ValueError:
                continue
        else:
            meant = " or ".join(_READERS[kind][0] for kind in kinds)
            if not meant:
                raise EvaluationError(f"{name} cannot be set by text, only in a program")
            raise EvaluationError(f"{name}={text}: {text!r} is not {meant}")
    return replace(defaults, **values)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to run the engine: a side, an encoder's folder (empty: the installed one), and its tuning."""

    side: str = "both"
    encoder: str = ""
    tuning: Tuning = field(default_factory=Tuning)

    @classmethod
    def parse(cls, pairs: Sequence[str]) -> Setting:
        """The setting that ``pairs`` (``NAME=VALUE`` each) say; the last of a name counts.

        A side's name alone means that side, ``default`` alone changes nothing.

        Raises:
            EvaluationError: naming the pair and what would be right.
        """
        given: dict[str, str] = {}
        for pair in pairs:
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not equals and name in SIDES:
                name, value = "side", name
            elif not equals and name != "default":
                raise EvaluationError(
                    f"{pair!r} is no setting; write NAME=VALUE, default, or a side: {', '.join(SIDES)}"
                )
            given[name] = value
        given.pop("default", None)
        side, encoder = given.pop("side", "both"), given.pop("encoder", "")
        if side not in SIDES:
            raise EvaluationError(f"{side!r} is no side of search; write one of {', '.join(SIDES)}")
        return cls(side, encoder, replaced(Tuning(), given))

    def __str__(self) -> str:
        """What differs from the default, as `parse` reads it."""
        default = Tuning()
        pairs = [("side", self.side, "both"), ("encoder", self.encoder, "")]
        pairs += [(f.name, getattr(self.tuning, f.name), getattr(default, f.name)) for f in fields(default)]
        return " ".join(f"{name}={value}" for name, value, usual in pairs if value != usual) or "default"
