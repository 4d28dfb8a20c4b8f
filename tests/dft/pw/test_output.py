"""What pw.x itself writes, whole and cut off anywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import units
from ase.build import bulk

from aiida_ion.dft.pw.input import Namelists, md_namelists
from aiida_ion.dft.pw.md_output import md_run, stress_of
from aiida_ion.dft.pw.output import PwOutput, read_output, scan, seconds
from aiida_ion.dft.steps import DftRun, thermo_rows, total_pressure, velocities
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from tests.dft.pw.outputs import ATOMS, MASSES, input_text, run_pw, with_namelists

SETTINGS = MdSettings(temperature_K=300.0, timestep_fs=2.0, n_steps=8, ensemble="nve", seed=5)
#: At the cut-off of the other tests the energy depends on where in the grid the atoms are: it is not conserved so well.
FINE_GRID = {"SYSTEM": {"ecutrho": 250.0}}
#: The least with which energies of neighbouring volumes and the stress of the one between agree.
STATIC = {
    "CONTROL": {"calculation": "scf", "tprnfor": True, "tstress": True, "disk_io": "none"},
    "SYSTEM": {"ecutwfc": 90.0, "ecutrho": 360.0},
    "ELECTRONS": {"conv_thr": 1e-8},
}
START = starting_velocities(MASSES, 300.0, 5)


def nve(**change: Any) -> Namelists:
    (run,) = md_namelists(with_namelists(**change), SETTINGS, len(ATOMS), 0, None)
    return run


def as_run(*outputs: PwOutput, errors: str = "", n_steps: int = SETTINGS.n_steps) -> DftRun:
    return md_run(
        outputs,
        [errors] * len(outputs),
        start_positions=ATOMS.positions,
        cell=ATOMS.cell.array,
        first_step=0,
        n_steps=n_steps,
        constant_energy=True,
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what pw.x writes on eight steps without a thermostat."""
    folder = tmp_path_factory.mktemp("pw")
    done = run_pw(folder, "md", input_text(nve(**FINE_GRID), START))
    assert done.returncode == 0, done.stderr
    return (folder / "md.out").read_text()


def parsed(text: str) -> PwOutput:
    return scan(text.splitlines(keepends=True), len(ATOMS))


def test_a_whole_run(output: str) -> None:
    result = as_run(parsed(output))
    assert result.status == "finished"
    steps = result.steps
    assert steps is not None and len(steps) == 9
    assert (steps.positions[0] == ATOMS.positions).all()
    assert (steps.scf_iterations > 0).all()
    assert steps.next_positions is not None and np.isfinite(steps.next_positions).all()
    assert result.versions["quantumespresso"][0].isdigit()
    known = {"functional": "PBEsol", "ecutwfc_Ry": 25.0, "ecutrho_Ry": 250.0, "n_electrons": 12.0, "n_k_points": 4}
    assert known.items() <= result.versions.items()
    assert set(result.versions["pseudopotentials"]) == {"Li", "O"}
    assert result.cost["wall_time_s"] > 0 and result.cost["cpu_time_s"] > 0 and result.cost["peak_memory_MiB"] > 1
    assert (result.cost["processes"], result.cost["threads"]) == (1, 1)


def test_forces_and_energies_to_the_printed_digit(output: str) -> None:
    steps = as_run(parsed(output)).steps
    assert steps is not None
    printed = np.array(re.findall(r" force = +(\S+) +(\S+) +(\S+)\n", output), dtype=float).reshape(9, 3, 3)
    assert np.abs(steps.forces / (units.Ry / units.Bohr) - printed).max() < 1e-12
    energies = np.array(re.findall(r"!    total energy +=\s+(\S+) Ry", output), dtype=float)
    assert np.abs(steps.potential_energy_eV / units.Ry - energies).max() < 1e-10


def test_stress_and_pressure_have_the_sign_and_unit_of_ase(output: str) -> None:
    steps = as_run(parsed(output)).steps
    assert steps is not None
    printed = np.array(re.findall(r"\(kbar\) +P= +(\S+)\n", output), dtype=float)
    static = total_pressure(replace(steps, kinetic_energy_eV=np.zeros(9)))
    assert static == pytest.approx(0.1 * printed, abs=2e-3)
    assert -np.trace(steps.stress, axis1=1, axis2=2) / 3 / units.GPa == pytest.approx(static, rel=1e-12)
    volume_A3 = abs(np.linalg.det(steps.cell))
    moving = 2 * steps.kinetic_energy_eV / (3 * volume_A3) / units.GPa
    assert total_pressure(steps) - static == pytest.approx(moving, rel=1e-9) and moving.min() > 0.05
    rows = thermo_rows(steps, velocities(steps, MASSES, 1.0), [0.0] * 3)
    assert rows["stress_eV_A3"] == pytest.approx(voigt(steps.stress), rel=1e-6)


