"""Settings of a dataset, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.lists import Many, Table
from aiida_ion.settings.rules import MAX_SEED, Word
from aiida_ion.settings.schema import Settings, number, setting, whole, word
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.frames import SPLITS

BY_RUN, BY_BLOCK, INTERPOLATED, GIVEN = "by_run", "by_block", "interpolated", "given"
SPLIT_RULES = (BY_RUN, BY_BLOCK, INTERPOLATED, GIVEN)
#: What is refused unless it is named.
ALLOWED = ("gamma_only", "low_cutoffs", "k_spacing", "work", "energy_zero")


@dataclass(frozen=True)
class DatasetSettings(Settings):
    """Settings of the calculation function ``ion.training_dataset``."""

    what: ClassVar[str] = "dataset setting"

    stride_fs: float | None = number(
        None,
        help="Time between two frames of a run; not given: the decay of its forces, at least 50",
        above=0,
        unit="fs",
    )
    split: str | None = word(
        SPLIT_RULES,
        None,
        help="What separates training, validation and test; not given: whole runs where there are three or more, else "
        "blocks of each run",
    )
    splits: dict[str, str] = setting(
        Table(help="Of `given`: the split of each source, or by_block", item=Word(choices=(*SPLITS, BY_BLOCK))), {}
    )
    test_temperature_K: float | None = number(
        None, help="Temperature of the test, of `by_run`; not given: the highest", above=0, unit="K"
    )
    max_frames: int | None = whole(None, help="Most frames, spread evenly over those that could be used", least=3)
    max_force_eV_A: float = number(
        30.0, help="Frames with a larger force on an atom are left out", above=0, unit="eV/angstrom"
    )
    max_net_force_eV_A: float = number(
        0.01, help="Largest sum of the forces, per atom, that is not refused", above=0, unit="eV/angstrom"
    )
    allow: tuple[str, ...] = setting(
        Many(help="What is accepted though it is usually refused", item=Word(choices=ALLOWED), may_be_empty=True), ()
    )
    seed: int = whole(0, help="Seed of `interpolated`", least=0, most=MAX_SEED)

    def check_together(self) -> None:
        """Refuse splits that are given without their rule, and the reverse."""
        if bool(self.splits) != (self.split == GIVEN):
            raise SettingsError("split is given exactly where splits name the split of each source")
        if self.test_temperature_K is not None and self.split not in (None, BY_RUN):
            raise SettingsError(f"test_temperature_K belongs to split {BY_RUN}, not {self.split}")
