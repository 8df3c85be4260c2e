"""`taxcheck train`: the gate, the training, the audit, and the record of all three."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxcheck.commands.explore import explored
from taxcheck.commands.train.record import (
    RunRecord,
    read_record,
    recorded_config,
    refuse_others,
    summary_of,
)
from taxcheck.engine.backend import backend_of
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import find
from taxcheck.engine.processes import LostError, Processes, joined
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.settings import check
from taxcheck.engine.stops import DivergedError, StoppedError
from taxcheck.engine.uses import unused
from taxcheck.files import write_text
from taxcheck.model.errors import TaxcheckError, UsageError
from taxcheck.model.report import RenderOptions, Report
from taxcheck.run.gather import Gathered, gather
from taxcheck.run.judge import judge
from taxcheck.run.registry import load_explorer, load_renderers
from taxcheck.run.request import Request

if TYPE_CHECKING:
    from taxcheck.engine.dataset import TrainingData
    from taxcheck.engine.progress import Progress, Trained
    from taxcheck.engine.sampling import StageDraws

_LAST_WORDS = 1.0  # seconds


class Watcher:
    """Sees what a run does while it does it; this one says nothing."""

    def reading(self, stage: str, done: int, whole: int) -> None:
        """So many bytes of an input are read."""

    def judged(self, stage: str, report: Report, page: Path) -> None:
        """The "gate" or the "audit" came to its verdict, which is written out."""

    def planned(self, lines: Sequence[str]) -> None:
        """What there is to know before the first step, a line each."""

    def trained(self, progress: Progress) -> None:
        """A step or an epoch is done."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run that was not broken off; what is None was not come to."""

    folder: RunFolder
    gate: Report
    trained: Trained | None = None
    audit: Report | None = None

    @property
    def exit_code(self) -> int:
        """That of the audit; where the data was refused, that of the gate."""
        return (self.audit or self.gate).exit_code

    @property
    def headline(self) -> str:
        """What the report that decides says first."""
        return (self.audit or self.gate).headline


def train(
    request: Request,
    out: str | Path,
    config: TrainConfig | None = None,
    *,
    preset: str = "default",
    force: bool = False,
    resume: bool = False,
    watcher: Watcher | None = None,
    given: Collection[str] = (),
) -> Finished:
    """Check the data, train on it, audit the best table; all three leave their reports in ``out``.

    ``config`` is that of the preset where it is not given, or of the run that is resumed. Of its
    keys those that are not the default, or are ``given``, are told where they have no effect. Data
    that the gate fails is trained on with ``force`` alone, or under a preset that implies it.
    Raises TaxcheckError, one line, for everything that a user can mend; run.json then says so too.

    Of the processes that ``torchrun`` started the first calls this, and the others ``follow``.
    """
    folder, see = RunFolder(Path(out)), watcher or Watcher()
    if request.pairs is None or request.embeddings is not None:
        raise UsageError("training takes `pairs`, and makes the `embeddings` itself")
    before = read_record(folder) if resume else {}
    if config is None:
        config = recorded_config(out) if resume else find(preset).config
    backend_of(check(config))  # a package that is missing shows before anything is read
    preset = before.get("preset", preset)
    force = force or find(preset).forced or bool(before.get("forced"))
    with joined(config) as processes, folder.held():
        folder.begin(resume=resume)
        record = RunRecord(folder, request, config, preset)
        try:
            return _run(
                request,
                processes,
                folder,
                config,
                record,
                see,
                before,
                force=force,
                resume=resume,
                given=given,
            )
        except KeyboardInterrupt:
            record.end("stopped", why="interrupted")
            raise StoppedError(
                f"interrupted; {folder.record} says how far it came", signal.SIGINT
            ) from None
        except BrokenPipeError:
            record.end("stopped", why="whoever read the output left")
            raise
        except TaxcheckError as error:
            if resume and isinstance(error, UsageError):
                record.put_back()  # a command that is wrong changes nothing
            else:
                record.end("stopped", why=str(error))
            raise


