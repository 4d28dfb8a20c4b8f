"""``ion.student``: a fast potential for one crystal, fitted to a slow one, until its runs survive."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import ExitCode, WorkChain, if_, while_
from aiida.plugins import CalculationFactory, WorkflowFactory

from aiida_ion.calculations.diffusion import DiffusionCalculation
from aiida_ion.calculations.training.student_report import student_report
from aiida_ion.calculations.training.watch import WatchCalculation
from aiida_ion.exit_codes import is_usable
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.conductivity.relaxation import is_relaxed
from aiida_ion.workchains.labels import LabelsWorkChain
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.student.cells import MAIN, cell_of_run, link_label, make_cells, structures_of
from aiida_ion.workchains.student.check import check_fits
from aiida_ion.workchains.student.engines import potential_files, student_engine, watch_of_student
from aiida_ion.workchains.student.inputs import define_students, training_inputs, validate_inputs, watch_inputs
from aiida_ion.workchains.student.loop import (
    ACCEPT,
    ACCEPTED,
    EXPLORE,
    RETRAIN,
    RUN_LONGER,
    given_up,
    judged,
    next_step,
)
from aiida_ion.workchains.student.outputs import compared_runs, define_outputs, loop_record, report_parameters
from aiida_ion.workchains.student.parameters import StudentParameters
from aiida_ion.workchains.student.picks import picked_frames
from aiida_ion.workchains.student.runs import (
    comparison_settings,
    cpu_s,
    ended_run,
    has_ended,
    loop_settings,
    seen,
    trajectories_of,
)
from aiida_ion.workchains.student.sources import first_frames, gather, labelled_sources, teacher_sources
from aiida_ion.workchains.student.teacher import ROLES, define_teacher, label_inputs, relaxation_builder, teacher_run


class StudentWorkChain(CleaningMixin, WorkChain):
    """Label the teacher's own hot runs, train, run, label what went wrong, and train again."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        define_students(spec)
        define_teacher(spec)
        define_outputs(spec)
        spec.inputs.validator = validate_inputs
        spec.outline(
            cls.setup,
            if_(cls.needs_relaxation)(cls.relax, cls.inspect_relaxation),
            cls.repeat_cell,
            cls.run_teacher,
            cls.inspect_teacher,
            cls.generate,
            cls.label,
            cls.inspect_labels,
            while_(cls.goes_on)(
                if_(cls.needs_training)(cls.train, cls.inspect_training),
                cls.run_student,
                cls.watch_student,
                cls.judge,
                if_(cls.needs_training)(cls.label, cls.inspect_labels),
            ),
            cls.run_check,
            cls.fit_check,
            cls.conclude,
        )

    @property
    def _parameters(self) -> StudentParameters:
        return StudentParameters.from_dict(self.inputs.parameters.get_dict())

    def setup(self) -> None:
        """Start with nothing learnt."""
        self.ctx.sources, self.ctx.history, self.ctx.runs, self.ctx.to_label = [], [], [], {}
        self.ctx.stage, self.ctx.n_trainings, self.ctx.decision = EXPLORE, 0, RETRAIN
        self.ctx.training, self.ctx.dataset = None, None
        self.ctx.structures = structures_of(self.inputs)

    def needs_relaxation(self) -> bool:
        """Whether the ions are relaxed first."""
        return self._parameters.relax

    def relax(self) -> None:
        """Submit the relaxations of the ions by the teacher, in the fixed cell."""
        for name, structure in self.ctx.structures.items():
            builder = relaxation_builder(self.inputs, structure)
            builder.metadata.call_link_label = link_label("relax", name)
            self.to_context(**{f"relaxation_{name}": self.submit(builder)})

    def inspect_relaxation(self) -> ExitCode | None:
        """Take the relaxed ions."""
        relaxations = {name: self.ctx[f"relaxation_{name}"] for name in self.ctx.structures}
        for node in relaxations.values():
            if not is_relaxed(node):
                return self._failed("ERROR_TEACHER_FAILED", outcome(node))
        self.ctx.structures = {name: node.outputs.structure for name, node in relaxations.items()}
        return None

    def repeat_cell(self) -> None:
        """Make the cells that are simulated."""
        self.ctx.cells = make_cells(self.ctx.structures, self._parameters)
        self.ctx.cell = self.ctx.cells[MAIN]
        self.out("supercell", self.ctx.cell)

    def run_teacher(self) -> None:
        """Submit the teacher's runs of each cell: for training, validation and test."""
        engine: Any = WorkflowFactory(self.inputs.teacher.entry_point.value)
        for number, (name, cell) in enumerate(self.ctx.cells.items()):
            for role in ROLES:
                inputs = teacher_run(self.inputs, self._parameters, role, cell, name, number)
                self.to_context(**{link_label(f"teacher_{role}", name): self.submit(engine, **inputs)})

    def inspect_teacher(self) -> ExitCode | None:
        """Take the frames of its runs as the first sources."""
        runs = [(role, link_label(f"teacher_{role}", name)) for name in self.ctx.cells for role in ROLES]
        for number, (role, label) in enumerate(runs):
            node = self.ctx[label]
            if not node.is_finished_ok:
                return self._failed("ERROR_TEACHER_FAILED", outcome(node))
            self.ctx.sources = self.ctx.sources + teacher_sources(node, role, number)
        return None

    def generate(self) -> None:
        """Make displaced, strained and pushed copies, which its runs never show."""
        frames: dict[str, int] = {}
        for name, cell in self.ctx.cells.items():
            frames |= first_frames(cell, self.ctx[link_label("teacher_train", name)], self._parameters, name)
        self.ctx.to_label = frames

    def label(self) -> None:
        """Have the teacher evaluate new frames."""
        if not self.ctx.to_label:
            return
        frames: dict[str, Any] = {name: orm.load_node(pk) for name, pk in self.ctx.to_label.items()}
        inputs = label_inputs(self.inputs, self.ctx.cell, frames)
        metadata = {"call_link_label": f"labels_{self.ctx.n_trainings}"}
        self.to_context(labels=self.submit(LabelsWorkChain, **inputs, metadata=metadata))

    def inspect_labels(self) -> ExitCode | None:
        """Add the labelled frames to the sources of the next training."""
        if not self.ctx.to_label:
            return None
        labels = dict(self.ctx.labels.outputs.labels) if "labels" in self.ctx.labels.outputs else {}
        if not labels:
            return self._failed("ERROR_TEACHER_FAILED", outcome(self.ctx.labels))
        self.ctx.sources = self.ctx.sources + labelled_sources(self.ctx.to_label, labels, self.ctx.sources)
        self.ctx.to_label = {}
        return None

    def goes_on(self) -> bool:
        """Whether another training or longer runs come next."""
        return self.ctx.decision in (RETRAIN, RUN_LONGER)

    def needs_training(self) -> bool:
        """Whether the last student was not good enough."""
        return bool(self.ctx.decision == RETRAIN)

    def train(self) -> None:
        """Train on everything that is labelled."""
        self.ctx.n_trainings += 1
        dataset = gather(self.ctx.sources)
        self.ctx.dataset = dataset.pk
        job: Any = CalculationFactory(self.inputs.trainer.entry_point.value)
        self.to_context(training=self.submit(job, **training_inputs(self.inputs, dataset, self.ctx.n_trainings)))

    def inspect_training(self) -> ExitCode | None:
        """Go on with the student, if there is one."""
        job = self.ctx.training
        if "report" not in job.outputs or not is_usable(job.exit_status):
            return self._failed("ERROR_TRAINING_FAILED", outcome(job))
        return None

    def run_student(self) -> None:
        """Submit the student's runs, each from other velocities; the cells take turns."""
        settings = loop_settings(self._parameters, self.ctx.stage, 1 + len(self.ctx.history))
        self._submit_runs(settings, f"{self.ctx.stage}_{self.ctx.n_trainings}", list(self.ctx.cells.values()))

    def _submit_runs(self, settings: list[dict[str, Any]], label: str, cells: list[Any]) -> None:
        dataset: Any = orm.load_node(self.ctx.dataset)
        watch = watch_of_student(self.ctx.training, dataset, self._parameters.pair_margin_A)
        entry_point, engine = student_engine(self.ctx.training, self.inputs.trainer.get("options"), watch)
        chain: Any = WorkflowFactory(entry_point)
        self.ctx.runs = []
        for number, one in enumerate(settings):
            metadata = {"call_link_label": f"{label}_seed_{number}"}
            cell = cell_of_run(cells, number)
            inputs = {"structure": cell, "parameters": orm.Dict(one), "engine": engine, "metadata": metadata}
            node = self.submit(chain, **inputs)
            self.ctx.runs = [*self.ctx.runs, {"pk": node.pk, **one}]
            self.to_context(**{f"run_{node.pk}": node})

    def watch_student(self) -> ExitCode | None:
        """Look at every frame of the runs."""
        dataset: Any = orm.load_node(self.ctx.dataset)
        for run in self.ctx.runs:
            node: Any = orm.load_node(run["pk"])
            if has_ended(node) is None:
                return self._failed("ERROR_STUDENT_RUN_FAILED", outcome(node))
            if trajectories_of(node):
                inputs = watch_inputs(self.inputs, node, dataset, self._parameters.pair_margin_A)
                self.to_context(**{f"watch_{node.pk}": self.submit(WatchCalculation, **inputs)})
        return None

    def judge(self) -> ExitCode | None:
        """Decide what comes next, and which frames are labelled."""
        parameters, runs = self._parameters, []
        for run in self.ctx.runs:
            watch = self.ctx.get(f"watch_{run['pk']}")
            if watch is not None and "watch" not in watch.outputs:
                return self._failed("ERROR_STUDENT_RUN_FAILED", outcome(watch))
            runs.append(seen(ended_run(run), None if watch is None else watch.outputs.watch))
        dataset: Any = orm.load_node(self.ctx.dataset)
        about = {"stage": self.ctx.stage, "training": self.ctx.n_trainings, "runs": runs}
        self.ctx.history = [*self.ctx.history, loop_record(self.ctx.training, dataset, parameters, **about)]
        self.ctx.decision = next_step(self.ctx.history, cpu_s(self.node), parameters)
        self.report(judged(self.ctx.history, self.ctx.decision))
        if self.ctx.decision == RUN_LONGER:
            self.ctx.stage = ACCEPT
        elif self.ctx.decision == RETRAIN:
            watches = {run["pk"]: self.ctx.get(f"watch_{run['pk']}") for run in runs}
            self.ctx.to_label = picked_frames(runs, watches, parameters, self.ctx.n_trainings, self.report)
        return None

    def run_check(self) -> None:
        """Submit runs as the teacher's own of the first cell, to compare with them."""
        self._submit_runs(comparison_settings(self._parameters), "check", [self.ctx.cell])

    def fit_check(self) -> None:
        """Submit the fits of the diffusivities of both."""
        checks = [orm.load_node(run["pk"]) for run in self.ctx.runs]
        about = (self._parameters, self.ctx.training, self.ctx.teacher_test, checks)
        self.ctx.fits = []
        for name, inputs in check_fits(self.inputs, *about).items():
            self.ctx.fits = [*self.ctx.fits, name]
            self.to_context(**{name: self.submit(DiffusionCalculation, **inputs)})

    def conclude(self) -> ExitCode | None:
        """Attach the last student and its record."""
        job: Any = self.ctx.training
        dataset: Any = orm.load_node(self.ctx.dataset)
        checks: list[Any] = [orm.load_node(run["pk"]) for run in self.ctx.runs]
        runs_of_loop: list[Any] = [orm.load_node(run["pk"]) for run in self.ctx.history[-1]["runs"]]
        about = report_parameters(job, self.ctx.teacher_test, checks, runs_of_loop, self.ctx.sources, self._parameters)
        about |= {"history": self.ctx.history, "outcome": self.ctx.decision, "cpu_time_s": cpu_s(self.node)}
        self.out("dataset", dataset)
        self.out("training", job.outputs.report)
        for name, node in potential_files(job).items():
            self.out(f"potential.{name}", node)
        fits = {name: self.ctx[name].outputs for name in self.ctx.fits}
        runs: dict[str, Any] = dict(compared_runs(self.ctx.teacher_test, checks))
        runs |= {name: outputs.diffusion for name, outputs in fits.items() if "diffusion" in outputs}
        self.out("report", student_report(orm.Dict(about), dataset=dataset, training=job.outputs.report, **runs))
        if self.ctx.decision == ACCEPTED:
            return None
        return self._failed("WARNING_NOT_ACCEPTED", given_up(self.ctx.history, self.ctx.decision))

    def _failed(self, label: str, detail: str) -> ExitCode:
        code: ExitCode = self.exit_codes[label].format(detail=detail)
        return code
