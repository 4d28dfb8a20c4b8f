"""What is left out of a collective fit, conductivities that are poorly known, and several mobile species."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.cli.text.nodes import describe
from aiida_ion.cli.text.tables import conductivity_rows
from aiida_ion.verdicts import interval_decades
from tests.calculations.conductivity.test_fit_conductivity import DENSITY_A3, HOT_K, diffusion, law, still

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
NEAR_K, FAR_K = (900.0, 1000.0, 1100.0), 300.0


def fitted(*nodes: orm.ArrayData, target_temperature_K: float = FAR_K, **parameters: Any) -> dict[str, Any]:
    for node in nodes:
        node.store()
    given = {f"T_{index}": node for index, node in enumerate(nodes)}
    text = orm.Dict({"target_temperature_K": target_temperature_K} | parameters)
    node: Any = fit_conductivity(parameters=text, **given)
    return {"node": node} | node.base.attributes.all


def without_collective(temperature_K: float, reason: str | None, **changes: Any) -> orm.ArrayData:
    node = diffusion(temperature_K, **changes)
    node.delete_array("collective_diffusivity_samples_cm2_s")
    if reason is not None:
        node.base.attributes.set("collective_reason", reason)
    return node


def test_a_collective_fit_says_which_temperatures_it_lacks_and_why() -> None:
    why = "The mean squared displacement of the charge does not grow over the window."
    text = fitted(
        without_collective(800.0, why),
        diffusion(900.0),
        diffusion(1000.0, collective_fit_consistent=False),
        diffusion(1100.0),
        still(600.0, 1e-8),
    )
    reason = text["collective_reason"]
    assert "known at 2 of the 4 diffusive temperatures" in reason
    assert "Diffusion was detected at 2" not in reason
    assert f"800 K: {why.rstrip('.')}" in reason
    assert "1000 K: kinisi and least squares disagree" in reason
    assert "600 K: No diffusion detected. 3 effective hops" in reason
    assert [one["temperature_K"] for one in text["collective_temperatures_refused"]] == [600.0, 800.0, 1000.0]
    assert text["collective_temperatures_used_K"] == [900.0, 1100.0]
    assert text["collective_ionic_conductivity_mS_cm"] is None
    assert why.rstrip(".") in describe(text["node"])


def test_a_collective_fit_that_succeeds_still_says_what_it_lacks() -> None:
    text = fitted(*map(diffusion, HOT_K[1:]), without_collective(800.0, None))
    assert text["collective_reason"] is None
    assert text["collective_temperatures_used_K"] == list(HOT_K[1:])
    assert any("800 K: The fit gave no collective diffusivity" in one for one in text["collective_warnings"])


def test_a_conductivity_with_a_wide_interval_is_poorly_known() -> None:
    text = fitted(*map(diffusion, NEAR_K))
    low, high = text["ionic_conductivity_ci95_mS_cm"]
    decades = interval_decades(low, high)
    assert decades is not None and decades > 2.0
    assert text["verdict"] == "poorly_known" and text["max_interval_decades"] == 2.0
    assert f"spans {decades:.1f} decades" in text["reason"]
    assert "poorly known" in text["summary"] and f"between {low:.3g} and {high:.3g} mS/cm" in text["summary"]
    assert f"{text['ionic_conductivity_mS_cm']:.3g} mS/cm" not in text["summary"]
    shown = describe(text["node"])
    assert "verdict: poorly known" in shown and f"poorly known [{low:.3g}, {high:.3g}]" in shown


def test_the_limit_is_a_setting() -> None:
    text = fitted(*map(diffusion, NEAR_K), max_interval_decades=20.0)
    assert text["verdict"] == "measured" and text["max_interval_decades"] == 20.0
    assert "poorly" not in text["summary"]


def test_a_result_of_an_earlier_version_is_shown_by_the_same_rule() -> None:
    text = fitted(*map(diffusion, NEAR_K))
    old = orm.ArrayData()
    left_out = ("node", "max_interval_decades", "species", "all_species_ionic_conductivity_verdict")
    kept = {name: value for name, value in text.items() if name not in left_out and not name.startswith("array|")}
    old.base.attributes.set_many(kept | {"verdict": "measured", "reason": None})
    shown = describe(old.store())
    assert "verdict: poorly known" in shown and "poorly known [" in shown


def two_species(temperature_K: float, moved: bool = True) -> orm.ArrayData:
    """Return a node with Na that diffuses twice as fast as Li, or was bounded."""
    node = diffusion(temperature_K, volume_A3=800.0)
    generator = np.random.default_rng(int(temperature_K) + 1)
    row = {"element": "Na", "role": "also mobile", "n_ions": 12, "charge_e": 1.0, "n_hops": 500, "n_ions_hopped": 12}
    if moved:
        name = "tracer_diffusivity_samples_of_Na_cm2_s"
        node.set_array(name, 2.0 * law(temperature_K) * np.exp(generator.normal(0.0, 0.1, 1000)))
        row |= {"verdict": "moved", "tracer_diffusivity_upper_bound_cm2_s": None}
    else:
        row |= {"verdict": "bound", "tracer_diffusivity_upper_bound_cm2_s": 1e-6}
    node.base.attributes.set("species", [{"element": "Li", "role": "mobile"}, row])
    return node


def test_the_conductivity_of_all_species_is_extrapolated_beside_that_of_one() -> None:
    text = fitted(*(two_species(temperature) for temperature in HOT_K), target_temperature_K=600.0)
    truth = {
        element: ionic_conductivity_mS_cm(factor * law(600.0), 1.0, density, 600.0)
        for element, factor, density in (("Li", 1.0, DENSITY_A3), ("Na", 2.0, 12 / 800.0))
    }
    assert [row["element"] for row in text["species"]] == ["Li", "Na"]
    assert text["species"][0]["ionic_conductivity_mS_cm"] == text["ionic_conductivity_mS_cm"]
    assert text["ionic_conductivity_mS_cm"] == pytest.approx(truth["Li"], rel=0.3)
    assert text["all_species_ionic_conductivity_species"] == ["Li", "Na"]
    assert text["all_species_ionic_conductivity_mS_cm"] == pytest.approx(sum(truth.values()), rel=0.3)
    low, high = text["all_species_ionic_conductivity_ci95_mS_cm"]
    assert low < sum(truth.values()) < high
    assert text["all_species_ionic_conductivity_verdict"] == "measured"
    assert "ionic conductivity of Li and Na" in describe(text["node"])


def test_a_species_that_is_only_bounded_widens_the_sum() -> None:
    nodes = [two_species(temperature, moved=False) for temperature in HOT_K]
    text = fitted(*nodes, target_temperature_K=600.0)
    assert text["all_species_ionic_conductivity_species"] == ["Li"]
    bound = text["species"][1]["ionic_conductivity_upper_bound_mS_cm"]
    assert bound > 0
    edges = (text["all_species_ionic_conductivity_ci95_mS_cm"][1], text["ionic_conductivity_ci95_mS_cm"][1])
    assert edges[0] - edges[1] == pytest.approx(bound, rel=0.05)


def test_one_mobile_species_is_all_there_is() -> None:
    text = fitted(*map(diffusion, HOT_K), target_temperature_K=600.0)
    assert text["all_species_ionic_conductivity_mS_cm"] == pytest.approx(text["ionic_conductivity_mS_cm"])
    assert "ionic conductivity of" not in describe(text["node"])


def test_tables_show_the_interval_alone() -> None:
    import pandas as pd

    row = {
        "formula": "Li3N", "level_of_theory": "PBE", "target_temperature_K": 300.0, "verdict": "poorly_known",
        "ionic_conductivity_mS_cm": 1e-2, "ionic_conductivity_ci95_low_mS_cm": 1e-6,
        "ionic_conductivity_ci95_high_mS_cm": 500.0, "activation_energy_eV": None, "temperatures_used_K": "900",
        "temperatures_bound_K": "", "temperatures_refused_K": "", "wall_time_s": None, "pk": 1,
    }  # fmt: skip
    (shown,) = conductivity_rows(pd.DataFrame([row]))
    assert shown["verdict"] == "poorly known" and shown["sigma (mS/cm)"] == "poorly known [1e-06, 500]"
