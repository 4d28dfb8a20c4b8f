"""Fits by LAMMPS, for real, with labels of a Lennard-Jones potential."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from aiida_ion.lammps.fitted import Reference
from aiida_ion.lammps.pod import job
from aiida_ion.lammps.pod.inputs import copies
from aiida_ion.lammps.pod.outputs import check_fit
from aiida_ion.lammps.structure import Frame
from aiida_ion.settings.md import MdSettings
from aiida_ion.training.families.pod import PodSettings, basis_of, n_descriptors
from tests.lammps.pod.fits import PAIRS, fit, labelled, rattled, run_md

pytestmark = pytest.mark.usefixtures("lmp")


def salt(repeats: tuple[int, int, int] = (1, 1, 1)) -> Atoms:
    return bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(repeats)


def test_a_pair_potential_is_found_in_cells_of_any_shape(tmp_path: Path) -> None:
    """A skew, a left-handed and a small cell: all neighbours are seen, and forces come back in the frame's own axes."""
    primitive = bulk("NaCl", "rocksalt", a=5.6)  # 60 degrees: narrower than its edges say
    left = salt()
    left.set_cell(left.cell.array[[1, 0, 2]], scale_atoms=False)
    turned = salt((2, 1, 1))
    turned.rotate(33, (1, 2, 3), rotate_cell=True)
    train = rattled(salt((2, 2, 1)), 25)
    tested = [labelled(one) for one in (primitive, primitive.repeat((2, 1, 1)), left, turned)]
    tested += [frame for one in (primitive.repeat(2), left, turned) for frame in rattled(one, 3, seed=2)]
    fitted = fit(tmp_path / "fit", train, tested)
    check_fit(
        fitted.fit,
        species=("Cl", "Na"),
        n_configurations=25,
        n_atoms=25 * 32,
        n_descriptors=n_descriptors(basis_of(PAIRS, 2), 2),
        force_rms_eV_A=1.0,
    )
    for frame, energy, forces in zip(tested, fitted.prediction.energies_eV, fitted.prediction.forces, strict=True):
        assert energy == pytest.approx(frame.energy_eV, abs=0.02 * len(frame.symbols))
        assert np.sqrt(np.mean((forces - frame.forces) ** 2)) < 0.2
    assert all(np.sqrt(np.mean(frame.forces**2)) > 0.3 for frame in tested[4:])


def test_a_fit_in_skew_cells_is_the_fit_in_straight_ones(tmp_path: Path) -> None:
    """What `fitpod` says of its training frames is what molecular dynamics gives them, in cells of 60 degrees, too."""
    settings = replace(PAIRS, rcut_A=7.5)
    cell = bulk("NaCl", "rocksalt", a=5.6)
    assert copies(Frame.of(cell.cell.array).box, 7.5) == (3, 1, 1)
    frames = rattled(cell.repeat((1, 1, 2)), 60)
    rng = np.random.default_rng(4)
    # As in an unwrapped trajectory: each atom in a cell of its own.
    moved = [
        replace(frame, positions=frame.positions + rng.integers(-5, 5, size=(4, 3)) @ frame.cell) for frame in frames
    ]
    fitted = fit(tmp_path / "fit", moved, frames, settings)
    errors = np.concatenate(
        [(mine - frame.forces).ravel() for mine, frame in zip(fitted.prediction.forces, frames, strict=True)]
    )
    assert fitted.fit.force_rmse_eV_A == pytest.approx(np.sqrt(np.mean(errors**2)), abs=2e-6)


def test_constants_of_the_elements_come_back(tmp_path: Path) -> None:
    frames = rattled(salt(), 25)
    constants = {"Na": -1234.5, "Cl": -430.25}
    shifted = [replace(frame, energy_eV=frame.energy_eV + 4 * sum(constants.values())) for frame in frames]
    plain, far = (
        fit(tmp_path / "plain", frames, frames[:3]),
        fit(tmp_path / "far", shifted, frames[:3], PAIRS, constants),
    )
    assert far.prediction.energies_eV - 4 * sum(constants.values()) == pytest.approx(
        plain.prediction.energies_eV, abs=1e-6
    )
    # The file that MD reads has them, too: its energy of a frame is the predicted one.
    one = frames[0]
    reference = Reference.of(one.symbols, one.positions, one.cell, far.prediction.energies_eV[0])
    settings = MdSettings(temperature_K=300.0, timestep_fs=2.0, n_steps=2, sample_every=1)
    potential = replace(far.potential, reference=reference)
    run = run_md(far, tmp_path / "md", salt(), settings, potential=potential)
    assert run.status == "finished", run.message
    wrong = replace(reference, energy_eV=reference.energy_eV + 0.001)
    run = run_md(far, tmp_path / "wrong", salt(), settings, potential=replace(potential, reference=wrong))
    assert run.status == "potential_changed" and "instead of" in run.message
    assert len(run.steps) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"radial_2": 5, "radial_3": 3, "angular_3": 2, "radial_4": 2, "angular_4": 1, "radial_5": 0},
        {"radial_2": 5, "radial_3": 4, "angular_3": 3, "radial_4": 3, "angular_4": 3, "radial_5": 2, "angular_5": 2},
    ],
)
@pytest.mark.parametrize("atoms", [bulk("Ar", "fcc", a=5.4, cubic=True), salt()])
def test_the_number_of_coefficients_is_that_of_lammps(tmp_path: Path, atoms: Atoms, settings: dict[str, int]) -> None:
    chosen = PodSettings(rcut_A=5.0, **settings)
    n_elements = len(set(atoms.symbols))
    fitted = fit(tmp_path / "fit", rattled(atoms, 2), [], chosen)
    assert fitted.fit.n_descriptors == n_descriptors(basis_of(chosen, n_elements), n_elements)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    fitted = fit(tmp_path / "fit", rattled(salt((2, 1, 1)), 25), [])
    settings = MdSettings(temperature_K=300.0, timestep_fs=2.0, n_steps=60, sample_every=5, thermostat="nose_hoover")
    atoms = salt((2, 1, 1))
    whole = run_md(fitted, tmp_path / "whole", atoms, settings)
    half = run_md(fitted, tmp_path / "half", atoms, replace(settings, n_steps=30))
    rest = run_md(fitted, tmp_path / "rest", atoms, settings, after=half)
    assert [run.status for run in (whole, half, rest)] == ["finished"] * 3
    np.testing.assert_allclose(rest.positions[-1], whole.positions[-1], atol=1e-4)


def test_a_job_whose_frames_are_not_all_read_is_refused(tmp_path: Path) -> None:
    fitted = fit(tmp_path / "fit", rattled(salt(), 20), [])
    given = {"species": ("Cl", "Na"), "n_descriptors": fitted.fit.n_descriptors, "force_rms_eV_A": 1.0}
    check_fit(fitted.fit, n_configurations=20, n_atoms=160, **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read n_configurations = 20, 21 were given"):
        check_fit(fitted.fit, n_configurations=21, n_atoms=160, **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="elements Cl Na instead of Na Cl"):
        check_fit(fitted.fit, n_configurations=20, n_atoms=160, **given | {"species": ("Na", "Cl")})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the fit describes nothing"):
        check_fit(fitted.fit, n_configurations=20, n_atoms=160, **given | {"force_rms_eV_A": 1e-6})  # type: ignore[arg-type]
    log = fitted.log
    assert job.fit_problem(log, "") is None
    cut = log[: log.index("Begin of Error Analysis")]
    problem = job.fit_problem(cut.replace("aiida-ion: the fit ended", ""), "Segmentation fault (core dumped)")
    assert problem is not None and problem[0] == "engine_failed"
