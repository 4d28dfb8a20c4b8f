"""A conductivity, or an ensemble of them, that can be submitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiida_ion.analysis.disorder.plan import Plan as Ordering
from aiida_ion.campaigns.orderings import plan_lines
from aiida_ion.campaigns.overrides import collect_overrides
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.engine import Engine
from aiida_ion.workchains.protocols import protocol_inputs

#: What of a crystal is disordered, in words.
KINDS = {
    "ordered": "its sites are almost full and count as full",
    "mobile": "mobile ions alone are disordered",
    "framework": "its framework is disordered",
    "mixed": "mobile ions and other elements share sites",
    "both": "mobile ions and framework are disordered",
}
WHY_ONE = (
    "molecular dynamics moves these ions by itself, so that one neutral arrangement will do once it is equilibrated"
)


@dataclass(frozen=True)
class EnsemblePlan:
    """How a disordered crystal is ordered, and what runs for each cell.

    :param ordering: the cell, its contents and deviations.
    :param n_members: ordered cells to draw; symmetry copies among them run once.
    :param member: inputs of the conductivity of each, with a cell of that size and composition.
    """

    ordering: Ordering
    n_members: int
    member: Any

    @property
    def formula(self) -> str:
        """Reduced formula of the ordered cells."""
        return str(self.member.structure.get_pymatgen_structure().composition.reduced_formula)

    def lines(self) -> list[str]:
        """Return in words what is disordered, the cells and how many."""
        kind = self.ordering.roles.kind
        cells = "1 ordered cell" if self.n_members == 1 else f"{self.n_members} ordered cells, pooled as one crystal"
        why = f": {WHY_ONE}" if self.n_members == 1 and kind == "mobile" else ""
        return [f"  disordered: {KINDS[kind]}; {cells}{why}", *(f"  {line}" for line in plan_lines(self.ordering)[1:])]


@dataclass(frozen=True)
class Plan:
    """A work chain that can be submitted.

    :param title: the crystal and the engine, as the user named them.
    :param engine: the engine.
    :param builder: its inputs.
    :param level_of_theory: that of the results.
    :param remarks: what the user should know before it runs.
    :param ensemble: of a disordered crystal, how it is ordered and what runs for each of its cells.
    """

    title: str
    engine: Engine
    builder: Any
    level_of_theory: str
    remarks: list[str] = field(default_factory=list)
    ensemble: EnsemblePlan | None = None

    @property
    def conductivity(self) -> Any:
        """The inputs of its conductivity; of an ensemble those of every ordered cell, with a cell of their size."""
        return self.builder if self.ensemble is None else self.ensemble.member

    @property
    def n_members(self) -> int:
        """How many conductivities it runs."""
        return 1 if self.ensemble is None else self.ensemble.n_members

    @property
    def entry_point(self) -> str:
        """Of its work chain."""
        return "ion.conductivity" if self.ensemble is None else "ion.ensemble"

    @property
    def crystal(self) -> str:
        """The crystal, as the user named it."""
        return self.title.rpartition(" / ")[0]


def thermostat_remark(builder: Any, request: RunRequest) -> list[str]:
    """Return a remark if the engine does not have the protocol's thermostat."""
    requested = protocol_inputs("conductivity", request.protocol, collect_overrides(request))["md"]["thermostat"]
    used = builder.md.parameters.get_dict()["thermostat"]
    return [] if used == requested else [f"it has no {requested} thermostat and runs with {used}"]
