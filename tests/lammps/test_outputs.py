from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from aiida_ion.lammps import dumps, inputs
from aiida_ion.lammps.logs import judge, read_cost, read_progress
from aiida_ion.lammps.outputs import MdOutputs, read_md, read_relax, read_state, read_thermo
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import write_data
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from tests.lammps.conftest import ENGINES, LMP, run_lmp
from tests.lammps.test_inputs import argon, fluorite, lj

Run = Callable[..., MdOutputs]


def write_run(folder: Path, settings: MdSettings, *, restart: bool = False, repeat: int = 4) -> None:
    atoms, model = argon(repeat), load_potential("lennard-jones-argon")
    symbols = atoms.get_chemical_symbols()
    velocities = starting_velocities(atoms.get_masses(), settings.temperature_K, settings.seed)
    (folder / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell[:], symbols, model, velocities))
    (folder / inputs.INPUT).write_text(inputs.write_md_input(symbols, settings, model, {}, restart=restart))


def test_what_a_finished_run_says_of_itself(md: Run) -> None:
    run = md(argon(), lj(n_steps=300, sample_every=30))
    assert run.status == "finished"
    assert run.versions["lammps"].split(" - ")[0][-4:].isdigit()
    assert run.positions.dtype == np.float32 and run.positions.shape == (11, 256, 3)
    assert run.extra["velocities"].shape == (11, 256, 3)
    assert run.thermo.dtype.names == (
        "step",
        "potential_energy_eV",
        "kinetic_energy_eV",
        "temperature_K",
        "max_force_eV_A",
        "charge_current_e_A_fs",
    )
    assert run.thermo["temperature_K"][0] == pytest.approx(90.0, rel=1e-5)
    assert run.cost["n_steps"] == 300 and run.cost["n_atoms"] == 256
    assert run.cost["steps_per_s"] > 100 and run.cost["peak_memory_MiB"] > 1
    assert run.state["restart"].dtype == np.uint8 and int(run.state["step"]) == 300
    assert np.allclose(run.state["positions"], run.positions[-1], atol=1e-5)


@pytest.mark.usefixtures("lmp")
def test_after_a_kill_nothing_is_doubled_and_nothing_lost(tmp_path: Path) -> None:
    settings = lj(n_steps=40_000, sample_every=7, timestep_fs=2.0)
    write_run(tmp_path, settings)
    environment = os.environ | {"LD_LIBRARY_PATH": str(ENGINES / "lammps" / "lib"), "OMP_NUM_THREADS": "1"}
    screen = tmp_path / "screen"
    with screen.open("w") as stream:
        process = subprocess.Popen([str(LMP), "-in", inputs.INPUT], cwd=tmp_path, env=environment, stdout=stream)
        while process.poll() is None and not (tmp_path / "state.2000.bin").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    cell = argon().cell[:]
    first = read_md(tmp_path, cell, settings, log=screen.read_text())
    step = int(first.state["step"])
    assert first.status == "terminated"
    assert step >= 1600 and step % inputs.restart_interval(settings) == 0 and step < 40_000
    assert first.last_step == step
    # More was written than is kept.
    written = dumps.read_dump(tmp_path / inputs.FRAMES, {"positions": "xu"}, 0, None, None)["steps"]
    assert first.steps[-1] == step // 7 * 7 <= written[-1]
    total = step + 400
    rest = MdSettings.from_dict(settings.to_dict() | {"n_steps": total})
    onward = tmp_path / "onward"
    onward.mkdir()
    write_run(onward, rest, restart=True)
    (onward / inputs.RESTART_IN).write_bytes(first.state["restart"].tobytes())
    done = run_lmp(onward, inputs.INPUT)
    second = read_md(onward, cell, rest, log=done.stdout, start_step=step, continued=True)
    assert second.status == "finished", done.stdout[-500:]
    assert list(first.steps) + list(second.steps) == list(range(0, total + 1, 7))
    assert np.array_equal(np.concatenate([first.thermo, second.thermo])["step"], np.arange(total + 1))
    jump = second.positions[0].astype(float) - first.positions[-1]
    assert np.abs(jump).max() < 0.3


