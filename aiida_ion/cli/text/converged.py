"""The table of a scan of cut-offs and k-points, in lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import entries, number, sentences, text, text_table

HEADINGS = {
    "force_difference_percent": "forces (%)",
    "force_rms_difference_eV_A": "RMS (eV/A)",
    "force_max_difference_eV_A": "max (eV/A)",
    "force_slope": "slope",
    "energy_difference_meV_atom": "energy (meV/atom)",
    "pressure_GPa": "pressure (GPa)",
    "cpu_time_s": "CPU (s)",
}
#: Scan -> its title, and where its recommendation stands.
TITLES = {"cutoffs": "Cut-offs", "kpoints": "k-points"}


def convergence_table(table: Mapping[str, Any]) -> list[str]:
    """Return the rows of both scans, and what they recommend.

    :param table: content of the output `convergence`.
    """
    unit, limit = text(table.get("unit")), number(table.get("max_force_error_percent"))
    suggested = "/".join(number(value, 4) for value in table.get("suggested_cutoffs") or [])
    hint = (
        f"the pseudopotentials suggest {suggested} {unit}" if suggested else "the pseudopotentials suggest no cut-offs"
    )
    shift = table.get("kpoints_shift")
    shifted = "; meshes shifted off the Gamma point" if isinstance(shift, list) and any(shift) else ""
    lines = [f"{text(table.get('formula'))}, {text(table.get('functional'))}; {hint}{shifted}"]
    for scan, title in TITLES.items():
        rows = entries(table.get(scan))
        lines += ["", f"{title}, each against the last row:", text_table([_cells(row, unit) for row in rows])]
        recommended = table.get(f"recommended_{scan}")
        if recommended:
            shown = f"{'/'.join(number(x, 4) for x in recommended)} {unit}" if scan == "cutoffs" else _mesh(recommended)
            lines.append(f"lowest within {limit} % of the forces: {shown}")
        else:
            lines.append(f"nothing below the last row is within {limit} % of its forces: scan higher settings")
    lines += [f"failed: {sentence}" for sentence in sentences(table.get("failed"))]
    return lines


def _cells(row: Mapping[str, Any], unit: str) -> dict[str, str]:
    cutoffs = "/".join(number(value, 4) for value in row.get("cutoffs") or [])
    spacing = f"{_mesh(row.get('mesh') or [])} ({number(row.get('k_spacing_1_A'))})"
    numbers = {heading: number(row.get(name)) for name, heading in HEADINGS.items()}
    return {f"cut-offs ({unit})": cutoffs, "k-points (1/angstrom)": spacing} | numbers


def _mesh(mesh: Any) -> str:
    return " x ".join(text(n) for n in mesh)