def voigt(stress: np.ndarray) -> np.ndarray:
    return np.stack([stress[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))], axis=1)


def test_the_stress_is_what_energies_of_neighbouring_volumes_say(tmp_path: Path) -> None:
    """dE/dV by two energies is a third of the trace of the stress of the cell between them."""
    for length in (0.94, 1.04):
        energies, volumes, stresses = [], [], []
        for i, scale in enumerate((0.98, 1.0, 1.02)):
            atoms = bulk("OLi2", "fluorite", a=4.62 * length * scale)
            text = input_text({name: dict(keys) for name, keys in STATIC.items()}, atoms=atoms)
            text = text.replace("automatic\n2 2 2 1 1 1", "gamma")
            done = run_pw(tmp_path, f"{length}-{i}", text)
            assert done.returncode == 0, done.stderr
            step = read_output(tmp_path / f"{length}-{i}.out", 3).steps[0]
            energies.append(step.energy_Ry * units.Ry)
            volumes.append(atoms.get_volume())
            stresses.append(np.trace(stress_of(step)) / 3)
        slope = (energies[2] - energies[0]) / (volumes[2] - volumes[0])
        assert stresses[1] == pytest.approx(slope, rel=0.03), f"cell scaled by {length}"
        assert slope < 0, "with the Gamma point alone both cells are compressed"


def test_cut_within_the_stress_the_step_has_none(output: str) -> None:
    end = output.index("total   stress") + 150
    assert parsed(output[:end]).steps[0].stress_Ry_bohr3 is None
    assert (stress_of(parsed(output[:end]).steps[0]) != 0).all(), "nothing is not zero"
    broken = output.replace("total   stress", "total   stress\n ***", 1)
    assert "its stress is not three rows" in parsed(broken).steps[0].problem


def test_velocities_have_the_printed_temperature_and_are_those_of_the_start(output: str) -> None:
    steps = as_run(parsed(output)).steps
    assert steps is not None
    result = velocities(steps, MASSES, SETTINGS.timestep_fs)
    kinetic_eV = 0.5 * (MASSES[:, None] * result**2).sum(axis=(1, 2)) / units.fs**2
    assert kinetic_eV == pytest.approx(steps.kinetic_energy_eV, rel=1e-5)
    temperatures = 2 * kinetic_eV / ((3 * len(ATOMS) - 3) * units.kB)
    assert temperatures == pytest.approx(steps.temperature_K, rel=1e-5)
    assert steps.temperature_K[0] == pytest.approx(300.0, rel=1e-5)
    assert result[0] == pytest.approx(START, abs=1e-8)


def test_energy_is_conserved(output: str) -> None:
    steps = as_run(parsed(output)).steps
    assert steps is not None
    total = steps.potential_energy_eV + steps.kinetic_energy_eV
    assert steps.conserved_energy_eV == pytest.approx(total, abs=1e-6)
    exchanged = np.ptp(steps.kinetic_energy_eV)
    assert exchanged > 0.03
    assert np.ptp(steps.conserved_energy_eV) < 0.02 * exchanged


def test_cut_anywhere_no_step_is_lost_or_doubled(output: str) -> None:
    ends = [match.end() for match in re.finditer(r"Ekin \+ Etot .* Ry\n", output)]
    whole = as_run(parsed(output)).steps
    assert whole is not None and len(ends) == len(whole)
    last_step = range(output.rindex("Forces acting"), ends[-1] + 200)
    for cut in (*range(0, len(output), 211), *last_step):
        result = as_run(parsed(output[:cut]))
        expected = sum(end <= cut for end in ends)
        n_found = 0 if result.steps is None else len(result.steps)
        assert n_found == expected, f"cut at byte {cut}: {output[cut - 40 : cut]!r}"
        assert result.status == ("finished" if expected == 9 else None)
        if result.steps is not None:
            assert (result.steps.positions == whole.positions[:expected]).all()
            assert (result.steps.forces == whole.forces[:expected]).all()


