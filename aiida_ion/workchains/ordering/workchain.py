"""``ion.ordering``: a crystal with partly occupied sites -> ordered cells, relaxed and ranked by a potential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, WorkChain, append_, while_

from aiida_ion.calculations.disorder.order import (
    OrderStructureCalculation,
    validate_order_inputs,
    validate_order_parameters,
)
from aiida_ion.calculations.disorder.rank import rank_orderings, validate_rank_parameters
from aiida_ion.calculations.disorder.relax import RelaxOrderingsCalculation
from aiida_ion.calculations.mlip.job import validate_checkpoint, validate_potential
from aiida_ion.exit_codes import STOPPED_EARLY
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.outcome import outcome

#: Jobs in a row that may end without a result of any cell.
MAX_FRUITLESS = 2
RELAXATION_PORTS = ("code", "potential", "checkpoint", "parameters")


class OrderingWorkChain(CleaningMixin, WorkChain):
    """Draw cells, relax all of them in one job and rank them; another job follows one that was stopped."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input(
            "structure",
            valid_type=orm.StructureData,
            help="The crystal; weights of its kinds are occupancies, lengths in angstrom.",
        )
        spec.input("ordering.code", valid_type=orm.AbstractCode, help="The Python that draws the cells.")
        spec.input(
            "ordering.parameters",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_order_parameters,
            help="Settings of `ion.order_structure`.",
        )
        spec.input("ordering.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of it.")
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
            validator=RelaxOrderingsCalculation.validate_parameters,
            help="Settings of `ion.relax_orderings`: eV/angstrom, GPa.",
        )
        spec.input("relaxation.options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of it.")
        spec.input(
            "ranking",
            valid_type=orm.Dict,
            default=lambda: orm.Dict({}),
            validator=validate_rank_parameters,
            help="Settings of `ion.rank_orderings`: weights, temperature in K.",
        )
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.draw, cls.inspect_cells, while_(cls.are_cells_left)(cls.relax, cls.inspect_relaxation), cls.rank
        )
        spec.output_namespace(
            "orderings",
            valid_type=orm.StructureData,
            dynamic=True,
            help="The relaxed cells `o000`, `o001`, ..., in the order of the members of `ensemble`, angstrom.",
        )
        spec.output(
            "ensemble",
            valid_type=orm.Dict,
            required=False,
            help="As that of `ion.order_structure`, with relaxed energies (eV), ranks, forces (eV/angstrom), pressures "
            "(GPa) and displacements (angstrom) of each member.",
        )
        spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the ions failed: {detail}")
        spec.exit_code(526, "ERROR_ORDERING_FAILED", message="No ordered cell could be drawn: {detail}")
        spec.exit_code(700, "WARNING_NOT_RELAXED", message="The ions are not relaxed to the force asked for: {detail}")

    def draw(self) -> Any:
        """Submit the draws."""
        given = self.inputs.ordering
        metadata = {"call_link_label": "order"} | _options(given)
        inputs = {"code": given.code, "structure": self.inputs.structure, "parameters": given.parameters}
        self.ctx.fruitless = 0
        return ToContext(drawing=self.submit(OrderStructureCalculation, **inputs, metadata=metadata))

    def inspect_cells(self) -> ExitCode | None:
        """Stop where there is no cell."""
        if "ensemble" in self.ctx.drawing.outputs:
            return None
        return self._failed("ERROR_ORDERING_FAILED", self.ctx.drawing)

    def are_cells_left(self) -> bool:
        """Whether cells wait for their relaxation, and the last job did not fail for a reason of its own."""
        return bool(self._left()) and self.ctx.fruitless < MAX_FRUITLESS

    def relax(self) -> Any:
        """Submit the relaxation of the cells that have no result."""
        given, cells = self.inputs.relaxation, self.ctx.drawing.outputs.orderings
        inputs = {name: given[name] for name in RELAXATION_PORTS if name in given}
        inputs["structures"] = {label: cells[label] for label in self._left()}
        metadata = {"call_link_label": "relax"} | _options(given)
        job = self.submit(RelaxOrderingsCalculation, **inputs, metadata=metadata)
        return ToContext(relaxations=append_(job))

    def inspect_relaxation(self) -> None:
        """Go on where a job has results, or was stopped by something outside of it, but not for ever."""
        job = self.ctx.relaxations[-1]
        if _results(job):
            self.ctx.fruitless = 0
        else:
            self.ctx.fruitless += 1 if job.exit_status in STOPPED_EARLY else MAX_FRUITLESS

    def rank(self) -> ExitCode | None:
        """Rank the cells and attach them."""
        relaxations = self.ctx.relaxations
        results = {label: node for job in relaxations for label, node in _results(job).items()}
        cells = {label: node for job in relaxations for label, node in _namespace(job, "orderings").items()}
        if not cells:
            return self._failed("ERROR_RELAXATION_FAILED", relaxations[-1])
        ensemble = rank_orderings(self.ctx.drawing.outputs.ensemble, self.inputs.ranking, **results)
        for number, member in enumerate(ensemble["members"]):
            self.out(f"orderings.o{number:03d}", cells[member["drawn_as"]])
        self.out("ensemble", ensemble)
        if not ensemble["n_not_converged"] and not ensemble["not_relaxed"]:
            return None
        code: ExitCode = self.exit_codes.WARNING_NOT_RELAXED.format(detail="; ".join(ensemble["rank_remarks"]))
        return code

    def _left(self) -> list[str]:
        """Return the labels of the cells without a result."""
        done = {label for job in self.ctx.get("relaxations", []) for label in _results(job)}
        return [label for label in sorted(self.ctx.drawing.outputs.orderings) if label not in done]

    def _failed(self, label: str, child: Any) -> ExitCode:
        code: ExitCode = self.exit_codes[label].format(detail=outcome(child))
        return code


def validate_inputs(inputs: Mapping[str, Any], port: Any) -> str | None:
    """Return why a crystal cannot be ordered, or its cells not be relaxed; ``None`` if they can."""
    ordering, relaxation = inputs.get("ordering") or {}, inputs.get("relaxation") or {}
    drawn = {"structure": inputs.get("structure"), "parameters": ordering.get("parameters")}
    return validate_order_inputs(drawn, port) or validate_checkpoint(relaxation)


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(given.get("options") or {})
    return {"options": options} if options else {}


def _results(job: Any) -> dict[str, orm.Dict]:
    return _namespace(job, "results")


def _namespace(job: Any, name: str) -> dict[str, Any]:
    return dict(job.outputs[name]) if name in job.outputs else {}
