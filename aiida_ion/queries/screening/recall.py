"""What the cuts of a screening did to materials whose conductivity was measured, and how well its quantities rank."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from aiida_ion.analysis.comparison.ranking import (
    CONDUCTOR_MS_CM,
    Estimate,
    Measured,
    RankingScore,
    Share,
    score_ranking,
)
from aiida_ion.queries.screening.crystals import crystal_facts
from aiida_ion.queries.screening.decisions import stored_decisions
from aiida_ion.queries.screening.known import known_materials
from aiida_ion.screening.quantities import MORE_IS_BETTER

RECALL_COLUMNS = (
    *("stage", "n_conductors", "n_conductors_kept", "recall", "recall_ci95_low", "recall_ci95_high"),
    *("n_conductors_so_far", "recall_so_far", "recall_so_far_ci95_low", "recall_so_far_ci95_high"),
    *("n_others", "n_others_kept", "others_kept", "n_unclear", "n_by_composition", "lost"),
)
SCORES = ("roc_auc", "average_precision_top", "spearman")
RANKING_COLUMNS = (
    *("stage", "name", "is_baseline", "n", "n_conductors"),
    *(f"{score}{end}" for score in SCORES for end in ("", "_ci95_low", "_ci95_high")),
    *("random_precision_top_low", "random_precision_top", "random_precision_top_high", "n_spearman", "n_unscored"),
)
#: Baselines: more mobile ions in a volume, more volume for an atom, and the composition alone.
DENSITY, VOLUME, FOREST = "density of the mobile species", "volume per atom", "forest of compositions"
#: Fewest materials for a forest.
MIN_FOREST = 10
Known = dict[str, tuple[str, Measured, str]]


def known_of(pk: int) -> pd.DataFrame:
    """Return the decisions of a screening on materials whose conductivity was measured, with these measurements.

    :returns: columns of the decisions, and `aiida_ion.queries.screening.known.KNOWN_COLUMNS`.
    """
    made = stored_decisions([pk])
    known = known_materials({uuid for uuid in made["structure_uuid"] if isinstance(uuid, str)})
    return made.merge(known, how="inner", on="structure_uuid")


def recall(known: pd.DataFrame, limit_mS_cm: float = CONDUCTOR_MS_CM) -> pd.DataFrame:
    """Return one row for each stage: how many known conductors its cut kept, and how many other materials.

    ``recall`` is of the conductors that reached the stage, ``recall_so_far`` of those of the first stage; intervals are
    Wilson's, 95 %. ``n_unclear`` materials have only a bound above the limit. Polymorphs of a composition that was
    measured without a crystal count as one material, kept if one of them is; ``n_by_composition`` says how many.
    ``lost`` are the formulas of the conductors that the stage dropped.

    :param known: of :func:`known_of`.
    :param limit_mS_cm: conductivity from which a material is a conductor, mS/cm.
    """
    first: set[str] | None = None
    lines = []
    for stage, rows in known.groupby("stage", sort=False):
        materials = _materials(rows)
        conducts = {key: one.is_conductor(limit_mS_cm) for key, (_, one, _) in materials.items()}
        kept = set(rows.loc[rows["goes_on"], "key"])
        conductors = {key for key, is_one in conducts.items() if is_one}
        others = {key for key, is_one in conducts.items() if is_one is False}
        first = conductors if first is None else first
        here, so_far = Share(len(conductors & kept), len(conductors)), Share(len(first & kept), len(first))
        lines.append(
            {
                "stage": stage,
                "n_conductors": len(conductors),
                "n_conductors_kept": len(conductors & kept),
                **_share("recall", here),
                "n_conductors_so_far": len(first),
                **_share("recall_so_far", so_far),
                "n_others": len(others),
                "n_others_kept": len(others & kept),
                "others_kept": Share(len(others & kept), len(others)).value,
                "n_unclear": len(materials) - len(conductors) - len(others),
                "n_by_composition": sum(how == "composition" for _, _, how in materials.values()),
                "lost": ", ".join(sorted(materials[key][0] for key in conductors - kept)) or None,
            }
        )
    return pd.DataFrame(lines, columns=list(RECALL_COLUMNS))


def _materials(rows: pd.DataFrame) -> Known:
    """Return formula, measurement and kind of match of each material, by its key."""
    return {
        row["key"]: (
            str(row["formula"]),
            Measured(float(row["log10_mS_cm"]), bool(row["is_bound"])),
            str(row["matched_by"]),
        )
        for row in rows.to_dict("records")
    }


def _share(name: str, share: Share) -> dict[str, float | None]:
    low, high = share.ci95 or (None, None)
    return {name: share.value, f"{name}_ci95_low": low, f"{name}_ci95_high": high}


def ranking(
    known: pd.DataFrame,
    mobile_species: str | None = None,
    limit_mS_cm: float = CONDUCTOR_MS_CM,
    with_forest: bool = True,
) -> pd.DataFrame:
    """Return one row for each quantity of a stage, and for each baseline on the same materials: scores of the ranking.

    A material that failed without a value, for want of a pathway, ranks last. ``n_unscored`` have no value otherwise
    and are in no score, also not in those of the baselines. Of polymorphs that count as one material the best ranks.
    Baselines know nothing of the structure beyond density, volume and composition; the forest predicts each material
    from the others.

    :param known: of :func:`known_of`.
    :param mobile_species: element whose density is a baseline.
    :param with_forest: whether to train forests, which takes seconds.
    """
    lines: list[dict[str, Any]] = []
    forest = _forest(known) if with_forest else {}
    for stage, rows in known[known["quantity"].notna()].groupby("stage", sort=False):
        quantity = str(rows["quantity"].iloc[0])
        scores = _scores(rows, quantity)
        best = scores.dropna(subset=["score"]).sort_values("score").drop_duplicates("key", keep="last")
        measured = [
            Measured(float(value), bool(bound))
            for value, bound in zip(best["log10_mS_cm"], best["is_bound"], strict=True)
        ]
        n_unscored = scores["key"].nunique() - len(best)
        for name, values, is_baseline in [
            (quantity, list(best["score"]), False),
            *((name, values, True) for name, values in _baselines(best, mobile_species, forest).items()),
        ]:
            kept = [place for place, value in enumerate(values) if not math.isnan(value)]
            score = score_ranking(
                name,
                [values[place] for place in kept],
                [measured[place] for place in kept],
                is_baseline=is_baseline,
                limit_mS_cm=limit_mS_cm,
            )
            lines.append({"stage": stage, **_scored(score), "n_unscored": n_unscored + len(values) - len(kept)})
    return pd.DataFrame(lines, columns=list(RANKING_COLUMNS))


def _scores(rows: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Return rows with their score: more is better; minus infinity without a pathway, missing without a judgement."""
    sign = 1.0 if quantity in MORE_IS_BETTER else -1.0
    score = sign * rows["value"].astype(float)
    # What failed without a value has no pathway, or a bound below the cut: it is worse than any with a value.
    without = score.isna() & rows["verdict"].eq("fail")
    return rows.assign(score=score.where(~without, -np.inf))


