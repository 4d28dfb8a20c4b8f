"""``ion.comparison``: the same crystals under the same protocol at several levels of theory, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_

from aiida_ion.calculations.comparison.compare_levels import compare_levels
from aiida_ion.calculations.comparison.trajectories import TrajectoryComparisonCalculation
from aiida_ion.queries.reuse import finished_run
from aiida_ion.workchains.comparison.builder import builder_from_protocol
from aiida_ion.workchains.comparison.ensembles import chain_of
from aiida_ion.workchains.comparison.inputs import (
    comparison_inputs,
    conductivity_inputs,
    forces_job,
    level_of_run,
    trajectory_inputs,
    validate_inputs,
    validate_parameters,
)
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain


class ComparisonWorkChain(WindowWorkChain):
    """Run what is not in the database yet, evaluate each potential on the frames of the reference, compare."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input_namespace(
            "runs",
            dynamic=True,
            help="Material, then engine, then the inputs of an `ion.conductivity` or, for a disordered crystal, of an "
            "`ion.ensemble` with the same cells for each engine.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_parameters,
            help="`reference`: the engine that the others are compared with; `max_concurrent`: conductivities at a "
            "time; `max_force_frames`: reference frames on which each potential is evaluated.",
        )
        spec.input("fresh", valid_type=bool, non_db=True, default=False, help="Recompute existing results.")
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.queue_runs,
            while_(cls.window_is_open)(cls.fill_window),
            cls.queue_forces,
            while_(cls.window_is_open)(cls.fill_window),
            cls.queue_trajectories,
            while_(cls.window_is_open)(cls.fill_window),
            cls.compare,
        )
        spec.output_namespace(
            "conductivities",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="The conductivity of each material with each engine, computed now or found.",
        )
        spec.output_namespace(
            "forces",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="Forces (eV/angstrom) and energies (eV) of each potential on frames of the reference trajectory.",
        )
        spec.output_namespace(
            "comparisons",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="Each engine against the reference: ratios with intervals, force and energy errors, cost.",
        )
        spec.exit_code(505, "ERROR_NO_CONDUCTIVITY", message="Not one conductivity could be computed: {detail}")
        spec.exit_code(
            710, "WARNING_INCOMPLETE", message="Some runs failed; the other comparisons are available: {detail}"
        )

    @classmethod
    def get_builder_from_protocol(
        cls,
        structures: Mapping[str, orm.StructureData],
        engines: Mapping[str, Mapping[str, Any]],
        protocol: str | None = None,
        overrides: Mapping[str, Any] | str | None = None,
        *,
        diffusion_code: orm.AbstractCode,
        reference: str | None = None,
        max_concurrent: int = 4,
        max_force_frames: int = 100,
    ) -> Any:
        """Return a builder: every material with every engine under one protocol.

        :param structures: material label -> crystal.
        :param engines: engine label -> its ``entry_point`` and inputs, as ``ion.conductivity`` takes them: ``code``,
            ``potential``, ``pseudo_family``, ``options``, ...
        :param protocol: ``fast``, ``balanced``, ``stringent`` or ``obelix``.
        :param overrides: changes to the protocol, for all engines alike.
        :param diffusion_code: the Python that has kinisi.
        :param reference: label of the engine the others are compared with; the first DFT one, else the first.
        :param max_concurrent: conductivities at a time.
        :param max_force_frames: reference frames on which each potential is evaluated.
        :raises ValueError: if a structure, engine or setting cannot be used; the message says why.
        """
        return builder_from_protocol(
            cls,
            structures,
            engines,
            protocol,
            overrides,
            diffusion_code=diffusion_code,
            parameters={
                "reference": reference,
                "max_concurrent": max_concurrent,
                "max_force_frames": max_force_frames,
            },
        )

    def queue_runs(self) -> None:
        """Unfold materials and engines into conductivities."""
        self.ctx.conductivities, self.ctx.forces, self.ctx.trajectories, self.ctx.failed = {}, {}, {}, []
        runs = [
            {"what": "conductivity", "material": material, "engine": engine}
            for material, engines in self.inputs.runs.items()
            for engine in engines
        ]
        self.open_window(runs, int(self.inputs.parameters.get_dict()["max_concurrent"]))

    def queue_forces(self) -> ExitCode | None:
        """Attach the conductivities, and queue what is to be evaluated on frames of the reference."""
        for key, pk in sorted(self.ctx.conductivities.items()):
            self.out(f"conductivities.{key.replace('__', '.')}", orm.load_node(pk).outputs.conductivity)
        if not self.ctx.conductivities:
            return self.exit_codes.ERROR_NO_CONDUCTIVITY.format(detail=self.ctx.failed[0])  # type: ignore[no-any-return]
        self._open_window_of_pairs("forces")
        return None

    def queue_trajectories(self) -> None:
        """Queue the comparisons of trajectories."""
        self._open_window_of_pairs("trajectories")

    def _open_window_of_pairs(self, what: str) -> None:
        runs = [{"what": what, "material": material, "engine": engine} for material, engine in self._pairs()]
        self.open_window(runs, int(self.inputs.parameters.get_dict()["max_concurrent"]))

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit a conductivity that is not in the database yet, or a job on the trajectories of finished ones."""
        key = f"{run['material']}__{run['engine']}"
        inputs = self.inputs.runs[run["material"]][run["engine"]]
        if run["what"] == "forces":
            chains = self._chain(run["material"]), self._chain(run["material"], run["engine"])
            evaluation = forces_job(inputs, *chains, self.inputs)
            if evaluation is None:
                return None
            job, given = evaluation
            given["metadata"]["call_link_label"] = f"forces_{key}"
            return self.submit(job, **given)
        if run["what"] == "trajectories":
            return self._submit_trajectories(run["material"], run["engine"])
        finished = None if self.inputs.fresh else finished_run(inputs)
        if finished is not None:
            self.ctx.conductivities = self.ctx.conductivities | {key: finished}
            self.report(f"{run['material']} with {run['engine']} is in the database: work chain {finished}")
            return None
        inputs_of_run = conductivity_inputs(inputs, bool(self.inputs.fresh))
        inputs_of_run["metadata"] = {
            "call_link_label": f"conductivity_{key}",
            "label": f"{run['material']} {run['engine']}",
        }
        return self.submit(chain_of(inputs), **inputs_of_run)

    def _submit_trajectories(self, material: str, engine: str) -> Any:
        """Submit the job that compares the trajectories of an engine with those of the reference, if there are any."""
        key = f"{material}__{engine}"
        forces = orm.load_node(self.ctx.forces[key]).outputs.forces if key in self.ctx.forces else None
        run = self.inputs.runs[material][engine]
        inputs = trajectory_inputs(*self._levels(material, engine), forces, run, bool(self.inputs.fresh))
        if inputs is None:
            return None
        inputs["metadata"]["call_link_label"] = f"trajectories_{key}"
        return self.submit(TrajectoryComparisonCalculation, **inputs)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Keep what came out; a run that failed does not stop the others."""
        key = f"{run['material']}__{run['engine']}"
        what = run["what"]
        if what == "trajectories":
            self.ctx.trajectories = self.ctx.trajectories | {key: node.pk}
        if (what if what != "trajectories" else "comparison") not in node.outputs:
            self.ctx.failed = [*self.ctx.failed, outcome(node)]
            self.report(f"{what} of {run['material']} with {run['engine']} failed: {outcome(node)}")
        elif what == "forces":
            self.ctx.forces = self.ctx.forces | {key: node.pk}
            self.out(f"forces.{run['material']}.{run['engine']}", node.outputs.forces)
        elif what == "conductivity":
            self.ctx.conductivities = self.ctx.conductivities | {key: node.pk}

    def compare(self) -> ExitCode | None:
        """Compare each engine with the reference, for each material that both have."""
        for material, engine in self._pairs():
            key = f"{material}__{engine}"
            run = self.inputs.runs[material][engine]
            inputs = comparison_inputs(*self._levels(material, engine), self._compared(key), run)
            inputs["metadata"] = {"call_link_label": f"compare_{key}"}
            result: Any = compare_levels(**inputs)
            self.out(f"comparisons.{material}.{engine}", result)
            self.report(result.base.attributes.get("summary"))
        if self.ctx.failed:
            return self.exit_codes.WARNING_INCOMPLETE.format(detail="; ".join(self.ctx.failed))  # type: ignore[no-any-return]
        return None

    @property
    def _reference(self) -> str:
        reference: str = self.inputs.parameters.get_dict()["reference"]
        return reference

    def _pairs(self) -> list[tuple[str, str]]:
        """Return material and engine wherever there is a result beside one of the reference."""
        have = self.ctx.conductivities
        return [
            (material, engine)
            for material, engines in self.inputs.runs.items()
            for engine in engines
            if engine != self._reference
            and f"{material}__{engine}" in have
            and f"{material}__{self._reference}" in have
        ]

    def _levels(self, material: str, engine: str) -> tuple[tuple[str, Any], tuple[str, Any]]:
        """Return level of theory and conductivity work chain of the reference, and of an engine."""
        runs = self.inputs.runs[material]
        return (
            (level_of_run(runs[self._reference]), self._chain(material)),
            (level_of_run(runs[engine]), self._chain(material, engine)),
        )

    def _compared(self, key: str) -> Any:
        """Return what came of the comparison of trajectories, or how it failed; nothing if there were none."""
        if key not in self.ctx.trajectories:
            return None
        job: Any = orm.load_node(self.ctx.trajectories[key])
        return job.outputs.comparison if "comparison" in job.outputs else outcome(job)

    def _chain(self, material: str, engine: str | None = None) -> Any:
        """Return the conductivity work chain of a material with an engine, the reference where none is named."""
        return orm.load_node(self.ctx.conductivities[f"{material}__{engine or self._reference}"])
