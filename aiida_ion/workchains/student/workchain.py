"""``ion.student``: a fast potential for one crystal, fitted to a slow one, until its runs survive."""

from __future__ import annotations

from typing import Any

from aiida import orm
from aiida.engine import ExitCode, WorkChain, if_, while_
from aiida.plugins import CalculationFactory, WorkflowFactory

from aiida_ion.calculations.functions import make_supercell
from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.generated import generate_frames, pick_frames, push_pairs
from aiida_ion.calculations.training.student_report import student_report
from aiida_ion.calculations.training.watch import WatchCalculation
from aiida_ion.exit_codes import is_usable
from aiida_ion.units import FS_PER_PS
from aiida_ion.workchains.cleaning import CleaningMixin
from aiida_ion.workchains.conductivity.relaxation import is_relaxed
from aiida_ion.workchains.labels import LabelsWorkChain
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.student.engines import potential_files, student_engine
from aiida_ion.workchains.student.inputs import (
    dataset_nodes,
    dataset_parameters,
    define_students,
    training_inputs,
    validate_inputs,
    watch_inputs,
)
from aiida_ion.workchains.student.loop import (
    ACCEPT,
    ACCEPTED,
    EXPLORE,
    RETRAIN,
    RUN_LONGER,
    next_step,
    survival,
)
from aiida_ion.workchains.student.outputs import define_outputs, loop_record, report_parameters
from aiida_ion.workchains.student.parameters import CHECK, StudentParameters
from aiida_ion.workchains.student.runs import (
    check_settings,
    has_ended,
    pick_settings,
    run_settings,
    seen,
    share,
    survived_ps,
    trajectories_of,
)
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
        self.ctx.structure = self.inputs.structure

    def needs_relaxation(self) -> bool:
        """Whether the ions are relaxed first."""
        return self._parameters.relax

    def relax(self) -> None:
        """Submit the relaxation of the ions by the teacher, in the fixed cell."""
        builder = relaxation_builder(self.inputs)
        builder.metadata.call_link_label = "relax"
        self.to_context(relaxation=self.submit(builder))

    def inspect_relaxation(self) -> ExitCode | None:
        """Take the relaxed ions."""
        if not is_relaxed(self.ctx.relaxation):
            return self._failed("ERROR_TEACHER_FAILED", outcome(self.ctx.relaxation))
        self.ctx.structure = self.ctx.relaxation.outputs.structure
        return None

    def repeat_cell(self) -> None:
        """Make the cell that is simulated."""
        cell: Any = make_supercell(self.ctx.structure, orm.Dict(self._parameters.supercell_settings()))
        self.ctx.cell = cell
        self.out("supercell", cell)

    def run_teacher(self) -> None:
        """Submit the teacher's runs: for training, validation and test."""
        engine: Any = WorkflowFactory(self.inputs.teacher.entry_point.value)
        for role in ROLES:
            self.to_context(
                **{
                    f"teacher_{role}": self.submit(
                        engine, **teacher_run(self.inputs, self._parameters, role, self.ctx.cell)
                    )
                }
            )

    def inspect_teacher(self) -> ExitCode | None:
        """Take the frames of its runs as the first sources."""
        for number, role in enumerate(ROLES):
            node = self.ctx[f"teacher_{role}"]
            if not node.is_finished_ok:
                return self._failed("ERROR_TEACHER_FAILED", outcome(node))
            thermo = node.outputs.thermo
            self.ctx.sources += [
                {"trajectory": segment.pk, "thermo": thermo[key].pk, "split": role, "run": number}
                for key, segment in trajectories_of(node).items()
            ]
        return None

    def generate(self) -> None:
        """Make displaced, strained and pushed copies, which its runs never show."""
        parameters = self._parameters
        segment = next(iter(trajectories_of(self.ctx.teacher_train).values()))
        generated: Any = generate_frames(self.ctx.cell, orm.Dict({"seed": parameters.seed} | parameters.generate))
        pushed: Any = push_pairs(orm.Dict({"seed": parameters.seed} | parameters.push), trajectory_000=segment)
        self.ctx.to_label = {"generated": generated.pk, "pushed": pushed.pk}

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
        number = 1 + max(source["run"] for source in self.ctx.sources)
        self.ctx.sources = self.ctx.sources + [
            {"trajectory": self.ctx.to_label[key], "labels": node.pk, "split": "train", "run": number + offset}
            for offset, (key, node) in enumerate(labels.items())
        ]
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
        dataset: Any = training_dataset(
            orm.Dict(dataset_parameters(self.ctx.sources)), **dataset_nodes(self.ctx.sources)
        )
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
        """Submit the student's runs, each from other velocities."""
        parameters, stage = self._parameters, self.ctx.stage
        self._submit_runs(
            [
                run_settings(parameters, stage, parameters.seed_of(1 + len(self.ctx.history), number))
                for number in range(parameters.n_seeds)
            ],
            f"{stage}_{self.ctx.n_trainings}",
        )

    def _submit_runs(self, settings: list[dict[str, Any]], label: str) -> None:
        entry_point, engine = student_engine(self.ctx.training, self.inputs.trainer.get("options"))
        chain: Any = WorkflowFactory(entry_point)
        self.ctx.runs = []
        for number, one in enumerate(settings):
            node = self.submit(
                chain,
                structure=self.ctx.cell,
                parameters=orm.Dict(one),
                engine=engine,
                metadata={"call_link_label": f"{label}_seed_{number}"},
            )
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
            node: Any = orm.load_node(run["pk"])
            watch = self.ctx.get(f"watch_{node.pk}")
            if watch is not None and "watch" not in watch.outputs:
                return self._failed("ERROR_STUDENT_RUN_FAILED", outcome(watch))
            length_ps = run["n_steps"] * run["timestep_fs"] / FS_PER_PS
            about = run | {"ended": has_ended(node), "survived_ps": survived_ps(node), "length_ps": length_ps}
            runs.append(seen(about, None if watch is None else watch.outputs.watch))
        dataset: Any = orm.load_node(self.ctx.dataset)
        about = {"stage": self.ctx.stage, "training": self.ctx.n_trainings, "runs": runs}
        self.ctx.history = [*self.ctx.history, loop_record(self.ctx.training, dataset, parameters, **about)]
        self.ctx.decision = next_step(self.ctx.history, self._cpu_s(), parameters)
        loop = self.ctx.history[-1]
        self.report(
            f"training {loop['training']} on {loop['n_train']} frames: force error {loop['force_mae_eV_A']:.3f} of "
            f"{loop['target_eV_A']:.3f} eV/angstrom; {survival(runs)}; {self.ctx.decision.replace('_', ' ')}"
        )
        if self.ctx.decision == RUN_LONGER:
            self.ctx.stage = ACCEPT
        elif self.ctx.decision == RETRAIN:
            self.ctx.to_label = self._picked(runs)
        return None

    def _picked(self, runs: list[dict[str, Any]]) -> dict[str, int]:
        """Return the frames of the runs that the teacher is asked about, and copies with pushed pairs."""
        parameters, picked = self._parameters, {}
        for number, (run, n_spread) in enumerate(zip(runs, share(parameters.n_spread_frames, len(runs)), strict=True)):
            segments = list(trajectories_of(orm.load_node(run["pk"])).values())
            if not segments:
                continue
            flagged = self.ctx[f"watch_{run['pk']}"].outputs.watch.base.attributes.get("flagged")
            nodes = {f"trajectory_{index:03d}": segment for index, segment in enumerate(segments)}
            try:
                frames: Any = pick_frames(orm.Dict(pick_settings(run, flagged, n_spread, parameters)), **nodes)
            except ValueError as error:  # every frame is beyond what a label could tell
                self.report(f"no frame of run {run['pk']} is labelled: {error}")
                continue
            picked[f"picked_{number}"] = frames.pk
        if picked:
            frames_by_name: dict[str, Any] = {
                f"trajectory_{index:03d}": orm.load_node(pk) for index, pk in enumerate(picked.values())
            }
            settings = {"seed": parameters.seed + self.ctx.n_trainings} | parameters.push
            pushed: Any = push_pairs(orm.Dict(settings), **frames_by_name)
            picked["pushed"] = pushed.pk
        return picked

    def _cpu_s(self) -> float:
        """Return the CPU time of all jobs so far, s."""
        jobs = [child for child in self.node.called_descendants if isinstance(child, orm.CalcJobNode)]
        costs = [job.outputs.cost.get_dict() for job in jobs if "cost" in job.outputs]
        return float(sum(cost.get("cpu_time_s") or cost.get("wall_time_s") or 0.0 for cost in costs))

    def run_check(self) -> None:
        """Submit runs as the teacher's own, to compare with them."""
        seeds = [self._parameters.seed_of(CHECK, number) for number in range(self._parameters.n_seeds)]
        self._submit_runs([check_settings(self._parameters, seed) for seed in seeds], "check")

    def conclude(self) -> ExitCode | None:
        """Attach the last student and its record."""
        job: Any = self.ctx.training
        dataset: Any = orm.load_node(self.ctx.dataset)
        checks: list[Any] = [orm.load_node(run["pk"]) for run in self.ctx.runs]
        runs = {f"teacher_{i}": node for i, node in enumerate(trajectories_of(self.ctx.teacher_test).values())}
        segments = [segment for node in checks if node.is_finished_ok for segment in trajectories_of(node).values()]
        runs |= {f"student_{i}": segment for i, segment in enumerate(segments)}
        runs_of_loop: list[Any] = [orm.load_node(run["pk"]) for run in self.ctx.history[-1]["runs"]]
        about = report_parameters(job, self.ctx.teacher_test, checks, runs_of_loop, self.ctx.sources, self._parameters)
        about |= {"history": self.ctx.history, "outcome": self.ctx.decision, "cpu_time_s": self._cpu_s()}
        self.out("dataset", dataset)
        self.out("training", job.outputs.report)
        for name, node in potential_files(job).items():
            self.out(f"potential.{name}", node)
        self.out("report", student_report(orm.Dict(about), dataset=dataset, training=job.outputs.report, **runs))
        if self.ctx.decision == ACCEPTED:
            return None
        last, why = self.ctx.history[-1], self.ctx.decision.replace("_", " ")
        detail = f"{why} after {last['training']} trainings: {survival(last['runs'])}"
        return self.exit_codes.WARNING_NOT_ACCEPTED.format(detail=detail)  # type: ignore[no-any-return]

    def _failed(self, label: str, detail: str) -> ExitCode:
        code: ExitCode = self.exit_codes[label].format(detail=detail)
        return code