def _baselines(best: pd.DataFrame, mobile_species: str | None, forest: dict[str, float]) -> dict[str, list[float]]:
    facts = crystal_facts(list(best["structure_uuid"]))
    crystals = [facts[uuid] for uuid in best["structure_uuid"]]
    made: dict[str, list[float]] = {}
    if mobile_species is not None:
        made[DENSITY] = [_or_nan(crystal.density_of(mobile_species)) for crystal in crystals]
    made[VOLUME] = [_or_nan(crystal.volume_per_atom_A3) for crystal in crystals]
    return made | ({FOREST: [forest.get(key, math.nan) for key in best["key"]]} if forest else {})


def _forest(known: pd.DataFrame) -> dict[str, float]:
    """Return log10 of the conductivity of each material as a forest predicts it from all others, by its key."""
    from aiida_ion.analysis.comparison.composition_forest import forest_predictions

    materials = known[known["formula"].notna()].drop_duplicates("key")
    if len(materials) < MIN_FOREST:
        return {}
    values = forest_predictions(list(materials["formula"]), materials["log10_mS_cm"].to_numpy(dtype=float))
    return dict(zip(materials["key"], map(float, values), strict=True))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _scored(score: RankingScore) -> dict[str, Any]:
    made: dict[str, Any] = {"name": score.name, "is_baseline": score.is_baseline}
    made |= {"n": score.n, "n_conductors": score.n_conductors, "n_spearman": score.n_spearman}
    for name in SCORES:
        estimate: Estimate = getattr(score, name)
        low, high = estimate.ci95 or (None, None)
        made |= {name: estimate.value, f"{name}_ci95_low": low, f"{name}_ci95_high": high}
    band = score.random_precision_top or (None, None, None)
    places = ("random_precision_top_low", "random_precision_top", "random_precision_top_high")
    return made | dict(zip(places, band, strict=True))
