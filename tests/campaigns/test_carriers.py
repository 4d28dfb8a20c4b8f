"""Runs of cells with defects gathered for the conductivity against concentration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.engine import ProcessState
from ase import Atoms

from aiida_ion.calculations.defects.conductivity import defect_conductivity
from aiida_ion.campaigns.carriers import carrier_inputs
from aiida_ion.settings.values import SettingsError
from tests.calculations.defects.fits import E_M, diffusion


def cell(edge_A: float) -> orm.StructureData:
    return orm.StructureData(ase=Atoms("Li2O", scaled_positions=[[0] * 3, [0.5] * 3, [0.25] * 3], cell=[edge_A] * 3))


def chain(
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    parent: orm.WorkChainNode | None = None,
    called_as: str = "",
    process_type: str = "aiida.workflows:ion.conductivity",
) -> orm.WorkChainNode:
    """Return a work chain with its inputs and outputs."""
    node = orm.WorkChainNode()
    node.process_type = process_type
    node.set_process_state(ProcessState.FINISHED)
    if parent is not None:
        node.base.links.add_incoming(parent, LinkType.CALL_WORK, called_as)
    for label, data in inputs.items():
        node.base.links.add_incoming(data.store(), LinkType.INPUT_WORK, label)
    node.store()
    for label, data in outputs.items():
        data.store().base.links.add_incoming(node, LinkType.RETURN, label)
    return node


def run_of(structure: orm.StructureData, x: float, **parent: Any) -> orm.WorkChainNode:
    fits = {f"diffusion__T_{temperature_K:.0f}K": diffusion(temperature_K, x) for temperature_K in (700.0, 1000.0)}
    return chain({"structure": structure}, fits, **parent)


def making(n_cells: int, concentration: float) -> tuple[orm.WorkChainNode, list[orm.StructureData]]:
    cells = [cell(3.0 + 0.1 * number).store() for number in range(n_cells)]
    members = [{"weight": 1.0 / n_cells} for _ in cells]
    outputs = {f"members__o{number:03d}": node for number, node in enumerate(cells)}
    outputs |= {"ensemble": orm.Dict({"concentration": concentration, "members": members}), "perfect": cell(3.0)}
    return chain({}, outputs), cells


@pytest.mark.usefixtures("module_profile")
def test_runs_of_cells_become_a_conductivity() -> None:
    few, cells = making(2, 0.02)
    more, (last,) = making(1, 0.04)
    perfect = run_of(cell(3.0), 1e-9)
    ensembles = {few: [run_of(node, 0.02) for node in cells], more: [run_of(last, 0.04)]}
    inputs = carrier_inputs(perfect, ensembles, {"concentrations": [1e-3]})
    content = defect_conductivity(**inputs).get_dict()
    assert content["migration_energy_eV"] == pytest.approx(E_M)
    assert [line["concentrations"] for line in content["lines"]] == [[0.0, 0.02, 0.04]] * 2
    assert len(inputs["parameters"].get_dict()["runs"]) == 8


@pytest.mark.usefixtures("module_profile")
def test_cells_that_were_run_together_are_taken_apart() -> None:
    few, cells = making(2, 0.02)
    given = {f"members__o{number:03d}": node for number, node in enumerate(cells)}
    together = chain(given, {}, process_type="aiida.workflows:ion.ensemble")
    first = run_of(cells[0], 0.02, parent=together, called_as="member_o000")
    with pytest.raises(ValueError, match="ran 1 of 2 cells itself"):
        carrier_inputs(None, {few: [together]}, {})
    second = run_of(cells[1], 0.02, parent=together, called_as="member_o001")
    assert carrier_inputs(None, {few: [together]}, {}).keys() == carrier_inputs(None, {few: [first, second]}, {}).keys()


@pytest.mark.usefixtures("module_profile")
def test_runs_that_do_not_belong_to_the_cells_are_refused() -> None:
    few, cells = making(2, 0.02)
    runs = [run_of(node, 0.02) for node in cells]
    with pytest.raises(ValueError, match="made 2 cells, and 1 runs are given"):
        carrier_inputs(None, {few: runs[:1]}, {})
    with pytest.raises(ValueError, match="give the runs in the order of the cells"):
        carrier_inputs(None, {few: runs[::-1]}, {})
    with pytest.raises(ValueError, match="no cells with defects"):
        carrier_inputs(None, {}, {})
    empty = chain({"structure": cells[0]}, {})
    with pytest.raises(ValueError, match="has no fit of a temperature"):
        carrier_inputs(empty, {few: runs}, {})
    with pytest.raises(SettingsError, match="unknown carrier setting"):
        carrier_inputs(None, {few: runs}, {"temperature": 300})