def follow(config: TrainConfig) -> int:
    """Take part in a run as another process than its first; the exit code is that of the first.

    It trains on what the first hands out, under the config of the first; ``config`` says where. It
    reads and writes nothing, and returns as soon as the first is done.
    """
    backend_of(check(config))
    with joined(config) as processes:
        handed: tuple[TrainingData, TrainConfig] | int = processes.share(0)
        try:
            if isinstance(handed, int):
                return _until_left(processes, handed)
            from taxcheck.engine.trainer import train

            train(*handed)
        except (DivergedError, StoppedError) as error:
            return _until_left(processes, error.exit_code)
        return processes.share(0)


def _until_left(processes: Processes, code: int) -> int:
    """The same code, when the first process has written and said all.

    Torchrun ends every process as soon as one ends with a code that is not 0.
    """
    with contextlib.suppress(LostError):
        processes.share(code)
    time.sleep(_LAST_WORDS)
    return code


def _run(
    request: Request,
    processes: Processes,
    folder: RunFolder,
    config: TrainConfig,
    record: RunRecord,
    see: Watcher,
    before: Mapping[str, Any],
    *,
    force: bool,
    resume: bool,
    given: Collection[str],
) -> Finished:
    with gather(request, see.reading) as data:
        refuse_others(before, data.inputs, folder)
        gate = judge(data)
        see.judged("gate", gate, _write(gate, folder, "gate"))
        record.judged("gate", gate)
        if gate.exit_code and not force:
            record.end("refused")
            processes.share(gate.exit_code)
            return Finished(folder, gate)
        record.keep(forced=bool(gate.exit_code), state="training")
        data = _numbered(data, folder)
        from taxcheck.engine.dataset import from_gathered  # a refused run needs no engine
        from taxcheck.engine.suited import RECOMMENDED, Shape, suited
        from taxcheck.engine.trainer import train

        work = from_gathered(data, config.table_from)
        processes.share((work, config))
        inputs = {summary.role: summary.fingerprint for summary in data.inputs}
        without_effect, shape = unused(config, given), Shape.of(work)
        fit, chosen = suited(shape), record.preset
        told = [fit.beside(chosen)] if chosen in RECOMMENDED else []

        def planned(draws: Sequence[StageDraws]) -> None:
            record.keep(
                draws=[asdict(stage) for stage in draws],
                unused=without_effect,
                suited=fit.words(shape),
            )
            see.planned([*told, *map(str, draws), *without_effect])

        trained = train(
            work,
            config,
            folder,
            observe=see.trained,
            resume=resume,
            inputs=inputs,
            planned=planned,
        )
        record.keep(training=summary_of(trained, folder), state="audit")
        data = data.with_table(str(folder.best), str(folder.initial))
        audit = judge(data)
        see.judged("audit", audit, _write(audit, folder, "audit"))
        record.judged("audit", audit)
        write_text(str(folder.explorer), load_explorer()(explored(data)))
        record.end("finished")
    processes.share(audit.exit_code)
    return Finished(folder, gate, trained, audit)


def _numbered(data: Gathered, folder: RunFolder) -> Gathered:
    """Where rows were numbered by the pairs' labels, the table is only known with that mapping."""
    mapping = data.mapping
    if mapping is None or not mapping.derived:
        return data
    import pyarrow as pa

    from taxcheck.commands.build.write import write_table

    labels = [mapping.identifiers.of(idx) for idx in range(mapping.n_nodes)]
    table = pa.table({"label": labels, "idx": range(mapping.n_nodes)})
    write_table(folder.path / "mapping.parquet", table)
    return replace(data, mapping=replace(mapping, derived=False))


def _write(report: Report, folder: RunFolder, name: str) -> Path:
    """Write a report for people and for machines; the page's path."""
    renderers = load_renderers()
    for kind in ("json", "html"):
        path = folder.path / f"{name}.{kind}"
        write_text(str(path), renderers[kind](report, RenderOptions()))
    return path
