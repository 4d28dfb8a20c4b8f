"""Materials that a surrogate can learn from: their labels, and how each was simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.batch_runs import inputs_of_run, outputs_of_run
from aiida_ion.calculations.surrogate.arrays import TEMPERATURE_TOLERANCE
from aiida_ion.calculations.surrogate.labels import Label, LabelRefusedError, label_of
from aiida_ion.calculations.surrogate.materials import fingerprint
from aiida_ion.engine_kinds import engine_class, entry_point_of, kind_of_job
from aiida_ion.queries import Selection, diffusion

#: Options of a job that decide where and how it runs.
OPTIONS = ("resources", "withmpi", "max_wallclock_seconds", "queue_name", "account", "qos", "custom_scheduler_commands")
#: Settings that the short run does not take over from the run.
OF_THE_RUN = ("temperature_K", "n_steps", "seed", "sample_every", "equilibration_fs", "keep")
#: Parameters of ``ion.surrogate_samples``, but the temperature.
Sampling = Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A material that can be sampled.

    :param title: formula and level of theory.
    :param inputs: of ``ion.surrogate_samples``.
    :param about: its properties in the dataset.
    :param label: the result of its run; ``None`` for a prediction.
    """

    title: str
    inputs: dict[str, Any]
    about: dict[str, Any]
    label: Label | None = None


@dataclass
class Candidates:
    """Materials that can be sampled, and why others cannot."""

    candidates: list[Candidate] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


class NotSampledError(ValueError):
    """A result whose forces cannot be recomputed; the message says why."""


def find_candidates(selection: Selection, sampling: Sampling, max_materials: int | None = None) -> Candidates:
    """Return the materials behind the diffusion results of a selection.

    If there are several results for the same crystal, potential and temperature, the newest counts. An ensemble is one
    material: its label is the pooled diffusivity, and its configurations are those of the member with the most weight.

    :param selection: with the range of temperatures.
    :param sampling: parameters of ``ion.surrogate_samples`` but the temperature.
    :param max_materials: maximum number (oldest first).
    """
    candidates, seen = Candidates(), dict[Any, Candidate]()
    table = diffusion(selection).query("not superseded").sort_values("pk", ascending=False)
    for row in table.to_dict("records"):
        title = f"{row['formula']} / {row['level_of_theory']} ({row['uuid'][:8]})"
        if isinstance(row["ensemble_uuid"], str):
            candidates.refused.append((title, "it is a member of an ensemble, whose pooled result counts"))
            continue
        try:
            node: Any = orm.load_node(int(row["pk"]))
            candidate = candidate_of(node, sampling)
        except (NotSampledError, LabelRefusedError) as error:
            candidates.refused.append((title, str(error)))
            continue
        key = (row["level_of_theory"], row["mobile_species"], round(float(row["target_temperature_K"])))
        first = seen.setdefault((fingerprint(candidate.inputs["structure"]), *key), candidate)
        if first is candidate:
            candidates.candidates.append(candidate)
        else:
            candidates.refused.append((title, "a newer result for the same crystal is used"))
    candidates.candidates = candidates.candidates[::-1][:max_materials]
    return candidates


def temperatures(temperature_K: float) -> tuple[float, float]:
    """Return the range of target temperatures that count as one."""
    half = 0.5 * TEMPERATURE_TOLERANCE * temperature_K
    return temperature_K - half, temperature_K + half


