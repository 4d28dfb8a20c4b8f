"""The order of the elements of a POD potential, which LAMMPS never checks.

``pair_style pod`` numbers its elements by the line ``species`` of the parameter file; the names in ``pair_coeff`` only
count by their order of first appearance. With types numbered in another order it gives wrong energies without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aiida_ion.settings.elements import ELEMENTS

#: Stands for the elements in the order of the atom types.
PLACEHOLDER = "{elements}"
#: Of the words of ``pair_coeff * * FILE FILE``, those before the elements.
_WORDS_BEFORE_ELEMENTS = 5


class PodCommand(NamedTuple):
    """The ``pair_coeff`` line of a POD potential.

    :param param: name of the parameter file.
    :param coeff: name of the file of coefficients.
    :param elements: the words after them.
    """

    param: str
    coeff: str
    elements: tuple[str, ...]


def is_pod(word: str) -> bool:
    """Whether a word names the pair style, with or without the suffix of an accelerator."""
    return word.partition("/")[0] == "pod"


def pod_command(commands: Sequence[str]) -> PodCommand | None:
    """Return the POD part of a potential's commands; ``None`` where it has none.

    :raises ValueError: if its ``pair_coeff`` is missing, there are several, or they are not of all types.
    """
    styles = [line.split()[1:] for line in commands if line.split()[0] == "pair_style"]
    if not any(is_pod(word) for words in styles for word in words):
        return None
    alone = any(words and is_pod(words[0]) for words in styles)
    lines = [line.split() for line in commands if line.split()[0] == "pair_coeff"]
    mine = [words for words in lines if alone or any(is_pod(word) for word in words[3:4])]
    if len(mine) != 1 or sum(is_pod(word) for words in styles for word in words) != 1:
        raise ValueError("a potential with pair_style pod needs exactly one pod, with one pair_coeff line")
    words = mine[0] if alone else [*mine[0][:3], *mine[0][4:]]
    if words[1:3] != ["*", "*"] or len(words) <= _WORDS_BEFORE_ELEMENTS:
        raise ValueError(
            f"the coefficients of pair_style pod are given as 'pair_coeff * * param.pod coeff.pod {PLACEHOLDER}', got "
            f"{' '.join(mine[0])!r}"
        )
    return PodCommand(words[3], words[4], tuple(words[_WORDS_BEFORE_ELEMENTS:]))


def check_pod_commands(commands: Sequence[str], species: Sequence[str], files: Sequence[str]) -> None:
    """Refuse commands of a POD potential whose elements may stand in another order than those of its files.

    :param species: the elements in the order of the parameter file; empty where it is not known.
    :param files: names of the files that the potential reads.
    :raises ValueError: with the order that is needed.
    """
    pod = pod_command(commands)
    if pod is None:
        return
    if not species:
        raise ValueError(
            f"pair_style pod needs `species`, the elements in the order of the line 'species' of {pod.param}: LAMMPS "
            "compares no names, and another order gives wrong energies without a word"
        )
    if pod.elements not in ((PLACEHOLDER,), tuple(species)):
        raise ValueError(
            f"pair_coeff of pair_style pod names {' '.join(pod.elements)}, and the order of {pod.param} is "
            f"{' '.join(species)}: write {PLACEHOLDER}"
        )
    missing = [name for name in (pod.param, pod.coeff) if name not in files]
    if missing:
        raise ValueError(f"pair_style pod reads {', '.join(missing)}, which must be listed in `files`")


def read_species(param: str) -> tuple[str, ...]:
    """Return the elements of a POD parameter file, in the order of the types.

    :param param: text of the file.
    :raises ValueError: if the line ``species`` is missing, there twice, or does not name each element once.
    """
    lines = [line.partition("#")[0].replace('"', " ").replace("'", " ").split() for line in param.splitlines()]
    named = [words[1:] for words in lines if words[:1] == ["species"]]
    if len(named) != 1 or not named[0]:
        raise ValueError("a POD parameter file needs one line 'species' with the elements in the order of the types")
    wrong = [name for name in named[0] if name not in ELEMENTS or named[0].count(name) > 1]
    if wrong:
        raise ValueError(f"the line 'species' of a POD parameter file must name each element once, got {wrong[0]!r}")
    return tuple(named[0])
