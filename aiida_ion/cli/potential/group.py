"""``aiida-ion potential``: its commands, each loaded only when it is used."""

from __future__ import annotations

import click

from aiida_ion.cli.lazy import lazy_group

#: Command -> module, and its line in the help, in the order of their use.
COMMANDS: dict[str, tuple[str, str]] = {
    "label": ("label", "Label displaced copies of a crystal, or frames of runs, with an engine."),
    "dataset": ("dataset", "Gather labelled frames for training, validation and test."),
    "train": ("train", "Train a potential, or a committee of them, on a dataset."),
    "student": ("student", "Fit a fast potential for one crystal to a slow one, until its runs survive."),
    "register": ("register", "Make engines of the potentials of a training or a student."),
}


@click.group("potential", cls=lazy_group("aiida_ion.cli.potential", COMMANDS))
def command() -> None:
    """Train potentials on energies and forces of stored frames.

    \b
    Example:
      aiida-ion potential dataset --from-group dft
      aiida-ion potential train 1234 --family sevenn --from sevenn --name li2o --wait
      aiida-ion potential student Li3N.cif --teacher sevenn --max-temperature-K 900
    """
