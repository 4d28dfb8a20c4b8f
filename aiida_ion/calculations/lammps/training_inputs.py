"""Parameters of ``ion.lammps_train``, and whether a dataset can be fitted with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from aiida import orm
from aiida.common.exceptions import NotExistent

from aiida_ion.lammps.fitted import MAX_ATOMS
from aiida_ion.settings.rules import MAX_SEED, Json
from aiida_ion.settings.schema import Settings, setting, whole, word
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.families.pod import ALL_FRAMES_SEED, PodSettings, basis_of, check_size, member_settings
from aiida_ion.training.frames import SPLITS, LabelledFrame


@dataclass(frozen=True)
class FitParameters(Settings):
    """The input ``parameters`` of a fit."""

    what: ClassVar[str] = "training parameter"

    family: str = word(("pod",), "pod", help="Family of potentials")
    protocol: str = word(("student",), "student", help="A fit has one protocol: all is solved at once")
    seed: int = whole(
        ALL_FRAMES_SEED,
        help=f"Member of a committee: {ALL_FRAMES_SEED} is fitted to all training frames, every other one to as many "
        "that are drawn with replacement",
        least=0,
        most=MAX_SEED,
    )
    settings: dict[str, Any] = setting(Json(help="Settings of POD that differ from their defaults"), {})
    dtype: str = word(("float64",), "float64", help="Precision")
    max_train_frames: int = whole(50, help="Training frames that are evaluated too, evenly spread", least=1, most=10**6)

    def check_together(self) -> None:
        """Refuse settings of POD that are unknown or not valid.

        :raises SettingsError: saying which.
        """
        _ = self.pod

    @property
    def pod(self) -> PodSettings:
        """The settings of this member."""
        return member_settings(PodSettings.from_dict(self.settings), self.seed)


def validate_fit_parameters(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with parameters; ``None`` if nothing is."""
    try:
        FitParameters.from_dict(value.get_dict() if value is not None else {})
    except SettingsError as error:
        return str(error)
    return None


def validate_fit_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return why a dataset cannot be fitted with these parameters; ``None`` if it can."""
    dataset, parameters = inputs.get("dataset"), inputs.get("parameters")
    if dataset is None or parameters is None:
        return None
    if inputs.get("parent") is not None or inputs.get("parent_checkpoint") is not None:
        return "POD starts from nothing: leave parent and parent_checkpoint out"
    try:
        _check(dataset, FitParameters.from_dict(parameters.get_dict()).pod)
    except ValueError as error:
        return str(error)
    return None


def evaluated_rows(frames: Sequence[LabelledFrame], max_train_frames: int) -> list[int]:
    """Return the rows of the frames that are evaluated: all but training frames, and a sample of those."""
    train = [row for row, frame in enumerate(frames) if frame.split == "train"]
    places = np.unique(np.linspace(0, len(train) - 1, min(len(train), max_train_frames)).round().astype(int))
    chosen = {train[place] for place in places}
    return [row for row, frame in enumerate(frames) if frame.split != "train" or row in chosen]


def reference_place(evaluated: Sequence[LabelledFrame]) -> int:
    """Return the place of the training frame that later jobs recognise the potential by: the one of the largest force.

    On the sites of a crystal an exchange of elements may leave the energy as it is; away from them it does not.
    """
    train = [place for place, frame in enumerate(evaluated) if frame.split == "train"]
    return max(train, key=lambda place: float(np.abs(evaluated[place].forces).max()))


def _check(dataset: orm.ArrayData, settings: PodSettings) -> None:
    attributes = dataset.base.attributes.all
    missing = [name for name in ("sources", "elements", "compositions", "closest_pairs_A") if name not in attributes]
    if missing or "split" not in dataset.get_arraynames():
        raise ValueError("dataset must be what ion.training_dataset made")
    elements = attributes["elements"]
    for composition in attributes["compositions"]:
        lacking = sorted(set(elements) - set(composition))
        if lacking:
            raise ValueError(
                f"a cell of the dataset has no {', '.join(lacking)}: every cell of a POD potential must have each of "
                f"{', '.join(elements)}, since its atom types are numbered by them; fit one potential for each"
            )
    basis_of(settings, len(elements))
    closest_A = min(attributes["closest_pairs_A"].values(), default=np.inf)
    if settings.rin_A >= closest_A:
        raise ValueError(f"rin_A = {settings.rin_A:g} must be below the closest pair of the dataset, {closest_A:.3g}")
    sizes = np.array([_n_atoms(source) for source in attributes["sources"]])
    if sizes.max() > MAX_ATOMS:
        raise ValueError(f"a frame of the dataset has {sizes.max()} atoms; fit to cells of at most {MAX_ATOMS}")
    of_train = dataset.get_array("source")[dataset.get_array("split") == SPLITS.index("train")]
    if not len(of_train):
        raise ValueError("the dataset has no training frames")
    check_size(settings, len(elements), int(3 * sizes[of_train].sum()))


def _n_atoms(source: Mapping[str, Any]) -> int:
    try:
        return len(orm.load_node(uuid=source["trajectory"]).base.attributes.get("symbols"))
    except NotExistent as error:
        raise ValueError(f"the trajectory {source['trajectory']} of the dataset is not in this profile") from error
