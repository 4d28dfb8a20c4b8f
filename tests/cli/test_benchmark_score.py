"""`aiida-ion benchmark score`: computed beside measured, on nodes that say what conductivities say."""

from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.analysis.comparison.baselines import IN_SAMPLE_MEDIAN, LEAVE_ONE_OUT_MEDIAN
from aiida_ion.analysis.conductivity import diffusivity_cm2_s
from aiida_ion.campaigns.obelix.materials import materials_of
from aiida_ion.campaigns.obelix.scores import FOREST_OF_OTHERS, Scored, common_scores, pairs_of, paper_scores, scored
from aiida_ion.campaigns.obelix.tasks import store_and_link
from aiida_ion.cli.text.benchmark.scores import render
from aiida_ion.datasets.obelix import read_obelix
from aiida_ion.datasets.obelix_crystals import select
from aiida_ion.datasets.obelix_paper import CONSTANTS, METHODS
from aiida_ion.units import BOLTZMANN_EV_K
from tests.cli.conftest import Invoke
from tests.datasets.obelix_files import ROWS, real_dataset, row, write_dataset

#: Measured mS/cm of the entries that are scored: 1e-9, below 1e-7, 2e-3 (bulk 5e-3), 1e-6.
IDS = ("aaa", "bbb", "ccc", "ggg")
TEMPERATURES_K = (900.0, 1000.0)


@pytest.fixture
def crystals(invoke: Invoke, tmp_path: Path) -> dict[str, orm.StructureData]:
    """Return the linked crystals of a small dataset."""
    entries = read_obelix(write_dataset(tmp_path / "obelix", [*ROWS, *MORE]))
    result, _ = materials_of(select(entries, IDS))
    store_and_link(result)
    return {one.entry.entry_id: one.structure for one in result}


MORE = [row(f"z{number:02}", f"Li{number + 1}PS4", f"{10.0**-number}") for number in range(1, 10)]


def law(sigma: float) -> list[float]:
    """Return diffusivities, cm^2/s, that extrapolate to a conductivity, mS/cm at 300 K."""
    at_target = diffusivity_cm2_s(sigma, 1.0, 0.03, 300.0)
    return [at_target * math.exp(0.3 / BOLTZMANN_EV_K * (1 / 300.0 - 1 / value)) for value in TEMPERATURES_K]


def computed(
    structure: orm.StructureData,
    sigma: float | None,
    level: str = "good",
    unchecked: float | None = None,
    **more: Any,
) -> orm.WorkChainNode:
    """Store a conductivity, mS/cm at 300 K, from two temperatures of which `n_passed` passed the paper's check.

    :param unchecked: where no diffusion was detected: what a line through plain slopes would give, mS/cm.
    """
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity")
    parameters = orm.Dict({"temperatures_K": [900.0, 1000.0]}).store()
    chain.base.links.add_incoming(structure, LinkType.INPUT_WORK, "structure")
    chain.base.links.add_incoming(parameters, LinkType.INPUT_WORK, "parameters")
    chain.store()
    attributes = {
        "formula": structure.get_pymatgen_structure().composition.reduced_formula,
        "level_of_theory": level,
        "verdict": "measured",
        "reason": None,
        "target_temperature_K": 300.0,
        "ionic_conductivity_mS_cm": sigma,
        "ionic_conductivity_ci95_mS_cm": None if sigma is None else [sigma / 3, sigma * 3],
        "ionic_conductivity_upper_bound_mS_cm": None,
    }
    node = orm.ArrayData()
    node.base.attributes.set_many(attributes | {key: value for key, value in more.items() if key != "n_passed"})
    node.store().base.links.add_incoming(chain, LinkType.RETURN, "conductivity")
    for number, diffusivity in enumerate(law(unchecked or sigma or 1.0)):
        fit = orm.ArrayData()
        attributes = {"temperature_K": TEMPERATURES_K[number], "charge_e": 1.0, "number_density_A3": 0.03}
        attributes |= {"tracer_diffusivity_cm2_s": diffusivity} if unchecked is None else {}
        attributes |= {"least_squares_diffusivity_cm2_s": diffusivity if unchecked else 1.0}
        fit.base.attributes.set_many(attributes | {"msd_passes_20_A2": number < more.get("n_passed", 2)})
        fit.store().base.links.add_incoming(chain, LinkType.RETURN, f"diffusion__T_{number}K")
    return chain


