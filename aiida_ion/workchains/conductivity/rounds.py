"""The rounds of ``ion.conductivity``: after each, a decision names the runs that continue, and how far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.conductivity.md import shared_settings
from aiida_ion.workchains.conductivity.runs import Run, round_suffix, summarise_runs, total_steps
from aiida_ion.workchains.protocols.parameters import TARGET_PARAMETERS


def define_rounds(spec: Any) -> None:
    """Declare the decisions among the outputs."""
    spec.output_namespace(
        "history",
        valid_type=orm.Dict,
        dynamic=True,
        help="With `target_relative_error`, for each round: time (ps), error, what continues, why the rest stops.",
    )


def stop_rule(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the target and the budget with what decides on them; ``None`` without a target.

    What the parameters leave out has the default of :class:`~aiida_ion.analysis.convergence.decide.StopRule`.
    """
    parameters = inputs["parameters"].get_dict()
    if parameters.get("target_relative_error") is None:
        return None
    equilibration_fs = inputs["md"]["parameters"].get_dict().get("equilibration_fs", 0.0)
    fit = inputs["diffusion"]["parameters"].get_dict()
    rule = {name: parameters[name] for name in (*TARGET_PARAMETERS, "target_temperature_K") if name in parameters}
    rule |= {name: fit[name] for name in ("min_n_eff", "jump_distance_A") if name in fit}
    return rule | {"equilibration_ps": equilibration_fs / FS_PER_PS}


def decision_inputs(
    inputs: Mapping[str, Any], runs: Sequence[Run], fit_errors: Mapping[str, str], number: int, n_steps: int
) -> dict[str, Any] | None:
    """Return what `decide_extensions` gets beside the fits; ``None`` without a target.

    :param inputs: of the conductivity.
    :param number: of the round.
    :param n_steps: steps of all runs so far.
    """
    rule = stop_rule(inputs)
    if rule is None:
        return None
    entries = summarise_runs(runs, float(shared_settings(inputs)["timestep_fs"]), fit_errors)
    parameters = rule | {"round": number, "n_steps": n_steps, "temperatures": entries}
    return {"parameters": orm.Dict(parameters), "metadata": {"call_link_label": f"decide{round_suffix(number)}"}}


def decided_lengths(decision: Mapping[str, Any], md: Mapping[str, Any]) -> dict[float, int]:
    """Return the temperatures that continue, K -> the length of their runs in all, steps.

    :param decision: what `decide_extensions` returned.
    :param md: MD settings that all runs share.
    """
    timestep_fs, sample_every = float(md["timestep_fs"]), int(md["sample_every"])
    return {
        entry["temperature_K"]: total_steps(entry["next_time_ps"], timestep_fs, sample_every)
        for entry in decision["temperatures"]
        if entry["next_time_ps"] is not None
    }
