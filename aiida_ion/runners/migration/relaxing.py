"""The ends of a hop, relaxed, and what may have happened to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.geometry import find_mic
from ase.optimize import BFGS, FIRE

from aiida_ion.settings.migration import HopSettings

FloatArray = npt.NDArray[np.float64]
#: Longest step of a relaxation, angstrom: the second one of BFGS can be too long.
MAX_STEP_A = 0.1
#: BFGS first; FIRE gets what is left of this multiple of the steps.
STEPS_FACTOR = 2


class HopError(Exception):
    """A hop without a barrier.

    :param verdict: in one word.
    :param message: one sentence.
    """

    def __init__(self, verdict: str, message: str) -> None:
        super().__init__(message)
        self.verdict, self.message = verdict, message


@dataclass(frozen=True)
class Stop:
    """When to give up for lack of time.

    :param is_over: whether the time is over.
    """

    is_over: Callable[[], bool] = lambda: False


class OutOfTimeError(Exception):
    """The wall time is over."""


def relax(atoms: Atoms, moving: int, settings: HopSettings, stop: Stop) -> bool:
    """Relax the ions in place; return whether forces are small enough.

    BFGS with short steps, then FIRE for what it leaves. Forces are those that constraints leave.

    :param moving: index of the ion that hops.
    :raises HopError: for energies or forces that are not finite, or as soon as another atom moved too far.
    :raises OutOfTimeError: at the end of the wall time.
    """
    before = atoms.copy()
    for kind, arguments in ((BFGS, {"maxstep": MAX_STEP_A}), (FIRE, {})):
        optimizer: Any = kind(atoms, logfile=None, **arguments)
        for _ in optimizer.irun(fmax=settings.max_force_eV_A, steps=settings.max_steps):
            if not np.isfinite(atoms.get_forces()).all():
                raise HopError("not_finite", "Forces are not finite: atoms are on top of each other.")
            check_framework("its cell", before, atoms, moving, settings)
            if stop.is_over():
                raise OutOfTimeError
        if max_force_eV_A(atoms) <= settings.max_force_eV_A:
            return True
    return False


def max_force_eV_A(atoms: Atoms) -> float:  # noqa: N802
    """Return the largest force on an atom that constraints leave, eV/angstrom."""
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def displacements(before: Atoms, after: Atoms, moving: int) -> FloatArray:
    """Return the displacement vectors of all atoms without the drift of those that do not hop, (N, 3), angstrom."""
    moved: FloatArray = find_mic(after.positions - before.positions, before.cell, pbc=True)[0]
    others = np.arange(len(before)) != moving
    drift: FloatArray = moved[others].mean(axis=0)
    return moved - drift


def check_straight_path(start: Atoms, end: Atoms, moving: int, settings: HopSettings) -> None:
    """Refuse a path to a wrong image, before anything is evaluated.

    :raises HopError: ``wrong_image``.
    """
    length = float(np.linalg.norm(end.positions[moving] - start.positions[moving]))
    if length > settings.max_path_A:
        message = f"The straight path is {length:.2f} angstrom long, above {settings.max_path_A:g}: a wrong image."
        raise HopError("wrong_image", message)
    if length < settings.min_hop_A:
        raise HopError("end_points_identical", f"The ends are {length:.2f} angstrom apart: they are the same.")


def check_ends(given: tuple[Atoms, Atoms], relaxed: tuple[Atoms, Atoms], moving: int, settings: HopSettings) -> None:
    """Look for what a relaxation can do to the ends of a hop.

    :param given: the ends before their relaxation.
    :param relaxed: the ends after it.
    :raises HopError: ``end_points_identical``, ``fell_back`` or ``framework_moved``.
    """
    hop: FloatArray = given[1].positions[moving] - given[0].positions[moving]
    apart = displacements(relaxed[0], relaxed[1], moving)
    length = float(np.linalg.norm(apart[moving]))
    if length < settings.min_hop_A:
        message = f"Both ends relaxed to the same place ({length:.2f} angstrom apart): one of them holds no ion."
        raise HopError("end_points_identical", message)
    for name, before, after, towards in (("first", given[0], relaxed[0], hop), ("second", given[1], relaxed[1], -hop)):
        check_end(name, before, after, towards, moving, settings)


def check_end(name: str, before: Atoms, after: Atoms, towards: FloatArray, moving: int, settings: HopSettings) -> None:
    """Look at one end.

    :param name: ``first`` or ``second``.
    :param towards: from this end to the other, angstrom, (3,).
    :raises HopError: ``fell_back`` where the ion went to the other end, ``framework_moved`` where another atom moved.
    """
    moved = displacements(before, after, moving)
    share = float(moved[moving] @ towards) / float(towards @ towards)
    if share > 0.5:
        message = f"The ion left the {name} end for the other one: there is no site, or another ion's."
        raise HopError("fell_back", message)
    check_framework(f"the {name} end", before, after, moving, settings)


def check_framework(what: str, before: Atoms, after: Atoms, moving: int, settings: HopSettings) -> None:
    """Look whether another atom than the one that hops moved too far.

    :param what: what relaxed, for the message.
    :raises HopError: ``framework_moved``.
    """
    lengths = np.linalg.norm(displacements(before, after, moving), axis=1)
    lengths[moving] = 0.0
    worst = int(lengths.argmax())
    if lengths[worst] > settings.max_framework_A:
        message = (
            f"While {what} relaxed, atom {worst} ({before.symbols[worst]}) moved {lengths[worst]:.2f} angstrom, more "
            f"than {settings.max_framework_A:g}: this is another hop, or the crystal is not stable."
        )
        raise HopError("framework_moved", message)
