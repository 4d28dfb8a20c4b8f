"""Forces and energies of a level of theory on the frames of the reference's trajectories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.force_errors import energy_errors, force_errors
from aiida_ion.calculations.comparison.findings import Findings, starting_with, symbols_of_all

#: Components kept for a plot of one against the other.
MAX_PARITY = 20_000
FORCE_NAMES = {
    "mae_eV_A": "force_mae_eV_A",
    "mae_ci95_eV_A": "force_mae_ci95_eV_A",
    "rmse_eV_A": "force_rmse_eV_A",
    "rmse_ci95_eV_A": "force_rmse_ci95_eV_A",
    "mae_by_element_eV_A": "force_mae_by_element_eV_A",
    "rmse_by_element_eV_A": "force_rmse_by_element_eV_A",
    "cosine_similarity": "force_cosine_similarity",
    "slope": "force_slope",
    "reference_rms_eV_A": "reference_force_rms_eV_A",
    "largest_error_eV_A": "force_largest_error_eV_A",
    "n_frames": "force_n_frames",
}
ENERGY_NAMES = {
    "mae_eV_atom": "energy_mae_eV_atom",
    "rmse_eV_atom": "energy_rmse_eV_atom",
    "offset_eV_atom": "energy_offset_eV_atom",
    "correlation": "energy_correlation",
}


class Paired(NamedTuple):
    """The same frames at both levels: forces (n, N, 3), eV/angstrom, and energies (n,), eV, NaN where unknown."""

    reference_forces: NDArray[np.float64]
    forces: NDArray[np.float64]
    reference_energies: NDArray[np.float64]
    energies: NDArray[np.float64]


def compare_forces(nodes: Mapping[str, Any], settings: Mapping[str, Any]) -> Findings:
    """Compare forces and energies frame by frame.

    :param nodes: `forces` (of `ion.forces`), `reference_trajectory_<key>` with forces, `reference_thermo_<key>`.
    :param settings: parameters of the comparison.
    """
    findings = Findings()
    level, reference = settings["level_of_theory"], settings["reference_level_of_theory"]
    if "forces" not in nodes:
        findings.lack(f"Forces and energies: {level} was not evaluated on frames of {reference}.")
        return findings
    try:
        symbols = shared_symbols(nodes)
        paired = pair(nodes)
    except ValueError as error:
        findings.lack(f"Forces and energies: {error}.")
        return findings
    n_frames = len(paired.forces)
    finite = np.isfinite(paired.forces + paired.reference_forces).reshape(n_frames, -1).all(axis=1)
    if not finite.all():
        findings.lack(f"Forces: those of {int((~finite).sum())} of {n_frames} frames are not finite and left out.")
    if not finite.any():
        return findings
    kept = Paired(*(values[finite] for values in paired))
    findings.say(vars(force_errors(kept.reference_forces, kept.forces, symbols)), names=FORCE_NAMES)
    findings.add(_parity(kept, symbols))
    findings.add(_energies(kept, len(symbols)))
    return findings


def shared_symbols(nodes: Mapping[str, Any]) -> list[str]:
    """Return the element of each atom, which all trajectories of both levels, and the forces, must agree on.

    :raises ValueError: if they do not.
    """
    trajectories = starting_with(nodes, "reference_trajectory_") | starting_with(nodes, "trajectory_")
    result = symbols_of_all(trajectories)
    of_forces = nodes["forces"].base.attributes.get("symbols", None)
    if of_forces is not None and list(of_forces) not in result:
        result.append(list(of_forces))
    if not result:
        raise ValueError("the trajectories of the reference are not there")
    if len(result) > 1:
        same = len({tuple(sorted(symbols)) for symbols in result}) == 1
        what = "order their atoms differently" if same else "hold different atoms"
        raise ValueError(f"the trajectories of the two levels {what}; run both from the same structure")
    return result[0]


def pair(nodes: Mapping[str, Any]) -> Paired:
    """Find the reference's forces and energies of each frame that the other level was evaluated on.

    :raises ValueError: if a segment or its forces are not there, or hold other frames.
    """
    forces = nodes["forces"]
    keys = forces.base.attributes.get("segments")
    segment, frames, steps = (np.asarray(forces.get_array(name)) for name in ("segment", "frames", "steps"))
    predicted = np.asarray(forces.get_array("forces"), dtype=float)
    reference = np.full(predicted.shape, np.nan)
    energies = np.full(len(steps), np.nan)
    for index, key in enumerate(keys):
        rows = np.flatnonzero(segment == index)
        if len(rows):
            trajectory = nodes.get(f"reference_trajectory_{key}")
            reference[rows] = _reference_forces(trajectory, key, frames[rows], steps[rows], predicted.shape[1])
            energies[rows] = _energies_at(nodes.get(f"reference_thermo_{key}"), steps[rows])
    names = forces.get_arraynames()
    own = np.asarray(forces.get_array("energies"), dtype=float) if "energies" in names else np.full(len(steps), np.nan)
    return Paired(reference, predicted, energies, own)


def _reference_forces(
    trajectory: orm.TrajectoryData | None, key: str, frames: NDArray[Any], steps: NDArray[Any], n_atoms: int
) -> NDArray[Any]:
    if trajectory is None:
        raise ValueError(f"the segment {key} of the reference is not there")
    if "forces" not in trajectory.get_arraynames():
        raise ValueError(f"the segment {key} of the reference keeps no forces; run it with 'keep: [forces]'")
    known = trajectory.get_array("steps")
    if frames.max() >= len(known) or not np.array_equal(known[frames], steps):
        raise ValueError(f"the frames of the segment {key} are not those that were evaluated")
    forces: NDArray[Any] = trajectory.get_array("forces")[frames]
    trajectory.clear_internal_cache()
    if forces.shape[1] != n_atoms:
        raise ValueError(f"the segment {key} has {forces.shape[1]} atoms, the forces are of {n_atoms}")
    return forces


def _energies_at(thermo: orm.ArrayData | None, steps: NDArray[Any]) -> NDArray[np.float64]:
    """Potential energies at some steps, eV; NaN where there is none."""
    values = np.full(len(steps), np.nan)
    if thermo is not None and "potential_energy" in thermo.get_arraynames():
        rows = {int(step): row for row, step in enumerate(thermo.get_array("steps"))}
        energies = thermo.get_array("potential_energy")
        there = [(index, rows[int(step)]) for index, step in enumerate(steps) if int(step) in rows]
        for index, row in there:
            values[index] = energies[row]
    return values


def _energies(paired: Paired, n_atoms: int) -> Findings:
    findings = Findings()
    known = np.isfinite(paired.energies) & np.isfinite(paired.reference_energies)
    if not known.any():
        findings.lack("Energies: there are none of the same frames at both levels.")
        return findings
    errors = energy_errors(paired.reference_energies[known], paired.energies[known], n_atoms)
    findings.say(vars(errors), names=ENERGY_NAMES | {"n_frames": "energy_n_frames"})
    if errors.reason is not None:
        findings.lack(f"Energies: {errors.reason}.")
    return findings


def _parity(paired: Paired, symbols: list[str]) -> Findings:
    """Keep some pairs of components, with the number of their element in `elements`."""
    findings = Findings()
    n_components = paired.forces[0].size
    stride = max(1, -(-paired.forces.size // MAX_PARITY))
    while math.gcd(stride, n_components) > 1:  # else it would meet the same atoms and directions in every frame
        stride += 1
    elements, kinds = np.unique(symbols, return_inverse=True)
    of_component = np.tile(np.repeat(kinds, 3), len(paired.forces))
    findings.arrays = {
        "parity_reference_forces_eV_A": paired.reference_forces.ravel()[::stride].astype(np.float32),
        "parity_forces_eV_A": paired.forces.ravel()[::stride].astype(np.float32),
        "parity_elements": of_component[::stride].astype(np.int16),
    }
    findings.say({"elements": [str(element) for element in elements], "parity_stride": stride})
    return findings
