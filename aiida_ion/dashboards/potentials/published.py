"""What the publishers of potentials state: paper, training set, functional, licences. What they do not is unknown.

Training sets, functionals and licences of weights are those of the publishers' own lists: of SevenNet its page of
pretrained models, of CHGNet and MACE the description of their packages (CHGNet 0.4.2, MACE 0.3.16). Licences of code
are those that the packages state, with the version: earlier ones may have had another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

DOI, ARXIV = "https://doi.org/", "https://arxiv.org/abs/"
#: Academic Software License, which forbids commercial use.
ASL = "ASL: no commercial use"
MPTRJ, PBE_U = "MPtrj", "PBE and PBE+U"


@dataclass(frozen=True)
class Published:
    """What is stated of a potential or program; ``None`` is unknown.

    :param papers: what to cite, and its address.
    :param training_set: names of the data that it was trained on.
    :param functional: of that data.
    :param weights: licence of the weights.
    :param code: licence of the code, and who says so.
    """

    papers: tuple[tuple[str, str], ...] = ()
    training_set: str | None = None
    functional: str | None = None
    weights: str | None = None
    code: str | None = None


SEVENN = Published((("Park et al. 2024", f"{DOI}10.1021/acs.jctc.4c00190"),), code="MIT, says sevenn 0.13")
CHGNET = Published((("Deng et al. 2023", f"{DOI}10.1038/s42256-023-00716-3"),), code="Modified BSD, says chgnet 0.4.2")
MACE = Published(
    (("Batatia et al. 2022", f"{ARXIV}2206.07697"), ("foundation models", f"{ARXIV}2401.00096")),
    code="MIT, says mace-torch 0.3.16",
)
NEQUIP = Published((("Batzner et al. 2022", f"{DOI}10.1038/s41467-022-29939-5"),), code="MIT, says nequip 0.19")
ALLEGRO = Published(
    (("Musaelian et al. 2023", f"{DOI}10.1038/s41467-023-36329-y"),), code="MIT, says nequip-allegro 0.8"
)
ESPRESSO = Published(
    (("Giannozzi et al. 2009", f"{DOI}10.1088/0953-8984/21/39/395502"), ("2017", f"{DOI}10.1088/1361-648X/aa8f79"))
)
VASP = Published((("Kresse, Furthmüller 1996", f"{DOI}10.1103/PhysRevB.54.11169"),))
LAMMPS = Published((("LAMMPS: Thompson et al. 2022", f"{DOI}10.1016/j.cpc.2021.108171"),))
#: Name of a family in potentials -> what is stated of all its models.
FAMILIES = {"sevenn": SEVENN, "chgnet": CHGNET, "mace": MACE, "nequip": NEQUIP, "allegro": ALLEGRO}
#: Start of the entry point of a job -> what is stated of its program.
PROGRAMS = {"ion.quantumespresso": ESPRESSO, "ion.vasp": VASP, "ion.lammps": LAMMPS}
#: (family, model) -> training set, functional, licence of the weights.
_MODELS: dict[tuple[str, str], tuple[str | None, str | None, str | None]] = {
    ("sevenn", "7net-0"): (MPTRJ, PBE_U, None),
    ("sevenn", "7net-0_11Jul2024"): (MPTRJ, PBE_U, None),
    ("sevenn", "7net-l3i5"): (MPTRJ, PBE_U, None),
    ("sevenn", "7net-omat"): ("OMat24", PBE_U, None),
    ("sevenn", "7net-mf-ompa"): ("MPtrj, sAlex, OMat24", PBE_U, None),
    ("chgnet", "0.3.0"): (MPTRJ, PBE_U, None),
    ("chgnet", "0.2.0"): (MPTRJ, PBE_U, None),
    ("chgnet", "r2scan"): ("MP-r2SCAN, from a model of MPtrj", "r2SCAN", None),
    ("mace", "small"): (MPTRJ, PBE_U, "MIT"),
    ("mace", "medium"): (MPTRJ, PBE_U, "MIT"),
    ("mace", "large"): (MPTRJ, PBE_U, "MIT"),
    ("mace", "medium-0b3"): (MPTRJ, PBE_U, "MIT"),
    ("mace", "medium-mpa-0"): ("MPtrj, sAlex", PBE_U, "MIT"),
    ("mace", "medium-omat-0"): ("OMat24", PBE_U, ASL),
    ("mace", "mace-matpes-pbe-0"): ("MatPES-PBE", "PBE", ASL),
    ("mace", "mace-matpes-r2scan-0"): ("MatPES-r2SCAN", "r2SCAN", ASL),
}
#: Model that a family means where none is named.
DEFAULTS = {"sevenn": "7net-0", "chgnet": "0.3.0", "mace": "medium-mpa-0"}


def published(name: object, model: object, job_type: object, has_file: bool = False) -> Published:
    """Return what is stated of a potential or program.

    :param name: of the potential, such as ``sevenn``.
    :param model: of the potential; a family has a default where none is named.
    :param job_type: entry point of its jobs.
    :param has_file: whether its weights are a file of one's own, of which nothing is stated.
    """
    family = FAMILIES.get(str(name))
    if family is None:
        programs = (found for start, found in PROGRAMS.items() if str(job_type).startswith(start))
        return next(programs, Published())
    if has_file:
        return family
    chosen = str(model) if isinstance(model, str) and model else DEFAULTS.get(str(name), "")
    training_set, functional, weights = _MODELS.get((str(name), chosen), (None, None, None))
    return replace(family, training_set=training_set, functional=functional, weights=weights)
