"""Outputs of DFT runs that other programs are known to read wrongly, with their right values; data from elsewhere."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.pw.read import read_pw
from aiida_ion.trajectory_files.vasp.vasprun import read_vasp

ARCHIVE = Path(__file__).parents[3] / "shared" / "cases" / "import.tar.xz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ARCHIVE.is_file():
        pytest.skip(f"no recorded inputs in {ARCHIVE.parent}")
    target = tmp_path_factory.mktemp("inputs")
    with tarfile.open(ARCHIVE) as archive:
        members = [member for member in archive if member.name.removeprefix("./").startswith(("pw_", "v_"))]
        archive.extractall(target, members, filter="data")
    return target


@pytest.fixture(scope="module")
def outputs(folder: Path) -> dict[str, DftOutput]:
    """Return what each file holds; the one whose cell changes is refused."""
    paths = [*folder.glob("pw_*/md.out"), *folder.glob("v_*/vasprun.xml")]
    readers = {path: read_vasp if path.suffix == ".xml" else read_pw for path in paths if path.parent.name != "v_npt"}
    return {path.parent.name: reader(path) for path, reader in readers.items()}


def diffusivity_cm2_s(run: DftOutput, lag: int = 10) -> float:
    """Return the diffusivity of lithium from displacements over a short lag."""
    positions = run.steps.positions[:, np.array(run.symbols) == "Li"]
    moved = positions[lag:] - positions[:-lag]
    interval_fs = lag * run.facts["timestep_fs"] * run.facts["sample_every"]
    return float((moved**2).sum(axis=2).mean() / (6 * interval_fs) / 10.0)


@pytest.mark.parametrize(
    ("name", "n_steps", "expected_cm2_s"),
    [
        pytest.param("pw_crystal", 1199, 5.0e-4, marks=pytest.mark.slow),
        ("pw_bohr", 1199, 5.0e-4),
        ("pw_exx", 59, 5.3e-4),
        ("pw_in_broken", 59, 5.3e-4),
        ("pw_lab_upper", 59, 5.3e-4),
        ("v_base", 1600, 5.0e-4),
        ("v_mlff", 1600, 5.0e-4),
        ("v_selective", 1600, 5.0e-4),
        ("v_amp", 600, 5.0e-5),
        ("v_cat", 600, 5.0e-5),
        ("v_Zr_r", 60, 5.3e-5),
    ],
)
def test_diffusivity_and_temperature(
    outputs: dict[str, DftOutput], name: str, n_steps: int, expected_cm2_s: float
) -> None:
    result = outputs[name]
    assert len(result.steps) == n_steps
    assert diffusivity_cm2_s(result) == pytest.approx(expected_cm2_s, rel=0.03)
    assert result.steps.temperature_K == pytest.approx(800.0, abs=0.01)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pw_in_broken", "md.in next to it cannot be read"),
        ("v_amp", "line 8 contains & or <"),
        ("v_cat", "WARNING: it holds the same run twice; it is read once."),
        ("v_Zr_r", "WARNING: its 8 atoms named 'r' are read as Zr"),
        ("v_mlff", "1387 of 1600 steps; 213 were computed ab initio"),
        ("v_selective", "that of 48 degrees of freedom"),
    ],
)
def test_what_is_said(outputs: dict[str, DftOutput], name: str, words: str) -> None:
    assert words in " ".join(outputs[name].remarks)


def test_a_cell_that_changes_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"its cell changes from step 1 on \(778.7 to 567.7 angstrom\^3 in total"):
        read_vasp(folder / "v_npt" / "vasprun.xml")


def test_real_runs_of_pw(outputs: dict[str, DftOutput]) -> None:
    result = outputs["pw_real_crystal"]
    assert len(result.steps) == 6
    assert result.facts["length_unit"] == "cell vectors"
    # Hardly anything moves in 6 fs from rest: fluorite with atoms displaced by a hundredth of the cell.
    cell = bulk("OLi2", "fluorite", a=4.62).cell.array
    fractional = np.array([[0.01, 0.0, 0.0], [0.26, 0.25, 0.25], [0.75, 0.74, 0.75]])
    assert result.steps.positions[0] == pytest.approx(fractional @ cell, abs=1e-4)
    assert result.steps.positions[-1] == pytest.approx(fractional @ cell, abs=0.02)
    hybrid = outputs["pw_real_exx"]
    assert len(hybrid.steps) == 3
    assert hybrid.facts["level_of_theory"] == "QE PBE0"
    assert hybrid.steps.potential_energy_eV[0] == pytest.approx(-55.74482966 * 13.605693, abs=1e-3)
