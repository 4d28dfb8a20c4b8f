"""Runs of the stand-in for VASP: the grid of steps, continuation, and every way to end early."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import units
from ase.build import bulk

from aiida_ion.dft.steps import total_pressure, velocities
from aiida_ion.dft.vasp.output import Start, VaspFiles
from aiida_ion.dft.vasp.runs import VaspMd, read_md
from aiida_ion.settings.md import MdSettings
from tests.dft.vasp.running import Crystal
from tests.vasp_fixtures import STAND_IN

NVE = MdSettings(temperature_K=400.0, timestep_fs=1.0, n_steps=12, ensemble="nve", seed=3)
CSVR = MdSettings(temperature_K=400.0, timestep_fs=1.0, n_steps=12, thermostat_time_fs=20.0, seed=3)


def steps_of(read: VaspMd) -> list[int]:
    assert read.run.steps is not None
    return list(range(read.run.steps.first_step, read.run.steps.first_step + len(read.run.steps)))


def kinetic(v_A_fs: Any, masses: Any) -> Any:
    return 0.5 * (masses[:, None] * v_A_fs**2).sum(axis=(1, 2)) / units.fs**2


@pytest.mark.parametrize("settings", [NVE, CSVR], ids=["nve", "csvr"])
def test_every_step_from_the_first_to_the_last(oxide: Crystal, settings: MdSettings) -> None:
    read = oxide.run(settings)
    steps = read.run.steps
    assert (read.run.status, read.run.message) == ("finished", "")
    assert steps is not None
    assert steps_of(read) == list(range(13))
    assert steps.positions[0] == pytest.approx(oxide.atoms.positions, abs=1e-7)
    assert steps.next_positions is not None
    assert steps.temperature_K == pytest.approx(2 * steps.kinetic_energy_eV / (6 * units.kB))
    # Angstrom/fs: the kinetic energies of these velocities are those that the program printed.
    v_A_fs = velocities(steps, oxide.masses, settings.timestep_fs)
    assert kinetic(v_A_fs, oxide.masses) == pytest.approx(steps.kinetic_energy_eV, rel=1e-4)
    total = steps.potential_energy_eV + steps.kinetic_energy_eV
    assert steps.conserved_energy_eV == pytest.approx(total, abs=1e-7)
    if settings.ensemble == "nve":
        assert total == pytest.approx(total[0], abs=1e-3)


def test_interleaved_species_come_back_in_their_own_order(oxide: Crystal) -> None:
    assert oxide.atoms.get_chemical_symbols() == ["Li", "O", "Li"]
    poscar_order = oxide.groups.order.tolist()
    assert poscar_order == [0, 2, 1]
    steps = oxide.run(NVE).run.steps
    assert steps is not None
    assert steps.positions[0] == pytest.approx(oxide.atoms.positions, abs=1e-7)
    moved = np.linalg.norm(velocities(steps, oxide.masses, 1.0)[0] - oxide.start(NVE).velocities, axis=1)
    assert moved.max() < 5e-4, "velocities went to the atoms that they belong to"


@pytest.mark.parametrize("integrator", ["leap-frog", "velocity-verlet"])
def test_a_continued_run_is_the_undisturbed_run(oxide: Crystal, integrator: str) -> None:
    """Whichever time POSCAR's velocities are for is read off the run itself."""
    whole = oxide.run(NVE, integrator=integrator)
    first = oxide.run(MdSettings(**(NVE.to_dict() | {"n_steps": 5})), integrator=integrator)
    attributes = {"leap-frog": "t - dt/2", "velocity-verlet": "t"}[integrator]
    assert first.run.versions["poscar_velocities"] == attributes
    rest = oxide.run(NVE, oxide.onward(first), integrator=integrator)
    assert steps_of(rest) == list(range(5, 13))
    assert rest.run.status == "finished"
    assert rest.run.steps is not None
    assert whole.run.steps is not None
    assert rest.run.steps.positions == pytest.approx(whole.run.steps.positions[5:], abs=2e-6)
    assert rest.run.steps.potential_energy_eV == pytest.approx(whole.run.steps.potential_energy_eV[5:], abs=1e-6)


