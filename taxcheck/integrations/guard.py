"""For a training loop of one's own: the gate before it, a look at the table in it, the audit after.

    guard = taxcheck.Guard("mapping.tsv", "pairs.parquet", geometry="ball")
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
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from msgspec import structs

from taxcheck.integrations.assert_sound import (
    Given,
    UnsoundError,
    assert_sound,
    explain,
    pushed,
    request_of,
)
from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import RuleResult
from taxcheck.policy.model import Policy
from taxcheck.run.request import Request

if TYPE_CHECKING:
    from taxcheck.integrations.push import Pusher

ROWS = 20_000
_log = logging.getLogger("taxcheck")


class Guard:
    """Gates and audits one training; its methods raise UnsoundError, which has the report.

    ``mapping``, ``pairs``, ``policy`` and ``options`` are those of ``assert_sound.run``; with
    ``to`` or $TAXCHECK_TO every report is pushed.
    ``geometry`` ("ball", "lorentz", "tangent", "euclidean") and ``curvature`` say what the rows
    are; otherwise a parameter of geoopt or HypLL says it by its manifold, and any other table by
    its numbers, which early epochs may not show.
    """

    def __init__(
        self,
        mapping: Given = None,
        pairs: Given = None,
        *,
        every: int = 10,
        rows: int = ROWS,
        fatal: tuple[str, ...] | None = None,
        geometry: str | None = None,
        curvature: float | None = None,
        to: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> None:
        if every < 1 or rows < 1:
            raise UsageError(f"every = {every} and rows = {rows} must be 1 or more")
        self._mapping, self._pairs, self._options = mapping, pairs, options
        self._every, self._rows, self._fatal = every, rows, fatal
        self._reading = {"geometry": geometry, "curvature": curvature}
        self._where = (to, project, dataset, token)
        self._pusher: Pusher | None = None  # of the first report, and all that follow

    def before(self) -> Report:
        """The gate: the report of sound data, or UnsoundError before an hour of training."""
        options = {k: v for k, v in self._options.items() if k not in ("embeddings", "initial")}
        options |= dict(zip(("to", "project", "dataset", "token"), self._where, strict=True))
        return assert_sound(self._mapping, self._pairs, audited=False, **options)

    def after_epoch(self, epoch: int, table: object) -> Report | None:
        """Every so many epochs, a look at up to ``rows`` rows of the table; else None.

        They are judged alone, as points, so the time is bounded whatever the data is. Findings are
        logged, for more training may mend them; those that it cannot mend (``fatal``) raise.
        """
        if epoch % self._every:
            return None
        shown = f"table of epoch {epoch}"
        report = self._audited(rows_of(table, self._rows), shown, space_of(table))
        failed = [one for one in report.results if one.outcome is Outcome.FAIL]
        if any(self._ends(one) for one in failed):
            raise UnsoundError(report)
        if report.by_cause:
            _log.warning("%s: %s", shown, explain(report))
        else:
            _log.info("%s: %s", shown, report.headline)
        return report

    def finish(self, table: object, html: str | Path | None = None) -> Report:
        """The audit of the whole table with its data; ``html`` is written whatever it says."""
        rows, space = rows_of(table, None), space_of(table)
        report = self._audited(rows, "trained table", space, html, whole=True)
        if report.exit_code:
            raise UnsoundError(report)
        return report

    def _ends(self, rule: RuleResult) -> bool:
        """Whether a failure of the rule ends the run: those that ``fatal`` names, by id or name."""
        return rule.fatal if self._fatal is None else bool({rule.id, rule.name} & {*self._fatal})

    def _audited(
        self,
        vectors: npt.NDArray[np.generic],
        shown: str,
        space: Mapping[str, Any],
        html: str | Path | None = None,
        *,
        whole: bool = False,
    ) -> Report:
        """The report on a table, the ``whole`` one with its data, rows of it alone.

        ``space`` is what the table's own manifold says; what the Guard was told comes before it.
        """
        told = {name: value for name, value in self._reading.items() if value is not None}
        reading = {**self._reading, **(told or space)}
        from taxcheck.integrations.push import pusher_of

        def asked(path: Path) -> Request:
            options = {**self._options, **reading, "embeddings": path, "title": shown}
            options.pop("cache", None)  # no table is met twice
            if whole:
                options["drawn"] = html is not None
                request = request_of(self._mapping, self._pairs, **options)
            else:
                request = _alone(path, **options)
            self._pusher = self._pusher or pusher_of(*self._where, request.policy)
            return request

        report = audit_of(vectors, shown, asked)
        pushed(self._pusher, report)
        if html is not None:
            from taxcheck.files import write_text
            from taxcheck.run.registry import load_renderers

            write_text(str(html), load_renderers()["html"](report, RenderOptions()))
        return report


def audit_of(
    vectors: npt.NDArray[np.generic], shown: str, asked: Callable[[Path], Request]
) -> Report:
    """The report on a table (rows, width) that is in no file; ``asked`` of one that holds it."""
    from taxcheck.run.check import check

    with tempfile.TemporaryDirectory(prefix="taxcheck-") as folder:
        path = Path(folder) / "table.npy"
        np.save(path, vectors, allow_pickle=False)
        report = check(asked(path))
    inputs = (
        structs.replace(one, path=shown) if one.path == str(path) else one for one in report.inputs
    )
    return structs.replace(report, inputs=tuple(inputs))


def _alone(path: Path, **options: Any) -> Request:
    """What is asked of rows without their data, under the policy of the data."""
    from taxcheck.policy.read import load_policy
    from taxcheck.run.registry import cause_names, load_rules

    policy = options.get("policy")
    loaded = load_policy(None if policy is None else Path(policy), load_rules(), cause_names())
    return request_of_rows(path, loaded, options)


def request_of_rows(path: Path, policy: Policy, options: Mapping[str, Any]) -> Request:
    """What is asked of rows without their data; ``options``: geometry, curvature, seed, title."""
    return Request(
        embeddings=str(path),
        geometry=options.get("geometry"),
        curvature=options.get("curvature"),
        policy=replace(policy, waivers=()),  # of findings of the data, which are not asked for
        seed=options.get("seed", 0),
        drawn=False,
        title=options["title"],
    )


def rows_of(table: Any, most: int | None) -> npt.NDArray[np.generic]:
    """Rows of a tensor, an array or a module with one table: all, or a seeded sample of them.

    A tensor on a manifold, as HypLL has it, gives the tensor itself.
    """
    table = _parameter_of(table)
    if hasattr(table, "manifold") and hasattr(table, "tensor"):
        table = table.tensor
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


def _parameter_of(table: Any) -> Any:
    return _table_of(table) if hasattr(table, "parameters") else table


_SPACES = {"PoincareBall": "ball", "PoincareBallExact": "ball", "Lorentz": "lorentz",
           "Euclidean": "euclidean"}  # fmt: skip


def space_of(table: Any) -> dict[str, Any]:
    """Geometry and curvature that the manifold of a parameter states; empty where it has none.

    UsageError for a manifold that no geometry here is.
    """
    manifold = getattr(_parameter_of(table), "manifold", None)
    if manifold is None:
        return {}
    name = type(manifold).__name__
    if name not in _SPACES:
        raise UsageError(
            f"the table lies on the manifold {name}, which taxcheck does not measure; it knows "
            f"{', '.join(sorted(set(_SPACES.values())))}"
        )
    number = getattr(manifold, "k" if name == "Lorentz" else "c", None)
    value = number() if callable(number) else number
    if value is None or name == "Euclidean":
        return {"geometry": _SPACES[name]}
    c = float(value)  # of geoopt's Lorentz k is a radius squared
    return {"geometry": _SPACES[name], "curvature": 1 / c if name == "Lorentz" else c}


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
