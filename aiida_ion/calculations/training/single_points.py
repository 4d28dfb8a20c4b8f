"""``ion.collect_labels``: single points of frames of a trajectory -> one node with the layout of ``ion.forces``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.mlip.forces import FORCES_UNITS
from aiida_ion.calculations.training.levels import level_of
from aiida_ion.fingerprints import FINGERPRINT, FINGERPRINT_SHA256

SEGMENT = "trajectory"
STRESS_UNIT = "eV/angstrom^3, positive when stretched"


def point_name(frame: int) -> str:
    """Return the name of the single point of a frame; names sort as the frames do."""
    return f"frame_{frame:06d}"


@calcfunction
def collect_labels(parameters: orm.Dict, trajectory: orm.TrajectoryData, **points: Any) -> orm.ArrayData:
    """Return energies, forces and stresses of frames, in the order of the trajectory.

    :param parameters: ``level_of_theory``, the name that the labels carry.
    :param trajectory: the frames.
    :param points: output ``point`` of the single point of each frame, named ``frame_000012``.
    :returns: `forces` (n, N, 3), eV/angstrom; `energies` (n,), eV; `stress` (n, 3, 3), eV/angstrom^3; `frames`,
        `segment` and `steps` of each.
    :raises ValueError: for no points, or points of other cells.
    """
    if not points:
        raise ValueError("there are no single points to collect")
    names = sorted(points)
    frames = np.array([int(name.rpartition("_")[2]) for name in names])
    symbols = trajectory.base.attributes.get("symbols")
    arrays = {name: np.array([points[key].get_array(name) for key in names]) for name in ("forces", "stress")}
    if arrays["forces"].shape != (len(names), len(symbols), 3):
        raise ValueError(f"forces of shape {arrays['forces'].shape} are not of frames of {len(symbols)} atoms")
    node = orm.ArrayData()
    node.set_array("forces", arrays["forces"])
    node.set_array("stress", arrays["stress"])
    node.set_array("energies", np.array([float(points[key].base.attributes.get("energy_eV")) for key in names]))
    node.set_array("frames", frames)
    node.set_array("segment", np.zeros(len(names), dtype=int))
    node.set_array("steps", np.asarray(trajectory.get_array("steps"))[frames])
    node.base.attributes.set_many(
        {
            "segments": [SEGMENT],
            "symbols": symbols,
            "n_frames": len(names),
            "n_atoms": len(symbols),
            "units": FORCES_UNITS | {"stress": STRESS_UNIT},
            "level_of_theory": parameters.get_dict()["level_of_theory"],
            "point_uuids": [points[key].uuid for key in names],
        }
        | dict(_fingerprint(points[names[0]]))
    )
    return node


def _fingerprint(point: orm.ArrayData) -> Mapping[str, Any]:
    """Return what decides the energies, as the job of a single point recorded it."""
    level = level_of(point)
    return {FINGERPRINT: dict(level.facts), FINGERPRINT_SHA256: level.sha256} if level.sha256 else {}
