"""``ion.surrogate_estimate``: the diffusivity of one crystal from short samples and a trained surrogate."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, WorkChain, if_
from aiida.plugins import CalculationFactory, WorkflowFactory

from aiida_ion.calculations.functions import make_supercell
from aiida_ion.calculations.relax import validate_relax_parameters
from aiida_ion.calculations.surrogate.dataset import gather_dataset, material_key
from aiida_ion.exit_codes import is_usable
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.conductivity.md import engine_of
from aiida_ion.workchains.conductivity.relaxation import is_relaxed, relaxation_builder, supercell_settings
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.surrogate_estimate.builder import builder_from_protocol
from aiida_ion.workchains.surrogate_samples.sampled import sampled_nodes, seconds_of


class SurrogateEstimateWorkChain(CleaningMixin, WorkChain):
    """Relax the ions, sample the supercell as the surrogate was trained, and predict."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The crystal, angstrom.")
        spec.input("model", valid_type=orm.SinglefileData, help="The `model` of an `ion.surrogate_train`.")
        spec.input("predict.code", valid_type=orm.AbstractCode, help="The Python that runs the model.")
        spec.input("predict.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of it.")
        spec.input("md.entry_point", valid_type=orm.Str, help="The engine whose forces are sampled, an `ion.md.*`.")
        spec.input("md.parameters", valid_type=orm.Dict, help="Settings of its runs; those of the samples win.")
        spec.input("md.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of its jobs.")
        spec.input_namespace("md.engine", dynamic=True, help="The engine's own inputs: `code`, `potential`, ...")
        spec.input(
            "relax_parameters",
            valid_type=orm.Dict,
            required=False,
            validator=validate_relax_parameters,
            help="`max_force_eV_A` and `max_steps` of the relaxation of the ions; not relaxed without.",
        )
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            help="`formula`, `mobile_species`, `charges` (e), and the rule of the supercell as in `ion.conductivity`.",
        )
        spec.input("fresh", valid_type=bool, non_db=True, default=False, help="Recompute existing results.")
        spec.outline(if_(cls.is_to_relax)(cls.relax, cls.inspect_relaxation), cls.sample, cls.predict, cls.conclude)
        spec.output(
            "prediction", valid_type=orm.ArrayData, help="As `ion.surrogate_predict` gives it, of one material."
        )
        spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the ions failed: {detail}")
        spec.exit_code(506, "ERROR_NO_SAMPLES", message="Not one configuration has forces: {detail}")
        spec.exit_code(509, "ERROR_NO_PREDICTION", message="The surrogate could not predict: {detail}")

    @classmethod
    def get_builder_from_protocol(cls, structure: orm.StructureData, **choices: Any) -> Any:
        """Return a builder, see :func:`~aiida_ion.workchains.surrogate_estimate.builder.builder_from_protocol`."""
        return builder_from_protocol(cls, structure, **choices)

    def is_to_relax(self) -> bool:
        """Whether the ions are relaxed first."""
        return "relax_parameters" in self.inputs

    def relax(self) -> Any:
        """Submit the relaxation."""
        return ToContext(relaxation=self.submit(relaxation_builder(self.inputs)))

    def inspect_relaxation(self) -> ExitCode | None:
        """Stop where it failed."""
        if is_relaxed(self.ctx.relaxation):
            return None
        return self._failed("ERROR_RELAXATION_FAILED", self.ctx.relaxation)

    def sample(self) -> Any:
        """Submit the samples of the supercell."""
        relaxed = self.ctx.relaxation.outputs.structure if "relaxation" in self.ctx else self.inputs.structure
        cell: Any = make_supercell(relaxed, orm.Dict(supercell_settings(self.inputs.parameters.get_dict())))
        attributes = self.inputs.model.base.attributes
        engine, options = engine_of(self.inputs), dict(self.inputs.md.get("options") or {})
        sampling = dict(attributes.get("sampling")) | {"temperature_K": float(attributes.get("temperature_K"))}
        inputs: dict[str, Any] = {
            "structure": cell,
            "parameters": orm.Dict(sampling),
            "forces": {
                "entry_point": orm.Str(engine.forces_job()),
                "engine": engine.shared_inputs(self.inputs.md.engine),
                "options": options,
            },
            "metadata": {"call_link_label": "samples"},
        }
        if "short_md" in sampling["kinds"]:
            md = {"entry_point": self.inputs.md.entry_point, "parameters": self.inputs.md.parameters}
            inputs["md"] = md | {"engine": dict(self.inputs.md.engine), "options": options}
        chain: Any = WorkflowFactory("ion.surrogate_samples")
        return ToContext(samples=self.submit(chain, **inputs))

    def predict(self) -> Any:
        """Gather the samples and submit the prediction."""
        chain = self.ctx.samples
        if not is_usable(chain.exit_status):
            return self._failed("ERROR_NO_SAMPLES", chain)
        parameters = self.inputs.parameters.get_dict()
        mobile, level = parameters["mobile_species"], engine_of(self.inputs).level_of_theory(self.inputs.md.engine)
        about = {
            "formula": parameters["formula"],
            "level_of_theory": level,
            "mobile_species": mobile,
            "temperature_K": chain.inputs.parameters.get_dict()["temperature_K"],
            "charge_e": parameters["charges"].get(mobile),
            "seconds_forces": seconds_of(chain),
        }
        key = material_key(0)
        settings = {
            "materials": {key: about},
            "allow_mixed": [],
            "sampling": self.inputs.model.base.attributes.get("sampling"),
        }
        nodes = {f"{key}_{name}": node for name, node in sampled_nodes(chain).items()}
        inputs: dict[str, Any] = {"parameters": orm.Dict(settings), **nodes}
        dataset = gather_dataset(**inputs)
        job: Any = CalculationFactory("ion.surrogate_predict")
        options = dict(self.inputs.predict.get("options") or {})
        metadata = {"call_link_label": "predict"} | ({"options": options} if options else {})
        return ToContext(
            prediction=self.submit(
                job, code=self.inputs.predict.code, model=self.inputs.model, dataset=dataset, metadata=metadata
            )
        )

    def conclude(self) -> ExitCode | None:
        """Attach the prediction."""
        job = self.ctx.prediction
        if "predictions" not in job.outputs:
            return self._failed("ERROR_NO_PREDICTION", job)
        self.out("prediction", job.outputs.predictions)
        return None

    def _failed(self, label: str, child: Any) -> ExitCode:
        code: ExitCode = self.exit_codes[label].format(detail=outcome(child))
        return code
