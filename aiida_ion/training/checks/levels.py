"""One dataset, one level of theory: what differs between two, and k-points that are too few for a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aiida_ion.analysis.crystals.cell import perpendicular_widths

#: Spacings of k-points that differ by less, relative, are alike.
SAME_SPACING = 0.2
#: A cell that is narrower needs more than one k-point along that axis; up to the second limit it is said, angstrom.
NARROW_A, DOUBTFUL_A = 7.0, 10.0
#: Parts of a fingerprint -> their names in messages, those without another name being called as they are.
PART_WORDS = {
    "ecutwfc_Ry": "cut-off of the wave functions (Ry)",
    "ecutrho_Ry": "cut-off of the density (Ry)",
    "encut_eV": "cut-off (eV)",
    "k_spacing_1_A": "spacing of k-points (1/angstrom)",
    "checkpoint_sha256": "weights (sha256)",
    "other": "other settings",
}
K_PARTS = ("k_spacing_1_A", "k_offset", "k_points")


@dataclass(frozen=True)
class SourceLevel:
    """The level of theory of one source.

    :param source: how messages call the source.
    :param name: of the level.
    :param facts: its fingerprint; empty where unknown.
    """

    source: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def check_one_level(levels: Sequence[SourceLevel], allow: Sequence[str] = ()) -> None:
    """Refuse sources of different levels of theory.

    :param allow: ``k_spacing`` lets spacings of k-points differ.
    :raises ValueError: naming two sources and what differs between them.
    """
    known = [level for level in levels if level.facts]
    for level in known[1:]:
        different = differences(known[0].facts, level.facts)
        if "k_spacing" in allow:
            different = [one for one in different if one[0] not in K_PARTS]
        if different:
            only_k = all(part in K_PARTS for part, _ in different)
            advice = "make one dataset of each" + (", or --allow k_spacing" if only_k else "")
            text = "; ".join(clause for _, clause in different)
            raise ValueError(
                f"{known[0].source} and {level.source} are of different levels of theory: {text}: {advice}"
            )
    reference = known[0] if known else levels[0]
    for level in levels:
        if level.name != reference.name and not (level.facts and known):
            raise ValueError(
                f"{reference.source} is of {reference.name}, {level.source} of {level.name}: make one dataset of each "
                "level of theory"
            )


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parts in which two fingerprints differ, and a clause on each."""
    different = []
    for part in sorted({*one, *other}):
        first, second = one.get(part), other.get(part)
        if part == "pseudopotentials" and isinstance(first, Mapping) and isinstance(second, Mapping):
            elements = sorted(name for name in {*first} & {*second} if first[name] != second[name])
            if elements:
                different.append((part, f"pseudopotentials of {', '.join(elements)}"))
        elif part == "k_spacing_1_A" and first is not None and second is not None:
            if not same_spacing(first, second):
                different.append((part, f"{PART_WORDS[part]} {_spelled(first)} and {_spelled(second)}"))
        elif first != second:
            different.append((part, f"{PART_WORDS.get(part, part)} {_spelled(first)} and {_spelled(second)}"))
    return different


def same_spacing(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether the spacings of two meshes of k-points, each along three axes in any order, are alike."""
    first, second = np.sort(np.asarray(one, dtype=float)), np.sort(np.asarray(other, dtype=float))
    return bool((np.maximum(first, second) <= (1.0 + SAME_SPACING) * np.minimum(first, second)).all())


def _spelled(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} {_spelled(one)}" for key, one in sorted(value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(_spelled, value))})"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)[:40]


def axes_with_one_point(cell: ArrayLike, facts: Mapping[str, Any]) -> list[float]:
    """Return the widths of a cell, angstrom, along which it has one k-point only; empty where nothing says so.

    :param cell: shape (3, 3), angstrom.
    :param facts: the fingerprint of its level of theory.
    """
    widths = perpendicular_widths(np.asarray(cell, dtype=float))
    if facts.get("k_points") is not None:
        points = np.asarray(facts["k_points"], dtype=float)
        return [float(width) for width, column in zip(widths, points.T, strict=True) if len(np.unique(column)) == 1]
    spacings = facts.get("k_spacing_1_A")
    if spacings is None:
        return []
    numbers = 2.0 * np.pi / (widths * np.maximum(np.asarray(spacings, dtype=float), 1e-3))
    return [float(width) for width, number in zip(widths, numbers, strict=True) if number < 1.5]


def check_k_points(source: str, cell: ArrayLike, facts: Mapping[str, Any], allow: Sequence[str] = ()) -> list[str]:
    """Return a remark on a cell with few k-points.

    :param allow: ``gamma_only`` accepts any width.
    :raises ValueError: for one point along an axis narrower than 7 angstrom.
    """
    widths = axes_with_one_point(cell, facts)
    narrowest = min(widths, default=np.inf)
    if narrowest < NARROW_A and "gamma_only" not in allow:
        raise ValueError(
            f"{source}: one k-point along an axis of {narrowest:.2f} angstrom: its forces are not converged (at least "
            f"{NARROW_A:g}, better {DOUBTFUL_A:g} angstrom); run it with more k-points, or --allow gamma_only"
        )
    if narrowest < DOUBTFUL_A:
        return [
            f"{source}: one k-point along an axis of {narrowest:.2f} angstrom; below {DOUBTFUL_A:g} angstrom compare "
            "its forces with those of a finer mesh ('aiida-ion engine converge')."
        ]
    return []
