"""Many children, a limited number at a time: the next is submitted as soon as one has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm
from aiida.engine import WorkChain

from aiida_ion.aiida_private.first_child import FirstChildMixin
from aiida_ion.workchains.cleaning import CleaningMixin


class WindowWorkChain(FirstChildMixin, CleaningMixin, WorkChain):
    """A work chain that goes through a list of runs and keeps a limited number of them running.

    An outline calls :meth:`open_window`, then ``while_(cls.window_is_open)(cls.fill_window)``. The runs are plain data
    in the context, so a restart of the daemon loses none.
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
        """Inspect the runs that have ended, submit as many as there is room for, and wait for the next to end."""
        ended = [run for run in self.ctx.running if orm.load_node(run["pk"]).is_terminated]
        self.ctx.running = [run for run in self.ctx.running if run not in ended]
        self.ctx.done = self.ctx.done + ended
        for run in ended:
            self.inspect_run(run, orm.load_node(run["pk"]))
        while self.ctx.pending and len(self.ctx.running) < self.ctx.window_size:
            run = self.ctx.pending[0]
            node = self.submit_run(run)
            self.ctx.pending = self.ctx.pending[1:]
            if node is not None:
                self.ctx.running = [*self.ctx.running, run | {"pk": node.pk}]
        self.wait_for_first(orm.load_node(run["pk"]) for run in self.ctx.running)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit one run and return its node, or ``None`` where no process is needed."""
        raise NotImplementedError

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Look at a run that has ended."""