def newest_state(folder: Path) -> int:
    return max((int(path.name.split(".")[1]) for path in folder.glob(inputs.STATES)), default=0)


def copied_while_it_runs(place: Path, settings: MdSettings, order: tuple[str, ...]) -> MdOutputs:
    """Return what is read of files that were copied one by one while LAMMPS went on writing."""
    folder, copy = place / "run", place / "copy"
    folder.mkdir(parents=True)
    copy.mkdir()
    write_run(folder, settings, repeat=5)
    environment = os.environ | {"LD_LIBRARY_PATH": str(ENGINES / "lammps" / "lib"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([str(LMP), "-in", inputs.INPUT], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        for number, name in enumerate(order):
            # Between any two files the run continues by a restart file at least.
            while newest_state(folder) < 400 * (number + 2):
                assert process.poll() is None
                time.sleep(0.01)
            for path in folder.glob(name):
                with contextlib.suppress(FileNotFoundError):  # LAMMPS keeps the last three states
                    shutil.copy(path, copy)
    finally:
        process.kill()
        process.wait()
    return read_md(copy, argon(5).cell[:], settings, log=(copy / "log.lammps").read_text())


@pytest.mark.parametrize("order", [inputs.RETRIEVE, inputs.RETRIEVE[::-1]], ids=["as retrieved", "the other way"])
@pytest.mark.usefixtures("lmp")
def test_files_that_are_copied_while_lammps_writes(tmp_path: Path, order: tuple[str, ...]) -> None:
    """The shell of a job was killed and its program was not: no frame may be missing before what is continued.

    A state whose restart file was copied half-written, or before it was written anew, is not continued; then the run
    begins again. That is rare, so that one of several copies has a state.
    """
    settings = lj(n_steps=40_000, sample_every=7, timestep_fs=2.0)
    for attempt in range(5):
        run = copied_while_it_runs(tmp_path / str(attempt), settings, order)
        assert run.status == "terminated"
        assert np.array_equal(run.steps, np.arange(0, run.last_step + 1, 7) if len(run.steps) else [])
        if order is not inputs.RETRIEVE:
            assert (len(run.steps), run.state) == (0, {}) and "the dump holds" in run.message
            return
        if run.state:
            assert run.last_step == int(run.state["step"]) == run.thermo["step"][-1] >= 400
            return
    pytest.fail("no copy had a state to continue from")


@pytest.mark.usefixtures("lmp")
def test_a_dump_that_lost_a_frame_is_refused(tmp_path: Path) -> None:
    settings = lj(n_steps=100, sample_every=10)
    write_run(tmp_path, settings)
    log = run_lmp(tmp_path, inputs.INPUT).stdout
    whole = (tmp_path / inputs.FRAMES).read_bytes()
    (tmp_path / inputs.FRAMES).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="the dump holds 5 of the 11 frames up to step 100"):
        read_md(tmp_path, argon().cell[:], settings, log=log)


def test_the_time_limit_ends_in_good_order(md: Run) -> None:
    run = md(argon(), lj(n_steps=2_000_000, sample_every=50), max_seconds=1.0)
    assert run.status == "walltime"
    assert 0 < run.last_step < 2_000_000
    assert int(run.state["step"]) == run.last_step == run.thermo["step"][-1]
    assert np.array_equal(run.thermo["step"], np.arange(run.last_step + 1))


def test_explosions_are_seen(md: Run) -> None:
    run = md(argon(3), lj(n_steps=500, sample_every=1, max_force_eV_A=0.05))
    assert run.status == "exploded" and "too_strong" in run.message
    assert run.thermo["max_force_eV_A"][-1] > 0.05 >= run.thermo["max_force_eV_A"][1:-1].max()
    assert run.last_step == run.steps[-1] == run.thermo["step"][-1] < 500
    run = md(argon(3), lj(n_steps=500, temperature_K=200.0, ensemble="nve", max_temperature_ratio=0.4))
    assert run.status == "exploded" and "too_hot" in run.message
    run = md(argon(3), lj(n_steps=500, sample_every=5, min_distance_ratio=1.6))
    assert run.status == "exploded" and "too_near" in run.message
    assert 0 < run.last_step < 500
    atoms = argon(3)
    atoms.positions[0] += 0.7 * (atoms.positions[1] - atoms.positions[0])
    assert md(atoms, lj(n_steps=500)).status == "exploded"
    wild = md(argon(3), lj(n_steps=500, timestep_fs=100.0, temperature_K=2000.0, ensemble="nve", max_force_eV_A=1e6))
    assert wild.status == "exploded"
    assert np.isfinite(wild.positions).all()


@pytest.mark.usefixtures("lmp")
def test_a_missing_library_or_style_names_the_remedy(tmp_path: Path, md: Run) -> None:
    write_run(tmp_path, lj())
    done = run_lmp(tmp_path, inputs.INPUT, env={"PATH": "/usr/bin"})
    if done.returncode != 0:
        status, message, _ = judge(done.stdout, done.stderr, 100)
        assert status == "engine_import_failed" and "LD_LIBRARY_PATH" in message
    own = {"commands": "pair_style allegro\npair_coeff * * m.pth {elements}", "level_of_theory": "x"}
    run = md(argon(2), lj(), own)
    assert run.status == "engine_import_failed" and "allegro" in run.message
    assert len(run.steps) == 0 and run.state == {}
    wrong = {"commands": "pair_style lj/cut 5\npair_coeff 1 7 1 1", "level_of_theory": "x"}
    run = md(argon(2), lj(), wrong)
    assert run.status == "invalid_input" and "LAMMPS refused" in run.message


def test_words_of_a_broken_system() -> None:
    library = "lmp: error while loading shared libraries: libmpi.so.12: cannot open shared object file"
    assert judge("", library, 10)[0] == "engine_import_failed"
    assert judge("   Step  Temp\n", "ERROR: Failed to allocate 3 bytes", 10)[0] == "out_of_memory"
    assert judge("   Step  Temp\nERROR: Lost atoms: original 4 current 3 (src/thermo.cpp:494)", "", 10)[0] == "exploded"
    assert judge("   Step  Temp\nERROR on proc 0: Disk full (x)", "", 10)[0] == "engine_failed"
    assert judge("", "", 10) == (
        "terminated",
        "LAMMPS was stopped early: the reason is unknown: it was killed, or its node was lost",
        None,
    )
    assert read_cost("")["wall_time_s"] is None


def test_progress_from_a_running_log(md: Run, tmp_path: Path) -> None:
    assert read_progress("LAMMPS (1 Jan 2025)\n", 100) == (0, 0.0)
    text = "   Step          Temp          PotEng    \n         0   90     -20.4\n       400   88.2  -2.04e+01\n  4"
    assert read_progress(text, 1000) == (400, 0.4)
    md(argon(2), lj(n_steps=500))
    log = (tmp_path / "run_0" / "log.lammps").read_text()
    assert read_progress(log, 500) == (500, 1.0)
    assert read_progress(log[: log.index("Loop time") - 200], 500)[0] in range(450, 500)


def test_files_cut_short(tmp_path: Path, md: Run) -> None:
    run = md(argon(2), lj(n_steps=100))
    folder, cell = tmp_path / "run_0", argon(2).cell[:]
    whole = (folder / inputs.FRAMES).read_bytes()
    for cut in (1, 40, 769, 900):
        (folder / inputs.FRAMES).write_bytes(whole[:-cut])
        frames = dumps.read_dump(folder / inputs.FRAMES, {"positions": "xu"}, 0, None, None)
        assert len(frames["steps"]) == 10
        assert np.array_equal(frames["positions"], run.positions[:10])
    table = (folder / inputs.THERMO).read_text()
    (folder / inputs.THERMO).write_text(table[:-9])
    assert len(read_thermo(folder / inputs.THERMO, cell, 0, 100, npt=False)) == 100
    (folder / inputs.LAST_RESTART).write_bytes((folder / inputs.LAST_RESTART).read_bytes()[:-1])
    assert int(read_state(folder, cell)["step"]) == 100  # one of the other two
    for name in inputs.RESTARTS:
        (folder / name).write_bytes(b"LammpS RestartT\x00")
    assert read_state(folder, cell) == {}
    assert read_state(tmp_path, cell) == {}


def test_large_arrays_go_to_disk(tmp_path: Path, md: Run) -> None:
    settings = lj(n_steps=100)
    run = md(argon(2), settings)
    log = (tmp_path / "run_0" / "log.lammps").read_text()
    mapped = read_md(tmp_path / "run_0", argon(2).cell[:], settings, log=log, into=tmp_path)
    assert np.array_equal(np.load(tmp_path / "positions.npy", mmap_mode="r"), run.positions)
    assert np.array_equal(mapped.extra["velocities"], run.extra["velocities"])


@pytest.mark.usefixtures("lmp")
def test_relaxation_in_a_fixed_cell(tmp_path: Path, rng: np.random.Generator) -> None:
    atoms = fluorite(2, a=5.46)
    atoms.rotate(33, (0, 1, 2), rotate_cell=True)
    perfect = atoms.positions.copy()
    atoms.positions += rng.normal(scale=0.05, size=perfect.shape)
    symbols, model = atoms.get_chemical_symbols(), load_potential("gillan-caf2-1986")
    (tmp_path / inputs.DATA).write_text(write_data(atoms.positions, atoms.cell[:], symbols, model))
    script = inputs.write_relax_input(symbols, model, max_force_eV_A=0.005)
    (tmp_path / inputs.RELAX_INPUT).write_text(script)
    done = run_lmp(tmp_path, inputs.RELAX_INPUT)
    result = read_relax(tmp_path, atoms.cell[:], log=done.stdout, errors=done.stderr, max_force_eV_A=0.005)
    assert result["status"] == "finished", done.stdout[-800:]
    assert result["final_max_force_eV_A"] <= 0.005 < result["initial_max_force_eV_A"]
    assert result["final_energy_eV"] < result["initial_energy_eV"] - 0.1
    assert np.allclose(result["initial_positions"], atoms.positions, atol=1e-9)
    assert np.linalg.norm(result["final_forces"], axis=1).max() == pytest.approx(
        result["final_max_force_eV_A"], rel=1e-6
    )
    moved = result["final_positions"] - perfect
    assert np.abs(moved - moved.mean(axis=0)).max() < 0.01
    (tmp_path / inputs.RELAX_INPUT).write_text(
        inputs.write_relax_input(symbols, model, max_steps=1, max_force_eV_A=1e-9)
    )
    done = run_lmp(tmp_path, inputs.RELAX_INPUT)
    assert read_relax(tmp_path, atoms.cell[:], log=done.stdout, max_force_eV_A=1e-9)["status"] == "not_converged"


def test_liquid_argon_diffuses_as_published(md: Run) -> None:
    """Self-diffusion near the triple point, rho* = 0.8442, T* = 0.722.

    Meier, Laesecke, Kabelac, J. Chem. Phys. 121, 9526 (2004), doi:10.1063/1.1786579, have D* = 0.0325 for 1372
    atoms; with D = D0 (1 - N^(-1/3)) (Khrapak, arXiv:2402.09348) that is 0.0301 for these 256.
    """
    a = (4 / 0.8442) ** (1 / 3) * 3.405
    settings = lj(temperature_K=0.722 * 119.8, n_steps=15_000, sample_every=20, timestep_fs=10.0, keep=(), seed=5)
    run = md(bulk("Ar", "fcc", a=a, cubic=True).repeat(4), settings)
    positions = run.positions[200:].astype(float)  # 40 ps to melt
    lags = np.arange(100, 301, 20)  # 20 to 60 ps
    msd = [np.mean(np.sum((positions[lag:] - positions[:-lag]) ** 2, axis=2)) for lag in lags]
    slope = np.polyfit(lags * 0.2, msd, 1)[0]
    tau_ps = 3.405 * np.sqrt(39.948 * 1.66053906660e-27 / (119.8 * 1.380649e-23)) * 1e-10 * 1e12
    reduced = slope / 6 * tau_ps / 3.405**2
    assert reduced == pytest.approx(0.0301, rel=0.15)
    assert run.thermo["temperature_K"][4000:].mean() == pytest.approx(0.722 * 119.8, rel=0.01)
