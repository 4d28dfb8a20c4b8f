"""Displaced configurations: copies of a relaxed cell whose atoms are displaced at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction
from numpy.typing import NDArray

from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.trajectory_data import trajectory_node

#: Frames are not time series; their steps count them.
FRAME_INTERVAL_FS = 1.0
#: Amplitudes closer than this have the same stream of random numbers, angstrom.
AMPLITUDE_STEP_A = 1e-6


@calcfunction
def smear_structure(structure: orm.StructureData, parameters: orm.Dict) -> orm.TrajectoryData:
    """Displace every atom by Gaussian noise, in the requested number of copies at each amplitude.

    :param structure: the relaxed supercell.
    :param parameters: ``amplitudes_A`` (standard deviation of each Cartesian component, angstrom, as text -> number of
        copies) and ``seed``.
    :returns: the copies as frames; its attribute ``amplitudes_A`` has the amplitude of each.
    """
    settings = parameters.get_dict()
    atoms = structure.get_ase()
    amplitudes_A = spread(settings["amplitudes_A"])
    positions = atoms.positions + displacements(amplitudes_A, len(atoms), settings["seed"])
    node = trajectory_node(
        symbols_of(structure),
        np.arange(len(amplitudes_A)),
        positions.astype(np.float32),
        atoms.cell.array,
        timestep_fs=FRAME_INTERVAL_FS,
    )
    node.base.attributes.set_many({"amplitudes_A": amplitudes_A, "seed": settings["seed"]})
    return node


def spread(counts: Mapping[str, int]) -> list[float]:
    """Return the amplitude of each copy, angstrom, in rising order.

    :param counts: amplitude as text -> number of copies.
    """
    pairs = sorted((float(text), count) for text, count in counts.items())
    return [amplitude for amplitude, count in pairs for _ in range(count)]


def displacements(amplitudes_A: list[float], n_atoms: int, seed: int) -> NDArray[np.float64]:
    """Return Gaussian displacements, shape (n, N, 3), angstrom.

    Each amplitude has its own random stream: copies at one amplitude do not depend on the others.

    :param amplitudes_A: standard deviation of each Cartesian component, for each of n copies, angstrom.
    """
    noise = np.empty((len(amplitudes_A), n_atoms, 3))
    for amplitude in set(amplitudes_A):
        rows = np.flatnonzero(np.asarray(amplitudes_A) == amplitude)
        stream = np.random.default_rng([seed, round(amplitude / AMPLITUDE_STEP_A)])
        noise[rows] = amplitude * stream.standard_normal((len(rows), n_atoms, 3))
    return noise


def validate_amplitudes(counts: Any) -> str | None:
    """Return what is wrong with amplitudes and their counts; ``None`` if nothing is."""
    if not isinstance(counts, Mapping) or not counts:
        return 'amplitudes_A must give a number of copies for each amplitude, such as {"0.1": 20}'
    for text, count in counts.items():
        try:
            amplitude = float(text)
        except ValueError:
            return f"amplitudes_A names {text!r}, which is not an amplitude in angstrom"
        if not 0 < amplitude < 1:
            return f"an amplitude must lie between 0 and 1 angstrom, got {text}"
        if type(count) is not int or count < 1:
            return f"amplitudes_A must give a whole number of copies above zero, got {count!r} for {text}"
    return None
