"""Forces of the members of a committee on the frames of trajectories: where they disagree."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.training.picking import committee_disagreement

NAME = re.compile(r"(trajectory|forces)_(\d+)(?:_(\d+))?")


def disagreement_of(
    trajectory: orm.TrajectoryData, members: Sequence[orm.ArrayData], name: str
) -> NDArray[np.float64] | None:
    """Return the disagreement in each frame, eV/angstrom, NaN where not all members evaluated it; ``None`` without."""
    if len(members) < 2:
        return None
    n_frames = trajectory.get_shape("positions")[0]
    for node in members:
        if node.base.attributes.get("symbols", None) != trajectory.base.attributes.get("symbols"):
            raise ValueError(f"the forces for {name} are of other atoms")
        if len(node.base.attributes.get("segments", [])) != 1:
            raise ValueError(f"the forces for {name} must be of that trajectory alone")
    rows = [{int(frame): row for row, frame in enumerate(node.get_array("frames"))} for node in members]
    common = sorted(set.intersection(*map(set, rows)))
    if not common or common[-1] >= n_frames:
        raise ValueError(f"the forces for {name} are not of the same frames of it")
    values = committee_disagreement(
        [
            node.get_array("forces")[[places[frame] for frame in common]]
            for node, places in zip(members, rows, strict=True)
        ]
    )
    result = np.full(n_frames, np.nan)
    result[common] = values
    return result


def sorted_nodes(nodes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return trajectories by name, and the forces of the members for each."""
    trajectories: dict[str, Any] = {}
    forces: dict[str, list[Any]] = {}
    for name, node in sorted(nodes.items()):
        match = NAME.fullmatch(name)
        if match is None or (match[1] == "forces") != (match[3] is not None):
            raise ValueError(f"{name} is not an input; names are like trajectory_000 and forces_000_00")
        if match[1] == "trajectory":
            trajectories[name] = node
        else:
            forces.setdefault(f"trajectory_{match[2]}", []).append(node)
    lone = sorted(set(forces) - set(trajectories))
    if lone:
        raise ValueError(f"there are forces for {lone[0]}, which is not given")
    return trajectories, forces
