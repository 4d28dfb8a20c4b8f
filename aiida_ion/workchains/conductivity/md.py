"""The molecular dynamics of ``ion.conductivity``: its engine, and what each run gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.calculations.training.domain import trained_attributes
from aiida_ion.exit_codes import LEFT_TRAINING
from aiida_ion.settings.md import MdSettings
from aiida_ion.workchains.conductivity.prepared import prepared_of, run_name
from aiida_ion.workchains.conductivity.runs import REMEDY, RunResult, round_suffix
from aiida_ion.workchains.outcome import outcome


def define_md(spec: Any) -> None:
    """Declare its inputs, its cost and its exit code."""
    spec.input("md.entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain.")
    spec.input(
        "md.parameters",
        valid_type=orm.Dict,
        help="MD settings without `temperature_K` and `seed` (fs, GPa); `n_steps` is that of the first round.",
    )
    spec.input("md.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of each MD job.")
    spec.input_namespace("md.engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, ...")
    spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of all molecular dynamics.")
    spec.exit_code(502, "ERROR_MD_FAILED", message="No temperature has a trajectory that can be used: {detail}")


def engine_of(inputs: Mapping[str, Any]) -> Any:
    """Return the work chain of the engine."""
    return WorkflowFactory(inputs["md"]["entry_point"].value)


def engine_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the engine namespace of an MD work chain from the inputs of a conductivity."""
    engine = dict(inputs["md"]["engine"])
    metadata: dict[str, Any] = {"disable_cache": True} if inputs.get("fresh") else {}
    if inputs["md"].get("options"):
        metadata["options"] = dict(inputs["md"]["options"])
    return engine | ({"metadata": metadata} if metadata else {})


def is_watched(inputs: Mapping[str, Any]) -> bool | None:
    """Return whether the runs are watched; ``None`` of a potential that was not trained here, and has no bounds."""
    engine = inputs["md"]["engine"]
    if engine.get("watch") is not None:
        return True
    checkpoint, potential = engine.get("checkpoint"), engine.get("potential")
    trained = checkpoint is not None and trained_attributes(checkpoint) is not None
    fitted = potential is not None and potential.get_dict().get("reference") is not None
    return False if trained or fitted else None


def shared_settings(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the MD settings that all runs share, with the default of `sample_every`."""
    settings: dict[str, Any] = {"sample_every": MdSettings.sample_every} | inputs["md"]["parameters"].get_dict()
    return settings


def run_seed(seed: int, temperature_K: float) -> int:
    """Return the seed of one run: another for each temperature, so that thermostats do not share their noise.

    It does not depend on the other temperatures: a temperature added later finds the old runs in the cache.
    """
    return 100_000 * seed + round(10 * temperature_K)


def md_inputs(
    inputs: Mapping[str, Any],
    structure: orm.StructureData,
    temperature_K: float,
    seed: int,
    n_steps: int | None = None,
) -> dict[str, Any]:
    """Return the inputs of the MD work chain for one temperature and seed.

    :param n_steps: steps in all; those of the first round when not given.
    """
    settings = inputs["md"]["parameters"].get_dict() | {
        "temperature_K": temperature_K,
        "seed": run_seed(seed, temperature_K),
    }
    if n_steps is not None:
        settings["n_steps"] = n_steps
    return {
        "structure": structure,
        "parameters": orm.Dict(settings),
        "charges": orm.Dict(inputs["parameters"].get_dict()["charges"]),
        "engine": engine_inputs(inputs),
    }


def run_inputs(
    inputs: Mapping[str, Any], supercell: orm.StructureData, run: Mapping[str, Any], number: int
) -> dict[str, Any]:
    """Return the inputs of the work chain of a run in one round: its start, or what continues it exactly.

    :param run: a :class:`~aiida_ion.workchains.conductivity.runs.Run`; it is to reach ``n_steps``.
    :param number: of the round.
    """
    children = md_inputs(inputs, supercell, run["temperature_K"], run["seed"], run["n_steps"])
    earlier = (prepared_of(inputs).get("runs") or {}).get(run_name(run["temperature_K"], run["seed"]))
    if run["pks"]:
        before: Any = orm.load_node(run["pks"][-1])
        children["restart_from"] = before.outputs.state
    elif earlier:
        children["earlier"] = dict(earlier)
    if not inputs["clean_workdir"]:
        children["clean_workdir"] = orm.Bool(False)
    label = f"md_{run_name(run['temperature_K'], run['seed'])}{round_suffix(number)}"
    return children | {"metadata": {"call_link_label": label}}


def result_of(node: Any) -> RunResult:
    """Return what counts of a work chain of a run that has ended."""
    failure = None if node.is_finished_ok else outcome(node)
    if node.exit_status == LEFT_TRAINING:
        failure = f"{failure}; {REMEDY}"
    return RunResult(node.pk, node.exit_status, failure, has_state="state" in node.outputs)


def costs_of(pks: Sequence[int]) -> dict[str, orm.Dict]:
    """Return the cost of each work chain that has one, labelled in the order in which they were submitted."""
    nodes: list[Any] = [orm.load_node(pk) for pk in sorted(pks)]
    return {f"run_{index:03d}": node.outputs.cost for index, node in enumerate(nodes) if "cost" in node.outputs}


def total_steps_run(pks: Sequence[int]) -> int:
    """Return the steps that work chains have run."""
    return sum(int(cost.get_dict().get("n_steps") or 0) for cost in costs_of(pks).values())