def test_half_a_step_matters(oxide: Crystal) -> None:
    """What the continuation would be if the velocities of the step itself were given to a leap-frog."""
    whole = oxide.run(NVE).run.steps
    first = oxide.run(MdSettings(**(NVE.to_dict() | {"n_steps": 5})))
    assert first.run.steps is not None
    assert whole is not None
    begin = oxide.onward(first)
    wrong = Start(
        begin.positions, velocities(first.run.steps, oxide.masses, 1.0)[-1], begin.step, begin.inverse, begin.masses
    )
    drifted = oxide.run(NVE, wrong).run.steps
    assert drifted is not None
    assert np.abs(drifted.positions[-1] - whole.positions[-1]).max() > 1e-3


def test_each_segment_draws_its_own_random_numbers(oxide: Crystal) -> None:
    first = oxide.run(CSVR)
    assert first.run.steps is not None
    assert oxide.run(CSVR).run.steps.positions[-1] == pytest.approx(first.run.steps.positions[-1])  # type: ignore[union-attr]
    seeds = [(path / "INCAR").read_text().partition("RANDOM_SEED")[2].splitlines()[0] for path in oxide_folders(oxide)]
    oxide.run(CSVR, oxide.onward(oxide.run(MdSettings(**(CSVR.to_dict() | {"n_steps": 5})))))
    continued = (oxide_folders(oxide)[-1] / "INCAR").read_text().partition("RANDOM_SEED")[2].splitlines()[0]
    assert seeds[0] == seeds[1] != continued


def oxide_folders(oxide: Crystal) -> list[Path]:
    return sorted(oxide.folder.glob("segment_*"))


def test_atoms_that_cross_the_cell_are_followed(oxide: Crystal) -> None:
    hot = MdSettings(temperature_K=1e4, timestep_fs=1.0, n_steps=120, ensemble="nve", max_temperature_ratio=1e6)
    oxide.atoms.positions += [9.0, -4.0, 0.0]
    steps = oxide.run(hot).run.steps
    assert steps is not None
    assert steps.positions[0] == pytest.approx(oxide.atoms.positions, abs=1e-6)
    images = np.floor(steps.positions @ np.linalg.inv(oxide.atoms.cell.array))
    assert (images != images[0]).any(), "none crossed"
    speed = np.abs(np.diff(steps.positions, axis=0)).max()
    assert speed < 1.0, "no jump by a lattice vector"


def test_nose_hoover_has_the_period_that_was_asked_for(oxide: Crystal) -> None:
    settings = MdSettings(**(CSVR.to_dict() | {"thermostat": "nose_hoover"}))
    versions = oxide.run(settings).run.versions
    # 2 pi sqrt(Q / 2 N_f k T) with Q = N_f k T tau^2.
    assert versions["nose_period_fs"] == pytest.approx(np.pi * np.sqrt(2) * 20.0, rel=1e-3)
    assert versions["thermostat_state"] == "not continued"


def test_langevin_continues_from_the_velocities_of_the_step(oxide: Crystal) -> None:
    read = oxide.run(MdSettings(**(CSVR.to_dict() | {"thermostat": "langevin"})))
    assert read.run.versions["poscar_velocities"] == "t"
    assert read.run.steps is not None
    assert read.restart_velocities == pytest.approx(velocities(read.run.steps, oxide.masses, 1.0)[-1])


def test_a_killed_run_keeps_its_whole_steps(oxide: Crystal) -> None:
    read = oxide.run(NVE, dies_after=4)
    assert read.run.status is None
    assert "stopped after step 4 of 12" in read.run.message
    assert steps_of(read) == list(range(5))
    assert read.run.cost["wall_time_s"] >= 0.0
    rest = oxide.run(NVE, oxide.onward(read))
    assert steps_of(rest) == list(range(4, 13))


def test_killed_at_any_moment(oxide: Crystal) -> None:
    """Wherever kill -9 falls, what is read is whole and continues."""
    oxide.run(NVE)
    folder, begin = oxide_folders(oxide)[0], oxide.start(NVE)
    process = subprocess.Popen([sys.executable, STAND_IN], cwd=folder, stdout=subprocess.DEVNULL)
    while not (folder / "vasprun.xml").read_text().count("</calculation>") >= 2:
        time.sleep(0.002)
    process.kill()
    process.wait()
    read = read_md(VaspFiles(folder), begin, NVE)
    assert len(steps_of(read)) >= 2


