"""``aiida-ion``: the commands, each loaded only when it is used."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import click

from aiida_ion import __version__
from aiida_ion.cli.lazy import lazy_group

#: Command -> module, and its line in `aiida-ion --help`, so that help imports no modules.
COMMANDS: dict[str, tuple[str, str]] = {
    "setup": ("setup", "Create profile, computer and codes, and start the daemon."),
    "engine": ("engine.group", "Install, add, list and test engines."),
    "computer": ("places.computer", "Show and limit how many jobs run on a computer."),
    "screen": ("screen.group", "Screen crystals before molecular dynamics."),
    "order": ("disorder.order", "Draw ordered cells of a disordered crystal."),
    "defects": ("disorder.defects", "Make cells of a crystal with vacancies, interstitials or dopants."),
    "carriers": ("disorder.carriers", "Conductivity against the concentration of carriers."),
    "run": ("run", "Compute ionic conductivities of crystals."),
    "import": ("import_trajectory", "Import a trajectory from another program."),
    "status": ("status", "Show running and failed processes."),
    "show": ("show", "Show a process or result and its origin."),
    "jumps": ("jumps", "Analyse the jumps in fitted trajectories."),
    "barrier": ("barrier", "Compute migration barriers of a crystal."),
    "table": ("table", "Print tables of results."),
    "compare": ("compare", "Compare levels of theory with a reference."),
    "benchmark": ("benchmark", "Compute crystals with measured conductivities, and score the results."),
    "potential": ("potential.group", "Train potentials on stored frames."),
    "surrogate": ("surrogate", "Train and use a surrogate model of diffusivities."),
    "dashboard": ("dashboard", "Show all results in a browser."),
    "export": ("export", "Export selected results to a file."),
    "import-archive": ("import_archive", "Import an archive of results."),
}


def prepare() -> None:
    """Put `verdi` of this Python on the PATH, which the daemon needs; silence the warning of a new configuration."""
    warnings.filterwarnings("ignore", message="Creating AiiDA configuration folder")
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])


@click.group(cls=lazy_group("aiida_ion.cli", COMMANDS))
@click.version_option(__version__, prog_name="aiida-ion")
def cli() -> None:
    """Ionic conductivity of solid electrolytes, with error bars and provenance.

    \b
    Example:
      aiida-ion setup
      aiida-ion engine install sevenn
      aiida-ion run Li3N.cif --engine sevenn --protocol fast --wait
    """
    prepare()
