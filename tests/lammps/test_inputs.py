from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.lj import LennardJones

from aiida_ion.lammps.inputs import restart_interval, write_md_input
from aiida_ion.lammps.outputs import MdOutputs
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.lammps.structure import Frame, write_data
from aiida_ion.settings.md import MdSettings

CAF2 = {"Ca": 2.0, "F": -1.0}
Run = Callable[..., MdOutputs]


def argon(repeat: int = 4, a: float = 5.4) -> Atoms:
    return bulk("Ar", "fcc", a=a, cubic=True).repeat(repeat)


def fluorite(repeat: int = 1, a: float = 5.65) -> Atoms:
    return bulk("CaF2", "fluorite", a=a, cubic=True).repeat(repeat)


def lj(**changes: object) -> MdSettings:
    defaults = {"temperature_K": 90.0, "timestep_fs": 5.0, "n_steps": 100, "keep": ("velocities",)}
    return MdSettings.from_dict(defaults | changes)


@pytest.mark.parametrize("handedness", [1, -1])
def test_turning_a_cell_there_and_back(rng: np.random.Generator, handedness: int) -> None:
    for _ in range(50):
        cell = rng.normal(size=(3, 3)) * 5 + np.diag([4, 5, 6])
        if np.sign(np.linalg.det(cell)) != handedness:
            cell[0] *= -1
        frame = Frame.of(cell)
        assert np.allclose(frame.rotation @ frame.rotation.T, np.eye(3))
        assert np.all(np.diag(frame.box) > 0)
        assert np.allclose(np.triu(frame.box, 1), 0)
        assert abs(frame.box[1, 0]) <= 0.5 * frame.box[0, 0] + 1e-9
        # The same lattice: each box vector is a whole number of cell vectors.
        whole = frame.box @ np.linalg.inv(frame.to_lammps(cell))
        assert np.allclose(whole, np.round(whole), atol=1e-6)
        vectors = rng.normal(size=(7, 3))
        assert np.allclose(frame.from_lammps(frame.to_lammps(vectors)), vectors)
    with pytest.raises(ValueError, match="volume"):
        Frame.of([[1, 0, 0], [0, 1, 0], [1, 1, 0]])


def test_refusals_before_anything_runs() -> None:
    atoms = fluorite()
    model = load_potential("gillan-caf2-1986")
    with pytest.raises(ValueError, match="has no Ar"):
        write_data(argon(1).positions, argon(1).cell[:], ["Ar"] * 4, model)
    with pytest.raises(ValueError, match="neutral"):
        write_data(atoms.positions[:2], atoms.cell[:], ["Ca", "F"], model)
    with pytest.raises(ValueError, match="max_seconds"):
        write_md_input(["Ar"], lj(), load_potential("lennard-jones-argon"), {}, max_seconds=0.0)


def test_restart_files_are_counted_in_steps() -> None:
    assert restart_interval(lj(n_steps=50)) == 1
    assert restart_interval(lj(n_steps=20_000)) == 200
    assert restart_interval(lj(n_steps=10_000_000)) == 5000


def test_energy_and_forces_of_a_triclinic_cell_are_those_of_ase(md: Run, rng: np.random.Generator) -> None:
    atoms = bulk("Ar", "fcc", a=5.3).repeat((3, 4, 4))  # the rhombohedral primitive cell
    atoms.rotate(37, (1, 2, 3), rotate_cell=True)
    atoms.positions += rng.normal(scale=0.15, size=atoms.positions.shape)
    atoms.positions[3] += 2 * atoms.cell[0] - atoms.cell[2]  # unwrapped on purpose
    run = md(atoms, lj(n_steps=1, sample_every=1, ensemble="nve", keep=("velocities", "forces")))
    atoms.calc = LennardJones(epsilon=0.010323578, sigma=3.405, rc=8.5125, smooth=False)
    assert run.thermo["potential_energy_eV"][0] == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert np.allclose(run.extra["forces"][0], atoms.get_forces(), atol=1e-6)
    assert np.allclose(run.positions[0], atoms.positions, atol=1e-5)
    assert run.thermo["max_force_eV_A"][0] == pytest.approx(np.linalg.norm(atoms.get_forces(), axis=1).max(), rel=1e-5)


