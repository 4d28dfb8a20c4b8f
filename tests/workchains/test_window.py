"""The window of children: the next starts as soon as one has ended."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node, while_
from aiida.plugins import CalculationFactory

from aiida_ion.workchains.window import WindowWorkChain


class SleepersWorkChain(WindowWorkChain):
    """Children that take this many seconds each."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        super().define(spec)
        spec.input("code", valid_type=orm.AbstractCode)
        spec.input("seconds", valid_type=orm.List)
        spec.input("size", valid_type=orm.Int)
        spec.output("order", valid_type=orm.List)
        spec.outline(cls.queue, while_(cls.window_is_open)(cls.fill_window), cls.conclude)

    def queue(self) -> None:
        self.ctx.order = []
        runs = [{"index": index, "seconds": value} for index, value in enumerate(self.inputs.seconds.get_list())]
        self.open_window(runs, self.inputs.size.value)

    def submit_run(self, run: dict[str, Any]) -> Any:
        if run["seconds"] < 0:
            return None
        assert len(self.ctx.running) < self.inputs.size.value
        self.ctx.order.append(["start", run["index"]])
        builder: Any = CalculationFactory("core.arithmetic.add").get_builder()
        builder.code, builder.x, builder.y = self.inputs.code, orm.Int(1), orm.Int(run["index"])
        builder.metadata.options = {"sleep": run["seconds"], "resources": {"num_machines": 1}}
        return self.submit(builder)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        assert node.is_terminated
        self.ctx.order.append(["end", run["index"]])

    def conclude(self) -> None:
        self.out("order", orm.List(self.ctx.order).store())


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_next_starts_when_the_first_has_ended(aiida_code_installed: Any) -> None:
    code = aiida_code_installed(default_calc_job_plugin="core.arithmetic.add", filepath_executable="/bin/bash")
    outputs, node = run_get_node(SleepersWorkChain, code=code, seconds=orm.List([6, 1, 1, -1]), size=orm.Int(2))
    assert node.is_finished_ok, node.exit_message
    order = [tuple(item) for item in outputs["order"].get_list()]
    assert order.index(("end", 1)) < order.index(("start", 2)) < order.index(("end", 0))
    assert [what for what, _ in order].count("end") == 3
