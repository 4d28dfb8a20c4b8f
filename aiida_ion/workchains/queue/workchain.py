"""``ion.queue``: many processes, a limited number at a time, as one process that can be watched and killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_

from aiida_ion.messages import one_line
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.queue.plans import QueuedProcess, decode, encode, process_class, validate_plans
from aiida_ion.workchains.window import WindowWorkChain

#: Exit codes from here on left results.
USABLE = 700


def validate_max_concurrent(value: orm.Int | None, _: Any) -> str | None:
    """Return what is wrong with the number of processes in parallel, nothing when it can be used."""
    return "max_concurrent must be 1 or more" if value is not None and value.value < 1 else None


class QueueWorkChain(WindowWorkChain):
    """Submit processes one after the other, so that a limited number runs; one that fails does not stop the others."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input(
            "plans",
            valid_type=orm.List,
            validator=validate_plans,
            help="The processes, each with `title`, `entry_point` and `inputs`; nodes stand there by their uuids, and "
            "are inputs of the child.",
        )
        spec.input(
            "max_concurrent",
            valid_type=orm.Int,
            validator=validate_max_concurrent,
            help="Maximum number of processes in parallel; the next is submitted as soon as one has ended.",
        )
        spec.input(
            "group", valid_type=orm.Str, required=False, help="Label of a group that takes each process as it starts."
        )
        spec.outline(cls.queue_processes, while_(cls.window_is_open)(cls.fill_window), cls.conclude)
        spec.output(
            "results",
            valid_type=orm.Dict,
            help="`n_finished`, `n_failed` and, in `processes`, for each title: pk, uuid, exit_status, and the reason "
            "where it failed.",
        )
        spec.exit_code(507, "ERROR_ALL_FAILED", message="Not one of the processes finished: {detail}")
        spec.exit_code(710, "WARNING_INCOMPLETE", message="Some runs failed; the other results are available: {detail}")

    @classmethod
    def builder_of(cls, processes: Sequence[QueuedProcess], max_concurrent: int, group: str | None = None) -> Any:
        """Return a builder.

        :param processes: what is submitted, in this order; nodes among their inputs are stored now.
        :param max_concurrent: maximum number in parallel.
        :param group: label of the group that takes them.
        """
        builder = cls.get_builder()
        builder.plans = encode(processes)
        builder.max_concurrent = orm.Int(max_concurrent)
        if group:
            builder.group = orm.Str(group)
        return builder

    def queue_processes(self) -> None:
        """Queue the processes by their numbers."""
        n_processes = len(self.inputs.plans.get_list())
        self.ctx.refused = {}
        self.open_window([{"index": index} for index in range(n_processes)], self.inputs.max_concurrent.value)
        self.report(f"{n_processes} processes, {self.inputs.max_concurrent.value} at a time")

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit one process; one that AiiDA refuses counts as failed."""
        plan = self.inputs.plans[run["index"]]
        try:
            inputs = decode(plan["inputs"])
            label = {"call_link_label": f"process_{run['index']:04d}"}
            inputs["metadata"] = {**inputs.get("metadata", {}), **label}
            node: Any = self.submit(process_class(plan["entry_point"]), **inputs)
        except Exception as error:  # whatever stops one process does not stop the others
            self.ctx.refused = self.ctx.refused | {str(run["index"]): one_line(error)}
            self.report(f"{plan['title']} cannot be submitted: {one_line(error)}")
            return None
        if "group" in self.inputs:
            orm.Group.collection.get_or_create(self.inputs.group.value)[0].add_nodes([node])
        return node

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Say what failed."""
        if _reason(node) is not None:
            self.report(f"{self.inputs.plans[run['index']]['title']} failed: {_reason(node)}")

    def conclude(self) -> ExitCode | None:
        """State how each process ended."""
        titles = [plan["title"] for plan in self.inputs.plans.get_list()]
        processes: dict[str, Any] = {
            titles[int(index)]: {"pk": None, "uuid": None, "exit_status": None, "reason": reason}
            for index, reason in self.ctx.refused.items()
        }
        for run in self.ctx.done:
            node: Any = orm.load_node(run["pk"])
            about = {"pk": node.pk, "uuid": node.uuid, "exit_status": node.exit_status, "reason": _reason(node)}
            processes[titles[run["index"]]] = about
        failed = [title for title in titles if processes[title]["reason"] is not None]
        n_finished = len(titles) - len(failed)
        # An account of the processes and no data of theirs: nothing computes it from them.
        results = orm.Dict({"n_finished": n_finished, "n_failed": len(failed), "processes": processes})
        self.out("results", results.store())
        if not failed:
            return None
        first = f"{failed[0]}: {processes[failed[0]]['reason']}"
        if n_finished == 0:
            return self.exit_codes.ERROR_ALL_FAILED.format(detail=first)  # type: ignore[no-any-return]
        detail = f"{len(failed)} of {len(titles)} failed, {first}"
        return self.exit_codes.WARNING_INCOMPLETE.format(detail=detail)  # type: ignore[no-any-return]


def _reason(node: Any) -> str | None:
    """Return why a process failed, nothing where it left results."""
    if node.is_finished and (node.exit_status == 0 or node.exit_status >= USABLE):
        return None
    return outcome(node)
