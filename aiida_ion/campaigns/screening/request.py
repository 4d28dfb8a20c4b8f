"""What a user asks of a screening, and the plan that follows from its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from aiida_ion.engines.requests import COUNT
from aiida_ion.screening.plan import ScreeningPlan
from aiida_ion.settings.elements import Element
from aiida_ion.settings.files import read_yaml
from aiida_ion.settings.lists import Many
from aiida_ion.settings.rules import Number, Word
from aiida_ion.settings.schema import Settings, setting, suggestion
from aiida_ion.settings.values import SettingsError, shown
from aiida_ion.workchains.protocols import load_protocols, read_overrides

PROTOCOLS = "screening"


@dataclass(frozen=True)
class ScreenRequest(Settings):
    """What a user asks of a screening."""

    what: ClassVar[str] = "option"

    protocol: str | None = setting(Word(optional=True, help="A protocol, or a YAML file with stages"), None)
    mobile_species: str | None = setting(Element(optional=True, help="The element that is to move"), None)
    stages: list[str] | None = setting(
        Many(item=Word(), optional=True, distinct=True, help="Only these stages of the protocol"), None
    )
    engine: str | None = setting(Word(optional=True, help="Engine of the stages with a potential"), None)
    dft: str | None = setting(Word(optional=True, help="Engine of the stages with DFT"), None)
    max_concurrent: int = setting(Number(least=1, most=1000, whole=True, help="Processes in parallel"), 4)
    batch_size: int = setting(Number(least=1, most=500, whole=True, help="Materials in one job"), 200)
    max_materials: int | None = setting(replace(COUNT, optional=True, help="Screen only the first materials"), None)
    label: str | None = setting(Word(optional=True, help="Name of the screening"), None)
    overrides: str | None = setting(Word(optional=True, help="YAML file with changes to the protocol of runs"), None)


def plan_of(request: ScreenRequest) -> ScreeningPlan:
    """Return the plan of a request: the stages of its protocol that it asks for.

    :raises ValueError: for a protocol or file that cannot be used, or a stage that it does not have.
    """
    content = _content(request.protocol)
    if request.mobile_species is not None:
        content = content | {"mobile_species": request.mobile_species}
    plan = ScreeningPlan.from_dict({key: value for key, value in content.items() if key != "description"})
    return plan if request.stages is None else replace(plan, stages=_chosen(plan, request.stages))


def runs_overrides(request: ScreenRequest) -> dict[str, Any]:
    """Return the changes to the protocol of runs of molecular dynamics."""
    return read_overrides(request.overrides)


def _content(protocol: str | None) -> dict[str, Any]:
    if protocol is not None and Path(protocol).suffix in (".yaml", ".yml"):
        return read_yaml(protocol, "a screening")
    known = load_protocols(PROTOCOLS)
    name = protocol or known["default_protocol"]
    if name not in known["protocols"]:
        raise SettingsError(
            f"unknown protocol {shown(name)}{suggestion(name, list(known['protocols']))}, or give a YAML file"
        )
    content: dict[str, Any] = known["protocols"][name]
    return content


def _chosen(plan: ScreeningPlan, names: Sequence[str]) -> tuple[Any, ...]:
    known = [stage.name for stage in plan.stages]
    for name in names:
        if name not in known:
            raise SettingsError(f"there is no stage {shown(name)}{suggestion(name, known)}")
    return tuple(stage for stage in plan.stages if stage.name in names)
