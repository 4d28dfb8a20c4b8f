"""Commands that stop a run where two atoms are closer than the bound of their elements, and what the log says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

#: The fix that stops the run.
FIX = "left_training"
_HALTED = re.compile(rf"^Fix halt condition for fix-id {FIX} met on step (\d+)", re.MULTILINE)
_HALTED_BY_OTHERS = re.compile(rf"^Fix halt condition for fix-id (?!{FIX} )\S+ met on step (\d+)", re.MULTILINE)


def watch_commands(order: Sequence[str], bounds_A: Mapping[str, float]) -> list[str]:
    """Return the commands that count the atoms with a neighbour below the bound of their elements.

    They do so at each step: where a potential has a hole, two atoms fall into it within some ten femtoseconds. LAMMPS
    counts neighbours up to the cut-off of the potential, and refuses a bound above it.

    :param order: elements by number of the atom type.
    :param bounds_A: by pair, such as ``Li-O``, angstrom; pairs of elements that are not in the order are left out.
    """
    lines: dict[str, None] = {}
    counts = []
    for number, (name, bound) in enumerate(sorted(bounds_A.items()), 1):
        one, other = name.split("-")
        if not {one, other} <= set(order):
            continue
        first, second = order.index(one) + 1, order.index(other) + 1
        group = f"watched_{first}"
        lines |= dict.fromkeys(
            [
                f"group {group} type {first}",
                f"compute near_{number} {group} coord/atom cutoff {bound:.16g} {second}",
                f"compute nearest_{number} {group} reduce max c_near_{number}",
            ]
        )
        counts.append(f"c_nearest_{number}")
    if not counts:
        return []
    return [
        *lines,
        f"variable {FIX} equal {'+'.join(counts)}",
        f"fix {FIX} all halt 1 v_{FIX} > 0.5 error soft message yes",
    ]


def halted_at(log: str) -> int | None:
    """Return the step at which a run left the training frames; ``None`` if it did not, or another limit was first."""
    match = _HALTED.search(log)
    if match is None:
        return None
    other = _HALTED_BY_OTHERS.search(log)
    return int(match[1]) if other is None or int(other[1]) > int(match[1]) else None
