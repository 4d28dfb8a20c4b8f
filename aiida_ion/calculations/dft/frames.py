"""Configurations of a crystal for single points: displaced at random, or taken from a trajectory."""

from __future__ import annotations

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.relax import relaxed_structure
from aiida_ion.calculations.surrogate.displaced import displacements


@calcfunction
def displace_atoms(structure: orm.StructureData, parameters: orm.Dict) -> orm.StructureData:
    """Displace every atom by Gaussian noise.

    :param structure: the crystal.
    :param parameters: ``displacement_A`` (standard deviation of each Cartesian component, angstrom), ``seed``, and
        ``frame``, which of the copies of that seed is wanted.
    """
    settings = parameters.get_dict()
    frame, amplitude = int(settings["frame"]), float(settings["displacement_A"])
    positions = np.array([site.position for site in structure.sites])
    noise = displacements([amplitude] * (frame + 1), len(positions), int(settings["seed"]))[frame]
    return relaxed_structure(structure, positions + noise)


@calcfunction
def take_frame(structure: orm.StructureData, trajectory: orm.TrajectoryData, parameters: orm.Dict) -> orm.StructureData:
    """Return a frame of a trajectory as a structure with the kinds of another one.

    :param structure: the crystal, with the same atoms in the same order.
    :param parameters: ``frame``, counted from zero.
    """
    frame = int(parameters["frame"])
    taken = relaxed_structure(structure, trajectory.get_array("positions")[frame])
    taken.set_cell([[float(x) for x in row] for row in trajectory.get_array("cells")[frame]])
    return taken


def validate_frames(structure: orm.StructureData, trajectory: orm.TrajectoryData, frames: list[int]) -> str | None:
    """Return why frames of a trajectory are not configurations of a structure, nothing where they are."""
    if list(trajectory.base.attributes.get("symbols")) != symbols_of(structure):
        return "the trajectory holds other atoms than the structure, or in another order"
    n_frames = trajectory.get_shape("positions")[0]
    absent = [frame for frame in frames if not 0 <= frame < n_frames]
    return f"the trajectory has {n_frames} frames, counted from 0, and no frame {absent[0]}" if absent else None
