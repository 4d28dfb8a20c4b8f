"""Diffusion nodes of members with known laws become one conductivity with its members named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.disorder.pool_members import pool_members, validate_ensemble
from aiida_ion.cli.text.nodes import describe
from tests.calculations.conductivity.test_fit_conductivity import diffusion, still

pytestmark = pytest.mark.usefixtures("module_profile")

HOT_K = (800.0, 1000.0, 1200.0)


def faster(node: orm.ArrayData, factor: float) -> orm.ArrayData:
    """Return a diffusion that is faster by a factor, its collective one too."""
    for name in node.get_arraynames():
        node.set_array(name, factor * node.get_array(name))
    return node


def member(factor: float, **changes: Any) -> dict[str, orm.ArrayData]:
    """Return the diffusions of a member by label of their temperature."""
    nodes = {f"T_{kelvin:04.0f}K": diffusion(kelvin, grade="A", **changes) for kelvin in HOT_K}
    return {label: faster(node, factor) for label, node in nodes.items()}


def pooled(
    members: list[dict[str, orm.ArrayData]],
    failures: dict[str, str] | None = None,
    target_temperature_K: float = 300.0,
    **settings: Any,
) -> tuple[dict[str, Any], orm.ArrayData]:
    """Return the pooled temperatures and the conductivity."""
    named: dict[str, Any] = {}
    entries: list[dict[str, Any]] = []
    for number, nodes in enumerate(members):
        label = f"o{number:03d}"
        entries.append({"label": label, "weight": 1.0 / len(members), "count": None})
        named |= {f"{label}_{temperature}": node for temperature, node in nodes.items()}
    for entry, cell in zip(entries, settings.pop("cells_A", []), strict=False):
        entry["cell_A"] = cell
    for entry, digest in zip(entries, settings.pop("hashes", []), strict=False):
        entry["structure_hash"] = digest
    for label, reason in (failures or {}).items():
        entries.append({"label": label, "weight": 0.1, "count": None, "failure": reason})
    temperatures: Any = pool_members(parameters=orm.Dict({"members": entries} | settings), **named)
    parameters = orm.Dict({"target_temperature_K": target_temperature_K})
    result: Any = fit_conductivity(parameters=parameters, **temperatures)
    return temperatures, result


def test_members_are_pooled_with_their_spread_in_the_interval() -> None:
    factors = (0.5, 0.8, 1.0, 1.25, 2.0)
    temperatures, node = pooled([member(factor) for factor in factors], {"o009": "it melted"}, 1000.0)
    attributes = node.base.attributes.all
    assert attributes["n_members"] == 5
    assert attributes["n_members_given"] == 6
    assert attributes["between_members"] == "measured"
    assert attributes["dominant_error"] == "between_members"
    spread = np.std(factors, ddof=1) / np.mean(factors) / np.log(10.0)
    assert attributes["member_std_decades"] == pytest.approx(spread, rel=0.15)
    assert attributes["between_members_std_decades"] == pytest.approx(attributes["member_std_decades"] / np.sqrt(5))
    assert {entry["label"]: entry["pooled"] for entry in attributes["members"]}["o009"] is False
    assert "o009: it melted" in " ".join(attributes["warnings"])
    # The result of one member is far better known, and so is a mean that forgets their spread.
    alone = pooled([member(1.0)], target_temperature_K=1000.0)[1].base.attributes.all
    low, high = attributes["log10_ionic_conductivity_ci95_mS_cm"]
    alone_low, alone_high = alone["log10_ionic_conductivity_ci95_mS_cm"]
    assert high - low > 2.0 * spread * 2.0 / np.sqrt(5)
    assert alone["between_members"] == "not measured"
    assert "spread: not measured" in " ".join(alone["warnings"])
    assert alone_high > alone_low
    one = temperatures["T_0800K"].base.attributes.all
    assert one["tracer_diffusivity_ci95_cm2_s"][0] < one["tracer_diffusivity_cm2_s"]
    assert one["series_diffusivity_cm2_s"] < one["effective_medium_diffusivity_cm2_s"] < one["tracer_diffusivity_cm2_s"]
    assert attributes["series_ionic_conductivity_mS_cm"] < attributes["ionic_conductivity_mS_cm"]
    assert attributes["collective_ionic_conductivity_mS_cm"] > attributes["ionic_conductivity_mS_cm"]
    assert "ionic conductivity at 1000 K" in describe(node)


def test_the_haven_ratio_is_that_of_the_pooled_diffusivities() -> None:
    """Members that differ threefold in both diffusivities alike leave no spread in their ratio."""
    temperatures, _ = pooled([member(factor) for factor in (0.5, 1.0, 1.5)])
    one = temperatures["T_0800K"].base.attributes.all
    assert one["haven_ratio"] == pytest.approx(
        one["tracer_diffusivity_cm2_s"] / one["collective_diffusivity_cm2_s"], rel=0.02
    )
    low, high = one["haven_ratio_ci95"]
    assert low < one["haven_ratio"] < high
    both = [np.log(one[f"{name}_diffusivity_ci95_cm2_s"]) for name in ("tracer", "collective")]
    assert np.log(high / low) < 0.5 * max(float(np.ptp(edges)) for edges in both)
    assert one["collective_between_members_std_cm2_s"] > one["collective_within_members_std_cm2_s"] > 0
    assert one["collective_ionic_conductivity_mS_cm"] > one["ionic_conductivity_mS_cm"]
    assert one["green_kubo_reason"].startswith("Members have no Green-Kubo conductivity: o000")


TENSOR = np.diag([3e-6, 2e-6, 1e-6])
CELL = np.diag([4.0, 5.0, 6.0])


def by_direction(factor: float, turn: np.ndarray) -> dict[str, orm.ArrayData]:
    """Return a member whose tensor is in a frame that is turned."""
    nodes = member(factor)
    tensor = factor * turn.T @ TENSOR @ turn
    edges = [[0.9 * value, 1.1 * value] for value in np.diag(tensor)]
    for node in nodes.values():
        node.base.attributes.set("tracer_diffusivity_tensor_cm2_s", tensor.tolist())
        node.base.attributes.set("tracer_diffusivity_tensor_ci95_cm2_s", edges)
        node.base.attributes.set("green_kubo_ionic_conductivity_mS_cm", 10.0 * factor)
        node.base.attributes.set("green_kubo_ionic_conductivity_std_mS_cm", 0.5 * factor)
    return nodes


def test_tensors_are_turned_into_one_frame_or_refused() -> None:
    """The second member is the same lattice with its axes turned by 90 degrees."""
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    members = [by_direction(0.8, np.eye(3)), by_direction(1.2, turn)]
    cells = [CELL.tolist(), (CELL @ turn).tolist()]
    one = pooled(members, cells_A=cells)[0]["T_0800K"].base.attributes.all
    assert np.array(one["tracer_diffusivity_tensor_cm2_s"]) == pytest.approx(TENSOR, rel=1e-6, abs=1e-12)
    assert one["tracer_diffusivity_principal_values_cm2_s"] == pytest.approx([3e-6, 2e-6, 1e-6], rel=1e-6)
    for value, (low, high) in zip(np.diag(TENSOR), one["tracer_diffusivity_tensor_ci95_cm2_s"], strict=True):
        assert low < value < high
    assert one["green_kubo_ionic_conductivity_mS_cm"] == pytest.approx(10.0, rel=0.02)
    assert one["green_kubo_between_members_std_mS_cm"] > 0
    other = pooled(
        [by_direction(0.8, np.eye(3)), by_direction(1.2, turn)], cells_A=[CELL.tolist(), (1.2 * CELL).tolist()]
    )[0]["T_0800K"].base.attributes
    assert "o001: its cell is not that of the first member, turned" in other.get("tensor_reason")
    assert other.get("tracer_diffusivity_tensor_cm2_s", None) is None


def test_a_member_that_melts_at_one_temperature_costs_that_temperature() -> None:
    melted = member(1.0)
    melted["T_1200K"] = diffusion(1200.0, refused_because="The framework is molten.", grade="D")
    four = [member(factor) | {"T_0900K": diffusion(900.0, grade="A")} for factor in (1.0, 1.3)]
    temperatures, node = pooled([*four, melted | {"T_0900K": diffusion(900.0, grade="A")}])
    words = describe(temperatures["T_1200K"])
    assert "undetermined." in words and "no diffusion" not in words
    attributes = node.base.attributes.all
    assert attributes["n_members"] == 3
    assert len(attributes["temperatures_used_K"]) == 3
    (refused,) = attributes["temperatures_refused"]
    assert refused["temperature_K"] == 1200.0
    assert "o002: The framework is molten" in refused["reason"]


def test_a_member_with_too_few_temperatures_is_named_and_left_out() -> None:
    poor = {"T_0800K": diffusion(800.0, grade="A")}
    _, node = pooled([member(1.0), member(1.2), poor])
    attributes = node.base.attributes.all
    assert attributes["n_members"] == 2
    left = next(entry for entry in attributes["members"] if entry["label"] == "o002")
    assert "too few temperatures" in left["not_pooled_because"]


def test_a_member_of_another_level_of_theory_is_not_pooled() -> None:
    _, node = pooled([member(1.0), member(1.2), member(1.0, level_of_theory="LDA")])
    left = next(entry for entry in node.base.attributes.get("members") if entry["label"] == "o002")
    assert "level_of_theory LDA, not PBE" in left["not_pooled_because"]


def test_a_member_without_diffusion_lies_between_zero_and_its_bound() -> None:
    slow = member(1.0) | {"T_0800K": still(800.0, 1e-7, grade="bound")}
    temperatures, node = pooled([member(1.0), slow])
    one = temperatures["T_0800K"].base.attributes.all
    value = temperatures["T_0800K"].base.attributes.get("tracer_diffusivity_cm2_s")
    alone = diffusion(800.0).get_array("tracer_diffusivity_samples_cm2_s").mean()
    assert value == pytest.approx(0.5 * alone + 0.25e-7, rel=0.02)
    assert one["n_members_with_bound"] == 1
    assert node.base.attributes.get("members_with_bound") == ["o001"]
    assert node.base.attributes.get("other_means_are_upper_bounds") is True


def test_a_crystal_in_which_no_member_diffuses_has_a_bound() -> None:
    nodes = [{f"T_{kelvin:04.0f}K": still(kelvin, 1e-8, grade="bound") for kelvin in HOT_K} for _ in range(2)]
    temperatures, node = pooled(nodes)
    one = temperatures["T_0800K"].base.attributes.all
    assert one["verdict"] == "bound"
    assert one["tracer_diffusivity_upper_bound_cm2_s"] == pytest.approx(1e-8)
    attributes = node.base.attributes.all
    assert attributes["ionic_conductivity_mS_cm"] is None
    assert attributes["verdict"] in ("bound", "not_measurable")


def test_the_only_arrangement_of_a_cell_has_nothing_to_differ_from() -> None:
    _, node = pooled([member(1.0)], n_inequivalent_arrangements=1)
    assert "only one arrangement" in node.base.attributes.get("between_members_reason")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "has no members"),
        ({"members": [{"weight": 0.0}]}, "positive number"),
        ({"members": [{"weight": 1.0, "count": 0}]}, "whole number"),
        ({"members": [{"weight": 1.0, "count": 3}]}, None),
    ],
)
def test_descriptions_of_ensembles_are_checked(content: dict[str, Any], words: str | None) -> None:
    problem = validate_ensemble(orm.Dict(content), None)
    assert problem is None if words is None else words in str(problem)
