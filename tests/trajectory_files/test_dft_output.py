"""Outputs of DFT runs from elsewhere: a real run of pw.x, recorded runs of VASP, and what is refused."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from aiida import orm
from ase import units

from aiida_ion.calculations.import_trajectory import import_run
from aiida_ion.dft.pw.input import md_namelists
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.trajectory_files.dft_output import output_in
from aiida_ion.trajectory_files.pw.read import read_pw
from aiida_ion.trajectory_files.vasp.vasprun import read_vasp
from tests.dft.pw.outputs import ATOMS, MASSES, SYMBOLS, input_text, run_pw, with_namelists
from tests.dft.vasp.running import DATA, Crystal
from tests.quantumespresso_fixtures import pw_executable

RY_BOHR = units.Ry / units.Bohr


@pytest.fixture
def oxide(tmp_path: Path) -> Crystal:
    """Return Li2O on the stand-in for VASP."""
    return Crystal(ATOMS.copy(), tmp_path)


@pytest.fixture(scope="session")
def pw_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of eleven steps of Li2O with pw.x at constant energy."""
    pw_executable()
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=10, ensemble="nve")
    (namelists,) = md_namelists(with_namelists(), settings, len(ATOMS), 0, None)
    run_pw(folder, "md", input_text(namelists, starting_velocities(MASSES, 300.0, 1)))
    assert "JOB DONE" in (folder / "md.out").read_text()
    return folder


def test_a_run_of_pw_is_read_with_all_it_says(pw_run: Path) -> None:
    result = read_pw(output_in(pw_run))
    text = (pw_run / "md.out").read_text()
    assert result.symbols == SYMBOLS
    assert result.facts["program"].startswith("pw.x ")
    assert result.facts.pop("mean_temperature_K") == pytest.approx(result.steps.temperature_K.mean())
    assert result.facts | {"program": "pw.x"} == {
        "program": "pw.x",
        "sample_every": 1,
        "level_of_theory": "QE PBEsol",
        "timestep_fs": 1.0,
        "ensemble": "nve",
        "cell_fixed": True,
        "length_unit": "angstrom",
        "degrees_of_freedom": 6,
        "n_steps": 11,
        "n_steps_left_out": 0,
    }
    assert len(result.steps) == 11
    assert result.steps.positions[0] == pytest.approx(ATOMS.positions, abs=1e-9)
    printed = re.findall(r"atom .* force =\s+(\S+)\s+(\S+)\s+(\S+)", text)
    forces = np.array(printed[: 3 * 11], dtype=float).reshape(11, 3, 3)
    assert result.steps.forces / RY_BOHR == pytest.approx(forces, abs=0.5e-8)
    assert result.steps.temperature_K[0] == pytest.approx(300.0, rel=1e-3)


def test_without_its_input_the_cell_has_fewer_digits(pw_run: Path, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "run.out.gz", "wb") as packed:
        packed.write((pw_run / "md.out").read_bytes())
    result = read_pw(tmp_path / "run.out.gz")
    assert result.steps.cell == pytest.approx(ATOMS.cell.array, abs=1e-4)
    assert result.steps.positions[0] == pytest.approx(ATOMS.positions, abs=1e-4)


@pytest.mark.usefixtures("aiida_profile")
def test_a_folder_becomes_trajectory_and_thermo(pw_run: Path) -> None:
    with pytest.raises(ValueError, match="give --temperature-K: md.out does not state it"):
        import_run([pw_run], {})
    run = import_run([pw_run], {"target_temperature_K": 300.0})
    (segment,), (thermo,) = run.segments, run.thermo
    assert segment.base.attributes.get("level_of_theory") == "QE PBEsol"
    assert segment.get_array("forces").shape == (11, 3, 3)
    assert segment.get_times()[-1] == pytest.approx(0.010)
    assert thermo.get_array("steps").tolist() == list(range(11))
    total = thermo.get_array("potential_energy") + thermo.get_array("kinetic_energy")
    assert np.ptp(total) < 0.05 * np.ptp(thermo.get_array("kinetic_energy"))
    assert "charge_current" not in thermo.get_arraynames()


@pytest.mark.usefixtures("aiida_profile")
def test_another_order_of_atoms_is_named(pw_run: Path) -> None:
    wrong = orm.StructureData(ase=ATOMS * (2, 1, 1))
    with pytest.raises(ValueError, match=r"md.out holds Li2O1 \(3 atoms\), the structure Li4O2 \(6 atoms\)"):
        import_run([pw_run], {"target_temperature_K": 300.0}, wrong)


@pytest.mark.parametrize(("name", "timestep_fs", "atoms"), [("ti", 2.0, {"Ti"}), ("h2o", 1.0, {"H", "O"})])
@pytest.mark.usefixtures("aiida_profile")
def test_recorded_runs_of_vasp(name: str, timestep_fs: float, atoms: set[str]) -> None:
    if not (DATA / name / "vasprun.xml").is_file():
        pytest.skip(f"no recorded VASP run in {DATA}")
    result = read_vasp(output_in(DATA / name))
    assert set(result.symbols) == atoms
    assert result.facts["timestep_fs"] == timestep_fs
    assert result.facts["level_of_theory"] == "VASP PBE"
    assert "target_temperature_K" not in result.facts  # both ran at constant energy
    run = import_run([DATA / name], {"target_temperature_K": 500.0})
    assert run.segments[0].get_array("forces") == pytest.approx(result.steps.forces, abs=1e-4)
    assert run.thermo[0].get_array("temperature") == pytest.approx(result.steps.temperature_K, rel=1e-5)


@pytest.mark.usefixtures("aiida_profile")
def test_two_segments_of_vasp_are_one_run(oxide: Crystal, tmp_path: Path) -> None:
    settings = MdSettings(temperature_K=900.0, timestep_fs=2.0, n_steps=12, thermostat="nose_hoover")
    half = MdSettings(temperature_K=900.0, timestep_fs=2.0, n_steps=6, thermostat="nose_hoover")
    first = oxide.run(half)
    folders = {path.parent for path in tmp_path.rglob("vasprun.xml")}
    oxide.run(settings, oxide.onward(first))
    (second,) = {path.parent for path in tmp_path.rglob("vasprun.xml")} - folders
    run = import_run([*folders, second], {})
    assert run.facts.target_temperature_K == 900.0
    assert run.facts.timestep_fs == 2.0
    steps = np.concatenate([segment.get_array("steps") for segment in run.segments])
    assert steps.tolist() == list(range(13))
    assert np.concatenate([node.get_array("steps") for node in run.thermo]).tolist() == list(range(13))
    assert any("repeats the last frame" in remark for remark in run.remarks)


def test_a_relaxation_is_not_a_trajectory(oxide: Crystal, tmp_path: Path) -> None:
    oxide.run(MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=2))
    (path,) = tmp_path.rglob("vasprun.xml")
    text = re.sub(r'(name="IBRION">\s*)0', r"\g<1>2", path.read_text())
    path.write_text(text)
    with pytest.raises(ValueError, match=r"it is not molecular dynamics \(IBRION = 2\)"):
        read_vasp(path)


def test_a_folder_must_say_which_file(pw_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a vasprun.xml nor an output of pw.x"):
        output_in(tmp_path)
    for name in ("one.out", "two.out"):
        shutil.copy(pw_run / "md.out", tmp_path / name)
    with pytest.raises(ValueError, match="holds one.out, two.out: name the files themselves"):
        output_in(tmp_path)
