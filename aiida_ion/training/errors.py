"""Errors of a potential on labelled frames: for each split, element and temperature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.force_errors import energy_errors, force_errors
from aiida_ion.training.frames import SPLITS, LabelledFrame

FloatArray = NDArray[np.float64]


def prediction_errors(
    frames: Sequence[LabelledFrame], energies_eV: FloatArray, forces: Sequence[FloatArray]
) -> dict[str, Any]:
    """Return errors by split, and by temperature within each.

    :param frames: labelled frames, of any compositions.
    :param energies_eV: predicted energies, shape (n,), eV.
    :param forces: predicted forces of each frame, n times (N, 3), eV/angstrom.
    :returns: ``{"test": {"forces": ..., "energies": ..., "by_temperature": {"600": ...}}}``; a split without frames is
        left out. Forces as in :class:`~aiida_ion.analysis.comparison.force_errors.ForceErrors`.
    """
    result: dict[str, Any] = {}
    for split in SPLITS:
        rows = [row for row, frame in enumerate(frames) if frame.split == split]
        if not rows:
            continue
        result[split] = _errors(frames, energies_eV, forces, rows)
        temperatures = sorted({frames[row].temperature_K for row in rows} - {None}, key=float)  # type: ignore[arg-type]
        result[split]["by_temperature"] = {
            f"{temperature:g}": _errors(frames, energies_eV, forces, _where(frames, rows, temperature))
            for temperature in temperatures
        }
    return result


def _where(frames: Sequence[LabelledFrame], rows: Sequence[int], temperature_K: float | None) -> list[int]:
    return [row for row in rows if frames[row].temperature_K == temperature_K]


def _errors(
    frames: Sequence[LabelledFrame], energies_eV: FloatArray, forces: Sequence[FloatArray], rows: Sequence[int]
) -> dict[str, Any]:
    return {
        "n_frames": len(rows),
        "forces": asdict(_force_errors([frames[row] for row in rows], [forces[row] for row in rows])),
        "energies": _energy_errors([frames[row] for row in rows], np.array([energies_eV[row] for row in rows])),
    }


def _force_errors(frames: Sequence[LabelledFrame], forces: Sequence[FloatArray]) -> Any:
    """Return the errors of forces; frames of different atoms are pooled, and have no intervals."""
    symbols = [list(frame.symbols) for frame in frames]
    if all(other == symbols[0] for other in symbols):
        return force_errors(np.array([frame.forces for frame in frames]), np.array(forces), symbols[0])
    reference, predicted = np.concatenate([frame.forces for frame in frames]), np.concatenate(list(forces))
    return force_errors(reference[None], predicted[None], [symbol for each in symbols for symbol in each])


def _energy_errors(frames: Sequence[LabelledFrame], energies_eV: FloatArray) -> dict[str, Any]:
    """Return errors of energies per atom as they are, and after a constant for each composition."""
    sizes = np.array([len(frame.symbols) for frame in frames])
    error = (energies_eV - np.array([frame.energy_eV for frame in frames])) / sizes
    compositions: dict[str, list[int]] = {}
    for row, frame in enumerate(frames):
        compositions.setdefault("".join(f"{key}{count}" for key, count in frame.composition.items()), []).append(row)
    after = {}
    for name, chosen in compositions.items():
        reference = np.array([frames[row].energy_eV for row in chosen])
        after[name] = asdict(energy_errors(reference, energies_eV[chosen], len(frames[chosen[0]].symbols)))
    return {
        "offset_eV_atom": float(error.mean()),
        "mae_eV_atom": float(np.abs(error).mean()),
        "rmse_eV_atom": _root_mean_square(error),
        "after_a_constant": after,
    }


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt((values**2).mean()))
