"""The parameters of ``ion.student``, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiida_ion.settings.elements import Element
from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import TEMPERATURE_K, TIME_PS
from aiida_ion.settings.rules import MAX_SEED, Json, Number
from aiida_ion.settings.schema import Settings, flag, number, setting, whole
from aiida_ion.settings.values import SettingsError
from aiida_ion.training.acceptance import MIN_FRAMES
from aiida_ion.units import FS_PER_PS

SEEDS_OF_A_LOOP, SEEDS_OF_A_STUDENT = 32, 4096
#: The runs that are compared with the teacher's own have the seeds of this loop.
CHECK = SEEDS_OF_A_STUDENT // SEEDS_OF_A_LOOP - 1


@dataclass(frozen=True)
class StudentParameters(Settings):
    """How a student is made of a teacher, and when it is accepted."""

    what: ClassVar[str] = "student setting"

    max_temperature_K: float = number(help="Highest temperature at which the student is to run", **TEMPERATURE_K)
    target_force_error_eV_A: float | None = number(
        None,
        help="Mean absolute force error on the teacher's own run that is accepted; not given: the fraction below",
        above=0.0,
        unit="eV/angstrom",
    )
    target_force_fraction: float = number(
        0.15, help="The same, as a fraction of the mean length of the force vectors there", above=0.0, most=1.0
    )
    relax: bool = flag(True, help="Whether the teacher relaxes the ions first, in the fixed cell")
    supercell: list[int] | None = setting(
        Many(item=Number(least=1, most=20, whole=True), length=3, optional=True, help="Multiples of the cell"), None
    )
    min_width_A: float = number(
        9.0,
        help="Least width of the cell that is simulated, without `supercell`",
        above=0.0,
        most=100.0,
        unit="angstrom",
    )
    timestep_fs: float = number(2.0, help="Time step of teacher and student", above=0.0, most=10.0, unit="fs")
    sample_every: int = whole(5, help="Steps between two frames of the teacher", least=1, most=1000)
    student_sample_every: int = whole(10, help="Steps between two frames of the student", least=1, most=1000)
    teacher_temperature_ratio: float = number(
        1.2, help="Temperature of the teacher's runs over the highest temperature", least=0.5, most=3.0
    )
    n_train_steps: int = whole(300, help="Steps of the teacher's run that is trained on", least=1, most=10**7)
    n_validation_steps: int = whole(100, help="Steps of its run for validation", least=1, most=10**7)
    n_test_steps: int = whole(
        300,
        help="Steps of its run for the test, with which the student's displacement, g(r) and diffusivity are compared",
        least=1,
        most=10**7,
    )
    mobile_species: str | None = setting(
        Element(optional=True, help="Element whose diffusivity is compared with the teacher's"),
        None,
    )
    generate: dict[str, Any] = setting(
        Json(help="Settings of `ion.generate_frames`: displaced and strained copies of the crystal"), {}
    )
    push: dict[str, Any] = setting(
        Json(help="Settings of `ion.push_pairs`: one pair of each kind of elements pushed together"), {}
    )
    acceptance_temperature_ratio: float = number(
        1.1, help="Temperature of the student's runs over the highest temperature", least=1.0, most=3.0
    )
    explore_ps: float = number(5.0, help="Length of the runs of a loop before the acceptance", **TIME_PS)
    acceptance_ps: float = number(100.0, help="Length of the runs that must survive", **TIME_PS)
    n_seeds: int = whole(3, help="Runs that must survive, each from other velocities", least=1, most=20)
    n_last_frames: int = whole(4, help="Frames before the end of a failed run that are labelled", least=1, most=100)
    n_spread_frames: int = whole(12, help="Frames spread over the runs of a loop that are labelled", least=0, most=1000)
    max_loops: int = whole(8, help="Trainings before it is given up", least=1, most=50)
    max_cpu_hours: float = number(10.0, help="CPU time after which no other loop begins", above=0.0, most=1e6, unit="h")
    diverged_ratio: float = number(
        2.0, help="Force error over the smallest of earlier loops above which it is given up", above=1.0, most=100.0
    )
    pair_margin_A: float | None = number(
        None,
        help="How far below the closest pair of the training frames a run may come; not given: the bounds of the "
        "dataset, from the teacher's runs for validation and test",
        least=0.0,
        unit="angstrom",
    )
    seed: int = whole(1, help="Seed of all runs and of the first member", least=1, most=MAX_SEED)

    def check_together(self) -> None:
        """Refuse runs of less than a step, and a test that has no displacement to compare with.

        :raises SettingsError: naming the setting.
        """
        for name in ("explore_ps", "acceptance_ps"):
            if getattr(self, name) * FS_PER_PS < self.timestep_fs * self.student_sample_every:
                raise SettingsError(f"{name} is shorter than the time between two frames of the student")
        if self.n_test_steps < (MIN_FRAMES - 1) * self.sample_every:
            raise SettingsError(
                f"n_test_steps is {self.n_test_steps}: the teacher's test has fewer than {MIN_FRAMES} frames, one in "
                f"{self.sample_every} steps"
            )
        if self.explore_ps > self.acceptance_ps:
            raise SettingsError("explore_ps must not be above acceptance_ps")

    def supercell_settings(self) -> dict[str, Any]:
        """Return what ``make_supercell`` gets: the multiples, or the rule that finds them."""
        if self.supercell:
            return {"multiples": list(self.supercell)}
        return {"min_width_A": self.min_width_A, "supercell_rule": "width"}

    @property
    def teacher_temperature_K(self) -> float:  # noqa: N802
        """Temperature of the teacher's runs, K."""
        return self.teacher_temperature_ratio * self.max_temperature_K

    @property
    def student_temperature_K(self) -> float:  # noqa: N802
        """Temperature of the student's runs, K."""
        return self.acceptance_temperature_ratio * self.max_temperature_K

    def seed_of(self, loop: int, number: int) -> int:
        """Return the seed of a run, which no other run of the student has.

        :param loop: 0 for the teacher's runs, then the loops, :data:`CHECK` for the runs that are compared.
        :param number: of the run in the loop.
        """
        return SEEDS_OF_A_STUDENT * self.seed + SEEDS_OF_A_LOOP * loop + number

    def n_student_steps(self, stage: str) -> int:
        """Return the steps of a run of the student.

        :param stage: ``explore`` or ``accept``.
        """
        length_ps = self.explore_ps if stage == "explore" else self.acceptance_ps
        steps = round(length_ps * FS_PER_PS / self.timestep_fs)
        return max(self.student_sample_every, steps - steps % self.student_sample_every)
