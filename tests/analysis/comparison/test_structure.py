"""Structure and vibrations of two levels: the same dynamics are not apart, others are, and what is missing is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.segments import ComparedSegment
from aiida_ion.analysis.comparison.settings import ComparisonSettings
from aiida_ion.analysis.comparison.structure import compare_structure
from tests.analysis.comparison.rock_salt import KEYS, LEVELS, segment, segments


def compare(other: dict[str, ComparedSegment], reference: dict[str, ComparedSegment], **settings: Any) -> Findings:
    return compare_structure([other, reference], LEVELS, ComparisonSettings(**settings))


def test_the_same_dynamics_are_not_apart() -> None:
    findings = compare(segments(), segments(), equilibration_fs=100.0)
    attributes, arrays = findings.attributes, findings.arrays
    assert attributes["rdf_distance"] == 0.0
    assert attributes["rdf_distance_by_pair"] == {"Cl-Cl": 0.0, "Cl-Li": 0.0, "Li-Li": 0.0}
    assert 0.0 < attributes["rdf_distance_of_reference_halves"] < 0.2
    assert attributes["rdf_n_frames"] == [200]
    assert attributes["vdos_distance"] == 0.0
    assert attributes["reference_vdos_nyquist_THz"] == pytest.approx(250.0)
    assert attributes["structure_temperatures_K"] == [800.0]
    assert arrays["rdf"].shape == arrays["reference_rdf"].shape == (1, 3, len(arrays["rdf_r_A"]))
    nearest = arrays["rdf_r_A"][np.argmax(arrays["rdf"][0, 1])]
    assert attributes["rdf_pairs"][1] == "Cl-Li"
    assert nearest == pytest.approx(5.13 / 2, abs=0.2)
    frequency, density = arrays["vdos_frequency_THz"], arrays["vdos_1_THz"][0]
    peaks = [frequency[part][np.argmax(density[part])] for part in (frequency < 7.5, frequency > 7.5)]
    assert peaks == pytest.approx([5.0, 10.0], abs=0.1)


def test_other_dynamics_are_apart() -> None:
    attributes = compare(segments(rattle_A=0.25, scale=3.0), segments(), max_rdf_frames=20).attributes
    assert attributes["rdf_distance"] > 0.1 > attributes["rdf_distance_of_reference_halves"] / 3
    assert attributes["rdf_n_frames"] == attributes["reference_rdf_n_frames"] == [20]
    assert attributes["vdos_distance"] == pytest.approx(1.0, abs=0.02)


def test_trajectories_that_cannot_be_compared_say_why() -> None:
    reference = segments()
    assert compare({}, reference).missing == ["Structure and vibrations: there is no trajectory of CHGNet."]
    assert compare(segments(temperature_K=900.0), reference).missing == [
        "Structure and vibrations: the two levels have no temperature in common."
    ]
    assert compare(segments(without=("velocities",)), reference).missing == [
        "Vibrations: CHGNet keeps no velocities; run it with 'keep: [velocities]'."
    ]
    short = {KEYS[0]: segment(KEYS[0], n_frames=100)}
    assert compare(segments(), short).missing == [
        "Vibrations: PBE: the longest run has 0.2 ps of velocities; 1 ps are needed to resolve 1 THz."
    ]
    assert compare(segments(symbols=["Li"] * 8), reference).missing == [
        "Structure and vibrations: the trajectories of the two levels hold different elements."
    ]
    assert compare(segments(), reference, equilibration_fs=1e6).missing[0] == (
        "Structure: no frame is left after equilibration."
    )
