"""Energies against forces: what is right passes, and every planted mistake is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import units

from aiida_ion.training.checks.work import check_work
from tests.training.md import labelled, run_md

CLOSE = labelled(run_md())
FAR = labelled(run_md(), sample_every=8)


def test_close_frames_are_tested_exactly() -> None:
    check = check_work(CLOSE)
    assert (check.method, check.fault, check.remark) == ("work", None, None)
    assert check.value == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-1.0, "the forces have the wrong sign"),
        (units.Bohr / units.Ry, "the forces look like Ry/bohr"),
        (units.Bohr / units.Hartree, "the forces look like hartree/bohr"),
        (1.1, "do not belong together"),
        (0.9, "do not belong together"),
    ],
)
def test_wrong_forces_are_named(factor: float, words: str) -> None:
    fault = check_work(replace(CLOSE, forces=CLOSE.forces * factor)).fault
    assert fault is not None and words in fault


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1 / units.Ry, "energies look like Ry"), (1 / 8, "energies look like those of one atom")],
)
def test_wrong_energies_are_named(factor: float, words: str) -> None:
    fault = check_work(replace(CLOSE, energies_eV=CLOSE.energies_eV * factor)).fault
    assert fault is not None and words in fault


def test_energies_of_other_frames_are_refused() -> None:
    """Energies shifted by a few frames scatter; the slope is then not one."""
    fault = check_work(replace(CLOSE, energies_eV=np.roll(CLOSE.energies_eV, 6))).fault
    assert fault is not None


def test_a_correction_with_the_positions_is_refused() -> None:
    """A dispersion-like term that is in the energies only."""
    extra = 0.08 * (CLOSE.energies_eV - CLOSE.energies_eV.mean())
    assert check_work(replace(CLOSE, energies_eV=CLOSE.energies_eV + extra)).fault is not None


def test_frames_that_are_further_apart_are_tested_roughly() -> None:
    check = check_work(FAR)
    assert check.method == "coarse work" and check.fault is None
    assert check.remark is not None and "too far apart" in check.remark
    for factor in (-1.0, 0.04, 2.0):
        assert check_work(replace(FAR, forces=FAR.forces * factor)).fault is not None


def test_what_cannot_be_tested_is_said() -> None:
    few = FAR.rows(np.arange(4))
    check = check_work(few)
    assert (check.method, check.fault) == ("none", None)
    assert check.remark is not None and "were not tested" in check.remark


def test_a_cell_that_changes_does_work_itself_and_the_virial_tests_the_forces() -> None:
    changing = replace(CLOSE, cells=CLOSE.cells * np.linspace(1.0, 1.02, len(CLOSE))[:, None, None])
    check = check_work(changing)
    assert (check.method, check.fault) == ("virial", None)
    assert check.value == pytest.approx(1.0, abs=0.4)
    assert check.remark is not None and "its cell changes" in check.remark
    for factor in (-1.0, units.Bohr / units.Ry):
        fault = check_work(replace(changing, forces=changing.forces * factor)).fault
        assert fault is not None and "unit or sign" in fault
    unknown = check_work(replace(changing, temperature_K=None))
    assert (unknown.method, unknown.fault) == ("none", None)