@pytest.fixture
def results(crystals: dict[str, orm.StructureData]) -> dict[str, orm.WorkChainNode]:
    """Return the work chains of one level that has all, and of one that has three."""
    bound = {
        "verdict": "bound",
        "ionic_conductivity_upper_bound_mS_cm": 1e-4,
        "reason": "Nothing moved.",
        "n_passed": 0,
    }
    result = {
        "aaa": computed(crystals["aaa"], 1e-8),
        "bbb": computed(crystals["bbb"], 1e-9, n_passed=1),
        "ccc": computed(crystals["ccc"], 5e-3),
        "ggg": computed(crystals["ggg"], None, unchecked=1e-2, **bound),
    }
    for name, sigma in (("aaa", 1e-5), ("bbb", 1e-5), ("ccc", 1e-5)):
        computed(crystals[name], sigma, "flat", n_passed=0)
    return result


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_materials_stand_beside_what_was_measured(invoke: Invoke, results: dict[str, orm.WorkChainNode]) -> None:
    output = lines(invoke("benchmark", "score").output)
    pks = {name: node.pk for name, node in results.items()}
    assert f"aaa LiF good 1e-09 - 1e-08 [3.33e-09, 3e-08] 1 1e-08 2 of 2 noise {pks['aaa']}" in output
    assert f"bbb LiCl good < 1e-07 - 1e-09 [3.33e-10, 3e-09] 0 1e-09 1 of 2 - {pks['bbb']}" in output
    assert any(line.startswith("ccc LiF good 0.002 0.005 0.005 [0.00167, 0.015] 0 0.005 2 of 2") for line in output)
    assert f"ggg Li2O good 1e-06 - < 0.0001 0 0.01 0 of 2 noise {pks['ggg']}" in output


def test_the_paper_s_way_checks_nothing_and_takes_each_level_by_itself(results: dict[str, Any]) -> None:
    scores = {one.method: one for one in scored().paper}
    # log10 errors against the stated values: 1 (aaa), -2 (bbb, its bound a number), 0.398 (ccc), 4 (ggg, unchecked).
    assert (scores["good"].n, scores["good"].n_passed) == (4, 2)
    assert scores["good"].mae == pytest.approx((1 + 2 + 0.39794 + 4) / 4, abs=1e-5)
    assert scores["good"].mae_passed == pytest.approx((1 + 0.39794) / 2, abs=1e-5)
    assert (scores["flat"].n, scores["flat"].n_passed, scores["flat"].mae_passed) == (3, 0, None)
    # log10 of what was measured: -9, -7, -2.69897, -6; their median is -6.5.
    assert scores["(median of all)"].mae == pytest.approx((2.5 + 0.5 + 3.80103 + 0.5) / 4, abs=1e-5)
    assert scores["(median of all)"].n == scores["(median of the others)"].n == 4


def test_the_right_way_is_on_common_materials_with_bounds_as_bounds(results: dict[str, Any]) -> None:
    result = scored()
    scores = {one.name: one for one in result.common}
    assert {one.n for one in result.common} == {3}  # ggg is missing at the level `flat`
    assert scores["good"].n_bounds == 1
    assert scores["good"].mae == pytest.approx(1 / 3)  # bbb is below its bound, ccc is the bulk value
    assert scores["flat"].mae == pytest.approx((4 + 2 + 2.69897) / 3, abs=1e-5)
    assert scores["good"].coverage == 0.5  # of aaa and ccc
    assert {IN_SAMPLE_MEDIAN, LEAVE_ONE_OUT_MEDIAN} <= set(scores)
    assert result.numbers == []  # fewer than three without a bound
    only = scored(["good"])
    assert {one.n for one in only.common} == {4}


def test_a_forest_learns_from_the_other_compositions(results: dict[str, Any], tmp_path: Path) -> None:
    entries = read_obelix(tmp_path / "obelix")
    names = [one.name for one in scored(entries=entries).common]
    assert names[-1] == FOREST_OF_OTHERS


def test_a_level_is_judged_on_numbers_alone(invoke: Invoke, results: dict[str, Any], crystals: dict[str, Any]) -> None:
    computed(crystals["ggg"], 1e-6)  # measured now, and newer than the bound
    text = invoke("benchmark", "score", "--level-of-theory", "good").output
    assert "- log10 sigma: good beats a constant: mean absolute error 0.333 against" in text
    assert "- ggg, good: computed more than once; the newest counts" in text
    assert "published: MACE medium-mpa-0 21 4.11 5 1.55" in lines(text)
    assert "published: PBE 20 4.1 6 2.35" in lines(text)
    assert "published: median of all 21 2.65 - -" in lines(text)


def test_what_was_not_computed_or_is_for_another_temperature_is_said(
    invoke: Invoke, crystals: dict[str, orm.StructureData]
) -> None:
    computed(crystals["aaa"], 1.0, target_temperature_K=500.0)
    text = invoke("benchmark", "score").output
    assert text.startswith("Nothing to score yet.")
    assert "aaa, good: computed for 500 K, measured at 298.15 K; left out." in text
    assert "Nothing computed yet for aaa, bbb, ccc, ggg." in text


