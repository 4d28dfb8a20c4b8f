"""``ion.defects``: an ordered crystal -> cells with defects, relaxed by a potential, and their energies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, WorkChain, append_, while_

from aiida_ion.calculations.defects.energies import LABELS_OF_PERFECT, defect_energies
from aiida_ion.calculations.defects.make import (
    MakeDefectsCalculation,
    validate_defect_inputs,
    validate_defect_parameters,
)
from aiida_ion.calculations.disorder.relax import RelaxOrderingsCalculation
from aiida_ion.calculations.mlip.job import validate_checkpoint, validate_potential
from aiida_ion.exit_codes import STOPPED_EARLY
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.outcome import outcome

#: Jobs in a row that may end without a result of any cell.
MAX_FRUITLESS = 2
RELAXATION_PORTS = ("code", "potential", "checkpoint", "parameters")


class DefectsWorkChain(CleaningMixin, WorkChain):
    """Make cells with defects, relax them and the perfect cell in one job; another job follows one that was stopped."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("structure", valid_type=orm.StructureData, help="The perfect, ordered crystal; lengths in angstrom.")
        spec.input("defects.code", valid_type=orm.AbstractCode, help="The Python that makes the cells.")
        spec.input(
            "defects.parameters",
            valid_type=orm.Dict,
            validator=validate_defect_parameters,
            help="Settings of `ion.make_defects`.",
        )
        spec.input("defects.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of it.")
        spec.input("relaxation.code", valid_type=orm.AbstractCode, help="The Python with the potential.")
        spec.input(
            "relaxation.potential",
            valid_type=orm.Dict,
            validator=validate_potential,
            help="The potential, as `ion.relax_orderings` has it.",
        )
        spec.input("relaxation.checkpoint", valid_type=orm.SinglefileData, required=False, help="Its weights.")
        spec.input(
            "relaxation.parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_relaxation_parameters,
            help="Settings of `ion.relax_orderings`: eV/angstrom; the cell stays fixed.",
        )
        spec.input("relaxation.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of it.")
        spec.input("level_of_theory", valid_type=str, non_db=True, help="The name that the energies carry.")
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.make, cls.inspect_cells, while_(cls.are_cells_left)(cls.relax, cls.inspect_relaxation), cls.tabulate
        )
        spec.output_namespace(
            "members",
            valid_type=orm.StructureData,
            dynamic=True,
            help="The relaxed cells `o000`, `o001`, ..., in the order of the members of `ensemble`, angstrom.",
        )
        spec.output(
            "perfect",
            valid_type=orm.StructureData,
            required=False,
            help="The relaxed cell without defects, angstrom, the lower of two starts; absent where none was relaxed.",
        )
        spec.output(
            "ensemble",
            valid_type=orm.Dict,
            required=False,
            help="As that of `ion.make_defects`, with relaxed energies (eV), forces (eV/angstrom) and displacements "
            "(angstrom) of each member, and `formation_energy_eV` of one defect where its reference is defined.",
        )
        spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the ions failed: {detail}")
        spec.exit_code(528, "ERROR_DEFECTS_FAILED", message="The cells with defects could not be made: {detail}")
        spec.exit_code(700, "WARNING_NOT_RELAXED", message="The ions are not relaxed to the force asked for: {detail}")

    def make(self) -> Any:
        """Submit the job that makes the cells."""
        given = self.inputs.defects
        metadata = {"call_link_label": "make_defects"} | _options(given)
        inputs = {"code": given.code, "structure": self.inputs.structure, "parameters": given.parameters}
        self.ctx.fruitless = 0
        return ToContext(making=self.submit(MakeDefectsCalculation, **inputs, metadata=metadata))

    def inspect_cells(self) -> ExitCode | None:
        """Stop where there is no cell."""
        if "ensemble" in self.ctx.making.outputs:
            return None
        return self._failed("ERROR_DEFECTS_FAILED", self.ctx.making)

    def are_cells_left(self) -> bool:
        """Whether cells wait for their relaxation, and the last job did not fail for a reason of its own."""
        return bool(self._left()) and self.ctx.fruitless < MAX_FRUITLESS

    def relax(self) -> Any:
        """Submit the relaxation of the cells that have no result."""
        given, cells = self.inputs.relaxation, self._cells()
        inputs = {name: given[name] for name in RELAXATION_PORTS if name in given}
        inputs["structures"] = {label: cells[label] for label in self._left()}
        metadata = {"call_link_label": "relax"} | _options(given)
        job = self.submit(RelaxOrderingsCalculation, **inputs, metadata=metadata)
        return ToContext(relaxations=append_(job))

    def inspect_relaxation(self) -> None:
        """Go on where a job has results, or was stopped by something outside of it, but not for ever."""
        job = self.ctx.relaxations[-1]
        if _namespace(job, "results"):
            self.ctx.fruitless = 0
        else:
            self.ctx.fruitless += 1 if job.exit_status in STOPPED_EARLY else MAX_FRUITLESS

    def tabulate(self) -> ExitCode | None:
        """Attach cells and energies."""
        jobs = self.ctx.relaxations
        results = {label: node for job in jobs for label, node in _namespace(job, "results").items()}
        cells = {label: node for job in jobs for label, node in _namespace(job, "orderings").items()}
        if not set(cells) - set(LABELS_OF_PERFECT):
            return self._failed("ERROR_RELAXATION_FAILED", jobs[-1])
        nodes = {f"result_{label}": node for label, node in results.items()}
        nodes |= {f"cell_{label}": node for label, node in cells.items()}
        outputs = self.ctx.making.outputs
        about = orm.Dict({"level_of_theory": self.inputs.level_of_theory})
        ensemble = defect_energies(about, outputs.ensemble, outputs.perfect, **nodes)
        for number, member in enumerate(ensemble["members"]):
            self.out(f"members.o{number:03d}", cells[member["drawn_as"]])
        if ensemble["perfect_is"] in cells:
            self.out("perfect", cells[ensemble["perfect_is"]])
        self.out("ensemble", ensemble)
        is_perfect_relaxed = any(
            label in results and results[label].get_dict().get("converged") for label in LABELS_OF_PERFECT
        )
        if is_perfect_relaxed and not ensemble["n_not_converged"] and not ensemble["not_relaxed"]:
            return None
        detail = "; ".join(ensemble["energy_remarks"][:2]) or "the perfect cell did not converge: raise max_steps"
        code: ExitCode = self.exit_codes.WARNING_NOT_RELAXED.format(detail=detail)
        return code

    def _cells(self) -> dict[str, orm.StructureData]:
        outputs = self.ctx.making.outputs
        return {**dict(outputs.members), **{label: outputs[label] for label in LABELS_OF_PERFECT}}

    def _left(self) -> list[str]:
        """Return the labels of the cells without a result."""
        done = {label for job in self.ctx.get("relaxations", []) for label in _namespace(job, "results")}
        return [label for label in sorted(self._cells()) if label not in done]

    def _failed(self, label: str, child: Any) -> ExitCode:
        code: ExitCode = self.exit_codes[label].format(detail=outcome(child))
        return code


def validate_relaxation_parameters(value: orm.Dict | None, port: Any) -> str | None:
    """Return what is wrong with the settings of the relaxation; ``None`` if nothing is."""
    problem: str | None = RelaxOrderingsCalculation.validate_parameters(value, port)
    if problem is None and value is not None and value.get_dict().get("cell", "fixed") != "fixed":
        return "energies of defects need the cell of the perfect crystal: leave cell at fixed, and relax the crystal"
    return problem


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return why defects cannot be made, or their cells not be relaxed; ``None`` if they can."""
    defects, relaxation = inputs.get("defects") or {}, inputs.get("relaxation") or {}
    made = {"structure": inputs.get("structure"), "parameters": defects.get("parameters")}
    return validate_defect_inputs(made, port) or validate_checkpoint(relaxation)


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(given.get("options") or {})
    return {"options": options} if options else {}


def _namespace(job: Any, name: str) -> dict[str, Any]:
    return dict(job.outputs[name]) if name in job.outputs else {}
