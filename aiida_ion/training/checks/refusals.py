"""Labels that cannot be trained on: frames that are left out, and runs that are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aiida_ion.training.checks.duplicates import duplicates
from aiida_ion.training.checks.work import check_work
from aiida_ion.training.checks.zeros import check_zeros
from aiida_ion.training.runs import LabelledRun
from aiida_ion.training.settings import DatasetSettings

#: Reasons for which frames are left out.
NOT_FINITE = "forces or positions that are not finite"
NO_ENERGY = "no energy"
UNCONVERGED = "electrons that did not converge"
LARGE_FORCE = "a force beyond the limit"
NET_FORCE = "forces that do not add up to zero"
DUPLICATE = "the geometry of another frame"
#: Drift of the conserved energy that is said, meV per atom and ps.
LARGE_DRIFT_MEV = 1.0
#: Share of the frames of a run that may lack converged electrons, or have a net force.
MOST_BAD = 0.05


def usable_frames(run: LabelledRun, settings: DatasetSettings) -> tuple[LabelledRun, dict[str, int]]:
    """Return the frames that can be trained on, and how many are left out for each reason.

    :raises ValueError: for a run that is wrong as a whole; the message says what to do.
    """
    if not len(run):
        raise ValueError(f"{run.name} has no labelled frame")
    forces = np.asarray(run.forces, dtype=np.float64)
    largest = np.linalg.norm(forces, axis=2).max(axis=1)
    net = np.linalg.norm(forces.sum(axis=1), axis=1) / len(run.symbols)
    reasons = {
        NOT_FINITE: ~(np.isfinite(forces).all(axis=(1, 2)) & np.isfinite(run.positions).all(axis=(1, 2))),
        NO_ENERGY: ~np.isfinite(run.energies_eV),
        UNCONVERGED: run.unconverged,
        LARGE_FORCE: largest > settings.max_force_eV_A,
        NET_FORCE: net > settings.max_net_force_eV_A,
    }
    good = np.ones(len(run), dtype=bool)
    counts = {}
    for reason, bad in reasons.items():
        counts[reason] = int((bad & good).sum())
        good &= ~bad
    for reason in (UNCONVERGED, NET_FORCE):
        if counts[reason] > MOST_BAD * len(run):
            raise ValueError(f"{run.name}: {counts[reason]} of {len(run)} frames have {reason}: {ADVICE[reason]}")
    if not good.any():
        raise ValueError(
            f"{run.name}: no frame is left: {', '.join(f'{n} with {name}' for name, n in counts.items() if n)}"
        )
    return run.rows(good), {reason: count for reason, count in counts.items() if count}


def check_labels(runs: Sequence[LabelledRun], allow: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Test the labels of runs against each other, and against their geometries.

    :param allow: ``work`` and ``energy_zero`` accept what fails.
    :returns: of each run the method, value and standard error of the test of energies against forces, and remarks.
    :raises ValueError: for labels that do not belong together; the message says what to do.
    """
    checks, remarks = [], []
    for run in runs:
        check = check_work(run)
        if check.fault is not None and "work" not in allow:
            raise ValueError(f"{check.fault}; --allow work accepts it")
        checks.append({"method": check.method, "value": check.value, "error": check.error})
        remarks += [text for text in (check.remark, check.fault, _drift_remark(run)) if text is not None]
    if "energy_zero" not in allow:
        check_zeros(runs)
    return checks, remarks


def _drift_remark(run: LabelledRun) -> str | None:
    drift = run.drift_meV_atom_ps
    if drift is None or abs(drift) <= LARGE_DRIFT_MEV:
        return None
    return (
        f"{run.name}: its conserved energy drifts by {drift:.3g} meV per atom and ps, more than {LARGE_DRIFT_MEV:g}: "
        "are its forces converged, and its time step short enough?"
    )


def without_duplicates(runs: Sequence[LabelledRun]) -> tuple[list[LabelledRun], int]:
    """Return runs without frames that an earlier one has already, and how many there were."""
    twice = duplicates(runs)
    return [run.rows(~own) for run, own in zip(runs, twice, strict=True)], int(sum(own.sum() for own in twice))


ADVICE = {
    UNCONVERGED: "run it again with electrons that converge (smaller mixing, more iterations)",
    NET_FORCE: "forces of free ions add up to zero; were some atoms fixed, or is an external force among them? "
    "max_net_force_eV_A is the limit, per atom",
}
