"""`aiida-ion barrier --sites-from`: empty minima of a kept map become the sites of an extra ion."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.energy_maps.kept_map import EnergyMap
from tests.cli.conftest import Invoke

EDGE_A = 3.2


def oxide() -> orm.StructureData:
    """Return a cubic crystal of one Li and one Cl."""
    node = orm.StructureData(cell=np.diag([EDGE_A] * 3).tolist())
    node.append_atom(position=(0, 0, 0), symbols="Li")
    node.append_atom(position=[EDGE_A / 2] * 3, symbols="Cl")
    return node.store()


def stored_map(**change: Any) -> orm.ArrayData:
    """Store a map with wells at the site of Li and, less deep, at the middle of each edge."""
    n = 20
    points = np.stack(np.meshgrid(*[np.arange(n) / n] * 3, indexing="ij"), axis=-1)
    energies = np.zeros((n, n, n))
    for place, depth in (([0, 0, 0], 1.0), ([0.5, 0, 0], 0.7), ([0, 0.5, 0], 0.7), ([0, 0, 0.5], 0.7)):
        apart = points - place
        energies -= depth * np.exp(-(((apart - np.round(apart)) * EDGE_A) ** 2).sum(axis=-1) / 0.5)
    one = EnergyMap(energies - energies.min(), np.diag([EDGE_A] * 3), np.zeros(3), np.full((1, 3), EDGE_A / 2), ("Cl",))
    node: Any = orm.ArrayData()
    for name, array in one.arrays().items():
        node.set_array(name, array)
    about = {"mobile_species": "Li", "barriers_eV": [0.8, 0.8, 0.8], "zero": "lowest"}
    node.base.attributes.set_many(one.about() | about | change)
    return node.store()


def test_an_extra_ion_hops_among_the_empty_minima(lj_engine: str, invoke: Invoke) -> None:
    crystal, kept = oxide(), stored_map()
    common = ("barrier", crystal.pk, "--engine", lj_engine, "--dry-run")
    with_sites = invoke(*common, "--sites-from", kept.pk).output
    without = invoke(*common).output
    # From edge to edge it is shorter than from one Li to the next.
    assert "hops of Li up to 2.263 angstrom" in with_sites
    assert "hops of Li up to 3.200 angstrom" in without
    given = '{"search": {"empty_sites": [[0.5, 0, 0]]}}'
    assert invoke(*common, "--overrides", given).output == with_sites


def test_a_map_that_cannot_be_used_says_why(lj_engine: str, invoke: Invoke) -> None:
    crystal = oxide()
    given = '{"search": {"empty_sites": [[0.5, 0, 0]]}}'
    cases: tuple[tuple[dict[str, Any], tuple[str, ...], str], ...] = (
        ({}, ("--mobile-species", "Cl"), "the map is of Li, not of Cl"),
        ({"barriers_eV": [None, None, None]}, (), "no pathway of the map reaches through"),
        ({"barriers_eV": [0.1, 0.1, 0.1]}, (), "no minimum up to 0.10 eV"),
        ({"host_symbols": ["Cl", "Cl"]}, (), "do not fit together"),
        ({}, ("--overrides", given), "not both"),
    )
    names = [(stored_map(**change).pk, options, words) for change, options, words in cases]
    for name, options, words in [*names, (crystal.pk, (), "there is no map"), (987654, (), "--sites-from 987654")]:
        common = ("barrier", crystal.pk, "--engine", lj_engine, "--dry-run", "--sites-from", name)
        assert words in invoke(*common, *options, code=1).output
