"""The MD interface as a WorkChain: segments continue each other exactly until the run is complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.common import AttributeDict
from aiida.engine import (
    BaseRestartWorkChain,
    CalcJob,
    ExitCode,
    ProcessHandlerReport,
    process_handler,
    while_,
)

from aiida_ion.calculations.cleaning import clean_jobs
from aiida_ion.calculations.functions import sum_costs
from aiida_ion.exit_codes import EXPLODED, LEFT_TRAINING, REPEATED, STOPPED_EARLY
from aiida_ion.workchains.md.earlier import (
    NAMESPACE,
    define_earlier,
    failure_of,
    is_complete,
    is_given,
    validate_earlier,
)
from aiida_ion.workchains.md.facts import EngineFacts

#: Ports of the MD interface; everything else of a job is in the engine's own namespace.
MD_PORTS = ("structure", "parameters", "charges", "restart_from", "initial_velocities")
#: A job that made no progress this many times in a row will not make any the next time.
MAX_NO_PROGRESS = 2


def segment_label(index: int) -> str:
    """Return the output name of a segment; names sort in the order of time."""
    return f"segment_{index:03d}"


class MdBaseWorkChain(EngineFacts, BaseRestartWorkChain):
    """One molecular-dynamics run, in as many segments as it needs."""

    _process_class: type[CalcJob]

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare the interface; the engine's inputs are exposed whole under `engine`."""
        super().define(spec)
        spec.expose_inputs(cls._process_class, include=MD_PORTS)
        spec.expose_inputs(cls._process_class, namespace="engine", exclude=MD_PORTS)
        define_earlier(spec)
        spec.inputs["max_iterations"].default = lambda: orm.Int(100)
        spec.inputs["clean_workdir"].default = lambda: orm.Bool(True)
        spec.inputs.validator = cls.validate_inputs
        spec.outline(
            cls.setup,
            while_(cls.should_run_process)(cls.run_process, cls.inspect_process),
            cls.results,
        )
        spec.output_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            help="Segments in order: positions in angstrom, unwrapped; times in ps. No frame is lost or doubled.",
        )
        spec.output_namespace(
            "thermo",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="The same segments, every step: energies (eV), temperature (K), charge current (e*angstrom/fs).",
        )
        spec.output(
            "state", valid_type=orm.ArrayData, required=False, help="What an exact continuation needs: `restart_from`."
        )
        spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of all segments: s, MiB, steps per s.")
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions and hashes of the last segment.")
        spec.exit_code(
            410, "ERROR_TRAJECTORY_EXPLODED", message="The trajectory exploded; its frames are kept: {detail}"
        )
        spec.exit_code(
            411,
            "ERROR_LEFT_TRAINING_FRAMES",
            message="The run left the frames that its potential was trained on, and was stopped; its frames are kept: "
            "{detail}",
        )
        spec.exit_code(500, "ERROR_ENGINE_GAVE_UP", message="The engine cannot run this: {detail}")
        spec.exit_code(
            510,
            "ERROR_NO_PROGRESS",
            message="Two jobs in a row ended before they made progress: {detail}",
        )

    @classmethod
    def validate_inputs(cls, inputs: Mapping[str, Any], port: Any) -> str | None:
        """Return what the job would refuse; ``None`` if it can be submitted."""
        problem: str | None = validate_earlier(inputs) if inputs.get("parameters") is not None else None
        job = {**(inputs.get("engine") or {}), **{name: inputs[name] for name in MD_PORTS if inputs.get(name)}}
        validator: Any = cls._process_class.spec().inputs.validator
        return problem or validator(job, port)

    def setup(self) -> None:
        """Prepare the inputs of the first job."""
        super().setup()
        inputs = self.exposed_inputs(self._process_class, "engine")
        inputs.update({name: self.inputs[name] for name in MD_PORTS if name in self.inputs})
        self.ctx.inputs = AttributeDict(inputs)
        self.ctx.costs = []
        self.ctx.last = {}
        self.ctx.n_segments = 0
        self.ctx.no_progress = 0
        self._begin_with(self.inputs.get(NAMESPACE))

    def _begin_with(self, earlier: Any) -> None:
        """Attach the segments that are there; go on from their state, unless they are the whole run, or it failed."""
        if not is_given(earlier):
            return
        for label in sorted(earlier.get("trajectories", {})):
            name = segment_label(self.ctx.n_segments)
            for port in ("trajectories", "thermo"):
                if label in earlier.get(port, {}):
                    self.out(f"{port}.{name}", earlier[port][label])
            self.ctx.n_segments += 1
        self.ctx.costs = [node for _, node in sorted(earlier.get("costs", {}).items())]
        self.ctx.last = {name: earlier[name] for name in ("state", "versions") if name in earlier}
        n_steps = int(self.inputs.parameters.get_dict()["n_steps"])
        self.ctx.is_finished = is_complete(earlier, n_steps) or failure_of(earlier) is not None
        if "state" in earlier and not self.ctx.is_finished:
            self.ctx.inputs.restart_from = earlier["state"]
            self.ctx.inputs.pop("initial_velocities", None)

    def collect(self) -> None:
        """Attach the outputs of the last job, before anything else can fail."""
        job = self.ctx.children[self.ctx.iteration - 1]
        outputs = job.outputs
        repeated = job.exit_status in REPEATED and not self._progressed(job)
        if ("trajectory" in outputs or "thermo" in outputs) and not repeated:
            label = segment_label(self.ctx.n_segments)
            for name, port in (("trajectory", "trajectories"), ("thermo", "thermo")):
                if name in outputs:
                    self.out(f"{port}.{label}", outputs[name])
            self.ctx.n_segments += 1
        self.ctx.last |= {name: outputs[name] for name in ("state", "versions") if name in outputs}
        if "cost" in outputs:
            self.ctx.costs.append(outputs.cost)

    def inspect_process(self) -> ExitCode | None:
        """Attach the outputs first: if a handler aborts, the outline ends here."""
        self.collect()
        outcome: ExitCode | None = super().inspect_process()
        if outcome is not None and outcome.status:
            self._close()
        return outcome

    def results(self) -> ExitCode | None:
        """Close the run; the outputs of the segments are already attached."""
        self._close()
        if not self.ctx.iteration:
            return self._result_of_earlier()
        job = self.ctx.children[self.ctx.iteration - 1]
        if not job.is_finished_ok:
            return self.exit_codes.ERROR_MAXIMUM_ITERATIONS_EXCEEDED.format(  # type: ignore[no-any-return]
                max_iterations=self.inputs.max_iterations.value
            )
        return None

    def _result_of_earlier(self) -> ExitCode | None:
        """Return how a run ended that needed no job."""
        failure = failure_of(self.inputs[NAMESPACE])
        if failure is None:
            return None
        codes = {
            EXPLODED: self.exit_codes.ERROR_TRAJECTORY_EXPLODED,
            LEFT_TRAINING: self.exit_codes.ERROR_LEFT_TRAINING_FRAMES,
        }
        code = codes.get(failure[0] or 0, self.exit_codes.ERROR_ENGINE_GAVE_UP)
        return code.format(detail=failure[1])  # type: ignore[no-any-return]

    def _close(self) -> None:
        """Attach what is known only at the end of the run: a stored output cannot be replaced."""
        for name, node in self.ctx.last.items():
            self.out(name, node)
        if len(self.ctx.costs) == 1:  # most runs are one job, and a sum of one is one more process
            self.out("cost", self.ctx.costs[0])
        elif self.ctx.costs:
            self.out("cost", sum_costs(**{segment_label(i): cost for i, cost in enumerate(self.ctx.costs)}))

    def on_terminated(self) -> None:
        """Remove the remote folders of jobs whose results were parsed; AiiDA would also remove those of failed jobs.

        A continuation starts from nodes, never from a folder.
        """
        super(BaseRestartWorkChain, self).on_terminated()
        if self.inputs.clean_workdir.value:
            clean_jobs(self.node.called)

    def _continue_from(self, job: orm.CalcJobNode) -> ProcessHandlerReport:
        """Continue from the job's state, or repeat the job; give up if that did not help before."""
        if self._progressed(job):
            reached = job.outputs.state
            self.ctx.inputs.restart_from = reached
            self.ctx.inputs.pop("initial_velocities", None)
            self.ctx.no_progress = 0
            self.report(f"{job.process_label}<{job.pk}> continues from step {reached.base.attributes.get('step')}")
            return ProcessHandlerReport(True)
        self.ctx.no_progress += 1
        if self.ctx.no_progress >= MAX_NO_PROGRESS:
            return ProcessHandlerReport(True, self.exit_codes.ERROR_NO_PROGRESS.format(detail=job.exit_message))
        self.report(f"{job.process_label}<{job.pk}> made no progress and is repeated: {job.exit_message}")
        return ProcessHandlerReport(True)

    def _progressed(self, job: orm.CalcJobNode) -> bool:
        """Whether a job left a later state than the one it started from; otherwise it is repeated."""
        before = self.ctx.inputs.get("restart_from")
        first = before.base.attributes.get("step") if before is not None else 0
        return "state" in job.outputs and bool(job.outputs.state.base.attributes.get("step") > first)

    @process_handler(priority=500)
    def handle_stopped_early(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport | None:
        """Out of wall time, killed, node lost, out of memory: continue from the last state."""
        if calculation.exit_status in STOPPED_EARLY:
            return self._continue_from(calculation)
        return None

    @process_handler(priority=400, exit_codes=[ExitCode(EXPLODED)])
    def handle_exploded(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport:
        """An exact continuation would explode again: stop, and keep the frames."""
        code = self.exit_codes.ERROR_TRAJECTORY_EXPLODED.format(detail=_detail(calculation))
        return ProcessHandlerReport(True, code)

    @process_handler(priority=400, exit_codes=[ExitCode(LEFT_TRAINING)])
    def handle_left_training(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport:
        """Beyond these frames the potential is a guess, also when it is asked again: stop, and keep the frames."""
        code = self.exit_codes.ERROR_LEFT_TRAINING_FRAMES.format(detail=_detail(calculation))
        return ProcessHandlerReport(True, code)

    @process_handler(priority=100)
    def handle_unrecoverable(self, calculation: orm.CalcJobNode) -> ProcessHandlerReport | None:
        """Bad input, or an engine that is not installed: fail at once instead of trying again."""
        if calculation.is_failed:
            return ProcessHandlerReport(True, self.exit_codes.ERROR_ENGINE_GAVE_UP.format(detail=_detail(calculation)))
        return None


def _detail(calculation: orm.CalcJobNode) -> str:
    """Return how a child describes its failure."""
    return f"{calculation.process_label}<{calculation.pk}> [{calculation.exit_status}] {calculation.exit_message}"
