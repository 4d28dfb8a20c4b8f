"""Cut-offs of a run against those that the authors of its pseudopotentials suggest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: How many warnings are spelled out; a large family would fill the screen.
MAX_WARNINGS = 5


@dataclass(frozen=True)
class CutoffHint:
    """The least cut-offs that are suggested for a pseudopotential.

    :param element: its element.
    :param source: the file, or the family that recommends them.
    :param values: of wave functions and density, Ry, for pw.x, where the density may be missing; ENMAX, eV, for VASP.
    :param unit: ``Ry`` or ``eV``.
    """

    element: str
    source: str
    values: tuple[float, ...]
    unit: str

    def is_above(self, given: Sequence[float]) -> bool:
        """Whether a cut-off that is given is lower than suggested."""
        return any(own < hint for own, hint in zip(given, self.values, strict=False))


def highest(hints: Iterable[CutoffHint]) -> tuple[float, ...]:
    """Return the largest of each cut-off; empty where there are none.

    The cut-off of the density is known only where a hint has one.
    """
    columns: list[float] = []
    for hint in hints:
        for place, value in enumerate(hint.values):
            columns[place:] = [max([value, *columns[place : place + 1]]), *columns[place + 1 :]]
    return tuple(columns)


def spelled(values: Sequence[float], unit: str) -> str:
    """Return cut-offs such as ``30/240 Ry`` or ``520 eV``."""
    return f"{'/'.join(f'{value:g}' for value in values)} {unit}"


def mark(given: Sequence[float], hints: Sequence[CutoffHint]) -> str:
    """Return what marks a level of theory below its hints, such as ``(30/240 Ry, below 78/355 Ry)``; else nothing."""
    if not any(hint.is_above(given) for hint in hints):
        return ""
    unit = hints[0].unit
    return f"({spelled(given, unit)}, below {spelled(highest(hints), unit)})"


def is_marked(name: str) -> bool:
    """Whether the name of a level of theory says that its cut-offs are below the hints, as :func:`mark` writes it."""
    return ", below " in name


def cutoff_warnings(given: Sequence[float], hints: Iterable[CutoffHint]) -> list[str]:
    """Return a sentence for each pseudopotential whose hint is above what is given."""
    sentences = [
        f"{hint.element}: {hint.source} suggests at least {spelled(hint.values, hint.unit)}, and "
        f"{spelled(given[: len(hint.values)], hint.unit)} is given: forces and pressure will not be converged."
        for hint in hints
        if hint.is_above(given)
    ]
    left_out = len(sentences) - MAX_WARNINGS
    more = [f"The same holds for {left_out} more pseudopotentials."] if left_out > 0 else []
    return sentences[:MAX_WARNINGS] + more
