"""What is watched while a trained potential runs: how close each pair of elements may come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.lists import Table
from aiida_ion.settings.rules import Number, Word
from aiida_ion.settings.schema import Settings, setting, word
from aiida_ion.settings.values import SettingsError

#: Where bounds come from: the tail of frames that were not trained on; or, of datasets that do not know it, the closest
#: training frame less :data:`MARGIN_A`; or a person.
HELD_OUT, MARGIN, BY_HAND = "held_out", "margin", "by_hand"
#: How far below the closest pair of the training frames a run may come where nothing better is known, angstrom.
MARGIN_A = 0.1
_PAIR = Word(pattern=(r"[A-Z][a-z]?-[A-Z][a-z]?", "a pair of elements such as Li-O"))


@dataclass(frozen=True)
class RunWatch(Settings):
    """The closest distances that a run may have; closer, it has left the frames that its potential was trained on."""

    what: ClassVar[str] = "watch setting"

    bounds_A: dict[str, float] = setting(
        Table(
            key=_PAIR,
            item=Number(above=0.0, most=20.0, unit="angstrom"),
            help="Distance of each pair of elements below which a run is stopped",
        )
    )
    rule: str = word((HELD_OUT, MARGIN, BY_HAND), BY_HAND, help="Where the bounds come from")
    dataset: str | None = setting(Word(optional=True, help="UUID of the dataset that they are from"), None)

    def check_together(self) -> None:
        """Refuse a pair that is named twice, as ``Li-O`` and as ``O-Li``.

        :raises SettingsError: naming it.
        """
        names = [_sorted_name(name) for name in self.bounds_A]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise SettingsError(f"bounds_A names {twice} twice")

    def pairs(self, symbols: object = None) -> dict[str, float]:
        """Return the bound of each pair, angstrom, its elements in alphabetical order.

        :param symbols: elements of the atoms; pairs of others are left out. All pairs when not given.
        """
        known = None if symbols is None else set(symbols)  # type: ignore[call-overload]
        named = {_sorted_name(name): float(bound) for name, bound in self.bounds_A.items()}
        return {name: named[name] for name in sorted(named) if known is None or set(name.split("-")) <= known}


def _sorted_name(name: str) -> str:
    return "-".join(sorted(name.split("-")))


def bounds_with_margin(closest_A: Mapping[str, Any], margin_A: float = MARGIN_A) -> dict[str, float]:
    """Return the closest distance of each pair less a margin, angstrom; pairs for which nothing is left, are left out.

    :param closest_A: shortest distance of each pair in the training frames, angstrom.
    :param margin_A: how far below it a run may come.
    """
    bounds = {name: float(distance) - margin_A for name, distance in closest_A.items()}
    return {name: bound for name, bound in bounds.items() if bound > 0.0}
