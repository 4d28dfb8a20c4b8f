"""What a screening dropped and why, and what it kept in which order."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from aiida_ion.queries.screening.decisions import NOT_REACHED
from aiida_ion.screening.quantities import MORE_IS_BETTER

FELL_COLUMNS = ("stage", "verdict", "reason", "n_materials", "value_low", "value_high", "examples")
SURVIVOR_COLUMNS = (
    *("rank", "rank_best", "rank_worst", "formula", "name", "verdict", "quantity", "value", "value_low", "value_high"),
    *("reason", "structure_uuid", "result_uuid"),
)
#: A number that stands alone, not the 2 of Li2O.
_NUMBER = re.compile(
    r"(?<![\w.])-?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?|inf)(?:\s+to\s+-?(?:\d[\d.]*(?:e[+-]?\d+)?|inf))?(?![\w.])"
)
#: What of a reason is the same for all materials that a cut judged: the limits stay.
_CUT = re.compile(r"^(?P<value>.*?)(?P<rest> (?:is above|is below|is within|may be within) the cut.*)$", re.DOTALL)
#: How many materials are named.
N_EXAMPLES = 3


def fell(rows: pd.DataFrame, verdicts: tuple[str, ...] = ("fail", "error", "unsure", NOT_REACHED)) -> pd.DataFrame:
    """Return one row for each stage, verdict and kind of reason, the most frequent of a stage first.

    Reasons that differ only in the material's own numbers are one; its values are from ``value_low`` to
    ``value_high``. Materials that are unsure but went on did not fall, and are left out.

    :param rows: of :func:`aiida_ion.queries.decisions`.
    """
    lost = rows[rows["verdict"].isin(verdicts) & ~rows["goes_on"].eq(True)]
    lost = lost.assign(kind=[reason_kind(reason) for reason in lost["reason"]])
    lines = []
    for (number, stage, verdict, kind), part in lost.groupby(
        ["stage_number", "stage", "verdict", "kind"], sort=False, dropna=False
    ):
        names = [str(name) for name in part["formula"].combine_first(part["name"]).dropna()]
        more = f", and {len(part) - N_EXAMPLES} more" if len(part) > N_EXAMPLES else ""
        edges = part[["value_low", "value_high", "value"]].astype(float).to_numpy()
        known = edges[np.isfinite(edges)]
        lines.append(
            {
                "stage_number": number,
                "stage": stage,
                "verdict": verdict,
                "reason": part["reason"].iloc[0] if len(part) == 1 else kind,
                "n_materials": len(part),
                "value_low": float(known.min()) if len(known) else None,
                "value_high": float(known.max()) if len(known) else None,
                "examples": ", ".join(names[:N_EXAMPLES]) + more,
            }
        )
    table = pd.DataFrame(lines, columns=["stage_number", *FELL_COLUMNS])
    return table.sort_values(["stage_number", "n_materials"], ascending=[True, False], ignore_index=True)[
        list(FELL_COLUMNS)
    ]


def reason_kind(reason: object) -> str:
    """Return a reason without the numbers of the material: ``barrier_1d_eV ... is above the cut, at most 1``."""
    text = reason if isinstance(reason, str) and reason else "no reason is stored"
    cut = _CUT.match(text)
    if cut is None:
        return _NUMBER.sub("...", text)
    return _NUMBER.sub("...", cut["value"]) + cut["rest"]


def survivors(rows: pd.DataFrame, stage: str | None = None) -> pd.DataFrame:
    """Return the materials that went on from a stage, the best first: `SURVIVOR_COLUMNS`.

    ``rank_best`` and ``rank_worst`` bound the rank: a material is certainly behind another only if their intervals do
    not overlap. Those without a value come last, and any rank is possible for them.

    :param rows: of :func:`aiida_ion.queries.decisions`, of one screening.
    :param stage: name of the stage, by default the last with a decision.
    """
    judged = rows[rows["verdict"] != NOT_REACHED]
    if judged.empty:
        return pd.DataFrame(columns=list(SURVIVOR_COLUMNS))
    last = judged.iloc[int(judged["stage_number"].astype(float).fillna(0.0).to_numpy().argmax())]
    chosen = last["stage"] if stage is None else stage
    kept = judged[(judged["stage"] == chosen) & judged["goes_on"].eq(True)]
    sign = -1.0 if len(kept) and kept["quantity"].iloc[0] in MORE_IS_BETTER else 1.0
    kept = kept.assign(key=sign * kept["value"].astype(float)).sort_values("key", kind="stable", na_position="last")
    low, high = (_edges(kept, sign, name) for name in (("value_low", "value_high"), ("value_high", "value_low")))
    # Certainly better: its worst edge is before the best edge of this one.
    best = [1 + int((high < edge).sum()) for edge in low]
    worst = [len(kept) - int((low > edge).sum()) for edge in high]
    kept = kept.assign(rank=range(1, len(kept) + 1), rank_best=best, rank_worst=worst)
    return kept[list(SURVIVOR_COLUMNS)].reset_index(drop=True)


def _edges(kept: pd.DataFrame, sign: float, names: tuple[str, str]) -> np.ndarray:
    """Return the better (first name) or worse edge of each interval, less is better; infinite where it is open."""
    lower = names[0] == "value_low"
    name = names[0] if sign > 0 else names[1]
    open_edge = -np.inf if lower else np.inf
    return (sign * kept[name].astype(float)).fillna(open_edge).to_numpy(dtype=float)
