"""``aiida-ion screen``: its commands, each loaded only when it is used."""

from __future__ import annotations

import click

from aiida_ion.cli.lazy import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "bvse": ("bvse", "Percolation energies of the bond-valence site energy."),
    "pes": ("pes", "Percolation energies of one ion in the frozen framework, by a potential."),
    "run": ("run", "Screen materials stage by stage."),
    "status": ("status", "Show how far a screening is, and what fell where and why."),
}


@click.group("screen", cls=lazy_group("aiida_ion.cli.screen", COMMANDS))
def command() -> None:
    """Screen crystals for mobile ions before molecular dynamics.

    \b
    Example:
      aiida-ion screen bvse Li3N.cif
      aiida-ion screen run crystals/ --protocol quick
    """
