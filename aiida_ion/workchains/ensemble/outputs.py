"""The outputs and exit codes of ``ion.ensemble``."""

from __future__ import annotations

from typing import Any

from aiida import orm


def define_outputs(spec: Any) -> None:
    """Declare outputs and exit codes."""
    spec.output(
        "conductivity",
        valid_type=orm.ArrayData,
        required=False,
        help="The attributes of the output of that name of `ion.conductivity`, pooled over the members; and `members`, "
        "`n_members`, `between_members_std_decades`, `within_members_std_decades`, `dominant_error`.",
    )
    spec.output_namespace(
        "diffusion",
        valid_type=orm.ArrayData,
        dynamic=True,
        help="Pooled diffusivity (cm^2/s) at each temperature: arithmetic mean, series and effective-medium values.",
    )
    spec.output_namespace(
        "members",
        valid_type=orm.ArrayData,
        dynamic=True,
        help="The conductivity of each member that has one, by the label of its cell.",
    )
    spec.output("ensemble", valid_type=orm.Dict, required=False, help="What describes the members: weights, draws.")
    spec.output("cost", valid_type=orm.Dict, required=False, help="Cost of all molecular dynamics of the members.")
    spec.exit_code(526, "ERROR_ORDERING_FAILED", message="No ordered cell could be drawn: {detail}")
    spec.exit_code(527, "ERROR_NO_MEMBERS", message="Not one member has a conductivity: {detail}")
    spec.exit_code(
        717, "WARNING_SPREAD_DOMINATES", message="The spread between members decides the error: add members. {detail}"
    )
    spec.exit_code(
        718, "WARNING_FEW_MEMBERS", message="Fewer than two members could be pooled: their spread is unknown. {detail}"
    )
