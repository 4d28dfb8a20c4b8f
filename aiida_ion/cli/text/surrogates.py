"""Datasets, trainings and predictions as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.calculations.surrogate.dataset import label_range
from aiida_ion.campaigns.surrogate_candidates import Candidates, force_calls
from aiida_ion.cli.text.tables import duration, number, number_or_interval, text_table, with_interval

#: Number of reasons that are shown for materials that are left out.
MAX_SHOWN = 10


def describe_candidates(candidates: Candidates, n_before: int) -> list[str]:
    """Return a plan as text: materials, labels, force calls, and what is left out.

    :param n_before: materials that were sampled before.
    """
    labels = [item.label for item in candidates.candidates if item.label is not None]
    lines = [f"{len(candidates.candidates)} materials, {n_before} of them sampled already"]
    if labels:
        values = [label.log10_slope for label in labels]
        n_bounds = sum(label.censored for label in labels)
        lines.append(
            f"  labels: log10 of the slope of the MSD (angstrom^2/ps) from {min(values):.2f} to {max(values):.2f}, "
            f"{n_bounds} of them upper bounds"
        )
    calls = [_calls(item.inputs) for item in candidates.candidates]
    if calls:
        each = ", ".join(f"{kind} {count}" for kind, count in calls[0].items())
        total = sum(sum(item.values()) for item in calls)
        lines.append(f"  force calls: {total:,} in all; for a material {each}")
    return lines + refusals(candidates.refused)


def _calls(inputs: Mapping[str, Any]) -> dict[str, int]:
    timestep_fs = inputs["md"]["parameters"].get_dict()["timestep_fs"] if "md" in inputs else 1.0
    return force_calls(inputs["parameters"].get_dict(), timestep_fs)


def refusals(refused: Sequence[tuple[str, str]]) -> list[str]:
    """Return the first reasons why materials are left out."""
    lines = [f"  left out: {title}: {reason}" for title, reason in refused[:MAX_SHOWN]]
    more = len(refused) - MAX_SHOWN
    return [*lines, f"  left out: {more} more"] if more > 0 else lines


def describe_dataset(node: Any) -> list[str]:
    """Return the content of a dataset as text."""
    attributes = node.base.attributes.all
    low, high = label_range(node)
    labels = f"labels {low:.2f} to {high:.2f} (log10 of angstrom^2/ps)" if np.isfinite(low) else "no labels"
    lines = [
        f"Dataset {node.pk}: {attributes['n_materials']} materials, {attributes['n_configurations']} configurations, "
        f"{attributes['n_censored']} labels are upper bounds",
        f"  at {attributes['temperature_K']:g} K, mobile {', '.join(attributes['mobile_species'])}, {labels}",
        f"  sha256 {attributes['sha256']}",
    ]
    return lines + refusals([(item["name"], item["reason"]) for item in attributes["left_out"]])


def write_arrays(node: Any, folder: Path) -> list[Path]:
    """Write a dataset in the format of the programs: ``dataset.npz`` and ``materials.json``; return the files."""
    import json

    from aiida_ion.calculations.surrogate.arrays import write_dataset

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "dataset.npz", folder / "materials.json"]
    # Written under another name and renamed, so that no reader finds a partial file.
    partial = [path.with_name(f"partial-{path.name}") for path in paths]
    write_dataset(str(partial[0]), node)
    partial[1].write_text(json.dumps(node.base.attributes.get("materials"), indent=1))
    for before, after in zip(partial, paths, strict=True):
        before.replace(after)
    return paths


def describe_report(report: orm.ArrayData) -> str:
    """Return the report of a training: the arms in a table, the noise ceiling, and the verdict."""
    attributes = report.base.attributes.all
    about = (
        f"Surrogate by protocol {attributes['protocol']} on {attributes['n_materials']} materials "
        f"({attributes['n_censored']} bounds) at {attributes['temperature_K']:g} K, split by {attributes['split']}, "
        f"{attributes['n_folds']} folds x {attributes['n_repeats']}"
    )
    ceilings = [
        f"  clip {clip} angstrom^2/ps: model {number(attributes.get(f'r2_clip_{clip}'))}, noise ceiling "
        f"{number(attributes.get(f'noise_ceiling_r2_clip_{clip}'))}"
        for clip in ("1e-2", "1e-4")
    ]
    interval = (
        f"95 % interval: +-{number(attributes.get('conformal_halfwidth_dex'))} dex, which holds "
        f"{_percent(attributes.get('coverage95'))} of held-out materials"
    )
    table = text_table([_arm(item) for item in attributes["arms"]])
    return "\n".join(
        [about, "", table, "", "R2 with labels clipped from below:", *ceilings, interval, attributes["verdict"]]
    )


def _arm(arm: Mapping[str, Any]) -> dict[str, str]:
    return {
        "arm": arm["arm"].replace("_", " "),
        "kind": arm["kind"],
        "R2": number(arm.get("r2")),
        "clip 1e-2": number(arm.get("r2_clip_1e-2")),
        "clip 1e-4": number(arm.get("r2_clip_1e-4")),
        "detected": number(arm.get("r2_detected")),
        "MAE (dex)": number(arm.get("mae_dex")),
        "Spearman": number(arm.get("spearman")),
        "AUC": number(arm.get("auc")),
        "lead of the model": with_interval(arm.get("gap"), arm.get("gap_ci95")),
        "time": duration(arm.get("seconds")),
    }


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.0f} %"


def describe_predictions(node: orm.ArrayData) -> str:
    """Return predictions as a table."""
    attributes = node.base.attributes.all
    rows = [_prediction(item) for item in attributes["materials"]]
    outside = [
        f"  NOTE {item['formula']}: {item['reason']}" for item in attributes["materials"] if not item["in_domain"]
    ]
    about = f"Predictions {node.pk} at {attributes['temperature_K']:g} K, with 95 % intervals"
    return "\n".join([about, text_table(rows), *outside])


def _prediction(item: Mapping[str, Any]) -> dict[str, str]:
    seconds = [value for value in (item.get("seconds_forces"), item.get("seconds_model")) if value is not None]
    return {
        "material": item["formula"],
        "D (cm^2/s)": _known(item, "tracer_diffusivity", "cm2_s"),
        "sigma (mS/cm)": _known(item, "ionic_conductivity", "mS_cm"),
        "like what was learnt": "yes" if item["in_domain"] else "no",
        "time": duration(float(np.sum(seconds)) if seconds else None),
    }


def _known(item: Mapping[str, Any], name: str, unit: str) -> str:
    return number_or_interval(item.get(f"{name}_{unit}"), item.get(f"{name}_ci95_{unit}"))