def test_ionic_energy_does_not_depend_on_the_choice_of_cell(md: Run) -> None:
    cubic = fluorite(2)
    primitive = bulk("CaF2", "fluorite", a=5.65).repeat(4)  # 192 atoms, 60 degrees
    settings = MdSettings(temperature_K=1.0, timestep_fs=1.0, n_steps=1)
    energies = [
        md(atoms, settings, "gillan-caf2-1986").thermo["potential_energy_eV"][0] / len(atoms)
        for atoms in (cubic, primitive)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=5e-4)  # what PPPM at 1e-4 is good for
    # Madelung energy of fluorite, M = 5.03879 in units of e^2 / (nearest distance), dominates.
    madelung = -5.03879 * 14.3996 / (5.65 * 3**0.5 / 4) / 3
    assert madelung < energies[0] < 0.85 * madelung


def test_nve_keeps_its_energy(md: Run) -> None:
    run = md(argon(), lj(ensemble="nve", n_steps=2000, timestep_fs=4.0))
    assert run.status == "finished"
    total = run.thermo["potential_energy_eV"] + run.thermo["kinetic_energy_eV"]
    time_ps = run.thermo["step"] * 0.004
    drift = np.polyfit(time_ps, total / 256, 1)[0]
    assert abs(drift) < 2e-5  # eV per atom and ps
    assert np.std(total) < 0.02 * np.std(run.thermo["kinetic_energy_eV"])


@pytest.mark.parametrize("thermostat", ["csvr", "nose_hoover", "langevin"])
def test_thermostats_hold_the_temperature(md: Run, thermostat: str) -> None:
    settings = lj(thermostat=thermostat, n_steps=8000, temperature_K=94.0, sample_every=100)
    temperature = md(argon(), settings).thermo["temperature_K"].astype(float)[2000:]
    blocks = temperature.reshape(20, -1) if len(temperature) % 20 == 0 else temperature[1:].reshape(20, -1)
    error = blocks.mean(axis=1).std(ddof=1) / np.sqrt(20)
    assert abs(temperature.mean() - 94.0) < 4 * error
    # Canonical fluctuations: sd(T) = T sqrt(2 / (3 N - 3)).
    assert np.std(temperature) == pytest.approx(94.0 * np.sqrt(2 / 765), rel=0.15)


@pytest.mark.parametrize(
    ("ensemble", "thermostat"),
    [("nve", "csvr"), ("nvt", "csvr"), ("nvt", "nose_hoover")],
)
def test_two_segments_are_one_run(md: Run, ensemble: str, thermostat: str) -> None:
    atoms = fluorite(2)
    atoms.rotate(20, (1, 1, 0), rotate_cell=True)
    common = {
        "temperature_K": 1500.0,
        "timestep_fs": 2.0,
        "sample_every": 10,
        "ensemble": ensemble,
        "thermostat": thermostat,
        "keep": ("velocities",),
    }
    half, whole = (MdSettings.from_dict(common | {"n_steps": n}) for n in (50, 100))
    first = md(atoms, half, "gillan-caf2-1986", charges=CAF2)
    second = md(atoms, whole, "gillan-caf2-1986", charges=CAF2, after=first)
    once = md(atoms, whole, "gillan-caf2-1986", charges=CAF2)
    assert [first.status, second.status, once.status] == ["finished"] * 3
    assert list(first.steps) + list(second.steps) == list(once.steps) == list(range(0, 101, 10))
    joined = np.concatenate([first.positions, second.positions])
    assert np.abs(joined - once.positions).max() < 1e-5  # float32 of some 10 angstrom
    assert np.abs(second.state["positions"] - once.state["positions"]).max() < 1e-6
    assert np.abs(second.state["velocities_A_fs"] - once.state["velocities_A_fs"]).max() < 1e-8
    thermo = np.concatenate([first.thermo, second.thermo])
    assert np.array_equal(thermo["step"], np.arange(101))
    assert np.allclose(thermo["potential_energy_eV"], once.thermo["potential_energy_eV"], atol=1e-6)


@pytest.mark.parametrize("thermostat", ["csvr", "nose_hoover"])
def test_two_segments_are_one_run_at_constant_pressure(md: Run, thermostat: str) -> None:
    atoms = argon(3, a=5.5)
    atoms.rotate(20, (1, 1, 0), rotate_cell=True)
    half, whole = (lj(ensemble="npt", thermostat=thermostat, n_steps=n, timestep_fs=2.0) for n in (50, 100))
    first = md(atoms, half)
    second, once = md(atoms, whole, after=first), md(atoms, whole)
    assert list(first.steps) + list(second.steps) == list(once.steps)
    assert np.abs(second.state["positions"] - once.state["positions"]).max() < 1e-6
    assert np.allclose(second.state["cell"], once.state["cell"], atol=1e-8)
    assert not np.allclose(once.state["cell"], atoms.cell[:], atol=1e-4)


