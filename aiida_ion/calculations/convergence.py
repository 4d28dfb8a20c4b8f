"""``decide_extensions``: the fits of a round -> which temperatures continue, for how long, and why the others stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.convergence.decide import Outlook, Round, StopRule, decide

#: Number of temperatures that a conductivity needs.
MIN_TEMPERATURES = StopRule.min_temperatures
#: Start of the name of a check -> how a temperature ends if the check fails.
ENDED_BY = {
    "framework": "melted",
    "nearest_distance": "exploded",
    "max_force": "exploded",
    "energy_jump": "exploded",
    "hot_ratio": "exploded",
}
#: Checks that may pass after more time; if any other fails, the temperature is refused for good.
CURABLE = {
    "effective_hops",
    "ions_hopped",
    "log_log_slope",
    "fit_consistent",
    "halves_diffusivity",
    "halves_energy",
    "temperature_off",
    "temperature_drift",
}


@calcfunction
def decide_extensions(parameters: orm.Dict, **diffusion: orm.ArrayData) -> orm.Dict:
    """Decide which temperatures continue after a round.

    :param parameters: the target and the budget (:class:`~aiida_ion.analysis.convergence.decide.StopRule`), `round`,
        `n_steps` of all runs so far, and `temperatures`: for each its `label` among the fits, `temperature_K`,
        `time_ps`, `n_runs`, and `ended` with `ended_because` where its runs cannot continue.
    :param diffusion: the newest fit of each temperature that has one.
    """
    given = parameters.get_dict()
    rule = StopRule.from_dict(given)
    outlooks = [outlook(entry, diffusion.get(entry["label"])) for entry in given["temperatures"]]
    decision = decide(outlooks, rule, given["round"])
    entries = [
        entry_of(outlook, step) for outlook, step in zip(outlooks, (vars(step) for step in decision.steps), strict=True)
    ]
    content = {
        "round": given["round"],
        "target_quantity": rule.target_quantity,
        "target_relative_error": rule.target_relative_error,
        "relative_error": decision.relative_error,
        "reason": decision.reason,
        "n_steps": given["n_steps"],
        "total_time_ps": sum(item.n_runs * item.time_ps for item in outlooks),
        "temperatures": entries,
    }
    return orm.Dict(content | {"summary": summary(decision, rule, given["round"])})


def check_rule(settings: Mapping[str, Any]) -> None:
    """Refuse a target or budget that no run can meet.

    :raises ValueError: with the setting.
    """
    StopRule.from_dict(settings)


def outlook(entry: Mapping[str, Any], node: orm.ArrayData | None) -> Outlook:
    """Return what is known about one temperature.

    :param entry: what the work chain knows about the runs.
    :param node: the newest fit, ``None`` where there is none.
    """
    attributes: dict[str, Any] = node.base.attributes.all if node is not None else {}
    ended, because = entry.get("ended"), entry.get("ended_because")
    refused = attributes.get("refused_because")
    if attributes.get("fit_consistent") is False and refused is None:
        refused = "kinisi and least squares disagree on the same window"
    elif refused is not None and ended is None:
        ended = ended_by_checks(attributes.get("checks") or [])
        because = refused if ended else because
    if node is None and ended is None:
        ended, because = "failed", "There is no fit."
    value, spread = attributes.get("tracer_diffusivity_cm2_s"), attributes.get("tracer_diffusivity_std_cm2_s")
    return Outlook(
        temperature_K=entry["temperature_K"],
        time_ps=entry["time_ps"],
        n_runs=entry["n_runs"],
        n_ions=int(attributes.get("n_mobile_ions") or 1) * int(attributes.get("n_replicas") or 1),
        diffusivity_cm2_s=value,
        relative_error=spread / value if value and spread is not None else None,
        upper_bound_cm2_s=attributes.get("tracer_diffusivity_upper_bound_cm2_s"),
        n_eff=attributes.get("n_eff"),
        measured_temperature_K=attributes.get("temperature_K"),
        refused_because=refused,
        ended=ended,
        ended_because=because,
    )


def ended_by_checks(checks: list[Mapping[str, Any]]) -> str | None:
    """Return ``melted``, ``exploded`` or ``refused`` if a check failed that more time cannot change."""
    failed = [str(check["name"]) for check in checks if check["verdict"] == "fail"]
    ended = next((word for name in failed for start, word in ENDED_BY.items() if name.startswith(start)), None)
    return ended or (None if CURABLE.issuperset(failed) else "refused")


def entry_of(known: Outlook, step: Mapping[str, Any]) -> dict[str, Any]:
    """Return one temperature of the history."""
    return {
        **step,
        "n_runs": known.n_runs,
        "tracer_diffusivity_cm2_s": known.diffusivity_cm2_s,
        "tracer_diffusivity_upper_bound_cm2_s": known.upper_bound_cm2_s,
        "relative_error": known.relative_error,
        "n_eff": known.n_eff,
    }


def summary(decision: Round, rule: StopRule, number: int) -> str:
    """Return the decision in one sentence."""
    error = "not known" if decision.relative_error is None else f"{decision.relative_error:.2g}"
    target = f"error {error}, target {rule.target_relative_error:g}"
    if decision.reason is not None:
        ends = ", ".join(f"{step.temperature_K:g} K {(step.reason or '').replace('_', ' ')}" for step in decision.steps)
        return f"Round {number}: {target}; finished: {ends}."
    longer = ", ".join(
        f"{step.temperature_K:g} K to {step.next_time_ps:.4g} ps"
        for step in decision.steps
        if step.next_time_ps is not None
    )
    return f"Round {number}: {target}; continues with {longer}."
