"""Frames to label: displaced and strained copies, pushed pairs, and frames picked from runs.

They are no time series: their times only count them, far enough apart that no dataset takes two for correlated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction
from ase import Atoms
from numpy.typing import NDArray

from aiida_ion.calculations.chosen_frames import choose_frames, frame_arrays, validate_trajectories
from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.surrogate.displaced import displacements
from aiida_ion.calculations.training.committee_forces import disagreement_of, sorted_nodes
from aiida_ion.calculations.trajectory_data import trajectory_node
from aiida_ion.training.generated import GenerateSettings, PushSettings, amplitudes, pushed_pairs, strains
from aiida_ion.training.picking import NAMED, PickSettings, far_apart, pick

#: Time between two frames, fs: longer than any correlation that a dataset looks for.
FRAME_INTERVAL_FS = 1000.0


@calcfunction
def generate_frames(structure: orm.StructureData, parameters: orm.Dict) -> orm.TrajectoryData:
    """Displace the atoms of a crystal at random, in its own cell and in strained ones.

    :param structure: the relaxed cell.
    :param parameters: settings of :class:`~aiida_ion.training.generated.GenerateSettings`.
    :returns: the copies as frames; attributes ``amplitudes_A`` and ``strained`` say what each is.
    """
    settings = GenerateSettings.from_dict(parameters.get_dict())
    atoms = structure.get_ase()
    counts = (settings.n_rattled, settings.n_strained)
    sizes = [value for n in counts for value in amplitudes(n, settings.smallest_A, settings.largest_A)]
    strain = np.concatenate(
        [np.zeros((settings.n_rattled, 3, 3)), strains(settings.n_strained, settings.strain, settings.seed)]
    )
    cells = atoms.cell.array @ (np.eye(3) + strain)
    positions = atoms.get_scaled_positions(wrap=False) @ cells
    # Copies of the same amplitude in both cells must not have the same noise.
    for part, shift in ((slice(0, counts[0]), 0), (slice(counts[0], None), 1)):
        positions[part] += displacements(sizes[part], len(atoms), 2 * settings.seed + shift)
    return _frames_node(
        symbols_of(structure),
        positions,
        cells,
        {
            "amplitudes_A": sizes,
            "strained": [False] * counts[0] + [True] * counts[1],
            "settings": settings.to_dict(),
        },
    )


@calcfunction
def push_pairs(parameters: orm.Dict, **trajectories: orm.TrajectoryData) -> orm.TrajectoryData:
    """Push one pair of each kind of elements together in frames of trajectories; the rest stays as it is.

    :param parameters: settings of :class:`~aiida_ion.training.generated.PushSettings`.
    :param trajectories: segments of the same atoms.
    :returns: a frame for each pair and fraction; attributes ``pairs``, ``distances_A``, ``origin`` and ``left_out``.
    :raises ValueError: for trajectories of other atoms, or if no pair can be pushed.
    """
    settings = PushSettings.from_dict(parameters.get_dict())
    problem = validate_trajectories(trajectories)
    if problem is not None:
        raise ValueError(problem)
    frames = choose_frames(trajectories, settings.max_frames, 0.0)
    arrays = frame_arrays(trajectories, frames)
    symbols = next(iter(trajectories.values())).base.attributes.get("symbols")
    pushed, left_out = pushed_pairs(symbols, arrays["positions"], arrays["cells"], settings)
    if not pushed:
        raise ValueError(f"no pair can be pushed together: {'; '.join(left_out)}")
    origin = [_origin(trajectories[frames[one.frame][0]], frames[one.frame][1]) for one in pushed]
    return _frames_node(
        symbols,
        np.array([one.positions for one in pushed]),
        np.array([arrays["cells"][one.frame] for one in pushed]),
        {
            "pairs": [one.pair for one in pushed],
            "fractions": [one.fraction for one in pushed],
            "distances_A": [one.distance_A for one in pushed],
            "pushed_atoms": [list(one.atoms) for one in pushed],
            "origin": origin,
            "left_out": left_out,
            "settings": settings.to_dict(),
        },
        _common_temperature(trajectories.values()),
    )


@calcfunction
def pick_frames(parameters: orm.Dict, **nodes: Any) -> orm.TrajectoryData:
    """Pick frames of trajectories, so that they can be labelled.

    :param parameters: settings of :class:`~aiida_ion.training.picking.PickSettings`; they count for each trajectory.
    :param nodes: ``trajectory_000``, ...; and for the disagreement of a committee ``forces_000_00``,
        ``forces_000_01``, ... of ``trajectory_000`` by each of its members, nodes of ``ion.forces`` or
        ``ion.lammps_forces``.
    :returns: the frames; attributes ``origin`` (trajectory, frame, step), ``reasons`` and ``disagreement_eV_A``.
    :raises ValueError: for trajectories of other atoms, forces that are not of them, or if no frame can be picked.
    """
    settings = PickSettings.from_dict(parameters.get_dict())
    trajectories, forces = sorted_nodes(nodes)
    problem = validate_trajectories(trajectories)
    unknown = sorted(set(settings.indices) - set(trajectories))
    if problem is not None or unknown:
        raise ValueError(problem or f"indices name {unknown[0]}, which is not given")
    chosen: list[tuple[str, int]] = []
    reasons: list[str] = []
    disagreements: list[float | None] = []
    for name, trajectory in trajectories.items():
        dispute = disagreement_of(trajectory, forces.get(name, []), name)
        if settings.disagreement and dispute is None:
            raise ValueError(f"the disagreement of a committee needs forces of {name} by two or more members")
        for index, reason in _picked(trajectory, settings, name, dispute).items():
            chosen.append((name, index))
            reasons.append(reason)
            known = dispute is not None and np.isfinite(dispute[index])
            disagreements.append(float(dispute[index]) if dispute is not None and known else None)
    if not chosen:
        raise ValueError("no frame can be picked: in every one two atoms are closer than min_distance_ratio allows")
    arrays = frame_arrays(trajectories, chosen)
    return _frames_node(
        next(iter(trajectories.values())).base.attributes.get("symbols"),
        arrays["positions"],
        arrays["cells"],
        {
            "origin": [_origin(trajectories[name], index) for name, index in chosen],
            "reasons": reasons,
            "disagreement_eV_A": disagreements,
            "settings": settings.to_dict(),
        },
        _common_temperature(trajectories.values()),
    )


def _picked(
    trajectory: orm.TrajectoryData, settings: PickSettings, name: str, dispute: NDArray[np.float64] | None
) -> dict[int, str]:
    symbols = trajectory.base.attributes.get("symbols")
    positions, cells = trajectory.get_array("positions"), trajectory.get_array("cells")
    n_frames = len(positions)
    absent = [index for index in settings.indices.get(name, []) if not 0 <= index < n_frames]
    if absent:
        raise ValueError(f"{name} has {n_frames} frames, counted from 0, and no frame {absent[0]}")
    usable = np.array(
        [
            far_apart(Atoms(symbols, positions=one, cell=cell, pbc=True), settings.min_distance_ratio)
            for one, cell in zip(positions, cells, strict=True)
        ]
    )
    picked = pick(n_frames, settings, usable, dispute)
    return dict(sorted({**picked, **dict.fromkeys(settings.indices.get(name, []), NAMED)}.items()))


def _origin(trajectory: orm.TrajectoryData, frame: int) -> dict[str, Any]:
    return {
        "trajectory": trajectory.uuid,
        "frame": int(frame),
        "step": int(trajectory.get_array("steps")[frame]),
    }


def _common_temperature(trajectories: Any) -> float | None:
    """Return the target temperature of trajectories, K, where all have the same."""
    found = {node.base.attributes.get("target_temperature_K", None) for node in trajectories}
    return found.pop() if len(found) == 1 else None


def _frames_node(
    symbols: Sequence[str],
    positions: NDArray[np.float64],
    cells: NDArray[np.float64],
    about: Mapping[str, Any],
    temperature_K: float | None = None,
) -> orm.TrajectoryData:
    node = trajectory_node(
        list(symbols), np.arange(len(positions)), positions.astype(np.float32), cells, timestep_fs=FRAME_INTERVAL_FS
    )
    node.base.attributes.set_many(dict(about) | {"independent_frames": True})
    if temperature_K is not None:
        node.base.attributes.set("target_temperature_K", temperature_K)
    return node