def test_a_run_that_is_told_to_stop_can_be_continued(oxide: Crystal) -> None:
    read = oxide.run(NVE, stopcar=True)
    assert (read.run.status, steps_of(read)) == ("walltime", [0])
    assert read.run.message == "VASP was told to stop after step 0 of 12"
    assert read.run.cost["peak_memory_MiB"] == 64.0
    rest = oxide.run(NVE, oxide.onward(read))
    assert steps_of(rest) == list(range(13))


def test_electrons_that_do_not_converge_end_the_steps_before(oxide: Crystal) -> None:
    whole = oxide.run(NVE).run.steps
    read = oxide.run(NVE, hard_step=5)
    assert read.run.status == "scf_not_converged"
    assert read.run.message.startswith("at step 5 the energy still changed by")
    assert steps_of(read) == list(range(5)), "VASP itself went on to the end"
    oxide.electrons = oxide.electrons | {"algo": "All"}
    rest = oxide.run(NVE, oxide.onward(read), hard_step=1)
    assert rest.run.status == "finished"
    assert rest.run.steps is not None
    assert whole is not None
    assert rest.run.steps.positions[-1] == pytest.approx(whole.positions[-1], abs=2e-6)


def test_no_step_at_all_when_the_first_electrons_fail(oxide: Crystal) -> None:
    read = oxide.run(NVE, never_converges=1)
    assert (read.run.status, read.run.steps, read.restart_velocities) == ("scf_not_converged", None, None)


def test_an_error_of_vasp_is_said_in_its_own_words(oxide: Crystal) -> None:
    read = oxide.run(NVE, fails_after=2)
    assert read.run.status == "engine_failed"
    assert "Error EDDDAV: Call to ZHEGV failed" in read.run.message
    assert "algo" in read.run.message
    assert steps_of(read) == [0, 1, 2]


def test_csvr_is_refused_where_vasp_is_too_old_for_it(oxide: Crystal) -> None:
    read = oxide.run(CSVR, version="6.3.0")
    assert (read.run.status, read.run.steps) == ("invalid_input", None)
    assert "vasp 6.3.0 has no csvr, which was added in 6.4.3" in read.run.message
    assert oxide.run(NVE, version="5.4.4.18Apr17").run.status == "finished"


def test_the_output_of_another_run_is_refused(oxide: Crystal) -> None:
    oxide.run(NVE)
    begin = oxide.start(NVE)
    elsewhere = Start(begin.positions + [[0.5, 0, 0]] * 3, begin.velocities, 0, begin.inverse, begin.masses)
    with pytest.raises(ValueError, match="starts 0.5 angstrom away from the POSCAR"):
        read_md(VaspFiles(oxide_folders(oxide)[0]), elsewhere, NVE)
    fewer = Start(begin.positions[:2], begin.velocities[:2], 0, begin.inverse[:2], begin.masses[:2])
    with pytest.raises(ValueError, match="holds 3 atoms, the structure 2"):
        read_md(VaspFiles(oxide_folders(oxide)[0]), fewer, NVE)


def test_the_stress_is_what_energies_of_neighbouring_volumes_say(tmp_path: Path) -> None:
    """VASP writes kbar, positive when compressed; kept is dE/dstrain over the volume, in eV/angstrom^3."""
    for length, compressed in ((0.9, True), (1.1, False)):
        energies, volumes, stresses = [], [], []
        for scale in (0.999, 1.0, 1.001):
            atoms = bulk("OLi2", "fluorite", a=4.62 * length * scale)
            crystal = Crystal(atoms, tmp_path / f"{length}-{scale}")
            crystal.folder.mkdir()
            steps = crystal.run(MdSettings(temperature_K=300.0, timestep_fs=1.0, n_steps=1, ensemble="nve")).run.steps
            assert steps is not None
            energies.append(steps.potential_energy_eV[0])
            volumes.append(atoms.get_volume())
            stresses.append(np.trace(steps.stress[0]) / 3)
        slope = (energies[2] - energies[0]) / (volumes[2] - volumes[0])
        assert stresses[1] == pytest.approx(slope, rel=1e-3)
        assert (slope < 0) == compressed
        moving = 2 * steps.kinetic_energy_eV[0] / (3 * volumes[2]) / units.GPa
        assert total_pressure(steps)[0] == pytest.approx(-stresses[2] / units.GPa + moving, rel=1e-9)
