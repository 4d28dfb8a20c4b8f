"""Which members of an ensemble, and which temperatures, can be pooled: the same members at every temperature.

A mean over other members at one temperature than at the next would bend the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from aiida_ion.analysis.arrhenius.fit import MIN_TEMPERATURES


@dataclass(frozen=True)
class Common:
    """What is pooled.

    :param members: their labels, in order.
    :param temperatures: labels of temperatures that all of them have, in order.
    """

    members: tuple[str, ...]
    temperatures: tuple[str, ...]


def common_part(usable: Mapping[str, Set[str]], weights: Mapping[str, float]) -> Common:
    """Return the members and temperatures that are pooled.

    Members stay as long as all of them share enough temperatures for a line; where they do not, the one whose absence
    frees most temperatures is left out, of several the one with the least weight.

    :param usable: label of a member -> temperatures at which it has a value or a bound.
    """
    members = {label: set(temperatures) for label, temperatures in usable.items() if temperatures}
    if not members:
        return Common((), ())
    needed = min(MIN_TEMPERATURES, max(len(temperatures) for temperatures in members.values()))
    while len(set.intersection(*members.values())) < needed:

        def freed(label: str, current: dict[str, set[str]] = members) -> tuple[int, float, str]:
            others = [temperatures for other, temperatures in current.items() if other != label]
            return len(set.intersection(*others)), -weights[label], label

        del members[max(members, key=freed)]
    return Common(tuple(sorted(members)), tuple(sorted(set.intersection(*members.values()))))
