"""Many materials are sampled, some in parallel, and put into one dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.plugins import WorkflowFactory

from aiida_ion.calculations.surrogate.dataset import MIXABLE, gather_dataset, join_datasets, material_key
from aiida_ion.campaigns.queueing import Report, run_all
from aiida_ion.campaigns.surrogate_candidates import Candidate
from aiida_ion.exit_codes import is_usable
from aiida_ion.messages import one_line
from aiida_ion.queries.reuse import finished_samples, running_samples
from aiida_ion.workchains.queue.plans import QueuedProcess, distinct
from aiida_ion.workchains.surrogate_samples.sampled import sampled_nodes, seconds_of

#: Materials that are gathered by one process, whose time grows with the square of their number.
IN_ONE_PART = 6


def check(candidates: Sequence[Candidate]) -> None:
    """Check the inputs of every material as their submission would.

    :raises ValueError: naming the first that cannot be sampled, and why.
    """
    chain: Any = WorkflowFactory("ion.surrogate_samples")
    for candidate in candidates:
        problem = chain.spec().inputs.validate(candidate.inputs)
        if problem is not None:
            raise ValueError(f"{candidate.title}: {one_line(problem.message)}")


def sampled_before(candidates: Sequence[Candidate]) -> dict[int, int]:
    """Return the pks of existing or running work chains with the same inputs, by the index of the material."""
    finished = {}
    for index, candidate in enumerate(candidates):
        inputs = {key: value for key, value in candidate.inputs.items() if value != {}}
        pk = finished_samples(inputs) or running_samples(inputs)
        if pk is not None:
            finished[index] = pk
    return finished


def sample(candidates: Sequence[Candidate], n_parallel: int, report: Report, group: Any = None) -> list[Any]:
    """Sample the materials that were not sampled with the same inputs before.

    :param n_parallel: how many may be sampled in parallel.
    :param report: called with each line of progress.
    :param group: the work chains are added to it, also the existing ones.
    :returns: the work chain of each material, None for one that could not be submitted.
    """
    existing = sampled_before(candidates)
    if existing:
        report(f"{len(existing)} of {len(candidates)} materials were sampled before")
    titles = distinct([candidate.title for candidate in candidates])
    processes = [
        QueuedProcess(title, "ion.surrogate_samples", candidate.inputs | {"metadata": {"label": candidate.title}})
        for title, candidate in zip(titles, candidates, strict=True)
    ]
    label = f"samples of {len(processes) - len(existing)} materials"
    nodes = run_all(processes, n_parallel, report, existing, None if group is None else group.label, label)
    if group is not None:
        group.add_nodes([node for node in nodes if node is not None])
    return nodes


def usable(node: Any) -> bool:
    """Whether a work chain has usable samples."""
    return node is not None and is_usable(node.exit_status)


def gather(
    candidates: Sequence[Candidate],
    chains: Sequence[Any],
    allow_mixed: Sequence[str] = (),
    sampling: Mapping[str, Any] | None = None,
) -> Any:
    """Put sampled materials into one dataset node.

    :raises ValueError: if they do not belong together, or none was sampled.
    """
    usable_ones = [pair for pair in zip(candidates, chains, strict=True) if usable(pair[1])]
    if not usable_ones:
        raise ValueError("no material could be sampled; 'aiida-ion status' says why")
    allowed = list(allow_mixed)
    if len(usable_ones) <= IN_ONE_PART:
        return _gather_part(usable_ones, allowed, sampling)
    # Properties that may not differ are checked when the parts are joined.
    starts = range(0, len(usable_ones), IN_ONE_PART)
    parts = [_gather_part(usable_ones[first : first + IN_ONE_PART], list(MIXABLE), sampling) for first in starts]
    named = {f"part_{index:04d}": part for index, part in enumerate(parts)}
    return join_datasets(parameters=orm.Dict({"allow_mixed": allowed}), **named)


def _gather_part(pairs: Sequence[tuple[Candidate, Any]], allow_mixed: list[str], sampling: Any) -> Any:
    nodes: dict[str, Any] = {}
    about: dict[str, Any] = {}
    for index, (candidate, chain) in enumerate(pairs):
        key = material_key(index)
        about[key] = candidate.about | {"seconds_forces": seconds_of(chain)}
        nodes |= {f"{key}_{name}": node for name, node in sampled_nodes(chain).items()}
    parameters = {"materials": about, "allow_mixed": allow_mixed, "sampling": dict(sampling or {})}
    return gather_dataset(parameters=orm.Dict(parameters), **nodes)
