"""Many children, some at a time: the next is submitted as soon as one has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.engine import ProcessState

from aiida_ion.workchains.cleaning import CleaningWorkChain


class WindowWorkChain(CleaningWorkChain):
    """A work chain that keeps a number of children running until a list of them is done.

    A plain work chain that submits several children continues when all of them have ended, so that the slowest of a
    batch holds up the rest. Here :meth:`fill_window`, called in a ``while_`` of the outline, continues with the first.
    """

    def open_window(self, runs: Sequence[Mapping[str, Any]], size: int) -> None:
        """Queue the runs.

        :param runs: what :meth:`submit_run` gets, one after the other; plain data.
        :param size: how many may run at a time.
        """
        self.ctx.pending = [dict(run) for run in runs]
        self.ctx.running, self.ctx.done = [], []
        self.ctx.window_size = size

    def window_is_open(self) -> bool:
        """Whether runs are left to submit or to wait for."""
        return bool(self.ctx.pending or self.ctx.running)

    def fill_window(self) -> None:
        """Put ended runs aside, submit as many as may run, and wait for the first of them to end."""
        ended = [run for run in self.ctx.running if orm.load_node(run["pk"]).is_terminated]
        self.ctx.running = [run for run in self.ctx.running if run not in ended]
        self.ctx.done = self.ctx.done + ended
        for run in ended:
            self.inspect_run(run, orm.load_node(run["pk"]))
        while self.ctx.pending and len(self.ctx.running) < self.ctx.window_size:
            run = self.ctx.pending[0]
            node = self.submit_run(run)
            self.ctx.pending = self.ctx.pending[1:]
            if node is None:
                continue
            self.ctx.running = [*self.ctx.running, run | {"pk": node.pk}]
        for run in self.ctx.running:
            child: Any = orm.load_node(run["pk"])
            self.to_context(**{f"run_{run['pk']}": child})
        self.ctx.goes_on_early = bool(self.ctx.running)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit one run and return its node, or ``None`` when nothing has to run."""
        raise NotImplementedError

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Look at a run that has ended."""

    def _on_awaitable_finished(self, awaitable: Any) -> None:
        """Go on with the first child that ends; AiiDA would wait for the last.

        A child that still runs is waited for again in the next step, so that it calls twice, for what it was then
        and for what it is now: the first call counts.
        """
        waiting = [item for item in self._awaitables if item.pk == awaitable.pk]
        if not waiting:
            return
        super()._on_awaitable_finished(waiting[0])
        if self.ctx.get("goes_on_early") and self._awaitables and self.state == ProcessState.WAITING:
            self.ctx.goes_on_early = False
            self.resume()