def test_a_thermostatted_job_is_two_runs_read_as_one(tmp_path: Path) -> None:
    settings = MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=6, thermostat_time_fs=20.0, seed=5)
    outputs = []
    for stem, namelists in zip(("start", "md"), md_namelists(with_namelists(), settings, 3, 0, None), strict=True):
        run_pw(tmp_path, stem, input_text(namelists, START))
        outputs.append(read_output(tmp_path / f"{stem}.out", 3))
    result = as_run(*outputs, n_steps=6)
    assert result.status == "finished" and result.steps is not None
    assert len(result.steps) == 7
    moved = velocities(result.steps, MASSES, 1.0)
    kinetic_eV = 0.5 * (MASSES[:, None] * moved**2).sum(axis=(1, 2)) / units.fs**2
    assert kinetic_eV == pytest.approx(result.steps.kinetic_energy_eV, rel=1e-5)
    # The thermostat is at work: without it, these would not change.
    assert np.ptp(result.steps.conserved_energy_eV) > 0.01
    assert result.cost["wall_time_s"] == pytest.approx(sum(output.time_s or 0 for output in outputs))
    # Without its first run the second has no temperature to start from, and nothing of it is taken.
    again = tmp_path / "again"
    again.mkdir()
    run_pw(again, "md", (tmp_path / "md.in").read_text())
    alone = as_run(PwOutput(), read_output(again / "md.out", 3), n_steps=6)
    assert alone.status is None and alone.steps is None


@pytest.mark.parametrize(
    ("change", "more", "status", "message"),
    [
        ({"SYSTEM": {"ecutwfc": 0.0001}}, {}, "invalid_input", "pw.x refused its input"),
        ({"SYSTEM": {"nbnd": 2}}, {}, "invalid_input", "too few bands .* leave out SYSTEM nbnd"),
        ({"SYSTEM": {"tot_charge": 1.0}}, {}, "invalid_input", "smearing is needed .* set SYSTEM occupations"),
        ({"ELECTRONS": {"mixing_bta": 0.2}}, {}, "invalid_input", "mixing_bta.* correct that key"),
        ({}, {"pseudos": {"Li": "nothing.UPF"}}, "invalid_input", "nothing.UPF not found.* another pseudopotential"),
        ({"ELECTRONS": {"electron_maxstep": 2}}, {}, "scf_not_converged", "after 0 of 9 ionic steps; a smaller"),
        ({"CONTROL": {"max_seconds": 0.1}}, {}, "walltime", "the time limit came after 0 of 9"),
        ({}, {"flags": ("-npool", "4")}, "invalid_input", "pools, .*ask for fewer pools"),
    ],
)
def test_how_runs_end(tmp_path: Path, change: dict[str, Any], more: dict[str, Any], status: str, message: str) -> None:
    namelists = nve()
    for name, content in change.items():
        namelists[name] |= content
    done = run_pw(tmp_path, "md", input_text(namelists, START, more.get("pseudos")), *more.get("flags", ()))
    result = as_run(read_output(tmp_path / "md.out", 3), errors=done.stderr)
    assert result.status == status, result.message
    assert re.search(message, result.message), result.message
    assert result.steps is None


@pytest.mark.parametrize(
    ("errors", "status", "message"),
    [
        ("", None, "after 0 of 9 ionic steps: the reason is unknown"),
        ("line 12:  4711 Killed  '/usr/bin/pw.x'", None, "4711 Killed"),
        ("pw.x: error while loading shared libraries: libmkl.so.2: cannot open", "engine_import_failed", "libmkl.so.2"),
        ("bash: line 9: nowhere/pw.x: No such file or directory", "engine_import_failed", "correct its path"),
        ("slurmstepd: error: Detected 1 oom-kill event(s)", "out_of_memory", "use more nodes"),
    ],
)
def test_a_run_that_said_nothing(errors: str, status: str | None, message: str) -> None:
    result = as_run(PwOutput(), errors=errors)
    assert result.status == status
    assert message in result.message
    assert not result.cost


def test_memory_that_is_gone_in_the_middle(output: str) -> None:
    result = as_run(parsed(output[: len(output) // 2]), errors="forrtl: severe (41): insufficient virtual memory")
    assert result.status == "out_of_memory"
    assert result.steps is not None and result.cost["wall_time_s"] > 0


def test_columns_that_touch_are_read_and_stars_end_the_trajectory() -> None:
    block = (
        "!    total energy              =     -62.47813558 Ry\n"
        "     Forces acting on atoms (cartesian axes, Ry/au):\n\n"
        "     atom    1 type  2   force = {}\n\n"
    )
    touching = block.format(" -123.12345678-1234.12345678    0.00000001")
    forces = scan(touching.splitlines(keepends=True), 1).steps[0].forces_Ry_bohr
    assert forces is not None and forces.tolist() == [[-123.12345678, -1234.12345678, 1e-8]]
    stars = block.format("************** -1234.12345678    0.00000001")
    assert scan(stars.splitlines(keepends=True), 1).steps[0].forces_Ry_bohr is None


@pytest.mark.parametrize(
    ("text", "expected"), [("  1.65s ", 1.65), (" 2m 3.45s ", 123.45), ("   1h23m ", 4980.0), ("  1d 2h 3m ", 93780.0)]
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)
