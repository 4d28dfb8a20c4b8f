"""``ion.combine_pes``: frozen surfaces of a crystal, by several potentials or with others removed and kept, as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.energy_maps.frozen.spread import DISAGREEMENT_EV, combined_barriers
from aiida_ion.analysis.method_hash import method_hash

FINISHED = "finished"


@calcfunction
def combine_pes(**results: orm.Dict) -> orm.Dict:
    """Join results of `ion.pes` for one crystal.

    :param results: two or more, under any names; those that are not finished are named in `left_out` and do not count.
    :returns: `barriers_eV` (the middle), `barriers_interval_eV` (what all of them span, each with the error of its
        grid), `disagreement_eV` and `agrees` for 1, 2 and 3 dimensions; `sources` with what each was computed with, and
        its barriers; the keys that all results of screening have.
    :raises ValueError: for results of different crystals or mobile species, or fewer than two that are finished.
    """
    contents = {name: node.get_dict() for name, node in results.items()}
    refusal = validate_results(contents)
    if refusal is not None:
        raise ValueError(refusal)
    return orm.Dict(combined(contents))


def combined(contents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what results say together, as plain data."""
    finished = {name: content for name, content in contents.items() if content["status"] == FINISHED}
    first = next(iter(finished.values()))
    barriers = combined_barriers(finished)
    return {
        "method": "pes",
        "status": FINISHED,
        "message": _message(barriers),
        "mobile_species": first["mobile_species"],
        "structure_hash": first["structure_hash"],
        "method_hash": method_hash({"combined": sorted(str(one["method_hash"]) for one in finished.values())}),
        "zero": first["zero"],
        **barriers,
        "sources": {name: _source(content) for name, content in finished.items()},
        "left_out": {name: one["message"] for name, one in contents.items() if name not in finished},
        "cost": {unit: sum(float(one["cost"][unit]) for one in finished.values()) for unit in ("cpu_s", "wall_s")},
    }


def validate_results(contents: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return why results cannot be joined; ``None`` if they can."""
    if any(content.get("method") != "pes" or "sources" in content for content in contents.values()):
        return "results of ion.pes are joined, and nothing else"
    finished = [content for content in contents.values() if content["status"] == FINISHED]
    if len(finished) < 2:
        return f"two finished results are needed to join them, got {len(finished)}"
    for name, what in (("structure_hash", "crystals"), ("mobile_species", "mobile species")):
        if len({content[name] for content in finished}) > 1:
            return f"the results are of different {what}"
    return None


def _source(content: Mapping[str, Any]) -> dict[str, Any]:
    names = ("method_hash", "others", "potential", "barriers_eV", "barriers_interval_eV")
    return {name: content[name] for name in names}


def _message(barriers: Mapping[str, Any]) -> str:
    """Return a sentence on the dimensions in which results disagree; nothing where they agree."""
    apart = [f"{n + 1}-D" for n, agrees in enumerate(barriers["agrees"]) if not agrees]
    return f"the {', '.join(apart)} barriers differ by more than {DISAGREEMENT_EV} eV" if apart else ""
