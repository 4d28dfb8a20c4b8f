"""The outputs of ``ion.barrier``, and how it can end."""

from __future__ import annotations

from typing import Any

from aiida import orm


def define_outputs(spec: Any) -> None:
    """Declare outputs and exit codes."""
    spec.output("relaxed_structure", valid_type=orm.StructureData, required=False, help="The relaxed crystal.")
    spec.output("hops", valid_type=orm.Dict, required=False, help="Sites and inequivalent hops of the crystal.")
    spec.output(
        "barriers",
        valid_type=orm.Dict,
        required=False,
        help="For each hop verdict, forward and reverse barrier, energies (eV), how it was computed.",
    )
    spec.output_namespace(
        "images",
        valid_type=orm.TrajectoryData,
        dynamic=True,
        help="The images of each hop, angstrom, and `energies`, eV.",
    )
    spec.output(
        "network",
        valid_type=orm.Dict,
        required=False,
        help="`barriers_eV` in one, two and three dimensions, from the lowest site, with bounds where hops have no "
        "barrier; energies of all sites and saddles, eV; `caveats`.",
    )
    spec.output(
        "dft_barriers", valid_type=orm.Dict, required=False, help="The same by single points at ends and saddles, eV."
    )
    spec.output("dft_network", valid_type=orm.Dict, required=False, help="The network of these.")
    spec.output_namespace(
        "dft_bands",
        valid_type=orm.Dict,
        dynamic=True,
        help="Barriers of bands relaxed by DFT between these ends, eV.",
    )
    spec.output(
        "kinetics",
        valid_type=orm.Dict,
        required=False,
        help="Diffusivities (cm^2/s) and conductivities (S/m) of carriers on the network, at the given concentration.",
    )
    spec.output(
        "formation",
        valid_type=orm.Dict,
        required=False,
        help="`formation_energy_eV` of the neutral defect, from the given reference; not in any barrier.",
    )
    spec.exit_code(501, "ERROR_RELAXATION_FAILED", message="The relaxation of the crystal failed: {detail}")
    spec.exit_code(524, "ERROR_NO_HOPS", message="The crystal has no hops that can be computed: {detail}")
    spec.exit_code(525, "ERROR_NO_BARRIERS", message="Not one hop has a barrier: {detail}")
    spec.exit_code(716, "WARNING_HOPS_MISSING", message="Something has no result; the rest is available: {detail}")
