"""Which LAMMPS commands a user's potential may consist of."""

from __future__ import annotations

import re

#: The only commands allowed in a user's potential: none of them runs a program or reads a script.
ALLOWED_COMMANDS = (
    "pair_style",
    "pair_coeff",
    "pair_modify",
    "kspace_style",
    "kspace_modify",
    "neighbor",
    "neigh_modify",
    "special_bonds",
    "dielectric",
)
#: Pair styles that pass control to a program outside LAMMPS.
REFUSED_PAIR_STYLES = ("python", "mdi")


def check_commands(text: str) -> list[str]:
    """Return the commands of a user's potential, one per line, or refuse them.

    :param text: LAMMPS commands; ``&`` continues a line, ``#`` starts a comment.
    :raises ValueError: for a command outside :data:`ALLOWED_COMMANDS`, a variable, or a file elsewhere.
    """
    joined = re.sub(r"&[ \t]*\r?\n", " ", text)
    lines = [line.split("#")[0].strip() for line in joined.splitlines()]
    commands = [line for line in lines if line]
    for line in commands:
        _check_command(line)
    if not any(line.startswith("pair_style") for line in commands):
        raise ValueError("the commands of a potential need a pair_style")
    return commands


def _check_command(line: str) -> None:
    words = line.split()
    if words[0] not in ALLOWED_COMMANDS:
        raise ValueError(
            f"the command {words[0]!r} is not allowed in a potential; allowed are {', '.join(ALLOWED_COMMANDS)}"
        )
    if any(character in line for character in "$\"'`;&"):
        raise ValueError(f"variables, quotes and continuations are not allowed in a potential: {line!r}")
    if words[0] == "pair_style" and set(words[1:]) & set(REFUSED_PAIR_STYLES):
        raise ValueError(f"a pair_style that runs a program is not allowed: {line!r}")
    for word in words[1:]:
        if word.startswith(("/", "~")) or ".." in word.split("/"):
            raise ValueError(f"{word!r} is outside the run folder; list the file in 'files' and use its bare name")