def test_langevin_goes_on_with_new_noise(md: Run) -> None:
    half, whole = (lj(thermostat="langevin", n_steps=n) for n in (50, 100))
    first = md(argon(2), half)
    seconds = [md(argon(2), whole, after=first) for _ in range(2)]
    assert list(seconds[0].steps) == [60, 70, 80, 90, 100]
    assert np.array_equal(seconds[0].positions, seconds[1].positions)
    # Not the noise of the first segment over again.
    kicks = [run.thermo["temperature_K"][-50:] for run in (first, seconds[0])]
    assert not np.allclose(kicks[0], kicks[1], rtol=1e-3)


def test_seeds_make_replicas(md: Run) -> None:
    runs = [md(argon(2), lj(seed=seed, n_steps=20)) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0].positions, runs[1].positions)
    assert not np.allclose(runs[0].positions[-1], runs[2].positions[-1], atol=1e-3)


def test_charge_current_is_that_of_the_formal_charges(md: Run) -> None:
    atoms = fluorite(2)
    atoms.rotate(50, (1, 0, 2), rotate_cell=True)
    settings = MdSettings(temperature_K=1500.0, timestep_fs=2.0, n_steps=20, sample_every=5, keep=("velocities",))
    formal = {"Ca": 3.0, "F": -0.5}  # not those of the potential
    run = md(atoms, settings, "gillan-caf2-1986", charges=formal)
    charge = np.array([formal[symbol] for symbol in atoms.get_chemical_symbols()])
    expected = np.einsum("a,nax->nx", charge, run.extra["velocities"].astype(float))
    rows = np.isin(run.thermo["step"], run.steps)
    assert np.abs(expected).max() > 0.01
    assert np.allclose(run.thermo["charge_current_e_A_fs"][rows], expected, atol=1e-4 * np.abs(expected).max())
    # Velocities are in angstrom/fs: they give the kinetic temperature.
    atoms.set_velocities(run.extra["velocities"][-1].astype(float) / units.fs)
    assert 2 * atoms.get_kinetic_energy() / (3 * len(atoms) - 3) / units.kB == pytest.approx(
        run.thermo["temperature_K"][-1], rel=1e-4
    )


def test_npt_reaches_its_pressure_and_gives_cells(md: Run) -> None:
    atoms = argon(3, a=5.5)
    atoms.rotate(30, (0, 1, 1), rotate_cell=True)
    settings = lj(
        ensemble="npt",
        thermostat="nose_hoover",
        temperature_K=40.0,
        n_steps=6000,
        pressure_GPa=0.1,
        sample_every=100,
    )
    run = md(atoms, settings)
    assert run.status == "finished"
    half = len(run.thermo) // 2
    assert np.mean(run.thermo["pressure_GPa"][half:]) == pytest.approx(0.1, abs=0.02)
    rows = np.isin(run.thermo["step"], run.steps)
    assert np.allclose(np.linalg.det(run.cells), run.thermo["volume_A3"][rows], rtol=1e-6)
    assert np.allclose(run.cells[0], atoms.cell[:])
    fractions = np.linalg.solve(run.cells[-1].T, run.positions[-1].T.astype(float)).T
    start = atoms.get_scaled_positions(wrap=False)
    assert np.abs(fractions - start).max() < 0.05  # a solid: sites kept, and nothing wrapped


def test_a_users_own_potential_by_element(md: Run) -> None:
    own = {
        "commands": "pair_style buck/coul/long 8.0\nkspace_style ewald 1.0e-4\npair_coeff * * 0.0 1.0 0.0\n"
        "pair_coeff Ca F 674.3 0.336 0.0\npair_coeff F F 1808.0 0.293 109.1",
        "charges": CAF2,
        "level_of_theory": "own",
    }
    settings = MdSettings(temperature_K=900.0, timestep_fs=2.0, n_steps=20, sample_every=10)
    first = md(fluorite(2), settings, own)
    assert first.status == "finished", first.message
    table = md(fluorite(2), settings, "gillan-caf2-1986")
    assert np.allclose(first.positions, table.positions, atol=1e-6)
    longer = MdSettings(temperature_K=900.0, timestep_fs=2.0, n_steps=30, sample_every=10)
    assert list(md(fluorite(2), longer, own, after=first).steps) == [30]


def test_the_script_says_nothing_of_this_machine() -> None:
    script = write_md_input(["Ar"], lj(), load_potential("lennard-jones-argon"), {}, max_seconds=90.0)
    assert "/work" not in script
    assert "timer timeout 00:01:30" in script
