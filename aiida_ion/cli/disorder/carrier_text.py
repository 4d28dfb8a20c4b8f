"""The conductivity against the concentration of carriers in words."""

from __future__ import annotations

from typing import Any


def carrier_lines(content: dict[str, Any]) -> list[str]:
    """Return the conductivity against concentration in words."""
    mobile = content["mobile_species"]
    lines = []
    for line in content["lines"]:
        lines.append(f"{line['temperature_K']:.0f} K: {_line_words(line, mobile)}")
        lines += [f"  {text}" for text in _point_lines(line)]
        lines += [f"  {remark}" for remark in line["remarks"]]
    if content["migration_energy_eV"] is not None:
        error = content["migration_energy_error_eV"]
        lines.append(f"migration energy {content['migration_energy_eV']:.3f} +- {error:.3f} eV")
    if content["intrinsic_activation_energy_eV"] is not None:
        error = content["intrinsic_activation_energy_error_eV"]
        value = content["intrinsic_activation_energy_eV"]
        lines.append(f"without dopants E_m + E_F / 2 is {value:.3f} +- {error:.3f} eV")
    if content["conductivities"]:
        lines.append(f"ionic conductivity at {content['target_temperature_K']:g} K:")
    for entry in content["conductivities"]:
        low, high = entry["ionic_conductivity_ci95_mS_cm"]
        lines.append(f"  {_carriers(entry)}: {entry['ionic_conductivity_mS_cm']:.3g} mS/cm [{low:.3g}, {high:.3g}]")
    left_out = [f"left out: {name}, {reason}" for name, reason in content["left_out"].items()]
    return lines + left_out + list(content["remarks"])


def _line_words(line: dict[str, Any], mobile: str) -> str:
    if line["slope_cm2_s"] is None:
        bound = line["slope_upper_bound_cm2_s"]
        return "no diffusion detected" + ("" if bound is None else f": dD*/dx below {bound:.3g} cm2/s")
    low, high = line["mobility_ci95_cm2_V_s"]
    return (
        f"dD*/dx {line['slope_cm2_s']:.3g} cm2/s, mobility of a carrier of {mobile} "
        f"{line['mobility_cm2_V_s']:.3g} cm2/(V s) [{low:.3g}, {high:.3g}]"
    )


def _carriers(entry: dict[str, Any]) -> str:
    if entry["what"] == "thermal":
        return f"made by heat, {entry['concentration']:.3g} for each site"
    if entry["what"] == "extrinsic":
        return (
            f"{entry['dopant_concentration']:.3g} by dopants and those by heat, {entry['concentration']:.3g} for each "
            f"site (knee at {entry['knee_temperature_K']:.0f} K)"
        )
    return f"a concentration of {entry['concentration']:.3g}"


def _point_lines(line: dict[str, Any]) -> list[str]:
    """Return the conductivity at each concentration, and the power that it grows with; nothing of older results."""
    lines = [f"{point['concentration']:8.4g}: {_point_words(point)}" for point in line.get("points") or []]
    law = line.get("power_law") or {}
    if law.get("exponent") is None:
        return lines
    steps = law["steps"]
    lines.append(
        f"from {steps[0]['from']:.4g} to {steps[-1]['to']:.4g} it grows as x to the power {_power_words(law)} "
        "(1: carriers do not see each other)"
    )
    if law["is_power"] is False:
        parts = (f"{_power_words(step)} from {step['from']:.4g} to {step['to']:.4g}" for step in steps)
        lines.append(f"  this is no single power (p = {law['p_value']:.2g}): {', '.join(parts)}")
    if law["largest_at"] < steps[-1]["to"]:
        lines.append(f"  largest at {law['largest_at']:.4g}: more carriers conduct less")
    return lines + [f"  {remark}" for remark in law["remarks"]]


def _power_words(law: dict[str, Any]) -> str:
    low, high = law["exponent_ci95"]
    return f"{law['exponent']:.2f} [{low:.2f}, {high:.2f}]"


def _point_words(point: dict[str, Any]) -> str:
    if point["ionic_conductivity_mS_cm"] is not None:
        low, high = point["ionic_conductivity_ci95_mS_cm"]
        return f"{point['ionic_conductivity_mS_cm']:.3g} mS/cm [{low:.3g}, {high:.3g}]"
    bound = point["ionic_conductivity_upper_bound_mS_cm"]
    return "undetermined" if bound is None else f"no diffusion detected, below {bound:.3g} mS/cm"
