"""Frozen surfaces of crystals by several potentials: jobs, their results by crystal, and what they say together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import set_inputs, validate_builder
from aiida_ion.calculations.screening.combine_pes import combine_pes, validate_results
from aiida_ion.calculations.screening.pes import PesCalculation
from aiida_ion.campaigns.screening.materials import Materials
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.jobs import engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line

#: Materials of one job, fewer than the most that one may have.
BATCH_SIZE = 200
#: Engines with this job run a potential in the Python of their environment.
EVALUATOR = "ion.forces"


@dataclass
class Surfaces:
    """The results of one crystal.

    :param name: of the crystal, for tables.
    :param results: by engine and what became of the other ions.
    :param combined: what they say together; ``None`` where there are fewer than two.
    """

    name: str
    results: dict[str, orm.Dict] = field(default_factory=dict)
    combined: orm.Dict | None = None


def pes_builders(
    materials: Materials,
    engines: Sequence[str],
    others: Sequence[str],
    settings: Mapping[str, Any],
    jobs: JobRequest | None = None,
) -> list[Any]:
    """Return the checked builders of all jobs: each engine with each choice of the other ions, some crystals at a time.

    :param engines: names of registered potentials.
    :param others: what becomes of the other mobile ions.
    :param settings: further settings, of :class:`~aiida_ion.settings.pes.PesSettings`.
    :raises ValueError: for what cannot be submitted.
    """
    if not materials.crystals:
        first = next((f": {name}: {reason}" for name, reason in materials.refused.items()), "")
        raise ValueError(f"there is no crystal{first}")
    nodes = {f"m_{number:04d}": node for number, (_, node, _) in enumerate(materials.crystals)}
    labels = list(nodes)
    builders = []
    for name in dict.fromkeys(engines):
        shared = _engine_inputs(name, jobs or JobRequest())
        for choice in dict.fromkeys(others):
            parameters = orm.Dict(dict(settings) | {"others": choice})
            for first_label in range(0, len(labels), BATCH_SIZE):
                part = labels[first_label : first_label + BATCH_SIZE]
                inputs = shared | {"parameters": parameters, "structures": {label: nodes[label] for label in part}}
                builders.append(_builder(inputs, f"{len(part)} crystals by {name}, others {choice}"))
    return builders


def surfaces_of(jobs: Sequence[orm.CalcJobNode], names: Mapping[str, str] | None = None) -> list[Surfaces]:
    """Return the results of jobs by crystal, in the order in which crystals first occur.

    :param names: of crystals, by the uuid of the structure.
    """
    found: dict[str, Surfaces] = {}
    for job in jobs:
        for structure, result in _results(job):
            name = (names or {}).get(structure.uuid) or structure.label or structure.get_formula()
            surfaces = found.setdefault(str(result["structure_hash"] or structure.uuid), Surfaces(str(name)))
            key = f"{job.inputs.code.label}_{job.inputs.parameters.get('others', 'removed')}"
            surfaces.results[_free(key, surfaces.results)] = result
    return list(found.values())


def combine(surfaces: Sequence[Surfaces]) -> None:
    """Join the results of each crystal that has two or more; each combination is stored with its origin."""
    for one in surfaces:
        if validate_results({key: node.get_dict() for key, node in one.results.items()}) is None:
            one.combined = combine_pes(**one.results)


def _engine_inputs(name: str, request: JobRequest) -> dict[str, Any]:
    engine = load_engine(name)
    if engine.md.forces_job() != EVALUATOR:
        raise ValueError(
            f"{name} is not a potential with a Python of its own, such as sevenn: frozen surfaces need one"
        )
    shared = engine.md.shared_inputs(engine.md.engine_inputs(None, None, **engine_choices(engine)))
    return dict(shared) | {"metadata": {"options": job_options(engine.jobs, request)}}


def _builder(inputs: Mapping[str, Any], label: str) -> Any:
    builder: Any = PesCalculation.get_builder()
    set_inputs(builder, inputs)
    builder.metadata.label = label
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def _results(job: orm.CalcJobNode) -> Iterator[tuple[orm.StructureData, orm.Dict]]:
    if "results" not in job.outputs:
        return
    for label in sorted(job.outputs.results):
        yield job.inputs.structures[label], job.outputs.results[label]


def _free(key: str, taken: Mapping[str, Any]) -> str:
    """Return a name that is not taken, fit for the link of an input."""
    base = "".join(letter if letter.isalnum() else "_" for letter in key)
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name