def test_a_group_holds_its_crystals_alone(invoke: Invoke, results: dict[str, orm.WorkChainNode]) -> None:
    orm.Group(label="some").store().add_nodes([results["aaa"]])
    output = invoke("benchmark", "score", "--group", "some").output
    assert any(line.startswith("aaa LiF good") for line in lines(output))
    assert "bbb" not in output


def test_programs_read_every_number(invoke: Invoke, results: dict[str, orm.WorkChainNode], tmp_path: Path) -> None:
    output = json.loads(invoke("benchmark", "score", "--format", "json").output)
    bound = next(line for line in output["materials"] if line["entry_id"] == "bbb")
    assert bound["ionic_conductivity_mS_cm"] is None
    assert bound["ionic_conductivity_upper_bound_mS_cm"] == pytest.approx(1e-7)
    assert bound["process_uuid"] in {node.uuid for node in results.values()} or bound["level_of_theory"] == "flat"
    path = tmp_path / "score.csv"
    assert f"Written: {path}" in invoke("benchmark", "score", "--format", "csv", "--output", path).output
    table = pd.read_csv(StringIO(path.read_text()))
    published = table[table["published"]]
    assert published["mae_decades"].tolist() == [4.11, 4.10, 2.65, 2.81]
    good = table[(table["scoring"] == "common") & (table["method"] == "good")]
    assert good["mae_decades"].tolist() == pytest.approx([1 / 3])
    assert good["n_bounds"].tolist() == [1]
    markdown = invoke("benchmark", "score", "--format", "markdown").output
    assert "## Computed beside measured" in markdown
    assert "| ggg" in markdown


def test_nothing_to_score(invoke: Invoke) -> None:
    assert invoke("benchmark", "score").output.startswith("Nothing to score yet.")
    assert json.loads(invoke("benchmark", "score", "--format", "json").output)["materials"] == []
    assert render(Scored([], [], [], [], []), "text").startswith("Nothing to score yet.")


def paper_rows(level: str, factor: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows and fits of the paper's 21 materials, published data, with a level that is off by a factor each."""
    rows, fits = [], []
    for number, entry in enumerate(select(read_obelix(real_dataset()), ["paper"])):
        sigma = 1000.0 * entry.stated.value_S_cm * (factor if number % 2 else 1 / factor)
        attributes = {"formula": entry.formula, "level_of_theory": level, "verdict": "measured", "reason": None}
        attributes |= {"target_temperature_K": 300.0, "n_temperatures": 2, "n_msd_passed": 0, "process_pk": number}
        attributes |= {
            f"computed_ionic_conductivity_{end}_mS_cm": None for end in ("ci95_low", "ci95_high", "upper_bound")
        }
        rows.append(entry.attributes() | attributes | {"computed_ionic_conductivity_mS_cm": sigma})
        for temperature, diffusivity in zip(TEMPERATURES_K, law(sigma), strict=True):
            fit = {"process_pk": number, "temperature_K": temperature, "diffusivity_cm2_s": diffusivity}
            fits.append(fit | {"charge_e": 1.0, "number_density_A3": 0.03})
    return rows, fits


def test_the_constants_of_the_paper_s_materials_from_the_published_data() -> None:
    """2.65 and 2.81, which the 4.11 and 4.10 of the paper's methods do not beat."""
    pairs, notes = pairs_of(*paper_rows("as far off as MACE", 10**4.11))
    assert notes == []
    scores = {one.method: one for one in paper_scores(pairs)}
    assert (scores["as far off as MACE"].n, round(scores["as far off as MACE"].mae, 2)) == (21, 4.11)
    for constant in CONSTANTS:
        assert constant.n == scores[f"({constant.method})"].n == 21
        assert constant.mae == round(scores[f"({constant.method})"].mae, 2)
        assert all(constant.mae < method.mae for method in METHODS)
    proper = {one.name: one for one in common_scores(pairs, numbers_alone=True)}
    assert proper["as far off as MACE"].n == 20  # Li4P2O7 is a bound
    assert proper["as far off as MACE"].mae == pytest.approx(4.11)
    assert proper[LEAVE_ONE_OUT_MEDIAN].mae < 4.0


def test_a_forest_of_the_other_compositions_of_the_published_data() -> None:
    entries = read_obelix(real_dataset())
    pairs, _ = pairs_of(*paper_rows("as far off as DFT", 10**4.10))
    scores = {one.name: one for one in common_scores(pairs, entries, numbers_alone=True)}
    assert 1.0 < scores[FOREST_OF_OTHERS].mae < scores["as far off as DFT"].mae
