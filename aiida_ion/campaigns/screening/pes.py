"""Frozen surfaces of crystals by several potentials: what is known, what is left to compute, what all say together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import set_inputs, validate_builder
from aiida_ion.calculations.programs import program_node
from aiida_ion.calculations.screening.combine_pes import combine_pes, validate_results
from aiida_ion.calculations.screening.pes import PesCalculation
from aiida_ion.campaigns.screening.materials import Materials
from aiida_ion.engines.engine import Engine, load_engine
from aiida_ion.engines.jobs import engine_choices, job_options
from aiida_ion.engines.requests import JobRequest
from aiida_ion.messages import one_line
from aiida_ion.queries.screening.existing import existing_results
from aiida_ion.settings.pes import PesSettings

PROCESS_TYPE = "aiida.calculations:ion.pes"
#: Materials of one job, fewer than the most that one may have.
BATCH_SIZE = 200
#: Engines with this job run a potential in the Python of their environment.
EVALUATOR = "ion.forces"


@dataclass
class Surfaces:
    """The results of one crystal.

    :param name: of the crystal.
    :param results: by engine and what becomes of the other ions, such as ``sevenn_removed``.
    :param combined: what they say together; ``None`` of fewer than two.
    """

    name: str
    results: dict[str, orm.Dict] = field(default_factory=dict)
    combined: orm.Dict | None = None


@dataclass
class PesJob:
    """A job that is left to compute.

    :param builder: checked.
    :param key: of its results, see :class:`Surfaces`.
    :param digests: hash of the crystal of each label, or its uuid.
    """

    builder: Any
    key: str
    digests: dict[str, str]


@dataclass
class PesPlan:
    """What is known of materials, and the jobs for the rest.

    :param surfaces: by the hash of the crystal, or its uuid.
    """

    surfaces: dict[str, Surfaces]
    jobs: list[PesJob] = field(default_factory=list)

    @property
    def n_known(self) -> int:
        """Results that are in the database."""
        return sum(len(one.results) for one in self.surfaces.values())

    def take(self, job: PesJob, node: orm.ProcessNode) -> None:
        """Take the results of a job that has ended."""
        results: Mapping[str, orm.Dict] = node.outputs.results if "results" in node.outputs else {}
        for label, digest in job.digests.items():
            if label in results:
                self.surfaces[digest].results[job.key] = results[label]

    def combine(self) -> None:
        """Join the results of each crystal that has two or more; what was joined before is found again."""
        for one in self.surfaces.values():
            if validate_results({key: node.get_dict() for key, node in one.results.items()}) is None:
                one.combined = _combined_before(one.results) or combine_pes(**one.results)


def plan_pes(
    materials: Materials,
    engines: Sequence[str],
    others: Sequence[str],
    settings: Mapping[str, Any],
    request: JobRequest | None = None,
) -> PesPlan:
    """Return the results that are there, and the jobs for all others.

    :param engines: names of registered potentials.
    :param others: what becomes of the other mobile ions.
    :param settings: further settings, of :class:`~aiida_ion.settings.pes.PesSettings`.
    :raises ValueError: for what cannot be submitted.
    """
    if not materials.crystals:
        first = next((f": {name}: {reason}" for name, reason in materials.refused.items()), "")
        raise ValueError(f"there is no crystal{first}")
    plan = PesPlan({digest or node.uuid: Surfaces(name) for name, node, digest in materials.crystals})
    for name in dict.fromkeys(engines):
        shared, options = pes_inputs(load_engine(name), request or JobRequest())
        shared["program"] = program_node("screening.pes")
        for choice in dict.fromkeys(others):
            parameters = orm.Dict(PesSettings.from_dict({**settings, "others": choice}).to_dict())
            key = "".join(letter if letter.isalnum() else "_" for letter in f"{name}_{choice}")
            for inputs, digests in _left(plan, materials, key, shared | {"parameters": parameters}):
                label = f"frozen surfaces of {len(digests)} crystals by {name}, others {choice}"
                builder = _builder(inputs | {"metadata": {"options": options}}, label)
                plan.jobs.append(PesJob(builder, key, digests))
    return plan


def _left(
    plan: PesPlan, materials: Materials, key: str, shared: Mapping[str, Any]
) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Note the results that are there, and yield for each job of the others its inputs, and hashes by label."""
    hashes = [digest for _, _, digest in materials.crystals if digest]
    known = existing_results(PROCESS_TYPE, shared, hashes)
    for digest, uuid in known.items():
        plan.surfaces[digest].results[key] = orm.load_node(uuid=uuid)  # type: ignore[assignment]
    left = [(digest or node.uuid, node) for _, node, digest in materials.crystals if digest not in known]
    for first in range(0, len(left), BATCH_SIZE):
        part = {f"m_{number:03d}": entry for number, entry in enumerate(left[first : first + BATCH_SIZE])}
        structures = {label: node for label, (_, node) in part.items()}
        digests = {label: digest for label, (digest, _) in part.items()}
        yield {**shared, "structures": structures}, digests


def pes_inputs(engine: Engine, *requests: JobRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of all jobs of an engine but program, settings and structures, and the options of its jobs.

    :raises ValueError: for an engine that is not a potential in Python.
    """
    if engine.md.forces_job() != EVALUATOR:
        raise ValueError(f"{engine.name} is not a potential with a Python of its own, such as sevenn, which this needs")
    shared = engine.md.shared_inputs(engine.md.engine_inputs(None, None, **engine_choices(engine)))
    return dict(shared), job_options(engine.jobs, *requests)


def _builder(inputs: Mapping[str, Any], label: str) -> Any:
    builder: Any = PesCalculation.get_builder()
    set_inputs(builder, inputs)
    builder.metadata.label = label
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def _combined_before(results: Mapping[str, orm.Dict]) -> orm.Dict | None:
    """Return what these very results were joined to before."""
    uuids = {key: node.uuid for key, node in results.items()}
    first = next(iter(results.values()))
    for link in first.base.links.get_outgoing(node_class=orm.CalcFunctionNode).all():
        node: Any = link.node
        inputs = {
            entry.link_label: entry.node.uuid for entry in node.base.links.get_incoming(node_class=orm.Dict).all()
        }
        if node.process_type == "aiida.calculations:ion.combine_pes" and node.is_finished_ok and inputs == uuids:
            result: orm.Dict = node.outputs.result
            return result
    return None
