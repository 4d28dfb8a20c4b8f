"""What becomes of each crystal of OBELiX: run as it is, ordered into an ensemble, or refused, and why. No database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymatgen.core.composition import Composition

from aiida_ion.analysis.disorder.crystal import DisorderedCrystal, disordered_crystal
from aiida_ion.analysis.disorder.members_needed import members_needed
from aiida_ion.analysis.disorder.plan import Plan, plan_ordering
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.crystal_files.disordered import read_disordered_cif
from aiida_ion.datasets.compositions import composition_difference
from aiida_ion.datasets.obelix import Entry
from aiida_ion.datasets.obelix_crystals import read_entry

#: What becomes of a crystal.
ORDERED, ENSEMBLE, REFUSED = "ordered", "ensemble", "refused"
#: Where the number of mobile ions is from: the occupancies of the file, or the composition in the table.
FROM_FILE, FROM_TABLE = "file", "table"
#: Larger differences of file and table, half the sum of those of atomic fractions, are two compounds.
OTHER_COMPOUND = 0.05
#: So is an element of the framework whose amounts differ by more than this part of the larger one, and by more than
#: this part of the framework's atoms.
OTHER_AMOUNT, OF_FRAMEWORK = 0.4, 0.01
COLUMNS = (
    *("id", "family", "formula", "outcome", "disorder", "n_atoms", "n_sites", "n_primitive_cells", "multiples"),
    *("width_A", "n_orderings", "mobile_deviation", "composition_deviation", "orbit_deviation", "mobile_source"),
    *("file_composition", "table_difference", "note", "reason", "message", "remarks"),
)


def planned_entries(entries: Iterable[Entry], settings: OrderingSettings) -> list[dict[str, Any]]:
    """Return a row with the keys :data:`COLUMNS` for each entry that has a structure file.

    Deviations and differences are fractions; widths are in angstrom.
    """
    return [planned_entry(entry, settings) for entry in entries if entry.cif is not None]


def planned_entry(entry: Entry, settings: OrderingSettings) -> dict[str, Any]:
    """Return the row of one entry."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"id": entry.entry_id, "family": entry.family, "formula": entry.formula, "note": entry.note}
    try:
        return row | _outcome(entry, settings, row)
    except OrderingRefused as refusal:
        return row | {"outcome": REFUSED, "reason": refusal.reason, "message": refusal.message}
    except ValueError as error:
        return row | {"outcome": REFUSED, "reason": "file", "message": " ".join(str(error).split())}


def _outcome(entry: Entry, settings: OrderingSettings, row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row gets; what is known of a crystal before it is refused is put into the row.

    :raises OrderingRefused: for a crystal that is disordered and cannot be ordered.
    :raises ValueError: for a file that cannot be read, or is not of the entry.
    """
    file = read_disordered_cif(entry.cif or "", entry.entry_id)
    crystal = disordered_crystal(file.structure)
    found = Composition(crystal.composition)
    row["file_composition"] = found.formula
    row["table_difference"] = composition_difference(found.formula, entry.cell_formula)
    if crystal.is_ordered:
        n_atoms = len(read_entry(entry).structure)
        return {"outcome": ORDERED, "disorder": ORDERED, "n_atoms": n_atoms, "n_sites": n_atoms, "n_orderings": 1}
    plan = ordering_of(crystal, entry, settings)
    remarks = "; ".join([*file.reading.caveats, *plan.remarks])
    return {"outcome": ENSEMBLE, **_planned(plan, settings), "remarks": remarks}


def ordering_of(crystal: DisorderedCrystal, entry: Entry, settings: OrderingSettings) -> Plan:
    """Return how the crystal of an entry is ordered; the table's composition counts where its sites are charged.

    :raises OrderingRefused: where it cannot be, or the file is of another compound than the table.
    """
    difference = composition_difference(Composition(crystal.composition).formula, entry.cell_formula)
    target = target_of(crystal, entry)
    plan = plan_ordering(crystal, OrderingSettings.from_dict(settings.to_dict() | {"target_composition": target}))
    check_same_compound(plan, entry, difference)
    return plan


def target_of(crystal: DisorderedCrystal, entry: Entry) -> str | None:
    """Return the table's composition, as the target of an ordering; ``None`` where it cannot be read."""
    difference = composition_difference(Composition(crystal.composition).formula, entry.cell_formula)
    return None if difference is None else entry.cell_formula


def check_same_compound(plan: Plan, entry: Entry, difference: float | None) -> None:
    """Refuse a file whose sites hold another compound than the table measured.

    :param difference: of the compositions, 0 to 1; ``None`` where the table's cannot be read.
    :raises OrderingRefused: with both compositions.
    """
    if difference is None or entry.close_match:
        return
    is_other = difference > OTHER_COMPOUND and not _is_from_table(plan)
    if not is_other and not _other_amounts(plan.crystal.composition, entry.cell_formula, plan.mobile_species):
        return
    raise OrderingRefused(
        "composition",
        f"its sites hold {Composition(plan.crystal.composition).formula}, the table says {entry.cell_formula}, "
        f"{100 * difference:.1f} % of the atoms apart: correct the occupancies in the file",
    )


def _other_amounts(stated: Mapping[str, float], formula: str, mobile_species: str) -> list[str]:
    """Return the elements of the framework of which a crystal holds another amount than a formula says."""
    parts = []
    for amounts in (stated, Composition(formula).get_el_amt_dict()):
        framework = {name: amount for name, amount in amounts.items() if name != mobile_species}
        total = sum(framework.values())
        parts.append({name: amount / total for name, amount in framework.items()})
    first, second = parts
    pairs = {name: (first.get(name, 0.0), second.get(name, 0.0)) for name in sorted({*first, *second})}
    return [name for name, pair in pairs.items() if max(pair) - min(pair) > max(OTHER_AMOUNT * max(pair), OF_FRAMEWORK)]


def _planned(plan: Plan, settings: OrderingSettings) -> dict[str, Any]:
    attributes = plan.attributes()
    names = ("disorder", "n_atoms", "n_sites", "n_primitive_cells", "multiples", "width_A")
    deviations = ("mobile_deviation", "composition_deviation", "orbit_deviation")
    return {name: attributes[name] for name in (*names, *deviations)} | {
        "n_orderings": members_needed(plan, settings.n_orderings),
        "mobile_source": FROM_TABLE if _is_from_table(plan) else FROM_FILE,
    }


def _is_from_table(plan: Plan) -> bool:
    return plan.mobile_source == "target_composition"


def counts_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return how many crystals have which outcome, and how many are refused for which reason, a line each."""
    outcomes = Counter(row["outcome"] for row in rows)
    reasons = Counter(row["reason"] for row in rows if row["outcome"] == REFUSED)
    lines = [
        f"{len(rows)} crystals: {outcomes[ORDERED]} run as they are, {outcomes[ENSEMBLE]} are ordered into ensembles, "
        f"{outcomes[REFUSED]} are refused"
    ]
    if reasons:
        lines.append("refused: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    return lines
