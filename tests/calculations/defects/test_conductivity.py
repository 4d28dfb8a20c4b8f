"""Conductivity against concentration from stored nodes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from aiida import orm
from ase import Atoms

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.calculations.defects.conductivity import defect_conductivity
from aiida_ion.cli.disorder.carrier_text import carrier_lines
from aiida_ion.units import BOLTZMANN_EV_K
from tests.calculations.defects.fits import E_F, E_M, S0, diffusion


def runs() -> dict[str, Any]:
    """Return nodes of two concentrations, one of two cells, and of a perfect crystal without diffusion."""
    nodes: dict[str, Any] = {}
    listed: dict[str, dict[str, Any]] = {}
    for temperature_K in (700.0, 1000.0):
        name = f"perfect_T_{temperature_K:.0f}"
        still = {"tracer_diffusivity_cm2_s": None, "tracer_diffusivity_upper_bound_cm2_s": 1e-12}
        nodes[name], listed[name] = diffusion(temperature_K, 1.0, **still), {"ensemble": None, "member": None}
        # The two cells of the first have 1.5 and 0.5 times the diffusivity, with weights of 1/2.
        for ensemble, member, x, factor in (("few", 0, 0.02, 1.5), ("few", 1, 0.02, 0.5), ("more", 0, 0.04, 1.0)):
            name = f"{ensemble}_{member}_T_{temperature_K:.0f}"
            nodes[name] = diffusion(temperature_K, x, factor)
            listed[name] = {"ensemble": ensemble, "member": member}
    nodes["few"] = orm.Dict({"concentration": 0.02, "members": [{"weight": 0.5}, {"weight": 0.5}]})
    nodes["more"] = orm.Dict({"concentration": 0.04, "members": [{"weight": 1.0}]})
    nodes["perfect"] = orm.StructureData(ase=Atoms("Li2O", positions=np.eye(3), cell=[3.0] * 3, pbc=True))
    nodes["formation"] = orm.Dict({"formation_energy_eV": E_F})
    nodes["parameters"] = orm.Dict({"runs": listed, "concentrations": [1e-3]})
    return nodes


@pytest.mark.usefixtures("module_profile")
def test_laws_and_provenance() -> None:
    nodes = runs()
    result = defect_conductivity(**nodes)
    content = result.get_dict()
    assert content["migration_energy_eV"] == pytest.approx(E_M)
    assert content["intrinsic_activation_energy_eV"] == pytest.approx(E_M + E_F / 2)
    assert content["sites_A3"] == pytest.approx(2 / 27)
    exact = ionic_conductivity_mS_cm(S0 * math.exp(-E_M / (BOLTZMANN_EV_K * 300.0)), 1.0, 2 / 27, 300.0)
    by_kind = {entry["what"]: entry for entry in content["conductivities"]}
    assert by_kind["stated"]["ionic_conductivity_mS_cm"] == pytest.approx(1e-3 * exact)
    thermal = math.exp(-E_F / (2 * BOLTZMANN_EV_K * 300.0))
    assert by_kind["thermal"]["ionic_conductivity_mS_cm"] == pytest.approx(thermal * exact)
    first = content["lines"][0]
    assert first["perfect_is"] == "bound" and first["concentrations"] == [0.0, 0.02, 0.04]
    assert any("has no error" in remark for remark in content["remarks"])
    assert content["left_out"] == {}
    # The spread between the two cells decides the error of the first concentration: with their own errors, 5 % each,
    # alone that of the slope would be 2.9 %.
    assert first["slope_error_cm2_s"] > 0.045 * first["slope_cm2_s"]
    assert result.creator.inputs.few.uuid == nodes["few"].uuid
    assert result.creator.process_type.endswith("ion.defect_conductivity")


@pytest.mark.usefixtures("module_profile")
def test_runs_that_cannot_be_used_are_named() -> None:
    nodes = runs()
    failed = "few_0_T_700"
    nodes[failed].base.attributes.set("refused_because", "the crystal melted")
    assert defect_conductivity(**nodes).get_dict()["left_out"] == {failed: "the crystal melted"}
    other = runs()
    other["few_0_T_700"].base.attributes.set("level_of_theory", "another")
    with pytest.raises(ValueError, match="the runs differ in level_of_theory: another, toy"):
        defect_conductivity(**other)
    perfect = runs()
    listed = {name: where for name, where in perfect["parameters"].get_dict()["runs"].items() if not where["ensemble"]}
    kept = {name: perfect[name] for name in (*listed, "perfect")}
    with pytest.raises(ValueError, match="no run is of a cell with carriers"):
        defect_conductivity(parameters=orm.Dict({"runs": listed}), **kept)


@pytest.mark.usefixtures("module_profile")
def test_bounds_alone_are_stated_and_not_extrapolated() -> None:
    nodes = runs()
    still = {"tracer_diffusivity_cm2_s": None, "tracer_diffusivity_upper_bound_cm2_s": 1e-7}
    for name in nodes["parameters"].get_dict()["runs"]:
        nodes[name].base.attributes.set_many(still)
    content = defect_conductivity(**nodes).get_dict()
    assert content["conductivities"] == [] and content["migration_energy_eV"] is None
    assert any("nothing is extrapolated" in remark for remark in content["remarks"])
    points = content["lines"][0]["points"]
    factor = ionic_conductivity_mS_cm(1e-7, 1.0, 2 / 27, 700.0)
    assert [point["ionic_conductivity_upper_bound_mS_cm"] for point in points] == pytest.approx([factor] * 3)
    assert content["lines"][0]["power_law"]["exponent"] is None
    assert any("below" in line and "mS/cm" in line for line in carrier_lines(content))
