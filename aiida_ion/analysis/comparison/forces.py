"""Forces and energies of a level of theory on the frames of the reference's trajectories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.force_errors import energy_errors, force_errors
from aiida_ion.analysis.comparison.segments import (
    ComparedSegment,
    EvaluatedForces,
    Segments,
    Thermo,
    distinct_symbols,
)

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


def compare_forces(
    forces: EvaluatedForces | None, sides: Sequence[Segments], thermo: Thermo, levels: Sequence[str]
) -> Findings:
    """Compare forces and energies frame by frame.

    :param forces: of the compared level on frames of the reference, where it was evaluated.
    :param sides: segments of the compared level and of the reference.
    :param thermo: of the reference's segments.
    :param levels: levels of theory, the compared one and the reference.
    """
    findings = Findings()
    if forces is None:
        findings.lack(f"Forces and energies: {levels[0]} was not evaluated on frames of {levels[1]}.")
        return findings
    try:
        symbols = shared_symbols(forces, sides)
        paired = pair(forces, sides[1], thermo)
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


def shared_symbols(forces: EvaluatedForces, sides: Sequence[Segments]) -> list[str]:
    """Return the element of each atom, which all trajectories of both levels, and the forces, must agree on.

    :raises ValueError: if they do not.
    """
    result = distinct_symbols([*sides[1].values(), *sides[0].values()])
    if forces.symbols is not None and forces.symbols not in result:
        result.append(forces.symbols)
    if not result:
        raise ValueError("the trajectories of the reference are not there")
    if len(result) > 1:
        same = len({tuple(sorted(symbols)) for symbols in result}) == 1
        what = "order their atoms differently" if same else "hold different atoms"
        raise ValueError(f"the trajectories of the two levels {what}; run both from the same structure")
    return result[0]


def pair(forces: EvaluatedForces, segments: Segments, thermo: Thermo) -> Paired:
    """Find the reference's forces and energies of each frame that the other level was evaluated on.

    :raises ValueError: if a segment or its forces are not there, or hold other frames.
    """
    segment, frames, steps = (np.asarray(forces.arrays[name]) for name in ("segment", "frames", "steps"))
    predicted = np.asarray(forces.arrays["forces"], dtype=float)
    reference = np.full(predicted.shape, np.nan)
    energies = np.full(len(steps), np.nan)
    for index, key in enumerate(forces.segments):
        rows = np.flatnonzero(segment == index)
        if len(rows):
            reference[rows] = _reference_forces(segments.get(key), key, frames[rows], steps[rows], predicted.shape[1])
            energies[rows] = _energies_at(thermo.get(key, {}), steps[rows])
    own = np.asarray(forces.arrays.get("energies", np.full(len(steps), np.nan)), dtype=float)
    return Paired(reference, predicted, energies, own)


def _reference_forces(
    segment: ComparedSegment | None, key: str, frames: NDArray[Any], steps: NDArray[Any], n_atoms: int
) -> NDArray[Any]:
    if segment is None:
        raise ValueError(f"the segment {key} of the reference is not there")
    if "forces" not in segment.arrays:
        raise ValueError(f"the segment {key} of the reference keeps no forces; run it with 'keep: [forces]'")
    known = segment.arrays["steps"]
    if frames.max() >= len(known) or not np.array_equal(known[frames], steps):
        raise ValueError(f"the frames of the segment {key} are not those that were evaluated")
    forces: NDArray[Any] = segment.arrays["forces"][frames]
    if forces.shape[1] != n_atoms:
        raise ValueError(f"the segment {key} has {forces.shape[1]} atoms, the forces are of {n_atoms}")
    return forces


def _energies_at(thermo: Mapping[str, NDArray[Any]], steps: NDArray[Any]) -> NDArray[np.float64]:
    """Potential energies at some steps, eV; NaN where there is none."""
    values = np.full(len(steps), np.nan)
    if "potential_energy" in thermo:
        rows = {int(step): row for row, step in enumerate(thermo["steps"])}
        there = [(index, rows[int(step)]) for index, step in enumerate(steps) if int(step) in rows]
        for index, row in there:
            values[index] = thermo["potential_energy"][row]
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
