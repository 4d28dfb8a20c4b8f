"""``ion.replicas``: many replicas, batch after batch, until each has ended.

It is not one of the engines ``ion.md.*``, which run one structure at one temperature: those have its batches as what
they begin with, by their input ``earlier``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, WorkChain, while_

from aiida_ion.calculations.functions import sum_costs
from aiida_ion.calculations.mlip.batch_md import BatchMdCalculation, validate_atoms_at_once
from aiida_ion.calculations.mlip.replicas import settings_of
from aiida_ion.exit_codes import STOPPED_EARLY
from aiida_ion.queries.replicas.finished import finished_replicas
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.md.base import MAX_NO_PROGRESS, segment_label
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.replicas import progress

#: Inputs of a job that the work chain decides, or that differ from job to job.
NOT_SHARED = ("metadata", "monitors", "restart_from", "initial_velocities", "atoms_at_once", "clean_workdir")


class ReplicasWorkChain(CleaningMixin, WorkChain):
    """Find what was run before, run the rest in batches, and continue what was not finished.

    The context holds plain data: ``replicas``, a :class:`~aiida_ion.workchains.replicas.progress.Progress` by key.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.expose_inputs(BatchMdCalculation, exclude=NOT_SHARED)
        spec.input("options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of each job.")
        spec.input(
            "atoms_at_once",
            valid_type=int,
            non_db=True,
            required=False,
            validator=validate_atoms_at_once,
            help="Most atoms that are under way together in a job, as in the job.",
        )
        spec.input("max_iterations", valid_type=orm.Int, default=lambda: orm.Int(100), help="Maximum number of jobs.")
        spec.input("fresh", valid_type=bool, non_db=True, default=False, help="Run replicas that were run before, too.")
        spec.inputs.validator = cls.validate_inputs
        spec.outline(cls.setup, while_(cls.goes_on)(cls.run_batch, cls.inspect_batch), cls.conclude)
        for name, kind, what in (
            ("trajectories", orm.TrajectoryData, "Segments in order: positions in angstrom, unwrapped; times in ps."),
            ("thermo", orm.ArrayData, "The same segments, every step: energies (eV), temperature (K)."),
            ("costs", orm.Dict, "The share of each segment in the cost of its job: s, MiB, steps per s."),
        ):
            spec.output_namespace(name, valid_type=kind, dynamic=True, help=f"By the key of each replica. {what}")
        spec.output_namespace(
            "states", valid_type=orm.ArrayData, dynamic=True, help="The last state of each replica, by its key."
        )
        spec.output("statuses", valid_type=orm.Dict, help="Key -> `status`, `message` and `last_step`, as of the job.")
        spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of the jobs that were run: s, MiB.")
        spec.output("versions", valid_type=orm.Dict, required=False, help="Versions and hashes of the last job.")
        spec.exit_code(500, "ERROR_ENGINE_GAVE_UP", message="The engine cannot run this: {detail}")
        spec.exit_code(507, "ERROR_ALL_FAILED", message="Not one of the replicas finished: {detail}")
        spec.exit_code(510, "ERROR_NO_PROGRESS", message="Two jobs in a row ended before they made progress: {detail}")
        spec.exit_code(710, "WARNING_INCOMPLETE", message="Some replicas failed; the others are complete: {detail}")

    @classmethod
    def validate_inputs(cls, inputs: Mapping[str, Any], port: Any) -> str | None:
        """Return what the job would refuse; ``None`` if it can be submitted."""
        validator: Any = BatchMdCalculation.spec().inputs.validator
        problem: str | None = validator(inputs, port)
        return problem

    def setup(self) -> None:
        """Look for replicas that were run before."""
        keys = list(self.inputs.replicas.get_dict())
        settings = {key: settings_of(self.inputs, key).to_dict() for key in keys}
        found = {} if self.inputs.fresh else finished_replicas(self.inputs, settings)
        self.ctx.replicas = progress.begin(keys, found)
        self.ctx.jobs, self.ctx.no_progress, self.ctx.failure = [], 0, None
        self.report(f"{len(keys)} replicas, {len(found)} of them were run before")

    def goes_on(self) -> bool:
        """Whether a replica is unfinished, and another batch may help."""
        is_allowed = len(self.ctx.jobs) < self.inputs.max_iterations.value
        return self.ctx.failure is None and is_allowed and bool(progress.unfinished(self.ctx.replicas))

    def run_batch(self) -> Any:
        """Submit a batch of all that is unfinished; what has no room there waits in it, and starts when others end."""
        keys = progress.unfinished(self.ctx.replicas)
        listed = self.inputs.replicas.get_dict()
        names = {listed[key]["structure"] for key in keys}
        inputs = self.exposed_inputs(BatchMdCalculation)
        inputs["replicas"] = orm.Dict({key: listed[key] for key in keys})
        inputs["structures"] = {name: self.inputs.structures[name] for name in sorted(names)}
        inputs["charges"] = {name: node for name, node in self.inputs.get("charges", {}).items() if name in names}
        inputs["restart_from"] = {
            key: progress.outputs_of(self.ctx.replicas[key]["segments"][-1])["states"]
            for key in keys
            if self.ctx.replicas[key]["segments"]
        }
        if "atoms_at_once" in self.inputs:
            inputs["atoms_at_once"] = self.inputs.atoms_at_once
        inputs["metadata"] = {"call_link_label": f"batch_{len(self.ctx.jobs) + 1:02d}"}
        if "options" in self.inputs:
            inputs["metadata"]["options"] = self.inputs.options
        if self.inputs.fresh:
            inputs["metadata"]["disable_cache"] = True
        return ToContext(job=self.submit(BatchMdCalculation, **inputs))

    def inspect_batch(self) -> None:
        """Record what each replica has now; decide whether another batch helps."""
        job = self.ctx.job
        self.ctx.jobs = [*self.ctx.jobs, job.pk]
        statuses = job.outputs.statuses.get_dict() if "statuses" in job.outputs else {}
        self.ctx.replicas, progressed = progress.record(self.ctx.replicas, statuses, job.pk)
        left = progress.unfinished(self.ctx.replicas)
        if not left:
            return
        if job.exit_status not in STOPPED_EARLY:
            self.ctx.failure = [500, outcome(job)]
            return
        self.ctx.no_progress = 0 if progressed else self.ctx.no_progress + 1
        if self.ctx.no_progress >= MAX_NO_PROGRESS:
            self.ctx.failure = [510, outcome(job)]
            return
        self.report(f"{len(left)} of {len(self.ctx.replicas)} replicas go on: {job.exit_message}")

    def conclude(self) -> ExitCode | None:
        """Attach what each replica has, and say how each ended."""
        left = progress.unfinished(self.ctx.replicas)
        if left:
            reason = self.ctx.failure[1] if self.ctx.failure else f"{self.inputs.max_iterations.value} jobs were run"
            self.ctx.replicas = progress.give_up(self.ctx.replicas, reason)
        for key, replica in self.ctx.replicas.items():
            self._attach(key, replica)
        # An account of the replicas and no data of theirs: nothing computes it from them.
        names = ("status", "message", "last_step")
        statuses = {key: {name: one[name] for name in names if name in one} for key, one in self.ctx.replicas.items()}
        self.out("statuses", orm.Dict(statuses).store())
        jobs: list[Any] = [orm.load_node(pk) for pk in self.ctx.jobs]
        costs = {segment_label(number): job.outputs.cost for number, job in enumerate(jobs) if "cost" in job.outputs}
        if costs:
            self.out("cost", sum_costs(**costs))
        versions = [job.outputs.versions for job in jobs if "versions" in job.outputs]
        if versions:
            self.out("versions", versions[-1])
        return self._exit_code()

    def _attach(self, key: str, replica: progress.Progress) -> None:
        """Attach the segments of a replica."""
        number = 0
        for segment in replica["segments"]:
            outputs = progress.outputs_of(segment)
            if "trajectories" not in outputs:
                continue
            for port in ("trajectories", "thermo", "costs"):
                if port in outputs:
                    self.out(f"{port}.{key}.{segment_label(number)}", outputs[port])
            number += 1
        outputs_of_all = [progress.outputs_of(segment) for segment in replica["segments"]]
        states = [outputs["states"] for outputs in outputs_of_all if "states" in outputs]
        if states:
            self.out(f"states.{key}", states[-1])

    def _exit_code(self) -> ExitCode | None:
        replicas = self.ctx.replicas
        failed = {key: one for key, one in replicas.items() if one["status"] != "finished"}
        if not failed:
            return None
        key, first = next(iter(failed.items()))
        detail = f"{len(failed)} of {len(replicas)} replicas, the first, {key}: {first['message']}"
        code = self.exit_codes.WARNING_INCOMPLETE
        if len(failed) == len(replicas):
            by_number = {500: self.exit_codes.ERROR_ENGINE_GAVE_UP, 510: self.exit_codes.ERROR_NO_PROGRESS}
            number = self.ctx.failure[0] if self.ctx.failure else 0
            code = by_number.get(number, self.exit_codes.ERROR_ALL_FAILED)
        return code.format(detail=detail)  # type: ignore[no-any-return]
