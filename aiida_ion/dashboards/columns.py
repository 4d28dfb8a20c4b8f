"""Titles of columns, and formats of their cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

#: Ending of a column's name -> unit; the longest match counts.
UNITS = {
    "_cm2_s": "cm²/s", "_mS_cm": "mS/cm", "_eV_A": "eV/Å", "_eV_atom": "eV/atom", "_eV": "eV", "_K": "K",
    "_decades": "decades", "_ps": "ps", "_fs": "fs", "_s": "s", "_h": "h", "_THz": "THz", "_MiB": "MiB",
    "_A": "Å", "_A3": "Å³",
}  # fmt: skip
#: Titles of columns that the rule would get wrong, or that have a better one.
TITLES = {
    "pk": "PK", "uuid": "UUID", "steps_per_s": "steps/s", "n_eff": "hops", "temperature_K": "T (K)",
    "target_temperature_K": "T (K)", "level_of_theory": "level of theory", "levels_of_theory": "levels of theory",
    "experiment_mS_cm": "σ measured (mS/cm)",
    "checkpoint_sha256": "checkpoint SHA-256", "n_levels": "levels", "best_grade": "grade",
    "n_temperatures_moved": "diffusive T", "moved": "diffusive", "moved_species": "diffusive species",
    "r2": "R²", "r2_std": "R² spread", "gap": "lead", "coverage95": "coverage",
    "r2_clip_1e-2": "R², floor 0.01", "r2_clip_1e-4": "R², floor 0.0001", "best_control_r2": "R² of best control",
    "noise_ceiling_r2_clip_1e-2": "noise ceiling, 0.01", "noise_ceiling_r2_clip_1e-4": "noise ceiling, 0.0001",
    "held_out_force_mae_eV_A": "force MAE (eV/Å)", "held_out_force_rmse_eV_A": "force RMSE (eV/Å)",
    "held_out_force_slope": "slope", "held_out_split": "held out",
    "held_out_energy_mae_eV_atom": "energy MAE (eV/atom)",
    "parent_force_mae_eV_A": "force MAE before (eV/Å)", "parent_force_slope": "slope before", "process": "by",
    "n_train": "training frames", "n_validation": "validation frames", "n_test": "test frames", "sha256": "SHA-256",
    "value_low": "from", "value_high": "to", "cut_maximum": "at most", "cut_minimum": "at least",
    "core_s": "core time (s)", "goes_on": "goes on", "n_errors": "could not be judged",
    "wall_us_per_step_atom": "wall time per step and atom (µs)",
    "gap_ci95_low": "lead 95 % low", "gap_ci95_high": "lead 95 % high",
}  # fmt: skip
#: Widths of columns of text whose cells are longer than their titles, px.
WIDTHS = {
    **dict.fromkeys(("crystal", "reference_crystal"), 165),
    **dict.fromkeys(("time", "archive", "reference_archive"), 160),
    "level_of_theory": 180,
    "screening": 190,
    "process": 140,
}
#: Longer titles of numbers have several lines.
WIDEST_NUMBER_PX = 160
NUMBER = {"function": "params.value == null ? '-' : d3.format('.4~g')(params.value)"}
COUNT = {"function": "params.value == null ? '-' : d3.format(',d')(params.value)"}
PLAIN = {"function": "params.value == null ? '-' : params.value"}
#: Columns of formulas, which are shown with subscripts; filters, sorting and files have the plain text.
FORMULAS = ("formula",)
SUBSCRIPTS = {"function": "subscripts(params.value)"}


def column_title(name: str) -> str:
    """Return the title of a column with its unit: ``activation_energy_eV`` -> ``activation energy (eV)``."""
    if name in TITLES:
        return TITLES[name]
    unit = max((end for end in UNITS if name.endswith(end)), key=len, default="")
    words = (name.removesuffix(unit) if unit else name).replace("_", " ")
    words = (
        words.replace("ionic conductivity", "\N{GREEK SMALL LETTER SIGMA}")
        .replace("tracer diffusivity", "D*")
        .replace("uuid", "UUID")
    )
    words = words.replace("ci95 low", "95 % low").replace("ci95 high", "95 % high").removeprefix("n ")
    return f"{words} ({UNITS[unit]})" if unit else words


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column is numeric, for filters and sorting."""
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def numeric_columns(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold numbers."""
    return [name for name in table.columns if is_number(table[name])]


def column_definitions(
    table: pd.DataFrame,
    shown: Iterable[str] | None = None,
    links: Mapping[str, str] | None = None,
    hidden: Iterable[str] = (),
    words: Mapping[str, str] | None = None,
    bars: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Return AG Grid's definitions of a table's columns.

    :param shown: columns, in this order; else all.
    :param links: column -> column with the address that its cells link to.
    :param hidden: columns that are present but not shown.
    :param words: column of numbers -> column with the text that its cells show; sorting and filters use the number.
    :param bars: column -> column with the length of the bar behind its text, 0 to 1; missing for no bar.
    """
    links, hidden, words, bars = dict(links or {}), set(hidden), dict(words or {}), dict(bars or {})
    behind = {*links.values(), *words.values(), *bars.values()}
    names = [name for name in (shown or table.columns) if name in table.columns and name not in behind]
    made = [_definition(name, table[name], links.get(name), name in hidden, words.get(name)) for name in names]
    for item in made:
        if item["field"] in bars:
            item |= {"cellRenderer": "BarCell", "cellRendererParams": {"share": bars[item["field"]]}}
    return made


def _definition(
    name: str, column: pd.Series[Any], link: str | None, hide: bool, words: str | None = None
) -> dict[str, Any]:
    """Return the definition of one column."""
    # Dots in field names must not be read as paths; the title is also the header's tooltip.
    made: dict[str, Any] = {"field": name, "headerName": column_title(name), "headerTooltip": name, "hide": hide}
    if is_number(column):
        whole = pd.api.types.is_integer_dtype(column) and name not in ("pk", "process_pk")
        made |= {"type": "rightAligned", "filter": "agNumberColumnFilter", "valueFormatter": COUNT if whole else NUMBER}
        if name.endswith("pk"):
            made["valueFormatter"] = PLAIN
        made["width"] = max(96, min(8 * len(made["headerName"]) + 52, WIDEST_NUMBER_PX))
        if words is not None:
            text = f"params.data['{words}']"
            made |= {"valueFormatter": {"function": f"params.data ? {text} : ''"}, "tooltipField": words, "width": 200}
    else:
        shown = SUBSCRIPTS if name in FORMULAS else PLAIN
        made |= {"filter": "agTextColumnFilter", "valueFormatter": shown, "tooltipField": name}
        made["width"] = WIDTHS.get(name, max(110, min(8 * len(made["headerName"]) + 56, 260)))
    if link is not None:
        made |= {"cellRenderer": "PageLink", "cellRendererParams": {"href": link}}
    return made


def cells(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table ready for JSON: missing is ``None``, a time is text without fractions of seconds."""
    plain = table.copy()
    for name in plain.columns:
        if pd.api.types.is_datetime64_any_dtype(plain[name]):
            plain[name] = plain[name].dt.strftime("%Y-%m-%d %H:%M")
    plain = plain.astype(object).where(plain.notna(), None)
    return [{str(key): _cell(value) for key, value in row.items()} for row in plain.to_dict("records")]


def _cell(value: Any) -> Any:
    """Return one cell: NumPy numbers as Python numbers, lists and mappings as text."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
