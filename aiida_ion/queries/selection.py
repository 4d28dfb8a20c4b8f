"""Which results a table is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Selection:
    """What rows of a table must fit; nothing given is everything.

    :param elements: elements that must all be in the formula.
    :param formula: reduced formula, such as ``Li3N``.
    :param level_of_theory: name of a level of theory.
    :param temperature_K: lowest and highest target temperature, K.
    :param grades: any of these grades.
    :param group: label of a group that holds the result, its work chain or its structure.
    :param since: not older than this.
    :param until: not newer than this.
    """

    elements: tuple[str, ...] = ()
    formula: str | None = None
    level_of_theory: str | None = None
    temperature_K: tuple[float, float] | None = None
    grades: tuple[str, ...] = ()
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