def candidate_of(node: orm.ArrayData, sampling: Sampling) -> Candidate:
    """Return what samples the material of a diffusion result with the potential of its own run.

    :param node: of a crystal, or pooled over the members of an ensemble.
    :raises LabelRefusedError: if the result is not a label.
    :raises NotSampledError: if its forces cannot be recomputed here.
    """
    label = label_of(node)
    fit = inputs_of(fit_of(node).creator)
    segments: dict[str, Any] = dict(sorted(fit["trajectories"].items()))
    first = min(segments)
    replica = first.partition("_segment_")[0]
    creators = {name: segment.creator for name, segment in segments.items() if segment.creator is not None}
    job = creators.get(first)
    chain = _engine(job)
    md, run = engine_class(chain), inputs_of_run(segments[first])
    engine = md.shared_inputs(run)
    options = _options(job)
    attributes = node.base.attributes.all
    own = dict(sampling) | {"temperature_K": float(attributes["target_temperature_K"])}
    if "trajectory" in own["kinds"]:
        own["equilibration_fs"] = float(fit["parameters"].get("equilibration_fs", 0.0))
    settings = {key: value for key, value in run["parameters"].get_dict().items() if key not in OF_THE_RUN}
    inputs: dict[str, Any] = {
        "structure": run["structure"],
        "diffusion": node,
        "parameters": orm.Dict(own),
        "forces": {"entry_point": orm.Str(md.forces_job()), "engine": engine, "options": options},
    }
    if "trajectory" in own["kinds"]:
        inputs["trajectories"] = {name: item for name, item in segments.items() if name.startswith(f"{replica}_")}
    if "short_md" in own["kinds"]:
        md = {"entry_point": orm.Str(chain), "parameters": orm.Dict(settings), "engine": engine, "options": options}
        inputs["md"] = md
    title = f"{attributes['formula']} / {attributes['level_of_theory']}"
    return Candidate(title, inputs, {"formula": attributes["formula"]} | _label_cost(segments.values()), label)


def fit_of(node: orm.ArrayData) -> orm.ArrayData:
    """Return the fit whose runs stand for a diffusion result: itself or, of an ensemble, that of its main member."""
    attributes = node.base.attributes
    pooled = attributes.get("members_pooled", None)
    if not pooled:
        return node
    weights = {entry["label"]: entry["weight"] for entry in attributes.get("members")}
    label = max(sorted(pooled), key=lambda one: weights[one])
    temperature = node.base.links.get_incoming(link_type=LinkType.CREATE).one().link_label
    fit: orm.ArrayData = node.creator.base.links.get_incoming().get_node_by_label(f"{label}_{temperature}")
    return fit


def _engine(job: Any) -> str:
    """Return the entry point of the engine that ran a job.

    :raises NotSampledError: if it cannot evaluate frames.
    """
    if job is None:
        raise NotSampledError("its trajectory was imported: no engine here can recompute its forces")
    kind = kind_of_job(job)
    if kind is None or engine_class(entry_point_of(kind)).forces_class is None:
        raise NotSampledError(
            f"it was run by {job.process_type.rpartition(':')[2]}, and samples come from potentials only: choose a "
            "potential with --level-of-theory"
        )
    return entry_point_of(kind)


def _options(job: Any) -> dict[str, Any]:
    return {name: job.get_option(name) for name in OPTIONS if job.get_option(name) is not None}


def inputs_of(process: Any) -> dict[str, Any]:
    """Return the inputs of a process as nested mappings of nodes, by one query for all of them."""
    links: dict[str, Any] = process.base.links.get_incoming(link_type=(LinkType.INPUT_CALC,)).nested()
    return links


def _label_cost(segments: Iterable[Any]) -> dict[str, Any]:
    """Return the steps and the wall time (s) of the runs behind a label, ``None`` if they are unknown for a run."""
    once = {segment.pk: segment for segment in segments if segment.creator is not None}.values()
    costs = [outputs_of_run(segment).get("cost") for segment in once]
    ledgers: list[dict[str, Any]] = [cost.get_dict() if cost is not None else {} for cost in costs]
    steps, seconds = ([ledger.get(key) for ledger in ledgers] for key in ("n_steps", "wall_time_s"))
    return {
        "label_steps": None if None in steps else sum(steps),
        "label_wall_s": None if None in seconds else sum(seconds),
    }


def force_calls(parameters: Mapping[str, Any], timestep_fs: float) -> dict[str, int]:
    """Return the number of force evaluations of a material, for each kind of configuration.

    :param parameters: of ``ion.surrogate_samples``.
    :param timestep_fs: of its runs, fs.
    """
    from aiida_ion.workchains.surrogate_samples.parameters import SampleParameters

    samples = SampleParameters.from_dict(dict(parameters))
    steps = round(samples.short_md_fs / (samples.timestep_fs or timestep_fs)) + samples.n_short_md_frames
    calls = {
        "displaced": sum(samples.amplitudes_A.values()),
        "trajectory": samples.n_trajectory_frames,
        "short_md": steps,
    }
    return {kind: calls[kind] for kind in samples.kinds}
