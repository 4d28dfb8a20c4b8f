"""What is relied on of work chains that wait; parent and children are real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import WorkChain, run_get_node

from aiida_ion.aiida_private.first_child import FirstChildMixin
from tests.waiting_jobs import addition


class Parent(FirstChildMixin, WorkChain):
    """Lets its second child end once the first has ended."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        super().define(spec)
        spec.input("code", valid_type=orm.AbstractCode)
        spec.input("file", valid_type=orm.Str)
        spec.outline(cls.start, cls.release, cls.conclude)

    def start(self) -> None:
        self.ctx.first = self.submit(addition(self.inputs.code))
        self.ctx.second = self.submit(addition(self.inputs.code, Path(self.inputs.file.value)))
        self.wait_for_first([self.ctx.first, self.ctx.second])

    def release(self) -> None:
        assert self.ctx.first.is_finished_ok
        assert not self.ctx.second.is_terminated
        Path(self.inputs.file.value).touch()
        self.wait_for_first([self.ctx.second])

    def conclude(self) -> None:
        assert self.ctx.second.is_finished_ok, self.ctx.second.exit_message


def test_aiida_still_has_what_is_overridden() -> None:
    """`_action_awaitables` registers `_on_awaitable_finished` for each of `_awaitables`, anew in each step."""
    assert {"_on_awaitable_finished", "_action_awaitables", "_resolve_awaitable"} <= set(vars(WorkChain))


@pytest.mark.usefixtures("aiida_profile")
def test_the_first_child_resumes_and_the_other_is_waited_for_again(aiida_code_installed: Any, tmp_path: Path) -> None:
    code = aiida_code_installed(default_calc_job_plugin="core.arithmetic.add", filepath_executable="/bin/bash")
    node = run_get_node(Parent, code=code, file=orm.Str(str(tmp_path / "release")))[1]
    assert node.is_finished_ok, (node.exit_message, node.exception)
