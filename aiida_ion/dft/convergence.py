"""Single points at several settings against the highest of them: forces, energy, pressure, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.units import MEV_PER_EV

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """One configuration at one setting.

    :param forces: shape (N, 3), eV/angstrom.
    :param energy_eV: of the N atoms.
    :param pressure_GPa: ``None`` where no stress was computed.
    :param cpu_time_s: ``None`` where it is not known.
    """

    forces: FloatArray
    energy_eV: float
    pressure_GPa: float | None
    cpu_time_s: float | None


def scan_rows(points: Sequence[Mapping[int, Point]]) -> list[dict[str, Any]]:
    """Return what each setting differs in from the last one.

    ``force_difference_percent`` is the root mean square of the differences over that of the forces of the last
    setting; ``force_slope`` is that of a line through zero, F against F of the last setting. Energies are differences
    of the energy per atom.

    :param points: of each setting, from the lowest to the highest: frame -> point. Frames that the highest setting
        lacks are left out, and so are settings without any of the rest, which get a row without numbers.
    """
    reference = points[-1]
    return [_row({frame: point for frame, point in own.items() if frame in reference}, reference) for own in points]


def _row(own: Mapping[int, Point], reference: Mapping[int, Point]) -> dict[str, Any]:
    if not own:
        return {"n_frames": 0}
    frames = sorted(own)
    forces = np.concatenate([own[frame].forces for frame in frames])
    true = np.concatenate([reference[frame].forces for frame in frames])
    n_atoms = [len(own[frame].forces) for frame in frames]
    difference = forces - true
    size, apart = float(np.sqrt(np.mean(true**2))), float(np.sqrt(np.mean(difference**2)))
    energies = [(own[f].energy_eV - reference[f].energy_eV) / n for f, n in zip(frames, n_atoms, strict=True)]
    pressures = _mean([own[frame].pressure_GPa for frame in frames])
    of_reference = _mean([reference[frame].pressure_GPa for frame in frames])
    known = pressures is not None and of_reference is not None
    return {
        "n_frames": len(frames),
        "force_difference_percent": 100.0 * apart / size if size > 0 else None,
        "force_rms_difference_eV_A": apart,
        "force_max_difference_eV_A": float(np.linalg.norm(difference, axis=1).max()),
        "force_slope": float(np.sum(forces * true) / np.sum(true**2)) if size > 0 else None,
        "energy_difference_meV_atom": MEV_PER_EV * float(np.mean(energies)),
        "pressure_GPa": pressures,
        "pressure_difference_GPa": pressures - of_reference if known else None,  # type: ignore[operator]
        "cpu_time_s": _mean([own[frame].cpu_time_s for frame in frames]),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def lowest_within(rows: Sequence[Mapping[str, Any]], max_percent: float) -> int | None:
    """Return the lowest setting from which on all forces are within ``max_percent`` of those of the last one.

    Nothing where there is none below the last: that nothing is compared with.
    """
    lowest = None
    for place in range(len(rows) - 2, -1, -1):
        percent = rows[place].get("force_difference_percent")
        if percent is None or percent > max_percent:
            break
        lowest = place
    return lowest
