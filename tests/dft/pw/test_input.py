"""MD settings in the words of pw.x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import units

from aiida_ion.dft.pw.input import (
    RYDBERG_TIME_FS,
    md_namelists,
    more_robust_scf,
    n_k_points,
    normal_namelists,
    relax_namelists,
    with_start,
)
from aiida_ion.settings.md import MdSettings

ELECTRONS: dict[str, dict[str, Any]] = {"SYSTEM": {"ecutwfc": 30.0}}


def settings(**change: Any) -> MdSettings:
    chosen = {"temperature_K": 600.0, "timestep_fs": 2.0, "n_steps": 100, "seed": 1} | change
    return MdSettings.from_dict(chosen)


def test_time_is_in_rydberg_units() -> None:
    assert pytest.approx(4.8377687e-2, rel=1e-7) == RYDBERG_TIME_FS
    (run,) = md_namelists(ELECTRONS, settings(ensemble="nve"), 3, 0, None)
    assert run["CONTROL"]["dt"] == pytest.approx(2.0 / 4.8377687e-2, rel=1e-7)


def test_without_thermostat_one_run_does_every_step_and_the_one_it_starts_from() -> None:
    (run,) = md_namelists(ELECTRONS, settings(ensemble="nve"), 3, 40, 1000.0)
    assert (run["CONTROL"]["nstep"], run["CONTROL"]["max_seconds"]) == (61, 1000.0)
    assert run["IONS"]["ion_temperature"] == "not_controlled"
    assert run["SYSTEM"] == {"ecutwfc": 30.0, "nosym": True}


def test_with_a_thermostat_a_first_step_without_it_and_then_the_rest() -> None:
    start, main = md_namelists(ELECTRONS, settings(thermostat_time_fs=100.0), 3, 0, 1000.0)
    assert [run["CONTROL"]["nstep"] for run in (start, main)] == [1, 100]
    assert [run["CONTROL"]["restart_mode"] for run in (start, main)] == ["from_scratch", "restart"]
    assert [run["IONS"]["ion_temperature"] for run in (start, main)] == ["not_controlled", "svr"]
    assert (main["IONS"]["tempw"], main["IONS"]["nraise"]) == (600.0, 50)
    assert sum(run["CONTROL"]["max_seconds"] for run in (start, main)) == pytest.approx(1000.0)


def test_replicas_and_segments_do_not_share_the_noise_of_the_thermostat() -> None:
    starts = {
        md_namelists(ELECTRONS, settings(seed=seed), 3, step, None)[1]["ELECTRONS"]["startingwfc"]
        for seed, step in ((0, 0), (1, 0), (0, 2))
    }
    assert len(starts) == 3


def test_a_threshold_of_an_atom_holds_in_every_supercell() -> None:
    namelists = ELECTRONS | {"electrons": {"CONV_THR_PER_ATOM": 1e-8}}
    for n_atoms in (3, 24):
        (run,) = md_namelists(namelists, settings(ensemble="nve"), n_atoms, 0, None)
        assert run["ELECTRONS"] == {"conv_thr": pytest.approx(1e-8 * n_atoms)}


def test_relaxation_asks_for_less_than_the_force_of_the_settings() -> None:
    run = relax_namelists(ELECTRONS, 3, max_force_eV_A=0.05, max_steps=10, max_seconds=None)
    limit_eV_A = run["CONTROL"]["forc_conv_thr"] * units.Ry / units.Bohr
    assert limit_eV_A * np.sqrt(3) == pytest.approx(0.05)
    assert (run["CONTROL"]["calculation"], run["CONTROL"]["nstep"]) == ("relax", 11)


@pytest.mark.parametrize(
    ("namelists", "message"),
    [
        ({}, "no SYSTEM ecutwfc"),
        ({"SYSTEM": {"ecutwfc": -1.0}}, "ecutwfc must be a positive number of Ry"),
        ({"SYSTEM": {"ecutwfc": 30.0, "ecutrho": "high"}}, "ecutrho must be a positive number of Ry"),
        (ELECTRONS | {"CONTROL": {"dt": 20.0}}, "CONTROL dt is set by the job itself"),
        (ELECTRONS | {"control": {"Calculation": "scf"}}, "CONTROL calculation is set by the job itself"),
        (ELECTRONS | {"IONS": {"ion_temperature": "andersen"}}, "IONS ion_temperature is set by the job itself"),
        ({"SYSTEM": {"ecutwfc": 30.0, "celldm(1)": 10.0}}, "SYSTEM celldm is set by the job itself"),
        (ELECTRONS | {"CELL": {}}, "namelist CELL is not used by this job"),
        (ELECTRONS | {"ELECTRONS": 1e-8}, "each a mapping"),
        (ELECTRONS | {"ELECTRONS": {"conv_thr": 1e-8, "conv_thr_per_atom": 1e-9}}, "leave one out"),
    ],
)
def test_what_is_not_the_users_to_set_is_refused(namelists: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normal_namelists(namelists)


def test_how_electrons_are_carried_along_may_be_set() -> None:
    namelists = ELECTRONS | {"IONS": {"pot_extrapolation": "second_order"}}
    (run,) = md_namelists(namelists, settings(ensemble="nve"), 3, 0, None)
    assert run["IONS"]["pot_extrapolation"] == "second_order"
    assert namelists["IONS"] == {"pot_extrapolation": "second_order"}, "what is given is not changed"


def test_more_robust_scf() -> None:
    assert more_robust_scf(ELECTRONS, 1)["ELECTRONS"] == {"mixing_beta": 0.35, "electron_maxstep": 200}
    assert more_robust_scf(ELECTRONS | {"ELECTRONS": {"mixing_beta": 0.4}}, 2)["ELECTRONS"]["mixing_beta"] == 0.1


def test_positions_and_velocities_keep_every_bit() -> None:
    rng = np.random.default_rng(1)
    positions, velocities = rng.normal(0, 30, (2, 3)), rng.normal(0, 1e-3, (2, 3))
    text = "&CONTROL\n/\nATOMIC_POSITIONS angstrom\nLi 0 0 0\nO1 0 0 0\nK_POINTS gamma\nCELL_PARAMETERS\n"
    lines = with_start(text, ["Li", "O1"], positions, velocities).splitlines()
    assert lines[2] == "ATOMIC_POSITIONS angstrom"
    assert (np.array([line.split()[1:] for line in lines[3:5]], dtype=float) == positions).all()
    assert lines[5] == "ATOMIC_VELOCITIES"
    bohr_per_time = np.array([line.split()[1:] for line in lines[6:8]], dtype=float)
    assert bohr_per_time == pytest.approx(velocities * 0.091421, rel=1e-4)
    assert [line.split()[0] for line in lines[6:8]] == ["Li", "O1"]
    assert lines[8:] == ["K_POINTS gamma", "CELL_PARAMETERS"]


@pytest.mark.parametrize(
    ("mesh", "offset", "expected"),
    [
        ((1, 1, 1), (0, 0, 0), 1),
        ((2, 2, 2), (0, 0, 0), 8),
        ((2, 2, 2), (0.5, 0.5, 0.5), 4),
        ((3, 3, 3), (0, 0, 0), 14),
        ((4, 1, 1), (0, 0, 0), 3),
    ],
)
def test_k_and_minus_k_are_one(mesh: tuple[int, ...], offset: tuple[float, ...], expected: int) -> None:
    assert n_k_points(mesh, offset) == expected
