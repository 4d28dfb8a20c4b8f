"""``ion.decide_stage``: which materials of a batch pass a stage of a screening."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.calculations.screening.gate import validate_candidate
from aiida_ion.calculations.screening.readings import reading_of
from aiida_ion.screening.decisions import VERDICTS, Reading, decide
from aiida_ion.screening.plan import Stage


@calcfunction
def decide_stage(stage: orm.Dict, materials: orm.List, **results: orm.Data) -> orm.Dict:
    """Judge the results of materials by the cut of a stage.

    :param stage: a :class:`~aiida_ion.screening.plan.Stage`.
    :param materials: mappings with `label` (of its result), `uuid` of the crystal, `name`, `structure_hash`, and
        `reason` where it has no result.
    :param results: result of each label, of any job or work chain that a stage can have.
    :returns: `stage`, `method`, `quantity`, `maximum`, `minimum`, and in `decisions` for each material what
        :class:`~aiida_ion.screening.decisions.Decision` has, its name, its uuid, and that of its result.
    """
    rules = Stage.from_dict(stage.get_dict())
    decisions = []
    for material in materials.get_list():
        result = results.get(material["label"])
        reading = _reading(rules, result, str(material.get("reason") or "there is no result"))
        about = {name: material[name] for name in ("label", "name", "uuid", "structure_hash")}
        evidence = None if result is None else result.uuid
        decisions.append(about | {"result_uuid": evidence} | decide(reading, rules.cut).to_dict())
    return orm.Dict(_attributes(rules) | {"counts": _counts(decisions), "decisions": decisions})


def _reading(stage: Stage, result: orm.Data | None, reason: str) -> Reading:
    """Return what is known of a material.

    :param reason: why there is no result.
    """
    if result is None:
        return Reading(reason=reason, failed=True)
    if isinstance(result, orm.StructureData):
        return Reading(refusal=validate_candidate(result, stage.settings) or "")
    return reading_of(result, stage.cut.quantity)


def _attributes(stage: Stage) -> dict[str, Any]:
    cut = stage.cut
    return {
        "stage": stage.name,
        "method": stage.method,
        "quantity": cut.quantity,
        "maximum": cut.maximum,
        "minimum": cut.minimum,
    }


def _counts(decisions: list[dict[str, Any]]) -> dict[str, int]:
    counts = Counter(decision["verdict"] for decision in decisions)
    return {verdict: counts[verdict] for verdict in VERDICTS}
