"""What a queue submits, as plain data: entry points and inputs, with stored nodes by their uuids.

AiiDA compares the links of a process pairwise when it is submitted: a hundred crystals of eight inputs each, as inputs
of one work chain, take minutes. As one node they take none, and each child has its inputs as links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiida import orm
from aiida.common import exceptions
from aiida.common.hashing import make_hash
from aiida.plugins import CalculationFactory, WorkflowFactory

#: Key under which the uuid of a node stands.
NODE = "__node__"
#: Inputs that do not change what comes out, for :func:`digest`.
BOOKKEEPING = ("metadata", "options", "clean_workdir", "fresh")


@dataclass(frozen=True)
class QueuedProcess:
    """A process to be submitted.

    :param title: what it is called in the results; no two of a queue are called the same.
    :param entry_point: of the work chain or job.
    :param inputs: nested, of nodes and plain values.
    """

    title: str
    entry_point: str
    inputs: Mapping[str, Any]


def distinct(titles: Sequence[str]) -> list[str]:
    """Return titles with a number behind those that occur before."""
    seen: dict[str, int] = {}
    named = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        named.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    return named


def encode(processes: Sequence[QueuedProcess]) -> orm.List:
    """Return processes as one node, not stored; the nodes among their inputs are stored."""
    return orm.List(
        [
            {
                "title": process.title,
                "entry_point": process.entry_point,
                "inputs": encoded(process.inputs),
                "digest": digest(process),
            }
            for process in processes
        ]
    )


def encoded(value: Any) -> Any:
    """Return inputs as plain data, with the uuids of their nodes, which are stored."""
    if isinstance(value, orm.Node):
        return {NODE: value.store().uuid}
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in value.items()}
    return [encoded(item) for item in value] if isinstance(value, list | tuple) else value


def decode(value: Any) -> Any:
    """Return inputs with their nodes.

    :raises NotExistent: if a node is not there any more.
    """
    if isinstance(value, Mapping):
        if value.keys() == {NODE}:
            return orm.load_node(uuid=value[NODE])
        return {key: decode(item) for key, item in value.items()}
    return [decode(item) for item in value] if isinstance(value, list) else value


def digest(process: QueuedProcess) -> str:
    """Return what two processes share that compute the same: a hash of the entry point and the contents of inputs."""
    return str(make_hash([process.entry_point, _contents(process.inputs)]))


def _contents(value: Any) -> Any:
    if isinstance(value, orm.Node):
        return _hash(value)
    if isinstance(value, Mapping):
        return {str(key): _contents(item) for key, item in value.items() if key not in BOOKKEEPING and item != {}}
    return [_contents(item) for item in value] if isinstance(value, list | tuple) else value


def _hash(node: orm.Node) -> str:
    """Return the hash of the content of a node, stored or not; of what cannot be hashed one that nothing else has."""
    try:
        return str(make_hash(node.base.caching.get_objects_to_hash()))
    except (ValueError, exceptions.HashingError):
        return node.uuid


def process_class(entry_point: str) -> Any:
    """Return the work chain or job of an entry point.

    :raises MissingEntryPointError: if there is none.
    """
    try:
        return WorkflowFactory(entry_point)
    except exceptions.MissingEntryPointError:
        return CalculationFactory(entry_point)


def validate_plans(plans: orm.List | None, _: Any) -> str | None:
    """Return what is wrong with the processes of a queue, nothing when they can be submitted."""
    if plans is None:
        return None
    entries = plans.get_list()
    if not entries:
        return "a queue needs at least one process"
    for entry in entries:
        if not isinstance(entry, Mapping) or not {"title", "entry_point", "inputs"} <= entry.keys():
            return "each process of a queue has title, entry_point and inputs: see QueueWorkChain.builder_of"
        try:
            process_class(entry["entry_point"])
        except exceptions.EntryPointError as error:
            return f"{entry['title']}: {error}"
    titles = [entry["title"] for entry in entries]
    twice = {title for title in titles if titles.count(title) > 1} if len(set(titles)) < len(titles) else set()
    return f"two processes are called {min(twice)}: give them distinct titles" if twice else None
