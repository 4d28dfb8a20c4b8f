"""Figures of stored results, outside the dashboard."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.manage.configuration.profile import Profile

from aiida_ion import figures
from aiida_ion.units import BOLTZMANN_EV_K
from tests.calculations.conductivity.test_fit_conductivity import diffusion, fit, still

LAGS_PS = np.arange(1.0, 21.0)
QUANTITIES = ("conductivity", "plain_conductivity", "diffusivity")


def with_msd(temperature_K: float, **changes: Any) -> orm.ArrayData:
    """Return a fit with the curve 6 D t, whose window is its second half."""
    node = diffusion(temperature_K, n_eff=300.0, tracer_diffusivity_cm2_s=1e-5, fit_window_ps=[10.0, 20.0], **changes)
    for name, values in (
        *((name, LAGS_PS) for name in ("all_lag_times_ps", "lag_times_ps")),
        *((name, 0.6 * LAGS_PS) for name in ("all_msd_A2", "msd_A2")),
        ("msd_std_A2", 0.02 * LAGS_PS),
    ):
        node.set_array(name, values)
    return node


@pytest.fixture(scope="module")
def results(module_profile: Profile) -> dict[str, Any]:
    """Store a conductivity from three temperatures, a refused one and a bound, and one at another level."""
    first = fit(
        *(with_msd(kelvin) for kelvin in (900.0, 1000.0, 1100.0)),
        with_msd(1200.0, refused_because="The framework melted."),
        still(500.0, 1e-9, n_eff=3.0),
    )
    second = fit(*(with_msd(kelvin, level_of_theory="SevenNet 7net-0") for kelvin in (900.0, 1000.0, 1100.0)))
    other = fit(*(diffusion(kelvin, formula="LiCl") for kelvin in (900.0, 1000.0, 1100.0)))
    return {"PBE": first.uuid, "SevenNet": second.uuid, "LiCl": other.uuid}


def drawn(figure: Any) -> dict[str, list[Any]]:
    """Return the traces with points of a figure by name."""
    named: dict[str, list[Any]] = {}
    for trace in figure.data:
        named.setdefault(str(trace.name), []).append(trace)
    return named


def test_both_levels_are_drawn_with_their_lines(results: dict[str, Any]) -> None:
    figure = figures.stored_arrhenius([results["PBE"], results["SevenNet"]])
    traces = drawn(figure)
    assert {"PBE", "SevenNet 7net-0", "PBE, median", "SevenNet 7net-0, 95 % band", "upper bound", "refused"} <= set(
        traces
    )
    (median,) = [trace for trace in traces["PBE, median"] if trace.line.dash == "solid"]
    slope = (median.y[-1] - median.y[0]) / (median.x[-1] - median.x[0])
    stored_eV = orm.load_node(results["PBE"]).base.attributes.get("activation_energy_eV")
    assert slope == pytest.approx(-stored_eV / (BOLTZMANN_EV_K * np.log(10.0)) / 1000.0, rel=0.05)


def test_the_axis_can_be_that_of_diffusivities(results: dict[str, Any]) -> None:
    by_quantity = {name: figures.stored_arrhenius(results["PBE"], quantity=name) for name in QUANTITIES}
    tops = {name: max(max(trace.y) for trace in drawn(f)["PBE, median"]) for name, f in by_quantity.items()}
    assert -6.0 < tops["diffusivity"] < -3.0
    assert tops["conductivity"] - tops["diffusivity"] > 9.0


def test_curves_of_all_temperatures_or_of_one(results: dict[str, Any]) -> None:
    figure = figures.stored_msd(results["PBE"], logarithmic=False)
    assert {"900 K", "1000 K", "1100 K", "1200 K"} <= set(drawn(figure))
    fits = orm.QueryBuilder().append(
        orm.ArrayData,
        filters={"attributes.temperature_K": 1000.0, "attributes.level_of_theory": "PBE", "attributes.n_eff": 300.0},
    )
    (line,) = [trace for trace in figures.stored_msd(fits.first(flat=True).uuid).data if "fitted" in str(trace.name)]
    assert (line.y[-1] - line.y[0]) / (line.x[-1] - line.x[0]) == pytest.approx(0.6)


def test_what_cannot_be_drawn_is_refused_with_the_reason(results: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one material, these are Li3N, LiCl"):
        figures.stored_arrhenius([results["PBE"], results["LiCl"]])
    with pytest.raises(ValueError, match="choose from conductivity, plain_conductivity, diffusivity"):
        figures.stored_arrhenius(results["PBE"], quantity="sigma")
    with pytest.raises(ValueError, match="at least one uuid"):
        figures.stored_arrhenius([])
    unrelated = orm.ArrayData({"x": np.zeros(2)}).store()
    with pytest.raises(ValueError, match="is not a conductivity"):
        figures.stored_arrhenius(unrelated.uuid)
    with pytest.raises(ValueError, match="neither a conductivity nor a diffusivity"):
        figures.stored_msd(unrelated.uuid)


def test_a_notebook_needs_no_dash() -> None:
    look = "import sys, aiida_ion.figures; print('dash' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "False\n"
