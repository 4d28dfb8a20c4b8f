"""Ions relaxed by pw.x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.relax import RELAXATION_KEYS
from tests.quantumespresso_fixtures import NAMELISTS


def relax(structure: orm.StructureData, engine: dict[str, Any], **parameters: Any) -> orm.CalcJobNode:
    return run_get_node(
        CalculationFactory("ion.quantumespresso_relax"), structure=structure, parameters=orm.Dict(parameters), **engine
    )[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_shaken_crystal_is_relaxed(lithium_oxide: orm.StructureData, quantumespresso_engine: dict[str, Any]) -> None:
    # The grid is finer than elsewhere: its noise moves the minimum.
    namelists = orm.Dict(NAMELISTS | {"SYSTEM": NAMELISTS["SYSTEM"] | {"ecutrho": 250.0}})
    job = relax(lithium_oxide, quantumespresso_engine | {"namelists": namelists}, max_force_eV_A=0.03, max_steps=30)
    assert job.is_finished_ok, job.exit_message
    result = job.outputs.relaxation.get_dict()
    assert set(result) == set(RELAXATION_KEYS)
    assert result["converged"]
    assert result["energy_drop_eV_atom"] > 0.002
    assert result["final_max_force_eV_A"] < 0.03 < result["initial_max_force_eV_A"]
    assert 0.005 < result["max_displacement_A"] < 0.2
    relaxed = job.outputs.structure
    assert relaxed.cell == lithium_oxide.cell
    assert [site.kind_name for site in relaxed.sites] == [site.kind_name for site in lithium_oxide.sites]
    # Of the antifluorite structure, whose places symmetry fixes.
    scaled = np.linalg.solve(np.array(relaxed.cell).T, np.array([s.position for s in relaxed.sites]).T).T
    between = scaled[1:] - scaled[0]
    assert between == pytest.approx(np.array([[0.25] * 3, [0.75] * 3]), abs=0.005)
    assert job.outputs.cost["wall_time_s"] > 0
    assert job.outputs.versions["functional"] == "PBEsol"
    assert "relax.out" not in job.outputs.retrieved.base.repository.list_object_names()


@pytest.mark.usefixtures("aiida_profile_clean")
def test_too_few_steps_leave_what_was_reached(
    lithium_oxide: orm.StructureData, quantumespresso_engine: dict[str, Any]
) -> None:
    job = relax(lithium_oxide, quantumespresso_engine, max_force_eV_A=0.001, max_steps=1)
    assert job.exit_status == 700, job.exit_message
    assert "the largest force is" in job.exit_message
    result = job.outputs.relaxation.get_dict()
    assert not result["converged"]
    assert result["n_steps"] == 1
    assert result["final_max_force_eV_A"] > 0.001


@pytest.mark.usefixtures("aiida_profile_clean")
def test_electrons_that_do_not_converge_are_an_error(
    lithium_oxide: orm.StructureData, quantumespresso_engine: dict[str, Any]
) -> None:
    namelists = orm.Dict(NAMELISTS | {"ELECTRONS": {"electron_maxstep": 2}})
    job = relax(lithium_oxide, quantumespresso_engine | {"namelists": namelists}, max_force_eV_A=0.05)
    assert job.exit_status == 440, job.exit_message
    assert "structure" not in job.outputs
