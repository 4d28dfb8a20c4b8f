"""Report on a crystal file, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pymatgen.core.structure import Structure


@dataclass
class Reading:
    """What a reader found in a file, collected while reading.

    :param file_format: such as ``CIF``.
    :param part: the block or frame that was used; empty if a file has only one.
    :param symmetry: the symmetry applied, and its source; empty if the format has none.
    :param notes: what was left out, changed or assumed, and why; one sentence each.
    :param caveats: reasons to refuse the crystal unless the user insists.
    :param warnings: of the library that parsed the file.
    """

    file_format: str
    part: str = ""
    symmetry: str = ""
    notes: list[str] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CrystalReport:
    """Report on what was read, to be printed and stored.

    :param file: name of the file, without its folder.
    :param sha256: of its bytes.
    :param volume_A3: of the cell, angstrom^3.
    :param density_g_cm3: mass density, g/cm^3.
    :param insisted: caveats that the user overruled.
    """

    file: str
    sha256: str
    file_format: str
    part: str
    symmetry: str
    formula: str
    n_atoms: int
    volume_A3: float
    density_g_cm3: float
    notes: tuple[str, ...] = ()
    insisted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def attributes(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Crystal:
    """A crystal that can be simulated, and the report on it."""

    structure: Structure
    report: CrystalReport


def report_of(structure: Structure, reading: Reading, file: str, sha256: str) -> CrystalReport:
    """Return the report."""
    return CrystalReport(
        file=file,
        sha256=sha256,
        file_format=reading.file_format,
        part=reading.part,
        symmetry=reading.symmetry,
        formula=structure.composition.formula.replace(" ", ""),
        n_atoms=len(structure),
        volume_A3=float(structure.volume),
        density_g_cm3=float(structure.density),
        notes=tuple(dict.fromkeys(reading.notes)),
        insisted=tuple(dict.fromkeys(reading.caveats)),
        warnings=tuple(dict.fromkeys(reading.warnings)),
    )


def lines_of(attributes: Mapping[str, Any]) -> list[str]:
    """Return the lines of a report, from :meth:`CrystalReport.attributes`.

    Missing entries are skipped: nodes may be older than this version.
    """
    origin = ", ".join(str(attributes[name]) for name in ("file_format", "part") if attributes.get(name))
    facts = [str(attributes.get("formula", "?"))]
    for name, words in (("n_atoms", "{} atoms"), ("volume_A3", "{:.2f} A^3"), ("density_g_cm3", "{:.3g} g/cm^3")):
        if attributes.get(name) is not None:
            facts.append(words.format(attributes[name]))
    symmetry = f"; {attributes['symmetry']}" if attributes.get("symmetry") else ""
    first = f"read {attributes.get('file', '?')} ({origin}): {', '.join(facts)}{symmetry}"
    lines = [first, *(f"  {note}" for note in attributes.get("notes") or ())]
    lines += [f"  INSISTED {doubt}" for doubt in attributes.get("insisted") or ()]
    return lines + [f"  warning of the parser: {warning}" for warning in attributes.get("warnings") or ()]
