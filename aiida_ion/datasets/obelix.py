"""OBELiX: measured ionic conductivities of lithium solid electrolytes, most with a structure file.

Therrien et al., arXiv:2502.14234; data CC BY 4.0. Its public structure files are perturbed on purpose: Gaussian noise
of 0.01 in the fractional coordinates of every entry that has an ICSD id, lattice and symmetry as published. Relax the
ions before molecular dynamics.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiida_ion.datasets.cif_occupancy import smallest_occupancy
from aiida_ion.datasets.obelix_cells import (
    MeasuredConductivity,
    entry_id,
    flag,
    measured,
    plain,
    refuse_placeholders,
    words,
)
from aiida_ion.datasets.obelix_files import read_files
from aiida_ion.units import MS_CM_PER_S_CM

DATASET = "OBELiX"
#: Conductivities are at room temperature; the table is not more specific.
ROOM_TEMPERATURE_K = 298.15
#: Column -> meaning; all must be present.
VALUE, TOTAL, BULK = "Ionic conductivity (S cm-1)", "IC (Total)", "IC (Bulk)"
COLUMNS = (
    *("ID", "Reduced Composition", "True Composition", VALUE, TOTAL, BULK),
    *("Space group", "Family", "DOI", "Checked", "close match", "ICSD ID"),
)


@dataclass(frozen=True)
class Entry:
    """One measured crystal.

    :param entry_id: three letters or digits.
    :param formula: reduced composition as in the table; pymatgen may not be able to read it.
    :param cell_formula: composition of the cell.
    :param stated: the conductivity that the table ranks by, S/cm: total where both total and bulk are known.
    :param total: conductivity of the sample with its grain boundaries, S/cm.
    :param bulk: conductivity of the grains alone, S/cm: what molecular dynamics predicts.
    :param space_group: symbol as published.
    :param family: material family.
    :param dois: source papers.
    :param checked: whether the authors of the table checked the entry.
    :param close_match: whether the structure has a similar composition instead of the sample's own.
    :param perturbed: whether the coordinates of the structure file carry noise.
    :param smallest_occupancy: smallest of any site in the structure file.
    :param note: what the authors of the table wrote beside the entry.
    :param cif: text of the structure file.
    """

    entry_id: str
    formula: str
    cell_formula: str
    stated: MeasuredConductivity
    total: MeasuredConductivity | None = None
    bulk: MeasuredConductivity | None = None
    space_group: str | None = None
    family: str | None = None
    dois: tuple[str, ...] = ()
    checked: bool = False
    close_match: bool = False
    perturbed: bool = False
    smallest_occupancy: float | None = None
    note: str | None = None
    cif: str | None = None

    @property
    def conductivity_kind(self) -> str | None:
        """Whether the stated conductivity is `total` or `bulk`; ``None`` where the table does not say."""
        if self.total is not None and self.stated == self.total:
            return "total"
        return "bulk" if self.bulk is not None and self.stated == self.bulk else None

    @property
    def partly_occupied(self) -> bool | None:
        """Whether any site is partly occupied; ``None`` without a structure file."""
        return None if self.smallest_occupancy is None else self.smallest_occupancy < 1.0

    def attributes(self) -> dict[str, Any]:
        """Return everything but the structure file, ready for JSON; conductivities in mS/cm."""
        values: dict[str, Any] = {"dataset": DATASET, "entry_id": self.entry_id, "entry_formula": self.formula}
        for prefix, conductivity in (("", self.stated), ("total_", self.total), ("bulk_", self.bulk)):
            value = None if conductivity is None else _rounded(conductivity.value_S_cm * MS_CM_PER_S_CM)
            is_bound = conductivity is not None and conductivity.is_bound
            values[f"{prefix}ionic_conductivity_mS_cm"] = None if is_bound else value
            values[f"{prefix}ionic_conductivity_upper_bound_mS_cm"] = value if is_bound else None
        names = ("conductivity_kind", "partly_occupied", "smallest_occupancy", "perturbed", "close_match", "checked")
        values |= {name: getattr(self, name) for name in (*names, "space_group", "family")}
        digest = None if self.cif is None else hashlib.sha256(self.cif.encode()).hexdigest()
        return values | {"temperature_K": ROOM_TEMPERATURE_K, "doi": "; ".join(self.dois) or None, "cif_sha256": digest}


def read_obelix(source: Path) -> dict[str, Entry]:
    """Read the dataset.

    :param source: a folder with ``all.csv`` and the structure files (``all_cifs.zip``, or a folder of them, as
        the package ``obelix-data`` downloads them), or a zip file with the same.
    :returns: entries by id, in the order of the table.
    :raises ValueError: for files that cannot be trusted: not the dataset, damaged, far too large, or with the
        placeholder that the package's API writes instead of bounds.
    """
    table, cifs = read_files(source)
    entries = {entry.entry_id: entry for entry in _entries(table, cifs)}
    if not entries:
        raise ValueError("all.csv: the table is empty")
    refuse_placeholders([entry.stated for entry in entries.values()])
    return entries


def _entries(table: str, cifs: Mapping[str, str]) -> Iterator[Entry]:
    rows = csv.DictReader(io.StringIO(table, newline=""))
    seen: set[str] = set()
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"all.csv: this is not the OBELiX table, it has no column {missing[0]!r}")
        for row in rows:
            name = entry_id(row["ID"])
            if name in seen:
                raise ValueError(f"all.csv: {name} appears twice")
            seen.add(name)
            yield _entry(name, row, cifs.get(name))
    except csv.Error as error:
        raise ValueError(f"all.csv: cannot be read as a table ({error})") from error


def _entry(name: str, row: Mapping[str, str], cif: str | None) -> Entry:
    stated = measured(row[VALUE], name)
    if stated is None:
        raise ValueError(f"all.csv: {name} has no ionic conductivity")
    return Entry(
        entry_id=name,
        formula=words(row["Reduced Composition"]) or "?",
        cell_formula=words(row["True Composition"]) or "?",
        stated=stated,
        total=measured(row[TOTAL], name),
        bulk=measured(row[BULK], name),
        space_group=words(row["Space group"]),
        family=words(row["Family"]),
        dois=tuple(doi for doi in plain(row["DOI"]).split("|") if doi.startswith("10.")),
        checked=flag(row["Checked"]),
        close_match=flag(row["close match"]),
        perturbed=bool(plain(row["ICSD ID"])),
        smallest_occupancy=None if cif is None else smallest_occupancy(cif, name),
        note=words(row.get("note")),
        cif=cif,
    )


def _rounded(value: float) -> float:
    """Return a number as a table would write it: 1e-07 and not 1.0000000000000001e-07."""
    return float(f"{value:.12g}")
