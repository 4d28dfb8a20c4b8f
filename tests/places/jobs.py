"""A job of the tests that sleeps and notes when, and a work chain that starts many of them at once."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.common import datastructures, folders
from aiida.engine import WorkChain

from aiida_ion.places.job import PlacedJob

TIMES = "times.txt"


class SleepJob(PlacedJob):
    """Sleep, and write the time before and after, ns since 1970."""

    @classmethod
    def define(cls, spec: Any) -> None:
        super().define(spec)
        spec.input("seconds", valid_type=orm.Float)
        spec.inputs["metadata"]["options"]["resources"].default = lambda: {
            "num_machines": 1,
            "num_mpiprocs_per_machine": 1,
        }
        spec.inputs["metadata"]["options"]["withmpi"].default = False

    def prepare_for_submission(self, folder: folders.Folder) -> datastructures.CalcInfo:  # noqa: ARG002
        code = datastructures.CodeInfo()
        code.code_uuid = self.inputs.code.uuid
        seconds = self.inputs.seconds.value
        code.cmdline_params = ["-c", f"date +%s%N > {TIMES}; sleep {seconds}; date +%s%N >> {TIMES}"]
        info = datastructures.CalcInfo()
        info.codes_info = [code]
        info.retrieve_list = [TIMES]
        return info


class ManyJobs(WorkChain):
    """Submit all jobs at once and wait for them."""

    @classmethod
    def define(cls, spec: Any) -> None:
        super().define(spec)
        spec.input("code", valid_type=orm.AbstractCode)
        spec.input("cores", valid_type=orm.List, help="Threads of each job.")
        spec.input("seconds", valid_type=orm.Float, default=lambda: orm.Float(0.4))
        spec.outline(cls.start, cls.conclude)

    def start(self) -> None:
        for index, cores in enumerate(self.inputs.cores.get_list()):
            resources = {"num_machines": 1, "num_mpiprocs_per_machine": 1, "num_cores_per_mpiproc": cores}
            options = {"resources": resources}
            node = self.submit(
                SleepJob, code=self.inputs.code, seconds=self.inputs.seconds, metadata={"options": options}
            )
            self.to_context(**{f"job_{index}": node})

    def conclude(self) -> None:
        pass


def times_of(node: Any) -> tuple[int, int]:
    """Return when a job began and ended, ns since 1970, as it noted itself."""
    start, end = node.outputs.retrieved.base.repository.get_object_content(TIMES).split()
    return int(start), int(end)


def most_at_once(nodes: Any, weights: Any = None) -> int:
    """Return the largest number of jobs, or of their weights, at one time."""
    weights = weights or [1] * len(nodes)
    events = []
    for node, weight in zip(nodes, weights, strict=True):
        start, end = times_of(node)
        events += [(start, weight), (end, -weight)]
    now = most = 0
    for _, change in sorted(events):
        now += change
        most = max(most, now)
    return most
