"""The window of children: the next starts as soon as one has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node, while_

from aiida_ion.workchains.window import WindowWorkChain
from tests.waiting_jobs import addition


class AdditionsWorkChain(WindowWorkChain):
    """Four runs, two at a time: the first ends when the third has started, and the last needs no process."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        super().define(spec)
        spec.input("code", valid_type=orm.AbstractCode)
        spec.input("file", valid_type=orm.Str)
        spec.output("order", valid_type=orm.List)
        spec.outline(cls.queue, while_(cls.window_is_open)(cls.fill_window), cls.conclude)

    def queue(self) -> None:
        self.ctx.order = []
        self.open_window([{"index": index} for index in range(4)], 2)

    def submit_run(self, run: dict[str, Any]) -> Any:
        assert len(self.ctx.running) < 2
        release = Path(self.inputs.file.value)
        self.ctx.order.append(["start", run["index"]])
        if run["index"] == 3:
            return None
        if run["index"] == 2:
            release.touch()
        return self.submit(addition(self.inputs.code, release if run["index"] == 0 else None))

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        assert node.is_finished_ok, node.exit_message
        self.ctx.order.append(["end", run["index"]])

    def conclude(self) -> None:
        self.out("order", orm.List(self.ctx.order).store())


@pytest.mark.usefixtures("aiida_profile")
def test_the_next_starts_when_the_first_has_ended(aiida_code_installed: Any, tmp_path: Path) -> None:
    code = aiida_code_installed(default_calc_job_plugin="core.arithmetic.add", filepath_executable="/bin/bash")
    outputs, node = run_get_node(AdditionsWorkChain, code=code, file=orm.Str(str(tmp_path / "release")))
    assert node.is_finished_ok, node.exit_message
    order = [tuple(entry) for entry in outputs["order"].get_list()]
    assert order.index(("end", 1)) < order.index(("start", 2)) < order.index(("end", 0))
    assert sorted(index for what, index in order if what == "start") == [0, 1, 2, 3]
    assert sorted(index for what, index in order if what == "end") == [0, 1, 2]
