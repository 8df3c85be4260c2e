"""What a training finds, pushed as it is found: the gate, each evaluation, the audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import structs

from taxcheck.commands.train.story import Watcher
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.progress import Progress
from taxcheck.engine.run_folder import RunFolder
from taxcheck.integrations.guard import ROWS, audit_of, request_of_rows, rows_of
from taxcheck.integrations.push import Pushed, Pusher
from taxcheck.model.report import Report
from taxcheck.model.statistics import PairSummary, QualitySummary, ScoreSummary
from taxcheck.run.request import Request


class PushingWatcher(Watcher):
    """Shows a training as another watcher does, and pushes; ``tell`` gets what there is to say.

    An evaluation is pushed as the report on its checkpoint: up to 20,000 rows of it, judged alone
    as points, with the MAP and mean rank that the training measured.
    """

    def __init__(
        self,
        shown: Watcher,
        pusher: Pusher,
        request: Request,
        config: TrainConfig,
        out: Path,
        tell: Callable[[Pushed], None],
    ) -> None:
        self._shown, self._pusher, self._tell = shown, pusher, tell
        self._request, self._config, self._folder = request, config, RunFolder(out)
        self._pairs: PairSummary | None = None

    def reading(self, stage: str, done: int, whole: int) -> None:
        """Only shown."""
        self._shown.reading(stage, done, whole)

    def judged(self, stage: str, report: Report, page: Path) -> None:
        """The gate or the audit: its report as it is."""
        self._shown.judged(stage, report, page)
        self._pairs = report.statistics.pairs
        self._tell(self._pusher.push(report))

    def planned(self, lines: Sequence[str]) -> None:
        """Only shown."""
        self._shown.planned(lines)

    def trained(self, progress: Progress) -> None:
        """An evaluation, if this is one; whatever goes wrong with it, the training goes on."""
        self._shown.trained(progress)
        if progress.record is None or "map" not in progress.record:
            return
        try:
            done = self._pusher.push(self._evaluation(progress))
        except Exception as error:
            line = f"epoch {progress.epoch}: not pushed: {type(error).__name__}: {error}"
            done = Pushed("", "lost", " ".join(line.split()))
        self._tell(done)

    def _evaluation(self, progress: Progress) -> Report:
        from taxcheck.sources.checkpoints.opening import open_checkpoint

        title = f"{self._request.title}, epoch {progress.epoch}"
        options = {"geometry": self._config.geometry, "seed": self._config.seed, "title": title}
        path = self._folder.checkpoint
        rows = rows_of(open_checkpoint(str(path), geometry=self._config.geometry).vectors, ROWS)
        policy = self._request.policy
        report = audit_of(rows, str(path), lambda at: request_of_rows(at, policy, options))
        table = report.statistics.embeddings
        if table is None:
            return report
        table = structs.replace(table, quality=self._quality(progress))
        return structs.replace(
            report,
            command=self._request.command,
            statistics=structs.replace(report.statistics, embeddings=table),
        )

    def _quality(self, progress: Progress) -> QualitySummary:
        """What the training measured, which held it against no null."""
        pairs, record = self._pairs, progress.record or {}
        total = pairs.only_descendant + pairs.both if pairs else 0
        one = ScoreSummary(
            value=record["map"],
            ci=(None, None),
            protocol="nickel, on the sources that the training draws for its evaluations",
            sources=min(self._config.evaluate_sources, total),
            total=total,
        )
        rank = structs.replace(
            one,
            value=record["mean_rank"],
            ci=(record["mean_rank_low"], record["mean_rank_high"]),
            percentiles={50: record["rank_p50"], 99: record["rank_p99"]},
            higher_is_better=False,
        )
        return QualitySummary(seed=self._config.seed, map=one, mean_rank=rank)
