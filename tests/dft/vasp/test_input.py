"""INCAR for each ensemble and thermostat, and POSCAR with its velocities."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from ase import units
from ase.io import read

from aiida_ion.dft.vasp.input import (
    OWNED_TAGS,
    SiteGroups,
    in_poscar_order,
    incar_text,
    md_tags,
    nose_mass,
    poscar_text,
    random_seed,
    relax_tags,
)
from aiida_ion.settings.md import MdSettings

SETTINGS = {"temperature_K": 700.0, "timestep_fs": 2.0, "n_steps": 100, "thermostat_time_fs": 50.0, "seed": 5}


def tags_of(first_step: int = 0, **change: Any) -> dict[str, Any]:
    settings = MdSettings.from_dict(SETTINGS | change)
    return md_tags(settings, masses=[6.94, 15.999], n_atoms=12, first_vector_A=5.0, first_step=first_step)


def test_what_every_run_has() -> None:
    tags = tags_of()
    expected = {"ibrion": 0, "potim": 2.0, "tebeg": 700.0, "teend": 700.0, "isif": 2, "isym": 0, "nblock": 1}
    assert expected.items() <= tags.items()
    assert tags["pomass"] == [6.94, 15.999]
    assert set(tags) <= OWNED_TAGS


def test_the_number_of_geometries() -> None:
    """VASP evaluates NSW of them: the first as given, and the last one of the total."""
    assert tags_of()["nsw"] == 101
    assert tags_of(first_step=40)["nsw"] == 61


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ensemble": "nve"}, {"mdalgo": 1, "andersen_prob": 0.0}),
        ({"thermostat": "csvr"}, {"mdalgo": 5, "csvr_period": 50.0}),
        ({"thermostat": "langevin"}, {"mdalgo": 3, "langevin_gamma": [20.0, 20.0]}),
    ],
)
def test_thermostats(change: dict[str, Any], expected: dict[str, Any]) -> None:
    tags = tags_of(**change)
    assert expected.items() <= tags.items()
    others = {"andersen_prob", "csvr_period", "langevin_gamma", "smass"} - set(expected)
    assert not others & set(tags)


def test_nose_mass_is_that_of_lammps_and_ase() -> None:
    settings = MdSettings.from_dict(SETTINGS | {"thermostat": "nose_hoover"})
    assert tags_of(thermostat="nose_hoover")["mdalgo"] == 2
    # The formula that users of VASP pass on: SMASS = 2 N_f k T (period / 2 pi a_1)^2, here with period 2 pi tau/sqrt 2.
    period_s = 2 * np.pi * 50e-15 / np.sqrt(2)
    joule = 2 * (3 * 12 - 3) * units.kB * 700.0 * units._e
    expected = joule * (period_s / (2 * np.pi * 5e-10)) ** 2 / units._amu
    assert nose_mass(settings, 12, 5.0) == pytest.approx(expected, rel=1e-6)


def test_random_seeds_are_those_that_vasp_takes() -> None:
    seeds = {tuple(random_seed(seed, step)) for seed in range(30) for step in (0, 10, 20)}
    assert len(seeds) == 90
    assert all(0 <= first < 900_000_000 and rest == [0, 0] for first, *rest in seeds)
    assert random_seed(10**9 + 7, 3) == random_seed(10**9 + 7, 3)


def test_relaxation() -> None:
    assert relax_tags(0.02, 50) == {"ibrion": 2, "nsw": 50, "isif": 2, "ediffg": -0.02, "isym": 0}


def test_text_of_incar() -> None:
    tags = {"encut": 520.0, "lwave": False, "lasph": True, "langevin_gamma": [10.0, 10.0], "gga": "PE", "nelm": None}
    assert incar_text(tags).splitlines() == [
        "ENCUT = 520.0",
        "LWAVE = .FALSE.",
        "LASPH = .TRUE.",
        "LANGEVIN_GAMMA = 10.0 10.0",
        "GGA = PE",
    ]


def test_sites_are_grouped_and_taken_back() -> None:
    groups = SiteGroups.of(["Li", "O", "Li", "Li2", "O"])
    assert groups.order.tolist() == [0, 2, 1, 4, 3]
    assert (groups.kinds, groups.counts) == (("Li", "O", "Li2"), (2, 2, 1))
    values = np.arange(5)
    assert (values[groups.order][groups.inverse] == values).all()
    assert in_poscar_order({"magmom": [1, 2, 3, 4, 5], "nelm": 9}, groups.order) == {
        "magmom": [1, 3, 2, 5, 4],
        "nelm": 9,
    }


def test_poscar_is_read_as_it_was_meant() -> None:
    rng = np.random.default_rng(1)
    cell = np.array([[5.1, 0.0, 0.3], [-1.0, 4.8, 0.0], [0.2, 0.4, 6.0]])
    positions, velocities = rng.uniform(-9, 9, (5, 3)), rng.normal(0, 0.01, (5, 3))
    text = poscar_text("x" * 60, cell, ["Li", "O"], [3, 2], positions, velocities)
    lines = text.splitlines()
    assert lines[0] == "x" * 40
    atoms = read(io.StringIO(text), format="vasp")
    assert atoms.get_chemical_symbols() == ["Li"] * 3 + ["O"] * 2
    shifts = (atoms.positions - positions) @ np.linalg.inv(cell)
    assert shifts == pytest.approx(np.round(shifts), abs=1e-12)
    assert lines[13] == "Cartesian"
    assert np.loadtxt(lines[14:]) == pytest.approx(velocities, abs=1e-15)
    assert "Cartesian" not in poscar_text("x", cell, ["Li", "O"], [3, 2], positions)
