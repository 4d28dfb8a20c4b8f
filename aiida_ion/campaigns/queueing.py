"""Queues of many processes: how many run in parallel, submitted to the daemon, and followed until they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.engine import submit
from aiida.manage import get_config_option

from aiida_ion.messages import one_line
from aiida_ion.places.limits import Limits, limits_of
from aiida_ion.workchains.queue import QueueWorkChain
from aiida_ion.workchains.queue.plans import QueuedProcess, digest

QUEUE_PROCESS = "aiida.workflows:ion.queue"
ENDED = ("finished", "excepted", "killed")
POLL_S = 2.0
#: Part of the daemon's process slots that one queue may fill. A parent holds its slot while it waits, so children that
#: find none would wait for ever.
SLOTS_USED = 0.7
Report = Callable[[str], object]


def crystals_at_once(computer: orm.Computer, cores: int, runs: int, max_jobs: int | None = None) -> int:
    """Return how many crystals in parallel keep a computer busy, within what the daemon can hold.

    :param computer: where the runs are.
    :param cores: of each run.
    :param runs: of one crystal in parallel.
    :param max_jobs: of the engine, where it has a limit.
    """
    at_most = held_by_daemon(runs)
    slots = job_slots(limits_of(computer), cores, max_jobs)
    # One more: while a crystal is relaxed or fitted, another uses its cores.
    return at_most if slots is None else min(at_most, -(-slots // max(runs, 1)) + 1)


def job_slots(limits: Limits, cores: int, max_jobs: int | None) -> int | None:
    """Return how many jobs of these cores run at a time, None where nothing limits them."""
    counts = [limits.jobs, max_jobs, None if limits.cores is None else max(1, limits.cores // cores)]
    known = [count for count in counts if count is not None]
    return min(known) if known else None


def held_by_daemon(runs: int) -> int:
    """Return how many crystals fit into the process slots of the daemon: each is a chain, with two for each run."""
    slots = int(get_config_option("daemon.worker_process_slots") or 200)
    workers = int(get_config_option("daemon.default_workers") or 1)
    return max(1, int(SLOTS_USED * slots * workers) // (1 + 2 * max(runs, 1)))


def submit_queue(processes: Sequence[QueuedProcess], n_parallel: int, group: str | None = None, label: str = "") -> Any:
    """Submit processes as one queue, and return its node."""
    builder = QueueWorkChain.builder_of(processes, n_parallel, group)
    builder.metadata.label = label or f"queue of {len(processes)}"
    return submit(builder)


def run_all(
    processes: Sequence[QueuedProcess],
    n_parallel: int,
    report: Report,
    existing: Mapping[int, int] | None = None,
    group: str | None = None,
    label: str = "",
) -> list[Any]:
    """Submit processes as a queue and wait until all have ended; stopped meanwhile, the queue goes on without us.

    What an earlier queue that still runs holds is waited for and not submitted again.

    :param processes: in this order.
    :param n_parallel: how many may run in parallel.
    :param report: called with each line of progress.
    :param existing: pks of those that were submitted before, by their number.
    :param group: label of the group that takes them.
    :param label: of the queue.
    :returns: the node of each, None for one that could not be submitted.
    """
    existing = dict(existing or {})
    earlier = _queued()
    digests = {index: digest(process) for index, process in enumerate(processes) if index not in existing}
    places = {index: earlier[key] for index, key in digests.items() if key in earlier}
    new = [index for index in digests if index not in places]
    if new:
        queue = submit_queue([processes[index] for index in new], n_parallel, group, label)
        places |= {index: (int(queue.pk), position) for position, index in enumerate(new)}
        report(f"Submitted the queue of {len(new)}: {queue.pk}")
    queues = sorted({pk for pk, _ in places.values()})
    for pk in set(queues) & {pk for pk, _ in earlier.values()}:
        report(f"queue {pk} of before goes on")
    _follow(queues, list(existing.values()), len(processes), report)
    children = {pk: _children(pk) for pk in queues}
    found = {index: children[pk].get(position) for index, (pk, position) in places.items()}
    nodes = found | {index: orm.load_node(pk) for index, pk in existing.items()}
    return [nodes[index] for index in range(len(processes))]


def members(pks: Sequence[int]) -> list[int]:
    """Return processes, with those that a queue has submitted in its place; one that submitted none stays."""
    kinds = {pk: orm.load_node(pk).process_type for pk in pks}
    expanded = {pk: [int(node.pk) for node in _children(pk).values()] for pk in pks if kinds[pk] == QUEUE_PROCESS}
    return [member for pk in pks for member in expanded.get(pk) or [pk]]


def ending_of(node: Any) -> str:
    """Return how a process of :func:`run_all` ended, in its own words."""
    if node is None:
        return "it could not be submitted; the report of its queue says why"
    return one_line(node.exit_message or node.process_state)


def _queued() -> dict[str, tuple[int, int]]:
    """Return queue and number of every process of the queues that run, by its digest."""
    alive = {"process_type": QUEUE_PROCESS, "attributes.process_state": {"!in": list(ENDED)}}
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters=alive, project=["id"], tag="queue")
    query.append(orm.List, with_outgoing="queue", edge_filters={"label": "plans"}, project=["attributes.list"])
    return {plan["digest"]: (pk, position) for pk, plans in query.all() for position, plan in enumerate(plans)}


def _children(queue: int) -> dict[int, Any]:
    """Return the processes that a queue has submitted, by their number."""
    links = orm.load_node(queue).base.links.get_outgoing(node_class=orm.ProcessNode).all()
    return {int(link.link_label.rpartition("_")[2]): link.node for link in links}


def _follow(queues: Sequence[int], others: Sequence[int], n_processes: int, report: Report) -> None:
    """Wait until queues and other processes have ended, and say how far they are."""
    last = None
    try:
        while True:
            line, done = _progress(queues, others, n_processes)
            if line != last:
                report(line)
                last = line
            if done:
                return
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        report("The daemon goes on with it; the same command again waits for it, and 'aiida-ion status' shows it.")
        raise


def _progress(queues: Sequence[int], others: Sequence[int], n_processes: int) -> tuple[str, bool]:
    """Return how far queues and other processes are, in words, and whether all have ended."""
    states = _states({"id": {"in": [*queues, -1]}})
    query = orm.QueryBuilder().append(orm.WorkChainNode, filters={"id": {"in": [*queues, -1]}}, tag="queue")
    fields = ["attributes.process_state", "attributes.exit_status"]
    query.append(orm.ProcessNode, with_incoming="queue", project=fields)
    processes = [*query.all(), *_states({"id": {"in": [*others, -1]}})]
    ended = [exit_status for state, exit_status in processes if state in ENDED]
    failed = sum(exit_status != 0 for exit_status in ended)
    running = len(processes) - len(ended)
    line = f"{len(ended)} of {n_processes} done, {running} running, {failed} failed"
    return line, running == 0 and all(state in ENDED for state, _ in states)


def _states(filters: Mapping[str, Any]) -> list[Any]:
    fields = ["attributes.process_state", "attributes.exit_status"]
    rows: list[Any] = orm.QueryBuilder().append(orm.ProcessNode, filters=dict(filters), project=fields).all()
    return rows
