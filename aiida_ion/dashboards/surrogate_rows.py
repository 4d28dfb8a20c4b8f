"""The report of a training as rows: its materials and arms; parts that a report lacks are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Clip in the address -> floor of labels and predictions, log10 of the MSD slope in angstrom^2/ps.
CLIPS = {"1e-2": -2.0, "1e-4": -4.0}
MATERIAL_WORDS = ("formula", "chemical_system", "prototype", "level_of_theory", "diffusion_uuid")
ROW_COLUMNS = (*MATERIAL_WORDS, "true", "predicted", "predicted_std", "low", "high", "censored", "fold")
ARM_NUMBERS = ("r2_std", "gap", "gap_low", "gap_high", "mae_dex", "spearman", "seconds")
#: Arrays of a report used by pages.
MATERIAL_ARRAYS = ("true", "predicted", "predicted_std", "interval95", "censored", "fold")
CURVE_ARRAYS = ("epochs", "train_loss", "validation_loss", "validation_r2")


def report_rows(attributes: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Return one row for each material: label, held-out prediction and interval, all log10 slopes.

    :param attributes: of the report.
    :param arrays: of the report: those of `MATERIAL_ARRAYS` that it has.
    """
    n = len(arrays.get("true", ()))
    given = attributes.get("materials")
    arms = [arm if isinstance(arm, Mapping) else {} for arm in (given if isinstance(given, list) else [])[:n]]
    arms += [{}] * (n - len(arms))
    rows = pd.DataFrame({name: [_text(arm.get(name)) for arm in arms] for name in MATERIAL_WORDS})
    for name in ("true", "predicted", "predicted_std", "fold"):
        rows[name] = _numbers(arrays.get(name), (n,))
    rows[["low", "high"]] = _numbers(arrays.get("interval95"), (n, 2))
    rows["censored"] = _numbers(arrays.get("censored"), (n,)) == 1.0
    return rows[list(ROW_COLUMNS)]


def _numbers(array: NDArray[Any] | None, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return an array of this shape, or NaN."""
    if array is None or array.shape != shape:
        return np.full(shape, np.nan)
    return np.asarray(array, dtype=float)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "-"


def arm_rows(attributes: Mapping[str, Any], clip: str) -> pd.DataFrame:
    """Return one row for each arm in the order of the report: ``name``, ``kind``, ``r2`` at the clip, `ARM_NUMBERS`.

    ``gap`` is the lead of the model at the clip of the training, whatever the chosen clip.

    :param clip: a key of `CLIPS`.
    """
    given = attributes.get("arms")
    arms = [entry for entry in (given if isinstance(given, list) else []) if isinstance(entry, Mapping)]
    rows = [
        {
            "name": _text(arm.get("arm")).replace("_", " "),
            "kind": _text(arm.get("kind")),
            "r2": arm.get(f"r2_clip_{clip}"),
            **dict(zip(("gap_low", "gap_high"), _edges(arm.get("gap_ci95")), strict=True)),
            **{name: arm.get(name) for name in ARM_NUMBERS if not name.startswith("gap_")},
        }
        for arm in arms
    ]
    names = ["name", "kind", "r2", *ARM_NUMBERS]
    made = pd.DataFrame(rows, columns=names)
    return made.assign(**{name: pd.to_numeric(made[name], errors="coerce").astype(float) for name in names[2:]})


def _edges(value: Any) -> tuple[Any, Any]:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else (None, None)


def own_clip(attributes: Mapping[str, Any]) -> str:
    """Return the clip closest to that of the training."""
    settings = attributes.get("settings")
    own = number(settings.get("clip_log10")) if isinstance(settings, Mapping) else None
    return min(CLIPS, key=lambda name: abs(CLIPS[name] - (own if own is not None else CLIPS["1e-2"])))


def number(value: Any) -> float | None:
    """Return a finite number, or None."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
    return float(value) if known else None


def cost_rows(labels: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the cost of one material by molecular dynamics and by the surrogate, s.

    :param labels: from `aiida_ion.queries.surrogates.label_costs`.
    :param predicted: from `aiida_ion.queries.surrogates.prediction_costs`.
    :returns: ``way``, ``n_materials``, ``median_s``, ``least_s``, ``most_s``; only ways of which a cost is known.
    """
    per_material = {
        "molecular dynamics of the label": labels["label_wall_s"],
        "surrogate: forces": predicted["seconds_forces"],
        "surrogate: network": predicted["seconds_model"],
        "surrogate: both": predicted["seconds_forces"] + predicted["seconds_model"],
    }
    rows = [
        {
            "way": way,
            "n_materials": int(seconds.notna().sum()),
            "median_s": seconds.median(),
            "least_s": seconds.min(),
            "most_s": seconds.max(),
        }
        for way, seconds in per_material.items()
        if seconds.notna().any()
    ]
    return pd.DataFrame(rows, columns=["way", "n_materials", "median_s", "least_s", "most_s"])


def speed_up(costs: pd.DataFrame) -> float | None:
    """Return the ratio of the median costs of label and prediction; None if either is unknown."""
    medians = costs.set_index("way")["median_s"]
    label, both = (medians.get(name) for name in ("molecular dynamics of the label", "surrogate: both"))
    return None if label is None or both is None or not both > 0 else float(label / both)
