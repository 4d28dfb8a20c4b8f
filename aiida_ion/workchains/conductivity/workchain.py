"""``ion.conductivity``: a crystal becomes an ionic conductivity, with its interval and its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, if_, while_

from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.diffusion import DiffusionCalculation
from aiida_ion.calculations.functions import make_supercell, multiples_of
from aiida_ion.calculations.relax import validate_relax_parameters
from aiida_ion.workchains.conductivity.builder import builder_from_protocol
from aiida_ion.workchains.conductivity.inputs import engine_inputs, validate_inputs, validate_parameters
from aiida_ion.workchains.conductivity.jumps import JumpsWorkChain
from aiida_ion.workchains.conductivity.runs import outcome, temperature_label

__all__ = ["ConductivityWorkChain", "outcome", "temperature_label"]


#: Inputs of a fit that are not the same at every temperature, or are the work chain's own affair.
NOT_SHARED = ("trajectories", "thermo", "program", "clean_workdir")


class ConductivityWorkChain(JumpsWorkChain):
    """Relax, make a supercell, run temperatures x seeds, fit the diffusion, extrapolate the conductivity.

    With `target_relative_error` the runs go on, round by round, where that pays, until it is met or the budget is used.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The crystal: an ordered, periodic cell, angstrom.")
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            validator=validate_parameters,
            help="temperatures_K, seeds, mobile_species, charges (e), target_temperature_K, min_width_A, "
            "supercell_rule or supercell, relax_ions, max_concurrent; with target_relative_error the runs are extended "
            "until target_quantity is known so well, within max_time_ps, max_rounds and max_total_time_ps.",
        )
        spec.input(
            "md.entry_point", valid_type=orm.Str, help="The engine: the entry point of an `ion.md.*` work chain."
        )
        spec.input(
            "md.parameters",
            valid_type=orm.Dict,
            help="MD settings without `temperature_K` and `seed` (fs, GPa); `n_steps` is that of the first round.",
        )
        spec.input(
            "md.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of each MD job."
        )
        spec.input_namespace("md.engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, ...")
        spec.input(
            "relax_parameters",
            valid_type=orm.Dict,
            required=False,
            validator=validate_relax_parameters,
            help="`max_force_eV_A` and `max_steps` of the relaxation of the ions in the fixed cell.",
        )
        spec.input(
            "fresh",
            valid_type=bool,
            non_db=True,
            default=False,
            help="Recompute results that AiiDA's cache already holds.",
        )
        spec.expose_inputs(DiffusionCalculation, namespace="diffusion", exclude=NOT_SHARED)
        # Trajectories and temperature are known only later; the job checks them again when it is made.
        spec.inputs["diffusion"].validator = None
        spec.inputs["diffusion"]["parameters"].validator = None
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.setup,
            if_(cls.should_relax)(cls.run_relaxation, cls.inspect_relaxation),
            cls.run_supercell,
            cls.queue_runs,
            while_(cls.has_another_round)(
                while_(cls.window_is_open)(cls.fill_window),
                cls.submit_fits,
                cls.inspect_fits,
                cls.end_round,
            ),
            if_(cls.wants_jumps)(cls.submit_jumps, cls.inspect_jumps),
            cls.conclude,
        )
        spec.output(
            "conductivity",
            valid_type=orm.ArrayData,
            required=False,
            help="Activation energy (eV), ionic conductivity (mS/cm) at the target temperature, 95 % intervals, as "
            "attributes; posterior samples as arrays.",
        )
        spec.output_namespace("diffusion", valid_type=orm.ArrayData, dynamic=True, help="The fit of each temperature.")
        spec.output_namespace(
            "jumps",
            valid_type=orm.ArrayData,
            dynamic=True,
            help="The jump analysis of each temperature, where `jumps` is true and GEMDAT is installed.",
        )
        spec.output("relaxed_structure", valid_type=orm.StructureData, required=False, help="The relaxed cell.")
        spec.output(
            "relaxation", valid_type=orm.Dict, required=False, help="Displacements (angstrom), energy drop (eV)."
        )
        spec.output("supercell", valid_type=orm.StructureData, required=False, help="The cell that was simulated.")
        spec.output_namespace(
            "history",
            valid_type=orm.Dict,
            dynamic=True,
            help="With `target_relative_error`, for each round: time (ps), error, what continues, why the rest stops.",
        )
        spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of all molecular dynamics.")
        spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the ions failed: {detail}")
        spec.exit_code(502, "ERROR_MD_FAILED", message="No temperature has a trajectory that can be used: {detail}")
        spec.exit_code(503, "ERROR_DIFFUSION_FAILED", message="No trajectory could be fitted: {detail}")

    @classmethod
    def get_builder_from_protocol(
        cls,
        structure: orm.StructureData,
        engine: str,
        protocol: str | None = None,
        overrides: Mapping[str, Any] | str | None = None,
        **engine_inputs: Any,
    ) -> Any:
        """Return a builder whose inputs a protocol fills.

        :param structure: the crystal.
        :param engine: entry point of the engine, such as ``ion.md.mlip``.
        :param protocol: ``fast``, ``balanced``, ``stringent`` or ``obelix``.
        :param overrides: changes to the protocol; a mapping or the path of a YAML file.
        :param engine_inputs: `code`, `potential`, ..., `diffusion_code`, and `options` of the jobs.
        :raises ValueError: if the structure or a setting cannot be used; the message says why.
        """
        return builder_from_protocol(cls, structure, engine, protocol, overrides, **engine_inputs)

    def setup(self) -> None:
        """Read the inputs into the context."""
        self.ctx.parameters = self.inputs.parameters.get_dict()
        self.ctx.structure = self.inputs.structure
        self.ctx.refused = {}

    def should_relax(self) -> bool:
        """Whether the ions are relaxed first."""
        return bool(self.ctx.parameters["relax_ions"])

    def run_relaxation(self) -> Any:
        """Relax the ions in the fixed cell with the same potential."""
        multiples = multiples_of(self.inputs.structure, self._supercell_settings())
        builder = self._engine.relax_builder(self.inputs.structure, engine_inputs(self.inputs), multiples)
        if "relax_parameters" in self.inputs:
            builder.parameters = self.inputs.relax_parameters
        builder.metadata.call_link_label = "relax"
        if self.inputs.fresh:
            builder.metadata.disable_cache = True
        return ToContext(relaxation=self.submit(builder))

    def inspect_relaxation(self) -> ExitCode | None:
        """Go on with the relaxed structure; not quite relaxed is recorded, not fatal."""
        job = self.ctx.relaxation
        if "structure" not in job.outputs or (job.is_failed and job.exit_status < 700):
            return self.exit_codes.ERROR_RELAXATION_FAILED.format(detail=outcome(job))  # type: ignore[no-any-return]
        if job.is_failed:
            self.report(f"continuing with the ions reached: {job.exit_message}")
        self.ctx.structure = job.outputs.structure
        self.out("relaxed_structure", job.outputs.structure)
        self.out("relaxation", job.outputs.relaxation)
        return None

    def run_supercell(self) -> None:
        """Repeat the cell."""
        self.ctx.supercell = make_supercell(self.ctx.structure, orm.Dict(self._supercell_settings()))
        self.out("supercell", self.ctx.supercell)

    def conclude(self) -> None:
        """Fit the Arrhenius law on the posteriors and state the conductivity, a bound, or neither."""
        conductivity_parameters = self.ctx.parameters
        parameters = {
            "target_temperature_K": conductivity_parameters["target_temperature_K"],
            "priors": conductivity_parameters.get("priors", {}),
            **self._interval_limit(),
            "failed": sorted(self.ctx.refused.values(), key=lambda item: item["temperature_K"]),
        }
        fits: dict[str, Any] = {
            label: orm.load_node(fit["pk"]).outputs.diffusion for label, fit in self.ctx.fits.items()
        }
        for label, diffusion in fits.items():
            self.out(f"diffusion.{label}", diffusion)
        self.attach_cost()
        if self.ctx.decisions:
            fits["convergence"] = orm.load_node(self.ctx.decisions[-1])
        result: Any = fit_conductivity(parameters=orm.Dict(parameters), **fits)
        self.out("conductivity", result)
        self.report(result.base.attributes.get("summary"))

    def _interval_limit(self) -> dict[str, Any]:
        """Return the decades beyond which a number is poorly known, as the fits have it."""
        parameters = self.inputs.diffusion.parameters.get_dict() if "parameters" in self.inputs.diffusion else {}
        return {name: parameters[name] for name in ("max_interval_decades",) if name in parameters}

    def _supercell_settings(self) -> dict[str, Any]:
        parameters = self.ctx.parameters
        if parameters.get("supercell"):
            return {"multiples": parameters["supercell"]}
        return {name: parameters[name] for name in ("min_width_A", "supercell_rule")}
