"""``ion.labels``: energies and forces of frames of trajectories by any engine, DFT by single points too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_

from aiida_ion.calculations.chosen_frames import validate_trajectories
from aiida_ion.calculations.dft.frames import take_frame
from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.training.single_points import collect_labels, point_name
from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain


class LabelsWorkChain(WindowWorkChain):
    """One job for all frames where the engine has one, else a single point for each, a limited number at a time."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input(
            "structure",
            valid_type=orm.StructureData,
            help="The cell of the frames, for its kinds of atoms; the same atoms in the same order.",
        )
        spec.input_namespace(
            "trajectories", valid_type=orm.TrajectoryData, dynamic=True, help="All their frames are labelled, angstrom."
        )
        spec.input("entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain.")
        spec.input_namespace(
            "engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, `pseudos`, ..."
        )
        spec.input("options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of the jobs.")
        spec.input(
            "max_concurrent", valid_type=int, non_db=True, default=4, help="Single points at a time, of a DFT engine."
        )
        spec.inputs.validator = validate_inputs
        spec.outline(cls.setup, while_(cls.window_is_open)(cls.fill_window), cls.collect)
        spec.output_namespace(
            "labels",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="Under the name of each trajectory: `forces` (n, N, 3), eV/angstrom; `energies` (n,), eV; `frames`.",
        )
        spec.exit_code(523, "ERROR_NO_LABELS", message="Not one frame could be labelled: {detail}")
        spec.exit_code(714, "WARNING_LABELS_MISSING", message="Some frames have no labels; the others do: {detail}")

    @property
    def _engine(self) -> Any:
        return engine_class(self.inputs.entry_point.value)

    def setup(self) -> None:
        """Queue one job for all frames, or a single point for each."""
        self.ctx.nodes, self.ctx.failed = {}, []
        runs: list[dict[str, Any]] = [{}]
        if self._engine.forces_class is None:
            runs = [
                {"trajectory": key, "frame": frame}
                for key, trajectory in sorted(self.inputs.trajectories.items())
                for frame in range(n_frames(trajectory))
            ]
        self.open_window(runs, int(self.inputs.max_concurrent))

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the job of all frames, or of one."""
        options = {"options": dict(self.inputs.options)} if "options" in self.inputs else {}
        if "frame" not in run:
            trajectories = dict(self.inputs.trajectories)
            inputs = self._engine.shared_inputs(self.inputs.engine) | {
                "trajectories": trajectories,
                "parameters": orm.Dict({"max_frames": sum(map(n_frames, trajectories.values()))}),
                "metadata": {"call_link_label": "forces", **options},
            }
            return self.submit(self._engine.forces_class, **inputs)
        trajectory = self.inputs.trajectories[run["trajectory"]]
        points = self._engine.single_points
        mesh = self.inputs.engine["kpoints"].get_kpoints_mesh()[0]
        inputs = points.at(self.inputs.engine, points.cutoffs(self.inputs.engine), mesh)
        inputs["structure"] = take_frame(self.inputs.structure, trajectory, orm.Dict({"frame": run["frame"]}))
        inputs["metadata"] = {"call_link_label": f"{run['trajectory']}_{point_name(run['frame'])}", **options}
        return self.submit(points.job, **inputs)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Keep what came out; a frame that failed does not stop the others."""
        if "frame" not in run and "forces" in node.outputs:
            self.ctx.nodes = dict.fromkeys(self.inputs.trajectories, node.outputs.forces.pk)
        elif "frame" in run and node.is_finished_ok:
            self.ctx.nodes = self.ctx.nodes | {f"{run['trajectory']}/{run['frame']}": node.outputs.point.pk}
        if not node.is_finished_ok:
            self.ctx.failed = [*self.ctx.failed, outcome(node)]

    def collect(self) -> ExitCode | None:
        """Attach the labels of each trajectory."""
        for key, trajectory in sorted(self.inputs.trajectories.items()):
            if self._engine.forces_class is not None:
                if key in self.ctx.nodes:
                    self.out(f"labels.{key}", orm.load_node(self.ctx.nodes[key]))
                continue
            mine = {name: pk for name, pk in self.ctx.nodes.items() if name.rpartition("/")[0] == key}
            points = {point_name(int(name.rpartition("/")[2])): orm.load_node(pk) for name, pk in mine.items()}
            if points:
                about = orm.Dict({"level_of_theory": self._engine.level_of_theory(self.inputs.engine)})
                self.out(f"labels.{key}", collect_labels(about, trajectory, **points))
        detail = "; ".join(self.ctx.failed)
        if not self.ctx.nodes:
            return self.exit_codes.ERROR_NO_LABELS.format(detail=detail)  # type: ignore[no-any-return]
        if self.ctx.failed:
            return self.exit_codes.WARNING_LABELS_MISSING.format(detail=detail)  # type: ignore[no-any-return]
        return None


def n_frames(trajectory: orm.TrajectoryData) -> int:
    """Return the number of frames of a trajectory."""
    return int(trajectory.get_shape("positions")[0])


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what cannot be labelled; ``None`` if everything can."""
    trajectories, structure = inputs.get("trajectories") or {}, inputs.get("structure")
    if structure is None or inputs.get("entry_point") is None:
        return None
    problem = validate_trajectories(trajectories)
    if problem is not None:
        return problem
    if trajectories[min(trajectories)].base.attributes.get("symbols") != symbols_of(structure):
        return "the trajectories hold other atoms than the structure, or in another order"
    try:
        engine = engine_class(inputs["entry_point"].value)
    except ValueError as error:
        return str(error)
    if engine.forces_class is None and engine.single_points is None:
        return f"{inputs['entry_point'].value} evaluates no stored frames"
    return None
