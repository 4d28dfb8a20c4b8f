"""POD potentials fitted by LAMMPS for real, to frames of effective-medium theory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.lammps.train import LammpsTrainCalculation
from aiida_ion.calculations.lammps.training_inputs import validate_fit_inputs, validate_fit_parameters
from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.frames import dataset_frames
from aiida_ion.lammps.pod.order import read_species
from aiida_ion.lammps.pod.outputs import read_coefficients
from tests.calculations.lammps.pod_fits import SMALL, dataset, fit
from tests.calculations.training.nodes import inputs_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def test_a_fit_predicts_frames_that_it_has_not_seen(lammps_code: orm.InstalledCode) -> None:
    frames = dataset()
    node = fit(lammps_code, frames)
    assert node.is_finished_ok, node.exit_message
    report = node.outputs.report
    about = report.base.attributes.all
    errors = about["errors"]
    # EMT is many-body: a small three-body set gets within a few per cent of forces of 0.7 eV/angstrom.
    for split in ("train", "validation", "test"):
        assert errors[split]["forces"]["rmse_eV_A"] < 0.08 * errors[split]["forces"]["reference_rms_eV_A"]
        assert abs(errors[split]["forces"]["slope"] - 1) < 0.03
    # All training frames are evaluated here: what fitpod says of them is what rerun, the way of MD, gives.
    assert errors["train"]["forces"]["rmse_eV_A"] == pytest.approx(about["fit"]["force_rmse_eV_A"], abs=2e-6)
    assert errors["train"]["energies"]["mae_eV_atom"] == pytest.approx(about["fit"]["energy_mae_eV_atom"], abs=2e-6)
    validation = report.get_array("validation_force_rmse_eV_A")[0]
    assert validation == pytest.approx(errors["validation"]["forces"]["rmse_eV_A"])
    n_train = frames.base.attributes.get("n_train")
    assert about["n_configurations"] == about["n_distinct_frames"] == n_train
    assert about["equations_per_weight"] == 3 * 8 * n_train / about["n_weights"]
    read = dataset_frames(frames)
    for place, row in enumerate(report.get_array("row")):
        start, stop = report.get_array("offsets")[place : place + 2]
        assert np.array_equal(report.get_array("reference_forces")[start:stop], read[row].forces)
    assert node.outputs.cost["wall_time_s"] > node.outputs.cost["fit_time_s"] > 0
    assert node.outputs.versions["lammps"]
    # Frames are in their trajectories and nowhere else.
    kept = node.base.repository.glob()
    assert not [path for path in kept if path.suffix in (".xyz", ".dump", ".data")]


def test_the_files_say_what_they_are(lammps_code: orm.InstalledCode) -> None:
    frames = dataset()
    node = fit(lammps_code, frames)
    files = node.outputs.files
    about = files.coeff.base.attributes.all
    assert read_species(files.param.get_content("r")) == ("Au", "Cu") == tuple(about["species"])
    assert len(read_coefficients(files.coeff.get_content("r"))) == node.outputs.report.base.attributes.get("n_weights")
    assert (about["level_of_theory"], about["family"], about["formulas"]) == ("EMT by POD", "pod", ["AuCu"])
    assert about["single_composition"] and about["fixed_cell"] and about["seed"] == 1
    assert about["dataset_sha256"] == frames.base.attributes.get("sha256")
    for name, node in files.items():
        content = node.get_content("rb")
        assert hashlib.sha256(content).hexdigest() == node.base.attributes.get("sha256") == about["files_sha256"][name]
    # The frame to recognise it by is none of the crystal, where an exchange of the elements changes nothing.
    reference = np.array(about["reference"]["positions_A"]).reshape(-1, 3)
    read = next(frame for frame in dataset_frames(frames) if np.allclose(frame.positions, reference))
    assert read.split == "train" and np.abs(read.forces).max() > 1.0


@pytest.mark.slow
def test_a_fit_is_repeatable_and_members_of_a_committee_differ(lammps_code: orm.InstalledCode) -> None:
    frames = dataset()
    first, again = (fit(lammps_code, frames) for _ in range(2))
    assert again.base.caching.get_cache_source() is None
    # With fewer coefficients in hand a bootstrap is determined, too.
    shifted = {"settings": SMALL | {"rcut_shift_A": 0.25}}
    members = [fit(lammps_code, frames, seed=seed, **shifted) for seed in (1, 2, 3)]
    assert all(node.is_finished_ok for node in members), [node.exit_message for node in members]
    hashes = [node.outputs.files.coeff.base.attributes.get("sha256") for node in (first, again, *members)]
    assert hashes[0] == hashes[1] == hashes[2] and len(set(hashes)) == 3
    reports = [node.outputs.report for node in members]
    assert [one.base.attributes.get("settings")["rcut_A"] for one in reports] == [5.0, 4.75, 5.25]
    n_train = frames.base.attributes.get("n_train")
    distinct = [one.base.attributes.get("n_distinct_frames") for one in reports]
    assert distinct[0] == n_train > max(distinct[1:]) > n_train // 2
    # Their disagreement on the test is of the order of their errors.
    forces = np.array([one.get_array("predicted_forces") for one in reports])
    spread = forces.std(axis=0).mean()
    error = np.abs(forces - reports[0].get_array("reference_forces")).mean()
    assert 0.1 * error < spread < 2 * error


def test_energies_far_from_zero_are_fitted_as_well(lammps_code: orm.InstalledCode) -> None:
    """Total energies of DFT are thousands of eV per atom, which the regularisation would pull at."""
    inputs = inputs_of(run_md())
    near = training_dataset(orm.Dict({"stride_fs": 20.0}), **inputs)
    thermo = orm.ArrayData()
    for name in inputs["thermo_000"].get_arraynames():
        thermo.set_array(name, inputs["thermo_000"].get_array(name))
    thermo.set_array("potential_energy", inputs["thermo_000"].get_array("potential_energy") - 8 * 5000.0)
    far = training_dataset(orm.Dict({"stride_fs": 20.0}), **inputs | {"thermo_000": thermo.store()})
    reports = [fit(lammps_code, frames).outputs.report for frames in (near, far)]
    energies = [one.get_array("predicted_energies") for one in reports]
    assert energies[1] + 40000.0 == pytest.approx(energies[0], abs=1e-4)
    forces = [one.get_array("predicted_forces") for one in reports]
    assert np.abs(forces[1] - forces[0]).max() < 1e-4


def problem(frames: orm.ArrayData, **parameters: Any) -> str:
    given = {"settings": SMALL} | parameters
    found = validate_fit_parameters(orm.Dict(given), None)
    return str(found or validate_fit_inputs({"dataset": frames, "parameters": orm.Dict(given)}, None))


def test_what_cannot_be_fitted_is_refused_before_it_runs() -> None:
    frames = dataset()
    assert problem(frames) == "None"
    assert "1008 force components of training frames do not determine 304 coefficients" in problem(
        frames, settings={"radial_5": 1, "angular_5": 1, "radial_4": 3}
    )
    assert problem(frames, settings={"equations_per_descriptor": 2.0}) == "None"
    assert "must not be above radial_2" in problem(frames, settings={"radial_2": 2, "radial_3": 3})
    assert "unknown POD setting rcut: did you mean rcut_A?" in problem(frames, settings={"rcut": 5.0})
    assert "below the closest pair of the dataset, 2.36" in problem(frames, settings=SMALL | {"rin_A": 2.4})
    assert "family" in problem(frames, family="mace")
    assert "seed" in problem(frames, seed=-1)
    plain = orm.ArrayData()
    plain.set_array("positions", np.zeros(3))
    assert "must be what ion.training_dataset made" in problem(plain)
    inputs = {"dataset": frames, "parameters": orm.Dict({}), "parent": orm.Dict({"name": "sevenn"})}
    assert "leave parent" in str(validate_fit_inputs(inputs, None))


def test_every_cell_must_have_each_element() -> None:
    runs = (run_md(), run_md(n_gold=0, n_frames=200))
    frames = training_dataset(orm.Dict({"stride_fs": 20.0}), **inputs_of(*runs))
    assert "a cell of the dataset has no Au" in problem(frames)


def test_ports_are_those_of_a_training() -> None:
    spec = LammpsTrainCalculation.spec()
    assert {"dataset", "parameters", "parent", "parent_checkpoint", "code"} <= set(spec.inputs)
    assert {"files", "report", "cost", "versions"} <= set(spec.outputs)
