"""For a training loop of one's own: the gate before it, a look at the table in it, the audit after.

    guard = taxcheck.callback.Guard("mapping.tsv", "pairs.parquet", geometry="ball")
    guard.before()
    for epoch in range(epochs):
        ...
        guard.after_epoch(epoch, model.embedding)
    guard.finish(model.embedding)

Nothing here imports torch: a table is whatever can become a NumPy array.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.errors import UsageError
from taxcheck.report import RenderOptions, Report
from taxcheck.rule import Outcome
from taxcheck.sound import UnsoundError, assert_dataset_sound, explain, run

# What no further epoch mends: rows that are no points.
FATAL = ("EMB002", "EMB003")
ROWS = 20_000
_log = logging.getLogger("taxcheck")


class Guard:
    """Gates and audits one training; its methods raise UnsoundError, which has the report.

    ``mapping``, ``pairs``, ``policy`` and ``options`` are those of ``taxcheck.sound.run``.
    ``geometry`` ("ball", "lorentz", "tangent", "euclidean") and ``curvature`` say what the rows
    are; otherwise it is told from the numbers, which early epochs may not show.
    """

    def __init__(
        self,
        mapping: str | Path | None = None,
        pairs: str | Path | None = None,
        *,
        every: int = 10,
        rows: int = ROWS,
        fatal: tuple[str, ...] = FATAL,
        geometry: str | None = None,
        curvature: float | None = None,
        **options: Any,
    ) -> None:
        if every < 1 or rows < 1:
            raise UsageError(f"every = {every} and rows = {rows} must be 1 or more")
        self._mapping, self._pairs, self._options = mapping, pairs, options
        self._every, self._rows, self._fatal = every, rows, frozenset(fatal)
        self._reading = {"geometry": geometry, "curvature": curvature}

    def before(self) -> Report:
        """The gate: the report of sound data, or UnsoundError before an hour of training."""
        options = {k: v for k, v in self._options.items() if k not in ("embeddings", "initial")}
        return assert_dataset_sound(self._mapping, self._pairs, audited=False, **options)

    def after_epoch(self, epoch: int, table: object) -> Report | None:
        """Every so many epochs, a look at up to ``rows`` rows of the table; else None.

        They are judged alone, as points, so the time is bounded whatever the data is. Findings are
        logged, for more training may mend them; those that it cannot mend (``fatal``) raise.
        """
        if epoch % self._every:
            return None
        shown = f"table of epoch {epoch}"
        report = self._audited(_rows(table, self._rows), shown, None)
        found = {one.rule.id for one in report.results if one.outcome is Outcome.FAIL}
        if found & self._fatal:
            raise UnsoundError(report)
        if report.causes:
            _log.warning("%s: %s", shown, explain(report))
        else:
            _log.info("%s: %s", shown, report.headline)
        return report

    def finish(self, table: object, html: str | Path | None = None) -> Report:
        """The audit of the whole table with its data; ``html`` is written whatever it says."""
        report = self._audited(_rows(table, None), "trained table", html)
        if report.exit_code:
            raise UnsoundError(report)
        return report

    def _audited(
        self, vectors: npt.NDArray[np.generic], shown: str, html: str | Path | None
    ) -> Report:
        """The report on a table, alone where it is one of an epoch."""
        whole = shown == "trained table"
        with tempfile.TemporaryDirectory(prefix="taxcheck-") as folder:
            path = Path(folder) / "table.npy"
            np.save(path, vectors, allow_pickle=False)
            options = {**self._options, **self._reading, "embeddings": path, "title": shown}
            options.pop("cache", None)  # no table is met twice
            if whole:
                options["drawn"] = html is not None
                report = run(self._mapping, self._pairs, **options)
            else:
                report = _alone(path, **options)
            inputs = (
                replace(one, path=shown) if one.path == str(path) else one for one in report.inputs
            )
            report = replace(report, inputs=tuple(inputs))
        if html is not None:
            from taxcheck.output import write_text
            from taxcheck.registry import load_renderers

            write_text(str(html), load_renderers()["html"](report, RenderOptions()))
        return report


def _alone(path: Path, **options: Any) -> Report:
    """The report on rows without their data, under the policy of the data."""
    from taxcheck.config import load_policy
    from taxcheck.pipeline import check
    from taxcheck.registry import load_rules
    from taxcheck.request import Request

    policy = options.get("policy")
    loaded = load_policy(None if policy is None else Path(policy), load_rules())
    return check(
        Request(
            embeddings=str(path),
            geometry=options["geometry"],
            curvature=options["curvature"],
            policy=replace(loaded, waivers=()),  # of findings of the data, which are not asked for
            seed=options.get("seed", 0),
            drawn=False,
            title=options["title"],
        )
    )


def _rows(table: Any, most: int | None) -> npt.NDArray[np.generic]:
    """Rows of a tensor, an array or a module with one table: all, or a seeded sample of them."""
    if hasattr(table, "parameters"):
        table = _table_of(table)
    if hasattr(table, "detach"):
        table = table.detach()
    if len(getattr(table, "shape", ())) != 2:
        raise UsageError(
            f"a table has rows and columns, this {type(table).__name__} has the shape "
            f"{tuple(getattr(table, 'shape', ()))}"
        )
    count = int(table.shape[0])
    if most is not None and count > most:  # before anything leaves the device
        chosen = np.random.default_rng(0).choice(count, most, replace=False)
        table = table[np.sort(chosen).tolist()]
    if hasattr(table, "cpu"):
        table = table.cpu()
    try:
        return np.asarray(table)
    except TypeError:  # bfloat16, which NumPy does not know
        return np.asarray(table.float())


def _table_of(module: Any) -> Any:
    """The one table of a module, such as an Embedding's weight."""
    if hasattr(module, "weight"):
        return module.weight
    tables = [one for one in module.parameters() if len(one.shape) == 2]
    if len(tables) != 1:
        raise UsageError(
            f"{type(module).__name__} has {len(tables)} tables: give the one to audit, such as "
            "model.embedding.weight"
        )
    return tables[0]
