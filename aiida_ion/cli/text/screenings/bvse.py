"""Printed tables of screened crystals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.cli.text.tables import Rows, text

DECIMALS = 3


def bvse_rows(results: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Return a row for each crystal: its barriers with their intervals, or why it has none.

    :param results: of `ion.bvse`, by the names of the crystals.
    """
    return [_row(name, result) for name, result in results.items()]


def _row(name: str, result: Mapping[str, Any]) -> dict[str, str]:
    barriers = result.get("barriers_eV") or [None] * 3
    intervals = result.get("barriers_interval_eV") or [None] * 3
    cells = {
        f"E {number + 1}D": _barrier(barrier, interval)
        for number, (barrier, interval) in enumerate(zip(barriers, intervals, strict=True))
    }
    status = result.get("status")
    message = text(result.get("message") or "")
    remark = message if status == "finished" else f"{status}: {message}"
    return {"crystal": name, "formula": text(result.get("formula") or "-"), **cells, "remarks": remark}


def _barrier(barrier: Any, interval: Any) -> str:
    """Return a barrier; its interval where both ends differ in what is shown."""
    if barrier is None:
        return "-"
    shown = f"{barrier:.{DECIMALS}f}"
    edges = [f"{edge:.{DECIMALS}f}" for edge in interval] if interval else []
    return shown if len(set(edges)) < 2 else f"{shown} [{', '.join(edges)}]"
