"""Segments of a run that another process computed, such as a batch: a run begins with them instead of a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.exit_codes import EXPLODED, LEFT_TRAINING

NAMESPACE = "earlier"
#: Status of a replica of a batch -> the exit code of a run with it; others that ended a replica are of the engine.
ENDINGS = {"exploded": EXPLODED, "left_training": LEFT_TRAINING}
#: Statuses of replicas that are whole, or can be continued.
USABLE = ("finished", "walltime", "terminated", "stopped", "waiting")


def define_earlier(spec: Any) -> None:
    """Declare what a run may begin with."""
    spec.input_namespace(
        NAMESPACE,
        required=False,
        help="Segments of this very run that a batch computed: they are its first outputs, and it goes on from their "
        "state; nothing is run where they reach `n_steps`.",
    )
    for name, kind, what in (
        ("trajectories", orm.TrajectoryData, "Its segments, by names that sort in the order of time."),
        ("thermo", orm.ArrayData, "Of the same segments."),
        ("costs", orm.Dict, "Cost of each segment: s, MiB, steps."),
    ):
        spec.input_namespace(f"{NAMESPACE}.{name}", valid_type=kind, dynamic=True, required=False, help=what)
    spec.input(f"{NAMESPACE}.state", valid_type=orm.ArrayData, required=False, help="What an exact continuation needs.")
    spec.input(f"{NAMESPACE}.versions", valid_type=orm.Dict, required=False, help="Versions and hashes.")
    spec.input(
        f"{NAMESPACE}.statuses",
        valid_type=orm.Dict,
        required=False,
        help="How the replicas of the batch ended, as `ion.batch_md` says it.",
    )
    spec.input(f"{NAMESPACE}.replica", valid_type=orm.Str, required=False, help="Key of this run in `statuses`.")


def is_given(earlier: Mapping[str, Any] | None) -> bool:
    """Whether a run begins with segments, or with the reason why there are none."""
    if earlier is None:
        return False
    return bool(earlier.get("trajectories")) or "state" in earlier or "statuses" in earlier


def validate_earlier(inputs: Mapping[str, Any]) -> str | None:
    """Return what does not match between a run and the segments that it begins with; ``None`` if everything does."""
    earlier = inputs.get(NAMESPACE) or {}
    if not is_given(earlier):
        return None
    if inputs.get("restart_from") is not None:
        return f"give restart_from or {NAMESPACE}, not both"
    structure, state = inputs.get("structure"), earlier.get("state")
    symbols = [structure.get_kind(site.kind_name).symbols[0] for site in structure.sites] if structure else []
    for name, node in (earlier.get("trajectories") or {}).items():
        if list(node.base.attributes.get("symbols")) != symbols:
            return f"{NAMESPACE}.trajectories.{name} is of other atoms than the structure"
    if earlier.get("trajectories") and state is None:
        return f"{NAMESPACE} has trajectories without their state"
    settings = inputs["parameters"].get_dict()
    for name, attribute in (
        ("temperature_K", "target_temperature_K"),
        ("seed", "seed"),
        ("timestep_fs", "timestep_fs"),
    ):
        for key, node in (earlier.get("trajectories") or {}).items():
            known = node.base.attributes.get(attribute, None)
            if known is not None and settings.get(name) is not None and known != settings[name]:
                return f"{NAMESPACE}.trajectories.{key} has {name} = {known:g}, this run {settings[name]:g}"
    return None


def is_complete(earlier: Mapping[str, Any], n_steps: int) -> bool:
    """Whether the segments reach the end of the run."""
    state = earlier.get("state")
    return state is not None and int(state.base.attributes.get("step")) >= n_steps


def failure_of(earlier: Mapping[str, Any]) -> tuple[int | None, str] | None:
    """Return why a run ended in its batch, so that it cannot go on; ``None`` where it can.

    :returns: the exit status, ``None`` for a fault of the engine, and the reason.
    """
    if "statuses" not in earlier or "replica" not in earlier:
        return None
    ended = earlier["statuses"].get_dict().get(earlier["replica"].value) or {}
    status = str(ended.get("status", "waiting"))
    if status in USABLE:
        return None
    return ENDINGS.get(status), f"{status} in a batch: {ended.get('message')}"
