"""``ion.surrogate_samples``: the configurations and forces that describe a material to the surrogate."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, WorkChain
from aiida.plugins import CalculationFactory, WorkflowFactory

from aiida_ion.calculations.surrogate.displaced import smear_structure
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.surrogate_samples.inputs import (
    forces_inputs,
    short_md_inputs,
    validate_inputs,
    validate_parameters,
)
from aiida_ion.workchains.surrogate_samples.parameters import SampleParameters


class SurrogateSamplesWorkChain(CleaningMixin, WorkChain):
    """Displace the atoms of a relaxed supercell, take frames of its run and of a short one, and evaluate all forces."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The relaxed supercell, angstrom.")
        spec.input(
            "diffusion",
            valid_type=orm.ArrayData,
            required=False,
            help="The diffusion of this material, which is its label; not needed for a prediction.",
        )
        spec.input_namespace(
            "trajectories",
            valid_type=orm.TrajectoryData,
            dynamic=True,
            required=False,
            help="Segments of one run of the structure, for the kind `trajectory`.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_parameters,
            help="`temperature_K`, `kinds`, `amplitudes_A` and the other fields of `SampleParameters`.",
        )
        spec.input("forces.entry_point", valid_type=orm.Str, help="`ion.forces` or `ion.lammps_forces`.")
        spec.input_namespace("forces.engine", dynamic=True, help="The job's own inputs: `code`, `potential`, ...")
        spec.input(
            "forces.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of these jobs."
        )
        spec.input(
            "md.entry_point",
            valid_type=orm.Str,
            required=False,
            help="The engine of the short run: the entry point of an `ion.md.*` work chain.",
        )
        spec.input(
            "md.parameters",
            valid_type=orm.Dict,
            required=False,
            help="MD settings; temperature, seed and length are those of the short run.",
        )
        spec.input(
            "md.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of the MD jobs."
        )
        spec.input_namespace(
            "md.engine", dynamic=True, required=False, help="The engine's own inputs: `code`, `potential`, ..."
        )
        spec.inputs["md"].required = False
        spec.inputs.validator = validate_inputs
        spec.outline(cls.setup, cls.submit_first, cls.inspect_first, cls.submit_last, cls.conclude)
        spec.output(
            "displaced",
            valid_type=orm.TrajectoryData,
            required=False,
            help="Displaced copies of the structure as frames; `amplitudes_A` of each as an attribute.",
        )
        spec.output_namespace(
            "short_md", valid_type=orm.TrajectoryData, dynamic=True, help="Segments of the short run."
        )
        for kind, words in (
            ("displaced", "the displaced copies"),
            ("trajectory", "frames of the given run"),
            ("short_md", "frames of the short run"),
        ):
            spec.output(
                f"{kind}_forces",
                valid_type=orm.ArrayData,
                required=False,
                help=f"Forces (eV/angstrom) and energies (eV) of {words}, as `ion.forces` gives them.",
            )
        spec.exit_code(506, "ERROR_NO_SAMPLES", message="Not one configuration has forces: {detail}")
        spec.exit_code(
            711,
            "WARNING_SAMPLES_INCOMPLETE",
            message="Some kinds of configurations failed; the rest is available: {detail}",
        )

    def setup(self) -> None:
        """Read what is requested into the context."""
        self.ctx.parameters = self.inputs.parameters.get_dict()
        self.ctx.failed = []

    @property
    def _parameters(self) -> SampleParameters:
        return SampleParameters.from_dict(self.ctx.parameters)

    def submit_first(self) -> Any:
        """Submit what needs no other child: forces of displaced copies and of the given run, and the short run."""
        parameters, children = self._parameters, {}
        if "displaced" in parameters.kinds:
            settings = {"amplitudes_A": parameters.amplitudes_A, "seed": parameters.seed}
            displaced: Any = smear_structure(self.inputs.structure, orm.Dict(settings))
            self.out("displaced", displaced)
            children["displaced"] = self._submit_forces(
                "displaced", {"displaced": displaced}, sum(parameters.amplitudes_A.values())
            )
        if "trajectory" in parameters.kinds:
            children["trajectory"] = self._submit_forces(
                "trajectory", self.inputs.trajectories, parameters.n_trajectory_frames, parameters.equilibration_fs
            )
        if "short_md" in parameters.kinds:
            inputs = short_md_inputs(self.inputs) | {"metadata": {"call_link_label": "short_md"}}
            if not self.inputs.clean_workdir:
                inputs["clean_workdir"] = orm.Bool(False)
            engine: Any = WorkflowFactory(self.inputs.md.entry_point.value)
            children["run"] = self.submit(engine, **inputs)
        return ToContext(**children)

    def inspect_first(self) -> None:
        """Attach the results; a child that failed does not stop the others."""
        for kind in ("displaced", "trajectory"):
            self._collect(kind)
        run = self.ctx.get("run")
        if run is None:
            return
        for name, segment in run.outputs.trajectories.items() if "trajectories" in run.outputs else ():
            self.out(f"short_md.{name}", segment)
        if not run.is_finished_ok:
            self.ctx.failed = [*self.ctx.failed, outcome(run)]

    def submit_last(self) -> Any:
        """Submit the forces of the short run; its start, the structure itself, is not a frame."""
        run = self.ctx.get("run")
        if run is None or not run.is_finished_ok:
            return None
        settings = run.inputs.parameters.get_dict()
        start_fs = 0.5 * settings["sample_every"] * settings["timestep_fs"]
        frames = self._parameters.n_short_md_frames
        return ToContext(short_md=self._submit_forces("short_md", run.outputs.trajectories, frames, start_fs))

    def conclude(self) -> ExitCode | None:
        """Report what failed, if anything did."""
        self._collect("short_md")
        if not self.ctx.failed:
            return None
        detail = "; ".join(self.ctx.failed)
        done = any(f"{kind}_forces" in self.outputs for kind in self._parameters.kinds)
        code = self.exit_codes.WARNING_SAMPLES_INCOMPLETE if done else self.exit_codes.ERROR_NO_SAMPLES
        return code.format(detail=detail)  # type: ignore[no-any-return]

    def _submit_forces(self, kind: str, trajectories: Any, max_frames: int, equilibration_fs: float = 0.0) -> Any:
        inputs = forces_inputs(self.inputs, trajectories, max_frames, equilibration_fs)
        inputs["metadata"]["call_link_label"] = f"{kind}_forces"
        job: Any = CalculationFactory(self.inputs.forces.entry_point.value)
        return self.submit(job, **inputs)

    def _collect(self, kind: str) -> None:
        """Attach the forces of a kind, and record it if the job stopped early."""
        job = self.ctx.get(kind)
        if job is None:
            return
        if "forces" in job.outputs:
            self.out(f"{kind}_forces", job.outputs.forces)
        if not job.is_finished_ok:
            self.ctx.failed = [*self.ctx.failed, outcome(job)]
