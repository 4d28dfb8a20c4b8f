"""Accuracy and cost of each level of theory, from comparisons and cost ledgers."""

from __future__ import annotations

import pandas as pd

from aiida_ion.units import S_PER_HOUR, US_PER_S

#: Quantities for the axes of accuracy over cost: column of `queries.comparison` -> label.
ERRORS = {
    "log10_ionic_conductivity_difference": "|log10 of the ratio of conductivities|",
    "log10_tracer_diffusivity_mae": "mean |log10 of the ratio of diffusivities|",
    "force_mae_eV_A": "MAE of forces (eV/Å)",
}
COSTS = {
    "wall_s_per_step": "wall time per step (s)",
    "core_s_per_step": "core time per step (s)",
    "gpu_s_per_step": "GPU time per step (s)",
}
COST_COLUMNS = (
    "level_of_theory",
    "computer",
    "device",
    "hardware",
    "n_jobs",
    "n_atoms",
    "n_steps",
    "wall_time_h",
    "core_time_h",
    "steps_per_s",
    "wall_us_per_step_atom",
)


def points(comparison: pd.DataFrame, reference: str, error: str, cost: str) -> pd.DataFrame:
    """Return the newest error and cost of each material at each level compared with the reference.

    :param comparison: from `aiida_ion.queries.comparison`.
    :param error: a key of `ERRORS`; its absolute value is used.
    :param cost: a key of `COSTS`.
    :returns: ``formula``, ``material``, the key of the crystal, ``level_of_theory``, ``error``, ``cost``,
        ``reference_cost`` and ``uuid``.
    """
    chosen = comparison[comparison["reference_level_of_theory"] == reference]
    crystal = chosen["crystal"] if "crystal" in chosen else pd.Series(None, index=chosen.index, dtype=object)
    chosen = chosen.assign(crystal=crystal)
    chosen = chosen.sort_values("time").drop_duplicates(["formula", "crystal", "level_of_theory"], keep="last")
    made = pd.DataFrame(
        {
            "formula": chosen["formula"],
            "material": chosen["crystal"].fillna(chosen["formula"]),
            "level_of_theory": chosen["level_of_theory"],
            "error": _number(chosen, error).abs(),
            "cost": _number(chosen, cost),
            "reference_cost": _number(chosen, f"reference_{cost}"),
            "uuid": chosen["uuid"],
        }
    )
    return pd.DataFrame(made[made["error"].notna() & (made["cost"] > 0)]).reset_index(drop=True)


def levels(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return the medians of each level over its materials, with the reference, and the Pareto front.

    :param table: of `points`.
    """
    grouped = table.groupby("level_of_theory", as_index=False)
    made = grouped.agg(error=("error", "median"), cost=("cost", "median"), n_materials=("material", "nunique"))
    made["is_reference"] = False
    price = table["reference_cost"][table["reference_cost"] > 0].median()
    if pd.notna(price):
        itself = {"level_of_theory": reference, "error": 0.0, "cost": price, "n_materials": 0, "is_reference": True}
        made = pd.concat([made, pd.DataFrame([itself])], ignore_index=True)
    made["on_front"] = on_front(made)
    return made.sort_values("cost", ignore_index=True)


def on_front(made: pd.DataFrame) -> list[bool]:
    """Whether no other row is at least as good in both ``cost`` and ``error`` and better in one."""
    rows = list(zip(made["cost"], made["error"], strict=True))
    return [not any(c <= cost and e <= error and (c < cost or e < error) for c, e in rows) for cost, error in rows]


def cost_summary(cost: pd.DataFrame) -> pd.DataFrame:
    """Return the cost of each level of theory on each kind of machine: sums over its jobs, medians of its speed.

    :param cost: from `aiida_ion.queries.cost`, one row for each job.
    :returns: columns `COST_COLUMNS`.
    """
    names = ["level_of_theory", "computer", "device", "hardware"]
    if cost.empty:
        return pd.DataFrame(columns=list(COST_COLUMNS))
    wall, steps, atoms = (_number(cost, name) for name in ("wall_time_s", "n_steps", "n_atoms"))
    rows = cost.assign(
        **{name: cost[name].fillna("-") if name in cost else "-" for name in names},
        wall_time_h=wall / S_PER_HOUR,
        core_time_h=wall * _number(cost, "cores").fillna(1.0) / S_PER_HOUR,
        steps_per_s=steps / wall,
        wall_us_per_step_atom=US_PER_S * wall / steps / atoms,
        n_jobs=1,
    )
    made = rows.groupby(names, as_index=False).agg(
        n_jobs=("n_jobs", "sum"),
        n_atoms=("n_atoms", "median"),
        n_steps=("n_steps", "sum"),
        wall_time_h=("wall_time_h", "sum"),
        core_time_h=("core_time_h", "sum"),
        steps_per_s=("steps_per_s", "median"),
        wall_us_per_step_atom=("wall_us_per_step_atom", "median"),
    )
    return made[list(COST_COLUMNS)].sort_values("wall_us_per_step_atom", ignore_index=True)


def _number(table: pd.DataFrame, name: str) -> pd.Series[float]:
    if name not in table:
        return pd.Series(float("nan"), index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)
