"""``ion.convergence``: how far forces of a DFT engine are from converged, by single points at several settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_
from aiida.manage.caching import enable_caching

from aiida_ion.calculations.dft.convergence import tabulate_convergence
from aiida_ion.calculations.dft.frames import displace_atoms, take_frame, validate_frames
from aiida_ion.calculations.dft.kpoints import shift_of
from aiida_ion.calculations.md import symbols_of
from aiida_ion.engine_kinds import engine_class, job_name
from aiida_ion.workchains.convergence.parameters import parameters_of, points_of
from aiida_ion.workchains.md.single_points import SinglePoints
from aiida_ion.workchains.window import WindowWorkChain


class ConvergenceWorkChain(WindowWorkChain):
    """Scan cut-offs and k-points on displaced configurations; single points that the database has are not repeated."""

    #: From a scan as a user asks for it to the input `parameters`.
    parameters_of = staticmethod(parameters_of)

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The crystal, as it will be simulated, angstrom.")
        spec.input(
            "trajectory",
            valid_type=orm.TrajectoryData,
            required=False,
            help="A run of the same atoms, of which `frames` of the parameters are configurations, too.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            help="`cutoffs`, `meshes`, `base_cutoffs`, `base_mesh`, `displacement_A` (angstrom), `n_displaced`, "
            "`frames`, `seed`, `max_force_error_percent`, `max_concurrent`.",
        )
        spec.input("entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain.")
        spec.input_namespace("engine", dynamic=True, help="The engine's own inputs: `code`, `pseudos`, ...")
        spec.input("options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of the jobs.")
        spec.inputs.validator = validate_inputs
        spec.outline(cls.setup, while_(cls.window_is_open)(cls.fill_window), cls.conclude)
        spec.output(
            "convergence",
            valid_type=orm.Dict,
            required=False,
            help="Rows of the scans `cutoffs` and `kpoints`, each against the highest setting of its scan: forces "
            "(per cent, eV/angstrom), energy (meV/atom), pressure (GPa), CPU time (s); what is recommended.",
        )
        spec.exit_code(508, "ERROR_NO_CONVERGENCE", message="No setting has forces to compare with: {detail}")
        spec.exit_code(712, "WARNING_POINTS_MISSING", message="Some settings failed; the rest is tabulated: {detail}")

    @property
    def _points(self) -> type[SinglePoints]:
        points: type[SinglePoints] = engine_class(self.inputs.entry_point.value).single_points
        return points

    def setup(self) -> None:
        """Make the configurations, and queue every single point."""
        parameters = self.inputs.parameters.get_dict()
        structure = self.inputs.structure
        made: list[Any] = [
            displace_atoms(
                structure, orm.Dict({key: parameters[key] for key in ("displacement_A", "seed")} | {"frame": i})
            )
            for i in range(parameters["n_displaced"])
        ]
        made += [take_frame(structure, self.inputs.trajectory, orm.Dict({"frame": i})) for i in parameters["frames"]]
        self.ctx.configurations = [int(node.pk) for node in made]
        self.ctx.points = points_of(parameters, len(made))
        self.open_window(
            [{"name": name} | about for name, about in self.ctx.points.items()], parameters["max_concurrent"]
        )

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit a single point; where the database has its like, that is taken."""
        points = self._points
        inputs = points.at(self.inputs.engine, run["cutoffs"], run["mesh"])
        inputs["structure"] = orm.load_node(self.ctx.configurations[run["frame"]])
        inputs["metadata"] = {"call_link_label": run["name"]}
        if "options" in self.inputs:
            inputs["metadata"]["options"] = dict(self.inputs.options)
        with enable_caching(identifier=f"aiida.calculations:{job_name(points.job)}"):
            return self.submit(points.job, **inputs)

    def conclude(self) -> ExitCode | None:
        """Tabulate what came out."""
        nodes: dict[str, Any] = {}
        failed = []
        for run in self.ctx.done:
            job: Any = orm.load_node(run["pk"])
            if job.is_finished_ok:
                nodes[run["name"]] = job.outputs.point
                continue
            cutoffs = "/".join(f"{value:g}" for value in run["cutoffs"])
            mesh = "x".join(map(str, run["mesh"]))
            failed.append(
                f"{cutoffs} {self._points.unit}, {mesh}: job {job.pk}, {job.exit_message or job.process_state}"
            )
        if not nodes:
            return self.exit_codes.ERROR_NO_CONVERGENCE.format(detail="; ".join(failed))  # type: ignore[no-any-return]
        parameters = self.inputs.parameters.get_dict()
        about = {
            "points": self.ctx.points,
            "max_force_error_percent": parameters["max_force_error_percent"],
            "formula": self.inputs.structure.get_formula("hill_compact"),
            "functional": self._points.functional(self.inputs.engine),
            "unit": self._points.unit,
            "suggested_cutoffs": list(self._points.suggested(self.inputs.engine)),
            "failed": failed,
            "kpoints_shift": shift_of(self.inputs.engine.get("kpoints")),
        }
        table: Any = tabulate_convergence(orm.Dict(about), self.inputs.structure, **nodes)
        self.out("convergence", table)
        if failed:
            return self.exit_codes.WARNING_POINTS_MISSING.format(detail="; ".join(failed))  # type: ignore[no-any-return]
        return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return what cannot be scanned, nothing when it can."""
    structure, parameters = inputs.get("structure"), inputs.get("parameters")
    if structure is None or parameters is None or inputs.get("entry_point") is None:
        return None
    settings = parameters.get_dict()
    points = engine_class(inputs["entry_point"].value).single_points
    if points is None:
        return f"{inputs['entry_point'].value} converges no electrons, and has no cut-offs to scan"
    try:
        symbols_of(structure)
    except ValueError as error:
        return str(error)
    frames, trajectory = list(settings.get("frames") or []), inputs.get("trajectory")
    if not frames and not settings.get("n_displaced"):
        return "give n_displaced, frames of a trajectory, or both: there is no configuration"
    if frames and trajectory is None:
        return "frames are given, and no trajectory that has them"
    return validate_frames(structure, trajectory, frames) if trajectory is not None else None
