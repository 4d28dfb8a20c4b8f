"""From stored fits to the stored decision."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm

from aiida_ion.calculations.convergence import decide_extensions

RULE = {"target_relative_error": 0.2, "max_time_ps": 100.0, "equilibration_ps": 1.0}


def fit(**attributes: Any) -> orm.ArrayData:
    """Return a diffusion node with what a fit says, changed by what is given."""
    node = orm.ArrayData()
    node.base.attributes.set_many(
        {
            "temperature_K": 801.0,
            "n_mobile_ions": 20,
            "n_replicas": 2,
            "n_eff": 80.0,
            "tracer_diffusivity_cm2_s": 1e-5,
            "tracer_diffusivity_std_cm2_s": 3e-6,
            "fit_consistent": True,
        }
        | attributes
    )
    return node


def decision(node: orm.ArrayData | None, **entry: Any) -> dict[str, Any]:
    here = {"label": "T_0800K", "temperature_K": 800.0, "time_ps": 20.0, "n_runs": 2} | entry
    parameters = orm.Dict(RULE | {"round": 1, "n_steps": 20000, "temperatures": [here]})
    result: dict[str, Any] = decide_extensions(parameters, **({"T_0800K": node} if node else {})).get_dict()
    return result


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_decision_is_stored_with_what_it_rests_on() -> None:
    result = decision(fit())
    (entry,) = result["temperatures"]
    assert (entry["action"], entry["reason"]) == ("extend", None)
    assert entry["relative_error"] == pytest.approx(0.3)
    assert entry["next_time_ps"] > 20.0
    assert (result["total_time_ps"], result["n_steps"], result["reason"]) == (40.0, 20000, None)
    assert "continues with 800 K to" in result["summary"]
    enough = decision(fit(tracer_diffusivity_std_cm2_s=1e-6))
    assert enough["reason"] == "converged"
    assert "800 K converged" in enough["summary"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_checks_refuse_stops_where_no_time_cures_it() -> None:
    def failed(name: str) -> dict[str, Any]:
        checks = [{"name": name, "verdict": "fail"}, {"name": "other", "verdict": "pass"}]
        return decision(fit(refused_because="It is so.", checks=checks))["temperatures"][0]

    assert failed("framework_growth")["reason"] == "melted"
    assert failed("energy_jump")["reason"] == "exploded"
    assert failed("energy_drift")["reason"] == "refused"
    assert failed("log_log_slope")["action"] == "extend"
    inconsistent = decision(fit(fit_consistent=False))["temperatures"][0]
    assert inconsistent["action"] == "extend"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_without_a_fit_a_temperature_has_failed() -> None:
    (entry,) = decision(None)["temperatures"]
    assert (entry["reason"], entry["message"]) == ("failed", "There is no fit.")
    (entry,) = decision(None, ended="exploded", ended_because="It exploded.")["temperatures"]
    assert (entry["reason"], entry["message"]) == ("exploded", "It exploded.")
