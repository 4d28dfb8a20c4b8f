"""Arrays of a run -> the nodes that hold them: trajectory, thermo, state. One place says names and units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.aiida_private.trajectories import accept_float32
from aiida_ion.units import FS_PER_PS

THERMO_UNITS = {
    "times": "ps",
    "potential_energy": "eV",
    "kinetic_energy": "eV",
    "conserved_energy": "eV",
    "scf_iterations": "1",
    "temperature": "K",
    "max_force": "eV/angstrom",
    "charge_current": "e*angstrom/fs",
    "pressure": "GPa",
    "stress": "eV/angstrom^3, Voigt (xx, yy, zz, yz, xz, xy), positive when stretched, without the motion of the ions",
    "volume": "angstrom^3",
}
#: Column of a runner's thermo table -> array of the node.
THERMO_COLUMNS = {
    "potential_energy_eV": "potential_energy",
    "kinetic_energy_eV": "kinetic_energy",
    "conserved_energy_eV": "conserved_energy",
    "scf_iterations": "scf_iterations",
    "temperature_K": "temperature",
    "max_force_eV_A": "max_force",
    "charge_current_e_A_fs": "charge_current",
    "stress_eV_A3": "stress",
    "pressure_GPa": "pressure",
    "volume_A3": "volume",
}
#: Energies need their digits; the rest is noise beyond seven of them.
KEPT_TYPES: dict[str, type] = {
    "potential_energy": np.float64,
    "conserved_energy": np.float64,
    "scf_iterations": np.int32,
}
TRAJECTORY_UNITS = {
    "positions": "angstrom, unwrapped",
    "cells": "angstrom",
    "times": "ps",
    "velocities": "angstrom/fs",
    "forces": "eV/angstrom",
}

accept_float32()


def trajectory_node(
    symbols: list[str],
    steps: NDArray[np.int64],
    positions: NDArray[Any],
    cells: NDArray[np.float64],
    *,
    timestep_fs: float,
    extra: Mapping[str, NDArray[Any]] | None = None,
) -> orm.TrajectoryData:
    """Return an unstored trajectory node.

    :param symbols: element of each of N atoms.
    :param steps: shape (n,), integration steps of the frames.
    :param positions: shape (n, N, 3), angstrom, unwrapped, float32 or float64.
    :param cells: shape (3, 3) when fixed, or (n, 3, 3); angstrom.
    :param timestep_fs: integration step, fs.
    :param extra: further arrays of shape (n, N, 3): ``velocities`` (angstrom/fs), ``forces`` (eV/angstrom).
    :raises ValueError: if the shapes do not belong together or a number is not finite.
    """
    n_frames = len(steps)
    if positions.shape != (n_frames, len(symbols), 3):
        raise ValueError(f"positions have shape {positions.shape}, not ({n_frames}, {len(symbols)}, 3)")
    if not np.isfinite(positions).all():
        raise ValueError("positions hold numbers that are not finite")
    node = orm.TrajectoryData()
    node.set_array("steps", np.asarray(steps, dtype=np.int64))
    node.set_array("positions", positions)
    node.set_array("cells", np.broadcast_to(np.asarray(cells, dtype=float), (n_frames, 3, 3)).copy())
    node.set_array("times", np.asarray(steps, dtype=float) * timestep_fs / FS_PER_PS)
    for name, array in (extra or {}).items():
        node.set_array(name, array)
    node.base.attributes.set_many(
        {"symbols": list(symbols), "pbc": [True, True, True], "units": TRAJECTORY_UNITS, "timestep_fs": timestep_fs}
    )
    return node


def thermo_node(rows: NDArray[Any], timestep_fs: float, ensemble: str | None = None) -> orm.ArrayData:
    """Return the per-step quantities of a segment as a node.

    :param rows: structured array of a runner, one row a step, with the fields of ``THERMO_COLUMNS`` and ``step``.
    :param timestep_fs: integration step, fs.
    :param ensemble: ``nve``, ``nvt`` or ``npt``, where it is known.
    """
    node = orm.ArrayData()
    node.set_array("steps", np.ascontiguousarray(rows["step"]))
    for column, name in THERMO_COLUMNS.items():
        if rows.dtype.names and column in rows.dtype.names:
            keep = KEPT_TYPES.get(name, np.float32)
            node.set_array(name, np.ascontiguousarray(rows[column], dtype=keep))
    node.base.attributes.set_many(
        {
            "units": THERMO_UNITS,
            "timestep_fs": timestep_fs,
            "ensemble": ensemble,
            "n_steps": len(rows),
            "mean_temperature_K": float(np.mean(rows["temperature_K"])) if len(rows) else None,
            "largest_force_eV_A": float(np.max(rows["max_force_eV_A"])) if len(rows) else None,
        }
    )
    return node


def state_node(arrays: Mapping[str, NDArray[Any]]) -> orm.ArrayData:
    """Return what an exact continuation needs as a node; text (random-generator state) becomes an attribute."""
    node = orm.ArrayData()
    for name, array in arrays.items():
        if array.dtype.kind in "US":
            node.base.attributes.set(f"text_{name}", str(array))
        else:
            node.set_array(name, np.asarray(array))
    node.base.attributes.set("step", int(arrays["step"]))
    return node


def state_arrays(node: orm.ArrayData) -> dict[str, NDArray[Any]]:
    """Return the arrays of :func:`state_node`, as the runner wrote them."""
    arrays = dict(node.get_iterarrays())
    for name, value in node.base.attributes.all.items():
        if name.startswith("text_"):
            arrays[name.removeprefix("text_")] = np.asarray(value)
    return arrays
