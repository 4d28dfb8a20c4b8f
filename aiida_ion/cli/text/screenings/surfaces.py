"""Frozen surfaces as text: one line for each crystal, potential and choice of the other ions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from aiida_ion.cli.text.tables import csv_text, json_text, number, text_table, with_interval
from aiida_ion.messages import one_line

if TYPE_CHECKING:
    from aiida_ion.campaigns.screening.pes import Surfaces

FORMATS = ("text", "csv", "json")
DIMENSIONS = ("1-D", "2-D", "3-D")
FINISHED = "finished"


def render(surfaces: Sequence[Surfaces], style: str) -> str:
    """Return the results of crystals as a table.

    :param style: ``text``, or ``csv`` and ``json`` with every column.
    """
    rows = [row for one in surfaces for row in _rows(one)]
    if style == "text":
        notes = [f"{row['material']}, {row['by']}: {note}" for row in rows for note in row["notes"]]
        return "\n".join([text_table([_shown(row) for row in rows]), *(f"NOTE {note}" for note in notes)])
    table = pd.DataFrame([{key: value for key, value in row.items() if key != "notes"} for row in rows])
    return csv_text(table) if style == "csv" else json_text({"surfaces": table})


def _rows(surfaces: Surfaces) -> Iterator[dict[str, Any]]:
    for node in surfaces.results.values():
        result = node.get_dict()
        yield _row(surfaces.name, result, (result.get("potential") or {}).get("program", "-"), node.pk)
    if surfaces.combined is not None:
        yield _row(surfaces.name, surfaces.combined.get_dict(), "all of them", surfaces.combined.pk)


def _row(name: str, result: Mapping[str, Any], by: str, pk: int | None) -> dict[str, Any]:
    barriers = result.get("barriers_eV") or [None] * 3
    edges = result.get("barriers_interval_eV") or [None] * 3
    row: dict[str, Any] = {"material": name, "by": by, "others": result.get("others"), "status": result["status"]}
    for number_of, barrier, interval in zip(("1d", "2d", "3d"), barriers, edges, strict=True):
        low, high = interval or (None, None)
        row |= {
            f"barrier_{number_of}_eV": barrier,
            f"barrier_{number_of}_low_eV": low,
            f"barrier_{number_of}_high_eV": high,
        }
    row |= {
        "site_depth_eV": result.get("site_depth_eV"),
        "n_evaluated": (result.get("evaluations") or {}).get("n_evaluated"),
        "cpu_s": (result.get("cost") or {}).get("cpu_s"),
        "pk": pk,
    }
    message = [one_line(result["message"])] if result.get("message") else []
    return row | {"notes": [*message, *(result.get("caveats") or [])]}


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    shown = {"material": row["material"], "by": row["by"], "others": row["others"] or "-"}
    for name, dimension in zip(("1d", "2d", "3d"), DIMENSIONS, strict=True):
        shown[f"{dimension} (eV)"] = _barrier(row, name)
    return shown | {
        "site depth (eV)": number(row["site_depth_eV"]),
        "energies": number(row["n_evaluated"], 6),
        "CPU s": number(row["cpu_s"]),
        "node": number(row["pk"], 9),
    }


def _barrier(row: Mapping[str, Any], name: str) -> str:
    """Return a barrier with its interval; a lower bound where only some results have one."""
    if row["status"] != FINISHED:
        return str(row["status"])
    value, low, high = (row[f"barrier_{name}{end}_eV"] for end in ("", "_low", "_high"))
    if value is None:
        return "none" if low is None else f"> {number(low)}"
    return with_interval(value, None if low is None else [low, high])
