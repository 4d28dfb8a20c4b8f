"""Crystals of OBELiX: which entries can be simulated, and remarks on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymatgen.core.structure import Structure

from aiida_ion.crystal_files.read import read_cif_text
from aiida_ion.crystal_files.report import Crystal
from aiida_ion.datasets.compositions import MAX_DIFFERENCE, composition_difference
from aiida_ion.datasets.obelix import Entry

#: The benchmark of Shaaban Kabakibo et al., arXiv:2603.28012, by increasing conductivity, without `goi` (LiCl.C3H7NO),
#: which they could not run.
# fmt: off
PAPER_IDS = (
    "kfp", "clt", "dth", "47i", "qa9", "t0h", "ur9", "uu4", "9zk", "bv2", "x2i",
    "5bz", "joc", "ipo", "wyu", "be9", "2uv", "rr5", "fft", "gvd", "mdp",
)
# fmt: on
PAPER, ORDERED, DISORDERED, ALL = "paper", "ordered", "disordered", "all"
#: Word of a selection -> whether sites of its crystals are partly occupied.
WITH_FILES = {ORDERED: (False,), DISORDERED: (True,), ALL: (False, True)}
#: Sites with at least this occupancy count as full: Li3PS4 `joc` of the benchmark has sulphur sites of 0.97 to 0.99.
NEARLY_FULL = 0.95
#: Remark on all entries with `perturbed`.
PERTURBED = (
    "The public structure files of OBELiX carry noise of 0.01 in the fractional coordinates: the ions are relaxed with "
    "each engine before molecular dynamics; the cell is the measured one and is not relaxed."
)


def select(entries: Mapping[str, Entry], chosen: Sequence[str]) -> list[Entry]:
    """Return the chosen entries, in the order chosen, each once.

    :param chosen: ``paper`` (the 21 of the benchmark), ``ordered`` (all without partly occupied sites),
        ``disordered`` (all with such), ``all`` (both), or ids.
    :raises ValueError: for an unknown id.
    """
    ids: dict[str, None] = {}
    for word in chosen:
        if word == PAPER:
            ids |= dict.fromkeys(PAPER_IDS)
        elif word in WITH_FILES:
            kinds = WITH_FILES[word]
            ids |= dict.fromkeys(name for name, entry in entries.items() if entry.partly_occupied in kinds)
        else:
            ids |= {word: None}
    missing = [name for name in ids if name not in entries]
    if missing:
        raise ValueError(f"OBELiX has no entry {', '.join(missing)}; an id has three lower-case letters or digits")
    return [entries[name] for name in ids]


def crystal(entry: Entry) -> Structure:
    """Return the crystal of an entry, as :func:`read_entry` does."""
    return read_entry(entry).structure


def read_entry(entry: Entry) -> Crystal:
    """Return the crystal of an entry and what was read from its file; nearly full sites count as full.

    :raises ValueError: if it cannot be simulated: no structure file, partly occupied sites, or a structure
        file of another compound.
    """
    if entry.cif is None or entry.smallest_occupancy is None:
        raise ValueError(f"OBELiX {entry.entry_id}: there is no structure file for {entry.formula}")
    if entry.smallest_occupancy < NEARLY_FULL:
        raise ValueError(
            f"OBELiX {entry.entry_id}: {entry.formula} has partly occupied sites (down to "
            f"{entry.smallest_occupancy:g}); order the cell, run it, and link it with 'aiida-ion benchmark link'"
        )
    try:
        read = read_cif_text(entry.cif, f"{entry.entry_id}.cif", NEARLY_FULL)
    except ValueError as error:
        raise ValueError(f"OBELiX {error}".replace(".cif:", ":", 1)) from error
    formula = read.structure.composition.reduced_formula
    difference = composition_difference(formula, entry.formula)
    if difference is not None and difference > MAX_DIFFERENCE:
        raise ValueError(f"OBELiX {entry.entry_id}: its structure file holds {formula}, the table says {entry.formula}")
    return read


def remarks(entry: Entry) -> list[str]:
    """Return remarks on an entry, other than :data:`PERTURBED`."""
    sentences = []
    if entry.smallest_occupancy is not None and NEARLY_FULL <= entry.smallest_occupancy < 1.0:
        sentences.append(f"sites with an occupancy of {entry.smallest_occupancy:g} and more are treated as full")
    if entry.close_match:
        sentences.append("its structure file has a similar composition, not the sample's own")
    if entry.stated.is_bound:
        sentences.append(f"its conductivity is only known to be below {entry.stated.value_S_cm:g} S/cm")
    return sentences
