"""The report of a training in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.cli.text.tables import text_table
from aiida_ion.units import MEV_PER_EV


def report_lines(report: orm.ArrayData) -> list[str]:
    """Return errors before and after a training, the spread of its committee, and what failed."""
    about = report.base.attributes.all
    lines = text_table(_rows(about)).splitlines()
    for split, values in (about.get("committee") or {}).items():
        ratio = values.get("error_per_std")
        times = f"; its error is {ratio:.1f} times that" if ratio is not None else ""
        lines.append(f"spread of the committee, {split}: {values['force_std_mean_eV_A']:.3f} eV/angstrom{times}")
    lines += [f"NOTE {sentence}" for sentence in about.get("failed") or []]
    return lines


def _rows(about: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a line for each split, of the parent and of what was trained."""
    rows = []
    for split in ("train", "validation", "test"):
        for name, errors in (("parent", about.get("errors_of_parent")), ("trained", about.get("errors"))):
            values = (errors or {}).get(split)
            if values is not None:
                rows.append({"frames": split, "potential": name} | _cells(values))
    return rows


def _cells(values: Mapping[str, Any]) -> dict[str, str]:
    forces, energies = values["forces"], values["energies"]
    return {
        "n": str(values["n_frames"]),
        "force MAE eV/A": f"{forces['mae_eV_A']:.3f}",
        "RMSE": f"{forces['rmse_eV_A']:.3f}",
        "slope": "-" if forces["slope"] is None else f"{forces['slope']:.3f}",
        "energy MAE meV/atom": f"{MEV_PER_EV * energies['mae_eV_atom']:.1f}",
    }
