"""The ensembles: exact continuation of each, the right temperature, zero drift, a conserved energy."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk

from tests.runners.conftest import ARGON, Folder, md_settings

MakeFolder = Callable[[str], Folder]
ENSEMBLES = [
    ("nve", "csvr"),
    ("nvt", "csvr"),
    ("nvt", "nose_hoover"),
    ("nvt", "langevin"),
    ("npt", "csvr"),
    ("npt", "nose_hoover"),
    ("npt", "langevin"),
]


def standard_error(values: np.ndarray, n_blocks: int = 10) -> float:
    """Return the standard error of the mean of a correlated series, from blocks."""
    blocks = np.array([block.mean() for block in np.array_split(values, n_blocks)])
    return float(blocks.std(ddof=1) / np.sqrt(n_blocks))


@pytest.mark.parametrize(("ensemble", "thermostat"), ENSEMBLES)
def test_continuation_to_the_last_bit(make_folder: MakeFolder, argon: Atoms, ensemble: str, thermostat: str) -> None:
    changes = {"ensemble": ensemble, "thermostat": thermostat, "temperature_K": 60.0, "timestep_fs": 5.0}
    folders: dict[str, Folder] = {}
    # 100 steps at 5 fs are enough for the pair list to be made again before and after the cut.
    for name, n_steps in (("whole", 200), ("first", 113), ("second", 200)):
        folder = make_folder(name).write(argon, md=md_settings(n_steps=n_steps, **changes), potential=ARGON)
        if name == "second":
            shutil.copy(folders["first"].path / "restart.npz", folder.path)
        assert folder.run()["status"] == "finished"
        folders[name] = folder
    names = ["steps", "positions", "thermo"] + (["cells"] if ensemble == "npt" else [])
    for name in names:
        joined = np.concatenate([folders["first"].array(name), folders["second"].array(name)])
        np.testing.assert_array_equal(joined, folders["whole"].array(name))
    left, right = folders["whole"].restart(), folders["second"].restart()
    counts = {"start_step", "writes_start", "n_frames", "n_thermo"}
    assert [name for name in left.keys() - counts if not np.array_equal(left[name], right[name])] == []
    if ensemble == "npt":
        cells = folders["whole"].array("cells")
        assert cells.shape == (41, 3, 3) and not np.array_equal(cells[0], cells[-1])


@pytest.mark.parametrize("thermostat", ["csvr", pytest.param("nose_hoover", marks=pytest.mark.slow), "langevin"])
def test_mean_temperature_and_zero_drift(make_folder: MakeFolder, thermostat: str) -> None:
    # Eight atoms: counting 3N instead of 3N-3 degrees of freedom would settle 14 % too hot.
    atoms = bulk("Ar", "fcc", a=5.4, cubic=True).repeat((2, 1, 1))
    potential = {"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.0104, "rc": 5.0}}
    settings = md_settings(thermostat=thermostat, temperature_K=40.0, timestep_fs=5.0, n_steps=8000, sample_every=100)
    folder = make_folder("run").write(atoms, md=settings, potential=potential)
    assert folder.run()["status"] == "finished"
    temperatures = folder.array("thermo")["temperature_K"][1000:].astype(float)
    error = standard_error(temperatures)
    assert error < 1.5
    assert abs(temperatures.mean() - 40.0) < 3.0 * error
    momenta = folder.restart()["momenta"]
    assert np.abs(momenta.sum(axis=0)).max() < 1e-9 * np.abs(momenta).sum()


def test_starting_velocities(make_folder: MakeFolder, copper: Atoms) -> None:
    momenta = {}
    for name, seed, thermostat in (("a", 7, "csvr"), ("b", 7, "langevin"), ("c", 8, "csvr")):
        settings = md_settings(n_steps=1, seed=seed, thermostat=thermostat, keep=["velocities"], sample_every=1)
        folder = make_folder(name).write(copper, md=settings, potential={"name": "emt"})
        folder.run()
        momenta[name] = folder.array("velocities")[0].astype(float) * copper.get_masses()[:, None]
        assert folder.array("thermo")["temperature_K"][0] == pytest.approx(300.0, rel=1e-6)
        assert np.abs(momenta[name].sum(axis=0)).max() < 1e-6 * np.abs(momenta[name]).sum()
    np.testing.assert_array_equal(momenta["a"], momenta["b"])
    assert not np.array_equal(momenta["a"], momenta["c"])


def test_nve_keeps_its_energy(make_folder: MakeFolder, argon: Atoms) -> None:
    settings = md_settings(ensemble="nve", temperature_K=60.0, timestep_fs=4.0, n_steps=3000)
    folder = make_folder("run").write(argon, md=settings, potential=ARGON)
    results = folder.run()
    assert results["status"] == "finished", results["message"]
    thermo = folder.array("thermo")
    energy = thermo["potential_energy_eV"] + thermo["kinetic_energy_eV"]
    time_ps = thermo["step"] * 0.004
    drift_eV_atom_ps = np.polyfit(time_ps, energy, 1)[0] / len(argon)
    assert abs(drift_eV_atom_ps) < 1e-7
    assert energy.std() < 0.02 * thermo["kinetic_energy_eV"].std()


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "thermostat",
    ["csvr", pytest.param("nose_hoover", marks=SLOW), pytest.param("langevin", marks=SLOW)],
)
def test_npt_reaches_pressure_and_temperature(make_folder: MakeFolder, argon: Atoms, thermostat: str) -> None:
    settings = md_settings(
        ensemble="npt",
        thermostat=thermostat,
        temperature_K=40.0,
        pressure_GPa=0.2,
        timestep_fs=5.0,
        barostat_time_fs=300.0,
        n_steps=2500,
    )
    folder = make_folder("run").write(argon, md=settings, potential=ARGON)
    assert folder.run()["status"] == "finished"
    thermo = folder.array("thermo")[500:]
    for name, target in (("pressure_GPa", 0.2), ("temperature_K", 40.0)):
        values = thermo[name].astype(float)
        assert abs(values.mean() - target) < 4.0 * standard_error(values), name
    assert thermo["volume_A3"].std() > 0
    cells = folder.array("cells")
    np.testing.assert_allclose(np.linalg.det(cells[-1]), folder.array("thermo")["volume_A3"][-1], rtol=1e-6)


def test_csvr_refuses_atoms_at_rest(make_folder: MakeFolder, argon: Atoms) -> None:
    folder = make_folder("run").write(argon, md=md_settings(), potential=ARGON)
    np.save(folder.path / "initial_velocities.npy", np.zeros((len(argon), 3)))
    results = folder.run()
    assert results["status"] == "invalid_input" and "velocities" in results["message"]


def test_nose_hoover_conserved_quantity(make_folder: MakeFolder, argon: Atoms) -> None:
    """The extended energy of the chain is conserved only if its degrees of freedom are counted alike everywhere."""
    settings = md_settings(thermostat="nose_hoover", temperature_K=60.0, timestep_fs=2.0, n_steps=2000)
    extended = []
    folder = make_folder("run")
    for n_steps in (1, 1000, 2000):
        folder.write(argon, md=settings | {"n_steps": n_steps}, potential=ARGON).run()
        state, last = folder.restart(), folder.array("thermo")[-1]
        eta, p_eta = state["hidden_thermostat._eta"], state["hidden_thermostat._p_eta"]
        kT, ndof, time = units.kB * 60.0, 3 * len(argon) - 3, 100.0 * units.fs
        masses = np.array([ndof, 1, 1]) * kT * time**2
        chain = kT * (ndof * eta[0] + eta[1:].sum()) + np.sum(0.5 * p_eta**2 / masses)
        extended.append(last["potential_energy_eV"] + last["kinetic_energy_eV"] + chain)
    assert np.ptp(extended) < 1e-4
