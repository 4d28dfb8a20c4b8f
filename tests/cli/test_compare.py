"""Comparisons on the command line, from nodes that `compare_levels` made."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.analysis.comparison.forces import compare_forces
from aiida_ion.analysis.comparison.segments import ComparedSegment, EvaluatedForces
from aiida_ion.analysis.comparison.settings import ComparisonSettings
from aiida_ion.analysis.comparison.structure import compare_structure
from aiida_ion.calculations.comparison.compare_levels import compare_levels
from tests.cli.conftest import Invoke, only_line

SLOW = {"wall_time_s": 8000.0, "cpu_time_s": 32000.0, "gpu_time_s": 0.0, "n_steps": 1000, "peak_memory_MiB": 900.0}
FAST = {"wall_time_s": 30.0, "cpu_time_s": 28.0, "gpu_time_s": 20.0, "n_steps": 3000, "peak_memory_MiB": 2000.0}


def conductivity(sigma: float | None, energy_eV: float | None, bound: float | None = None) -> orm.ArrayData:
    node = orm.ArrayData()
    attributes = {
        "verdict": "bound" if sigma is None else "measured",
        "reason": "Diffusion was detected at 1 different temperatures; 3 are needed to extrapolate to 300 K.",
        "target_temperature_K": 300.0,
        "ionic_conductivity_mS_cm": sigma,
        "ionic_conductivity_ci95_mS_cm": None if sigma is None else [sigma / 2, sigma * 2],
        "ionic_conductivity_upper_bound_mS_cm": bound,
        "activation_energy_eV": energy_eV,
        "activation_energy_ci95_eV": None if energy_eV is None else [energy_eV - 0.03, energy_eV + 0.03],
    }
    node.base.attributes.set_many(attributes)
    return node


def diffusion(temperature_K: float, diffusivity: float | None) -> orm.ArrayData:
    node = orm.ArrayData()
    attributes: dict[str, Any] = {"target_temperature_K": temperature_K, "temperature_K": temperature_K}
    if diffusivity is None:
        attributes |= {"verdict": "bound", "grade": "bound", "tracer_diffusivity_upper_bound_cm2_s": 2e-7}
    else:
        attributes |= {"verdict": "moved", "grade": "A", "tracer_diffusivity_cm2_s": diffusivity}
        attributes["tracer_diffusivity_ci95_cm2_s"] = [0.8 * diffusivity, 1.25 * diffusivity]
    node.base.attributes.set_many(attributes)
    return node


def compared_frames() -> orm.ArrayData:
    """Return the comparison of trajectories whose forces are off by 0.05 eV/angstrom, as its job leaves it."""
    rng = np.random.default_rng(1)
    levels, symbols, steps = ["CHGNet 0.3.0", "PBEsol"], ["Li", "Li", "Li", "N"], np.arange(20)
    exact = rng.normal(0.0, 1.0, (20, 4, 3))
    common = {"steps": steps, "times": steps * 0.002, "cells": np.array([np.eye(3) * 4] * 20)}
    other, reference = (common | {"positions": rng.random((20, 4, 3)) * 3} for _ in levels)
    sides = [
        {"T_0800K": ComparedSegment(symbols, 800.0, None, arrays)} for arrays in (other, reference | {"forces": exact})
    ]
    forces = {"forces": exact + 0.05, "energies": steps * 0.1, "steps": steps, "frames": steps, "segment": 0 * steps}
    thermo = {"T_0800K": {"steps": steps, "potential_energy": steps * 0.1 - 30.0}}
    findings = compare_forces(EvaluatedForces(["T_0800K"], symbols, forces), sides, thermo, levels)
    findings.add(compare_structure(sides, levels, ComparisonSettings()))
    node = orm.ArrayData()
    for name, array in findings.arrays.items():
        node.set_array(name, array)
    node.base.attributes.set_many(
        {"levels_of_theory": levels, "findings": findings.attributes, "missing": findings.missing}
    )
    return node


def comparison(formula: str = "Li3N", level: str = "CHGNet 0.3.0", **nodes: Any) -> orm.ArrayData:
    parameters = {"formula": formula, "level_of_theory": level, "reference_level_of_theory": "PBEsol"}
    return compare_levels(parameters=orm.Dict(parameters), **nodes)


@pytest.fixture
def both(invoke: Invoke) -> tuple[orm.ArrayData, orm.ArrayData, orm.WorkChainNode]:
    """Return a comparison with everything, one with little, and the work chain that returned the first."""
    whole = comparison(
        conductivity=conductivity(3.0, 0.25),
        reference_conductivity=conductivity(1.0, 0.30),
        diffusion_T_0800K=diffusion(800.0, 2e-5),
        reference_diffusion_T_0800K=diffusion(800.0, 1e-5),
        diffusion_T_0900K=diffusion(900.0, 3e-5),
        reference_diffusion_T_0900K=diffusion(900.0, None),
        cost=orm.Dict(FAST),
        reference_cost=orm.Dict(SLOW),
        trajectories=compared_frames(),
    )
    little = comparison(
        "Li2O",
        "SevenNet 7net-0",
        conductivity=conductivity(None, None, 0.01),
        reference_conductivity=conductivity(1.0, 0.3),
    )
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.comparison").store()
    whole.base.links.add_incoming(chain, LinkType.RETURN, "comparisons__Li3N__chgnet")
    return whole, little, chain


def line_of(text: str, *words: str) -> str:
    """Return the first line with all words, its columns one space apart."""
    result = next(line for line in text.splitlines() if all(word in line for word in words))
    return " ".join(result.split())


def test_both_sides_stand_beside_their_ratio(invoke: Invoke, both: Any) -> None:
    whole, _, _ = both
    text = invoke("compare", whole.pk).output
    assert "Li2O" not in text
    assert "2e-05 [1.6e-05, 2.5e-05] 1e-05 [8e-06, 1.25e-05] 2 [1.46, 2.74] A / A" in line_of(text, "Li3N", " 800 ")
    assert "< 2e-07" in line_of(text, "Li3N", " 900 ")
    assert "> 120" in line_of(text, "Li3N", " 900 ")
    sigma = line_of(text, "Li3N", " 300 ")
    assert "3 [1.5, 6]" in sigma
    assert "1 [0.5, 2]" in sigma
    assert "3 [1.13, 8]" in sigma
    assert "-0.05 [-0.0924, -0.00757]" in sigma
    forces = line_of(text, "Li 0.05, N 0.05")
    assert " 20 " in forces
    assert "0.05 [0.05, 0.05]" in forces
    assert "Li-N" in line_of(text, "Li-Li")
    assert "0.01 / 8" in line_of(text, "0.01 / 8", " 800 ")
    assert "- Li3N, CHGNet 0.3.0: Ratio of the diffusivities at 900 K: there is only an upper bound" in text
    assert "Vibrations: CHGNet 0.3.0 keeps no velocities" in text


def test_a_work_chain_stands_for_its_comparisons(invoke: Invoke, both: Any) -> None:
    whole, little, chain = both
    assert invoke("compare", chain.pk).output == invoke("compare", whole.uuid).output
    assert invoke("compare", little.creator.pk).output == invoke("compare", little.pk).output
    everything = invoke("compare").output
    assert "Li2O" in everything
    assert "< 0.01" in line_of(everything, "Li2O", "SevenNet")
    assert invoke("compare", "--material", "Li3N").output == invoke("compare", whole.pk).output
    assert invoke("compare", "--level-of-theory", "SevenNet 7net-0").output == invoke("compare", little.pk).output


def test_programs_read_every_column(invoke: Invoke, both: Any, tmp_path: Path) -> None:
    whole, little, chain = both
    rows = json.loads(invoke("compare", "--format", "json").output)["comparison"]
    assert [row["pk"] for row in rows] == [little.pk, whole.pk]
    assert [row["process_pk"] for row in rows] == [None, chain.pk]
    assert rows[0]["ionic_conductivity_ratio"] is None
    assert rows[0]["ionic_conductivity_ratio_upper_bound"] == pytest.approx(0.02)
    assert rows[1]["temperatures"][0]["tracer_diffusivity_ratio"] == pytest.approx(2.0)
    path = tmp_path / "comparison.csv"
    assert f"Written: {path}" in invoke("compare", "--format", "csv", "--output", path).output
    frame = pd.read_csv(StringIO(path.read_text()))
    assert frame["force_mae_eV_A"].tolist()[1] == pytest.approx(0.05)
    assert frame["force_mae_by_element_eV_A"][1] == "Li 0.05, N 0.05"
    markdown = invoke("compare", whole.pk, "--format", "markdown").output
    assert "## Diffusion at each temperature" in markdown
    assert "| Li3N" in markdown
    assert "## Missing" in markdown


def test_a_comparison_is_described(invoke: Invoke, both: Any) -> None:
    whole, little, chain = both
    text = invoke("show", whole.pk).output
    assert (
        "Li3N, CHGNet 0.3.0 against PBEsol: ionic conductivity at 300 K 3 [1.13, 8] times that of the reference" in text
    )
    assert (
        "D* at 800 K, cm2/s: 2e-05 [1.6e-05, 2.5e-05], reference 1e-05 [8e-06, 1.25e-05], ratio 2 [1.46, 2.74]" in text
    )
    assert "force MAE, eV/angstrom: 0.05 [0.05, 0.05], by element Li 0.05, N 0.05" in text
    assert "wall time of a step, s: 0.01 / 8 of the reference; 800 times faster" in text
    assert "missing: Vibrations: CHGNet 0.3.0 keeps no velocities" in text
    assert "missing: Ratio of the conductivities: there is only an upper bound" in invoke("show", little.pk).output
    assert f"node {whole.pk}: Li3N, CHGNet 0.3.0 against PBEsol" in invoke("show", chain.pk).output


def test_what_is_no_comparison_is_one_line(invoke: Invoke, both: Any) -> None:
    number = orm.Int(1).store()
    idle = orm.WorkChainNode(process_type="aiida.workflows:ion.comparison").store()
    assert "there is no node 99999; 'aiida-ion compare' lists all" in only_line(invoke("compare", 99999, code=1))
    assert f"node {number.pk} is not a comparison" in only_line(invoke("compare", number.pk, code=1))
    assert f"process {idle.pk} has no comparison" in only_line(invoke("compare", idle.pk, code=1))


def test_nothing_compared_yet(invoke: Invoke) -> None:
    assert invoke("compare").output.startswith("No comparisons yet.")
    assert json.loads(invoke("compare", "--format", "json").output) == {"comparison": []}
