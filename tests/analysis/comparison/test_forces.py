"""Forces and energies frame by frame: known errors come back, frames that do not belong together are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.forces import compare_forces
from aiida_ion.analysis.comparison.segments import ComparedSegment, EvaluatedForces
from tests.analysis.comparison.rock_salt import KEYS, LEVELS, SYMBOLS, evaluated, segments, thermo_of


def compare(
    forces: EvaluatedForces | None,
    reference: dict[str, ComparedSegment],
    other: dict[str, ComparedSegment] | None = None,
    thermo: dict[str, Any] | None = None,
) -> Findings:
    known = thermo_of(reference) if thermo is None else thermo
    return compare_forces(forces, [other or {}, reference], known, LEVELS)


def test_known_errors_of_forces_and_energies_come_back() -> None:
    reference = segments()
    findings = compare(evaluated(reference, 0.05), reference)
    attributes = findings.attributes
    assert attributes["force_rmse_eV_A"] == pytest.approx(0.05, rel=0.05)
    assert attributes["force_mae_eV_A"] == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.05)
    low, high = attributes["force_mae_ci95_eV_A"]
    assert low < attributes["force_mae_eV_A"] < high
    assert attributes["force_mae_by_element_eV_A"] == pytest.approx({"Li": 0.04, "Cl": 0.04}, rel=0.1)
    assert attributes["reference_force_rms_eV_A"] == pytest.approx(1.0, rel=0.05)
    assert attributes["force_cosine_similarity"] > 0.99
    assert attributes["force_n_frames"] == attributes["energy_n_frames"] == 80
    assert attributes["energy_offset_eV_atom"] == pytest.approx(2.0, abs=1e-3)
    assert attributes["energy_rmse_eV_atom"] == pytest.approx(0.001, rel=0.2)
    exact, predicted = (findings.arrays[f"parity_{name}forces_eV_A"] for name in ("reference_", ""))
    assert (exact - predicted).std() == pytest.approx(0.05, rel=0.1)
    assert findings.arrays["parity_elements"].tolist()[:4] == [attributes["elements"].index("Li")] * 4
    assert findings.missing == []


def with_arrays(evaluation: EvaluatedForces, repeats: int = 1, **change: Any) -> EvaluatedForces:
    arrays = {name: np.concatenate([array] * repeats) for name, array in evaluation.arrays.items()}
    return replace(evaluation, arrays=arrays | change)


def test_a_plot_gets_no_more_forces_than_it_can_show() -> None:
    reference = segments()
    forces = evaluated(reference, 0.05, every=1)
    shown = compare(forces, reference).arrays["parity_forces_eV_A"]
    assert (shown.dtype, len(shown)) == (np.dtype("float32"), 19200)
    findings = compare(with_arrays(forces, repeats=3), reference)
    assert 10000 < len(findings.arrays["parity_forces_eV_A"]) <= 20000
    # Every atom and direction is met: the stride has nothing in common with the number of components of a frame.
    assert np.gcd(findings.attributes["parity_stride"], 24) == 1


def test_frames_that_do_not_belong_together_are_refused() -> None:
    reference = segments()
    forces = evaluated(reference, 0.05)

    def lacking(*given: Any) -> str:
        findings = compare(*given)
        assert "force_mae_eV_A" not in findings.attributes
        return findings.missing[0]

    swapped = segments(symbols=["Cl"] * 4 + ["Li"] * 4)
    assert lacking(forces, reference, swapped) == (
        "Forces and energies: the trajectories of the two levels order their atoms differently; run both from the same "
        "structure."
    )
    late = with_arrays(forces, steps=forces.arrays["steps"] + 1)
    assert "the frames of the segment T_0800K_seed_1_segment_000 are not those that were evaluated" in lacking(
        late, reference
    )
    bare = segments(without=("forces",))
    assert "keeps no forces; run it with 'keep: [forces]'" in lacking(forces, bare)
    exploded = with_arrays(forces, forces=np.full_like(forces.arrays["forces"], np.nan))
    assert lacking(exploded, reference) == "Forces: those of 80 of 80 frames are not finite and left out."
    del reference[KEYS[1]]
    assert "the segment T_0800K_seed_1_segment_001 of the reference is not there" in lacking(forces, reference)
    assert lacking(None, reference) == "Forces and energies: CHGNet was not evaluated on frames of PBE."
    other = replace(forces, symbols=SYMBOLS[:4])
    assert "hold different atoms" in lacking(other, reference)


def test_energies_need_frames_of_both_levels() -> None:
    reference = segments()
    findings = compare(evaluated(reference, 0.05), reference, thermo={})
    assert "force_mae_eV_A" in findings.attributes
    assert "energy_mae_eV_atom" not in findings.attributes
    assert findings.missing == ["Energies: there are none of the same frames at both levels."]
