"""Two levels of theory on the same ordered cells: what the cells have in common cancels from their ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.comparison.compare_levels import compare_levels
from aiida_ion.calculations.comparison.matched import match_of
from tests.calculations.disorder.test_pool_members import member, pooled

pytestmark = pytest.mark.usefixtures("module_profile")

SPREAD = (0.4, 0.7, 1.0, 1.4, 2.0)
HASHES = ["a", "b", "c", "d", "e"]
FACTOR = 2.0
PARAMETERS = {"formula": "Li3N", "level_of_theory": "CHGNet", "reference_level_of_theory": "PBE"}


def level(prefix: str, factors: tuple[float, ...], hashes: list[str], name: str) -> dict[str, orm.ArrayData]:
    """Return the inputs of a comparison of one level: pooled temperatures and conductivity."""
    members = [member(factor, level_of_theory=name) for factor in factors]
    temperatures, result = pooled(members, None, 1000.0, hashes=hashes)
    named = {f"{prefix}diffusion_{label}": node for label, node in temperatures.items()}
    return named | {f"{prefix}conductivity": result}


def compare(factors: tuple[float, ...], hashes: list[str]) -> dict[str, Any]:
    """Return what a comparison says of a level with these cells."""
    reference = level("reference_", SPREAD, HASHES, "PBE")
    parameters = orm.Dict(PARAMETERS | {"target_temperature_K": 1000.0})
    node: Any = compare_levels(parameters=parameters, **reference, **level("", factors, hashes, "CHGNet"))
    return dict(node.base.attributes.all)


def widths(attributes: dict[str, Any]) -> list[float]:
    """Return the widths of the intervals of the ratios, at the target and at each temperature, in decades."""
    edges = [attributes["log10_ionic_conductivity_difference_ci95"]]
    edges += [one["log10_tracer_diffusivity_difference_ci95"] for one in attributes["temperatures"]]
    return [high - low for low, high in edges]


def test_the_choice_of_cells_cancels_where_both_levels_have_the_same() -> None:
    """The second level has the cells in another order, each faster by the same factor."""
    order = [3, 0, 4, 1, 2]
    factors = tuple(FACTOR * SPREAD[place] for place in order)
    matched = compare(factors, [HASHES[place] for place in order])
    assert matched["members_compared"] == "matched" and matched["n_members_common"] == 5
    assert matched["ionic_conductivity_ratio"] == pytest.approx(FACTOR, rel=0.1)
    low, high = matched["ionic_conductivity_ratio_ci95"]
    assert low < FACTOR < high
    for one in matched["temperatures"]:
        low, high = one["tracer_diffusivity_ratio_ci95"]
        assert low < FACTOR < high
    # Other cells with the same diffusivities: their choice is an error of both.
    other = compare(factors, ["f", "g", "h", "i", "a"])
    assert other["members_compared"] == "pooled" and other["n_members_common"] == 1
    assert "1 of 5 and 5 pooled cells are the same at both levels" in " ".join(other["missing"])
    for narrow, wide in zip(widths(matched), widths(other), strict=True):
        assert narrow < 0.6 * wide
    biases = [np.ptp(one["log10_tracer_diffusivity_bias_ci95"]) for one in (matched, other)]
    assert biases[0] < 0.6 * biases[1]
    energies = [np.ptp(one["activation_energy_difference_ci95_eV"]) for one in (matched, other)]
    assert energies[0] <= 1.1 * energies[1]


def test_cells_of_earlier_versions_match_no_others() -> None:
    """Their results do not say which cells they are of."""
    sides = level("reference_", SPREAD[:3], [], "PBE") | level("", SPREAD[:3], [], "CHGNet")
    match = match_of(sides)
    assert match is not None and match.order is None and match.n_common == 0


def test_a_single_crystal_beside_has_no_cells_to_match() -> None:
    reference = level("reference_", SPREAD, HASHES, "PBE")
    parameters = orm.Dict(PARAMETERS | {"target_temperature_K": 1000.0})
    node: Any = compare_levels(parameters=parameters, **reference)
    assert "members_compared" not in node.base.attributes.all
