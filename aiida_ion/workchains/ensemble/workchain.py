"""``ion.ensemble``: several ordered cells of a disordered crystal become one conductivity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, ToContext, if_, while_

from aiida_ion.calculations.conductivity.fit_conductivity import fit_conductivity
from aiida_ion.calculations.disorder.order import OrderStructureCalculation
from aiida_ion.calculations.disorder.pool_members import pool_members
from aiida_ion.calculations.functions import sum_costs
from aiida_ion.messages import one_line
from aiida_ion.queries.reuse import finished_conductivity
from aiida_ion.workchains.conductivity.result import arrhenius_parameters
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from aiida_ion.workchains.ensemble.builder import builder_from_protocol
from aiida_ion.workchains.ensemble.inputs import define_inputs, validate_inputs
from aiida_ion.workchains.ensemble.members import (
    Member,
    member_inputs,
    members_of,
    pooling_inputs,
    unfitted,
    with_result,
)
from aiida_ion.workchains.ensemble.outputs import define_outputs
from aiida_ion.workchains.ensemble.parameters import EnsembleParameters
from aiida_ion.workchains.ensemble.rounds import Decision, decide
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain


class EnsembleWorkChain(WindowWorkChain):
    """Order the crystal, run ``ion.conductivity`` for each ordered cell, and pool their diffusivities.

    A member that was computed before, with the same inputs, is not computed again. One that fails is named in the
    result, and the others are pooled. With `target_relative_error` members are added where their spread decides the
    error.

    The context holds plain data: `members` that were submitted (:class:`Member`), those `left`, and `result`, the pk of
    the newest pooled conductivity.
    """

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        define_inputs(spec)
        define_outputs(spec)
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.setup,
            if_(cls.should_order)(cls.run_ordering, cls.inspect_ordering),
            cls.queue_members,
            while_(cls.has_another_round)(
                while_(cls.window_is_open)(cls.fill_window),
                cls.pool,
                cls.end_round,
            ),
            cls.conclude,
        )

    @classmethod
    def get_builder_from_protocol(
        cls,
        structure: orm.StructureData | None,
        engine: str,
        protocol: str | None = None,
        overrides: Mapping[str, Any] | str | None = None,
        **choices: Any,
    ) -> Any:
        """Return a builder whose inputs a protocol fills.

        :param structure: the disordered crystal; ``None`` where `members` are given.
        :param engine: entry point of the engine, such as ``ion.md.mlip``.
        :param protocol: a protocol of ``ion.conductivity``.
        :param overrides: changes to it; a mapping or the path of a YAML file.
        :param choices: `diffusion_code`; `ordering` (settings), `ordering_code`, `ordering_options`, or `members` and
            `ensemble`; `parameters` of the ensemble; and what the builder of ``ion.conductivity`` takes.
        :raises ValueError: if the crystal or a setting cannot be used; the message says why.
        """
        return builder_from_protocol(cls, structure, engine, protocol, overrides, **choices)

    def setup(self) -> None:
        """Read the inputs into the context."""
        self.ctx.cells = dict(self.inputs.members) if "members" in self.inputs else {}
        self.ctx.ensemble = self.inputs.ensemble if "ensemble" in self.inputs else None
        self.ctx.members, self.ctx.result = [], None

    def should_order(self) -> bool:
        """Whether ordered cells are drawn first."""
        return not self.ctx.cells

    def run_ordering(self) -> Any:
        """Draw ordered cells."""
        inputs = self.exposed_inputs(OrderStructureCalculation, "ordering") | {"structure": self.inputs.structure}
        inputs["metadata"] = {**inputs.get("metadata", {}), "call_link_label": "ordering"}
        return ToContext(ordering=self.submit(OrderStructureCalculation, **inputs))

    def inspect_ordering(self) -> ExitCode | None:
        """Continue with the cells."""
        job = self.ctx.ordering
        if not job.is_finished_ok:
            return self._failure("ERROR_ORDERING_FAILED", outcome(job))
        self.ctx.cells = dict(job.outputs.orderings)
        self.ctx.ensemble = job.outputs.ensemble
        return None

    def queue_members(self) -> None:
        """Queue the first members; the others wait until their spread is known."""
        if self.ctx.ensemble is not None:
            self.out("ensemble", self.ctx.ensemble)
        members = members_of(self.ctx.cells, self.ctx.ensemble)
        self.ctx.round_number = 0
        self._open_round(members, self._parameters.n_members or len(members))

    def has_another_round(self) -> bool:
        """Whether members are queued."""
        return bool(self.ctx.goes_on)

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the conductivity of a member, unless its result exists."""
        member: Any = dict(run)
        shared = self.exposed_inputs(ConductivityWorkChain, "conductivity")
        try:
            cell: Any = orm.load_node(uuid=member["uuid"])
            inputs = member_inputs(shared, cell)
            existing = None if inputs.get("fresh") else finished_conductivity(inputs)
            if existing is not None:
                self.report(f"{member['label']} was computed before: {existing}")
                self._keep(with_result(member, orm.load_node(existing)))
                return None
            inputs["metadata"] = {**inputs.get("metadata", {}), "call_link_label": f"member_{member['label']}"}
            return self.submit(ConductivityWorkChain, **inputs)
        except Exception as error:  # one member that is refused does not stop the others
            self.report(f"{member['label']} cannot be submitted: {one_line(error)}")
            member["failure"] = one_line(error)
            self._keep(member)
            return None

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Record how a member ended."""
        member: Any = {key: value for key, value in run.items() if key != "pk"}
        done = with_result(member, node)
        if "failure" in done:
            self.report(f"{done['label']} has no conductivity: {done['failure']}")
        self._keep(done)

    def pool(self) -> ExitCode | None:
        """Pool the diffusivities of all members at each temperature, and fit one line."""
        members = sorted(self.ctx.members, key=lambda member: member["label"])
        usable = [member for member in members if "failure" not in member]
        if not usable:
            return self._failure("ERROR_NO_MEMBERS", members[0]["failure"])
        shared = self.exposed_inputs(ConductivityWorkChain, "conductivity")
        content = self.ctx.ensemble.get_dict() if self.ctx.ensemble is not None else {}
        pooled: Any = pool_members(**pooling_inputs(shared, members, content))
        if not pooled:
            return self._failure("ERROR_NO_MEMBERS", "none has a diffusivity that can be used")
        parameters = arrhenius_parameters(shared, unfitted(shared, pooled))
        result: Any = fit_conductivity(parameters=orm.Dict(parameters), **pooled)
        self.ctx.pooled = {label: node.pk for label, node in pooled.items()}
        self.ctx.result = result.pk
        return None

    def end_round(self) -> None:
        """Add members where their spread decides the error, and there are more."""
        result: Any = orm.load_node(self.ctx.result)
        parameters = self._parameters
        decision: Decision = decide(result.base.attributes.all, parameters, len(self.ctx.members), len(self.ctx.left))
        self.ctx.stopped_because = decision.reason
        self.report(decision.reason)
        self.ctx.goes_on = False
        if decision.n_more:
            self._open_round(self.ctx.left, decision.n_more)

    def conclude(self) -> ExitCode | None:
        """Attach the newest result, and say what it lacks."""
        result: Any = orm.load_node(self.ctx.result)
        self.out("conductivity", result)
        for label, pk in self.ctx.pooled.items():
            self.out(f"diffusion.{label}", orm.load_node(pk))
        costs: dict[str, Any] = {}
        for member in self.ctx.members:
            if "failure" not in member:
                chain: Any = orm.load_node(member["pk"])
                self.out(f"members.{member['label']}", chain.outputs.conductivity)
            if "pk" in member and "cost" in (outputs := orm.load_node(member["pk"]).outputs):
                costs[member["label"]] = outputs.cost
        if costs:
            self.out("cost", sum_costs(**costs))
        attributes = result.base.attributes.all
        self.report(attributes["summary"])
        if attributes["n_members"] < 2:
            return self._failure("WARNING_FEW_MEMBERS", attributes["between_members_reason"])
        if attributes["dominant_error"] == "between_members":
            return self._failure("WARNING_SPREAD_DOMINATES", self.ctx.stopped_because)
        return None

    @property
    def _parameters(self) -> EnsembleParameters:
        return EnsembleParameters.from_dict(self.inputs.parameters.get_dict())

    def _open_round(self, members: list[Member], number: int) -> None:
        """Queue the next members."""
        self.ctx.round_number, self.ctx.goes_on = self.ctx.round_number + 1, True
        self.ctx.left = members[number:]
        self.open_window(members[:number], self._parameters.max_concurrent)
        self.report(f"round {self.ctx.round_number}: {len(members[:number])} members, {len(self.ctx.left)} more drawn")

    def _keep(self, member: Member) -> None:
        self.ctx.members = [*self.ctx.members, member]

    def _failure(self, name: str, detail: str) -> ExitCode:
        code: ExitCode = self.exit_codes[name].format(detail=detail)
        return code
