"""Settings of a surrogate and its training; the protocols are the published models and the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from aiida_ion.former_names import FORMER_KINDS
from aiida_ion.surrogate.dataset import KINDS

#: Split -> property shared by materials that are held out together.
SPLITS = {"material": "structure_uuid", "chemical_system": "chemical_system", "prototype": "prototype"}
POOLS = ("all", "mobile")
LOSSES = ("clipped", "one_sided")
#: Groups of invariants of a material, and the configurations that each is computed from.
READ: dict[str, tuple[str, ...]] = {
    "forces": ("displaced", "short_md"),
    "curvature": ("displaced",),
    "anharmonicity": ("displaced",),
    "short_md": ("short_md",),
    "correlations": ("short_md",),
    "structure": (),
}
INVARIANTS = tuple(READ)
#: Optional features of an atom besides its acceleration.
INPUTS = ("accelerations", "mobile", "displacements", "later_motion", "species")
_AT_LEAST_ONE = ("n_samplings", "scalars", "n_layers", "n_radial", "n_epochs", "batch_size")
_NOT_NEGATIVE = ("vectors", "tensors", "pretraining_epochs", "weight_decay", "dropout")


@dataclass(frozen=True)
class Settings:
    """Network, data and training of a surrogate.

    :param kind: configurations used as graphs: ``displaced``, ``trajectory`` or ``short_md``.
    :param amplitudes_A: of displaced graphs, angstrom; empty means all.
    :param n_samplings: configurations over which a prediction is averaged.
    :param inputs: features of each atom, from `INPUTS`.
    :param invariants: groups of invariants of the material that are added to the pooled features, from `INVARIANTS`.
    :param pool: the atoms whose features are averaged, ``all`` or ``mobile``.
    :param cutoff_A: cutoff of neighbours, angstrom.
    :param scalars: number of hidden scalars of each atom.
    :param vectors: number of hidden vectors of each atom.
    :param tensors: number of hidden rank-two tensors of each atom.
    :param n_layers: number of message-passing rounds.
    :param n_radial: number of radial functions.
    :param clip_log10: floor of the labels, log10 of angstrom^2/ps.
    :param loss: ``clipped``: squared error against clipped labels; ``one_sided``: for an upper bound, only predictions
        above it are penalised.
    :param n_epochs: number of epochs, each with another sampling of every material.
    :param pretraining_epochs: additional epochs at the start that train on the slope of the short MD.
    :param learning_rate: initial learning rate of Adam; it decays to a hundredth along a cosine.
    :param weight_decay: of AdamW.
    :param batch_size: materials per step.
    :param dropout: fraction of the pooled features dropped at random in training.
    """

    kind: str = "displaced"
    amplitudes_A: tuple[float, ...] = (0.1,)
    n_samplings: int = 4
    inputs: tuple[str, ...] = ("accelerations",)
    invariants: tuple[str, ...] = ()
    pool: str = "all"
    cutoff_A: float = 5.0
    scalars: int = 20
    vectors: int = 10
    tensors: int = 0
    n_layers: int = 2
    n_radial: int = 8
    clip_log10: float = -4.0
    loss: str = "clipped"
    n_epochs: int = 100
    pretraining_epochs: int = 0
    learning_rate: float = 5e-3
    weight_decay: float = 1e-4
    batch_size: int = 16
    dropout: float = 0.0

    def __post_init__(self) -> None:
        problem = _validate(self)
        if problem:
            raise ValueError(problem)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Settings:
        """Build settings from a mapping.

        :raises ValueError: for an unknown name or an invalid value.
        """
        return changed(cls(), given)

    def to_dict(self) -> dict[str, Any]:
        """Return them ready for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def kinds_read(settings: Settings) -> list[str]:
    """Return the kinds of configurations that a model reads."""
    read = {settings.kind}.union(*(READ[name] for name in settings.invariants))
    return [kind for kind in KINDS if kind in read]


def amplitudes_read(settings: Settings) -> dict[float, int] | None:
    """Return the displaced configurations that a prediction needs, as amplitude (angstrom) -> number.

    ``None`` if all of them are read.
    """
    if not settings.amplitudes_A or any("displaced" in READ[name] for name in settings.invariants):
        return None
    return dict.fromkeys(settings.amplitudes_A, settings.n_samplings)


def changed(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """Return settings with some of them changed.

    :raises ValueError: for an unknown name or an invalid value.
    """
    known = {field.name: type(getattr(settings, field.name)) for field in fields(Settings)}
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(f"unknown setting {', '.join(unknown)}; choose from {', '.join(known)}")
    return replace(settings, **{name: _converted(name, value, known[name]) for name, value in overrides.items()})


def _converted(name: str, value: Any, kind: type) -> Any:
    if kind is tuple and isinstance(value, (list, tuple)):
        return tuple(value)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if name == "kind" and isinstance(value, str):
        return FORMER_KINDS.get(value, value)
    if kind in (int, str) and type(value) is kind:
        return value
    raise ValueError(f"{name} cannot be {value!r}")


def _validate(settings: Settings) -> str | None:
    """Return what is wrong with settings, None if they are valid."""
    choices = {"kind": tuple(KINDS), "pool": POOLS, "loss": LOSSES}
    many = {"inputs": INPUTS, "invariants": INVARIANTS}
    wrong = [_known(name, known) for name, known in choices.items() if getattr(settings, name) not in known]
    wrong += [_known(name, known) for name, known in many.items() if set(getattr(settings, name)) - set(known)]
    wrong += [f"{name} must be at least 1" for name in _AT_LEAST_ONE if getattr(settings, name) < 1]
    wrong += [f"{name} must not be negative" for name in _NOT_NEGATIVE if getattr(settings, name) < 0]
    if settings.cutoff_A <= 0 or settings.learning_rate <= 0 or settings.dropout >= 1:
        wrong.append("cutoff_A and learning_rate must be positive, dropout below 1")
    if "later_motion" in settings.inputs and settings.kind == "displaced":
        wrong.append("displaced configurations have no later motion: choose kind short_md or trajectory")
    return wrong[0] if wrong else None


def _known(name: str, choices: tuple[str, ...]) -> str:
    return f"{name} must be of {', '.join(choices)}"


#: The published models (baseline; hidden sizes times 3/5 and five times the samplings; frames of the trajectory) and
#: the best model from a short run and a few displaced cells.
PROTOCOLS: dict[str, Settings] = {
    "baseline": Settings(),
    "restricted": Settings(scalars=12, vectors=6, n_samplings=20, clip_log10=-2.0),
    "trajectory": Settings(kind="trajectory", clip_log10=-2.0),
    "best": Settings(
        kind="short_md",
        inputs=("accelerations", "mobile", "displacements", "later_motion"),
        invariants=INVARIANTS,
        pool="mobile",
        clip_log10=-2.0,
        loss="one_sided",
        pretraining_epochs=20,
        dropout=0.1,
    ),
}


def protocol_settings(protocol: str, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a protocol with some of them changed.

    :raises ValueError: for an unknown protocol or setting.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"no protocol {protocol!r}; choose from {', '.join(PROTOCOLS)}")
    return changed(PROTOCOLS[protocol], overrides or {})
