"""Which frames of a run are worth a label: the last before an explosion, evenly spread ones, those in dispute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from numpy.typing import NDArray

from aiida_ion.analysis.checks.explosion import judged_radii_A
from aiida_ion.settings.rules import Json
from aiida_ion.settings.schema import Settings, number, setting, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.committee import force_std

LAST, SPREAD, DISPUTED, NAMED = "last", "spread", "disagreement", "index"


@dataclass(frozen=True)
class PickSettings(Settings):
    """Which frames of each trajectory are picked."""

    what: ClassVar[str] = "setting of picked frames"

    last: int = whole(0, help="The last frames, such as those before an explosion", least=0, most=10_000)
    spread: int = whole(0, help="Evenly spread ones", least=0, most=100_000)
    disagreement: int = whole(0, help="Those of largest disagreement of a committee", least=0, most=10_000)
    indices: dict[str, Any] = setting(
        Json(help="Lists of indices of frames, by the name of the trajectory, such as trajectory_000"), {}
    )
    min_distance_ratio: float = number(
        0.5,
        help="Frames in which two atoms are closer than this times the sum of their radii are left out: whatever "
        "labels them gives forces that nothing can be fitted to",
        least=0.0,
        most=2.0,
    )

    def check_together(self) -> None:
        """Refuse settings that pick nothing.

        :raises SettingsError: saying what to give.
        """
        if not (self.last or self.spread or self.disagreement or self.indices):
            raise SettingsError("give last, spread, disagreement or indices: otherwise no frame is picked")
        for name, chosen in self.indices.items():
            if not (isinstance(chosen, list) and chosen and all(type(index) is int for index in chosen)):
                raise SettingsError(f"indices of {name} must be a list of whole numbers, got {chosen!r}")


def pick(
    n_frames: int, settings: PickSettings, usable: NDArray[np.bool_], disagreement: NDArray[np.float64] | None = None
) -> dict[int, str]:
    """Return the index of each picked frame, in order, and why it was picked.

    :param usable: (n,), whether a frame may be picked.
    :param disagreement: (n,), eV/angstrom; NaN where it is not known.
    """
    eligible = np.flatnonzero(usable)
    picked: dict[int, str] = {}
    for index in eligible[len(eligible) - min(settings.last, len(eligible)) :]:
        picked[int(index)] = LAST
    if settings.disagreement and disagreement is not None:
        for index in _apart(disagreement, eligible, settings.disagreement, n_frames):
            picked.setdefault(index, DISPUTED)
    if settings.spread and len(eligible):
        count = min(settings.spread, len(eligible))
        places = [(2 * k + 1) * len(eligible) // (2 * count) for k in range(count)]
        for place in places:
            picked.setdefault(int(eligible[place]), SPREAD)
    return dict(sorted(picked.items()))


def committee_disagreement(forces: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the disagreement of members of a committee in each frame: the largest of any atom, (n,) eV/angstrom.

    :param forces: of each member, (n, N, 3), eV/angstrom.
    """
    largest: NDArray[np.float64] = force_std(forces).max(axis=1)
    return largest


def far_apart(atoms: Atoms, min_distance_ratio: float) -> bool:
    """Whether no two atoms of a frame are closer than a multiple of the sum of their radii."""
    radii = min_distance_ratio * judged_radii_A(tuple(atoms.get_chemical_symbols()))
    return len(neighbor_list("i", atoms, radii)) == 0 if min_distance_ratio else True


def _apart(scores: NDArray[np.float64], eligible: NDArray[np.intp], count: int, n_frames: int) -> list[int]:
    """Return frames of largest score, at least half of an even spacing apart."""
    gap = n_frames / (2 * count)
    chosen: list[int] = []
    known = [int(index) for index in eligible if np.isfinite(scores[index])]
    for index in sorted(known, key=lambda index: -scores[index]):
        if len(chosen) < count and all(abs(index - other) >= gap for other in chosen):
            chosen.append(index)
    return chosen
