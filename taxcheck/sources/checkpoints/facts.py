"""What an engine recorded about its training, under the field's names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from taxcheck.model.finding import Scalar
from taxcheck.sources.checkpoints.checkpoint import Facts
from taxcheck.sources.checkpoints.contents import Flat, Stored
from taxcheck.sources.checkpoints.row_names import LABEL_MAPS

_CONTAINERS = {
    "conf", "config", "cfg", "args", "opt", "options", "hparams", "hyper_parameters",
    "hyperparameters", "hyperparams", "params", "settings", "model_config", "model_args",
    "train_config", "training_args", "training_config", "metadata",
}  # fmt: skip
_ALIASES = {
    # The pull to the radius of a row's depth. Names of any regularizer, such as lambda or gensim's
    # regularization_coeff, an L2 term, do not say that they are this one.
    "lambda_reg": ("lambda_reg", "reg_lambda"),
    "max_norm": ("max_norm", "maxnorm", "norm_clip", "ball_max_norm", "clip_norm_to"),
    "init_max_radius": ("init_max_radius", "init_max_norm", "max_init_radius", "radius_max"),
    "early_stopping": ("early_stopping", "early_stopping_patience", "patience"),
    "lr": ("lr", "learning_rate", "train_alpha"),
    "margin": ("margin",),
    "batch_size": ("batch_size", "batchsize", "bs"),
    "negatives": (
        "negatives", "negs", "n_negatives", "num_negatives", "neg_samples", "negative", "n_neg",
    ),
    "sampler": ("sampler", "sampling", "negative_sampling", "neg_sampler", "sampling_strategy"),
    "dim": ("dim", "embedding_dim", "emb_dim", "vector_size", "dimension", "dims"),
    "best_by": ("best_by", "monitor", "best_metric", "checkpoint_metric"),
    "epochs": ("epochs", "n_epochs", "num_epochs", "max_epochs"),
    "burn_in": ("burn_in", "burnin", "burn_in_epochs"),
    "manifold": ("manifold", "geometry", "space"),
    "curvature": ("curvature", "c"),
    "epsilon": ("epsilon", "eps"),
    "seed": ("seed", "random_seed"),
}  # fmt: skip
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
# Outside of a configuration these name what was measured, or something else altogether.
_ONLY_CONFIGURED = {"max_norm", "curvature", "epsilon", "epochs"}
_METRICS = {
    "train_loss": "loss", "training_loss": "loss", "total_loss": "loss", "avg_loss": "loss",
    "mrank": "mean_rank", "meanrank": "mean_rank", "maprank": "map", "max_norm": "norm_max",
    "p90_norm": "norm_p90", "norm_90": "norm_p90", "nan": "nan_steps", "steps_nan": "nan_steps",
}  # fmt: skip
_HISTORIES = {"history", "metrics_history", "log", "logs", "training_history", "epochs_log"}
_LOSSES = {"losses", "loss_history", "train_losses", "epoch_losses"}
_COUNTS = {"update_counts", "update_count", "updates", "n_updates", "num_updates", "row_updates"}
_SECOND_MOMENTS = ("exp_avg_sq", "square_avg", "sum", "exp_avg", "momentum_buffer")
# Parts of a file that say nothing about the training, one value for every row or event of it.
_NOISE = {"param_groups", "lifecycle_events", *LABEL_MAPS}
_RECORDED_LIMIT = 500  # values
_RECORDS_LIMIT = 1_000_000  # of a history
_CHUNK = 1 << 16  # rows


def facts_of(flat: Flat, shape: tuple[int, int], *, all_configured: bool = False) -> Facts:
    """Everything that the file says beside the table of this shape (rows, width).

    ``all_configured``: the file is one object, whose attributes are its configuration.
    """
    config: dict[str, Scalar] = {}
    recorded: dict[str, Scalar] = {}
    top: dict[str, Scalar] = {}
    rates: list[Scalar] = []
    for path, value in flat.values.items():
        *parents, last = path.lower().replace("-", "_").split(".")
        if _NOISE & set(parents):
            rates.extend([value] if last == "lr" and "param_groups" in parents else [])
            continue
        name = _CANONICAL.get(last)
        configured = bool(_CONTAINERS & set(parents)) or (all_configured and not parents)
        if name and (configured or (not parents and name not in _ONLY_CONFIGURED)):
            config.setdefault(name, value)
        elif len(recorded) < _RECORDED_LIMIT:
            recorded[path] = value
        if not parents or configured:
            top.setdefault(last, value)
    if rates:
        config.setdefault("lr", rates[0])
    epoch = _count(top, "epoch", "epochs_trained", "current_epoch", "last_epoch")
    return Facts(
        epoch=epoch,
        max_depth=_count(top, "max_depth"),
        n_nodes=_count(top, "n_nodes", "num_nodes", "n_entities", "num_entities", "num_embeddings"),
        stopped_early=_stopped_early(top, config, epoch),
        config=config,
        update_counts=_update_counts(flat, shape[0]),
        untouched=_untouched(flat, shape),
        history=tuple(_history(flat)),
        recorded=recorded,
    )


def _count(values: Mapping[str, Scalar], *names: str) -> int | None:
    for name in names:
        value = values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
            return int(value)
    return None


def _stopped_early(
    top: Mapping[str, Scalar], config: Mapping[str, Scalar], epoch: int | None
) -> bool | None:
    for name in ("stopped_early", "early_stopped"):
        if isinstance(stated := top.get(name), bool):
            return stated
    waited, patience = _count(top, "epochs_without_improvement"), _count(config, "early_stopping")
    if waited is not None and patience and waited >= patience:
        return True
    planned = _count(config, "epochs")
    return False if planned and epoch is not None and epoch >= planned - 1 else None


def _update_counts(flat: Flat, rows: int) -> npt.NDArray[np.int64] | None:
    for name, array in flat.arrays.items():
        known = name.rsplit(".", 1)[-1] in _COUNTS or name == "counts"
        if known and array.shape == (rows,) and array.dtype[0] in "iu":
            return array.array().astype(np.int64)
    return None


def _untouched(flat: Flat, shape: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """Rows whose moments are all zero: an optimizer that ever saw a gradient leaves a trace."""
    for kind in _SECOND_MOMENTS:
        states = [
            array
            for name, array in flat.arrays.items()
            if name.rsplit(".", 1)[-1] == kind
            and array.is_table
            and array.shape in (shape, (shape[0], 1))
        ]
        if len(states) == 1:
            return _zero_rows(states[0])
    return None


def _zero_rows(state: Stored) -> npt.NDArray[np.bool_]:
    values = state.array()
    zero = np.empty(len(values), np.bool_)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        zero[start : start + len(part)] = ~(part != 0).any(axis=1)
    return zero


def _history(flat: Flat) -> Iterator[Mapping[str, float]]:
    """Records of epochs: as the file has them, or else from columns with a value for each."""
    for path, rows in flat.records.items():
        if path.rsplit(".", 1)[-1].lower() in _HISTORIES:
            for record in rows:
                yield {
                    _metric(name): float(value)
                    for name, value in record.items()
                    if isinstance(value, int | float)
                }
            return
    columns = _columns(flat)
    epochs = columns.pop("epoch", [])
    for number in range(max(map(len, columns.values()), default=0)):
        # Columns have a gap, NaN, where a metric was not taken; a loss always is.
        yield {"epoch": epochs[number] if number < len(epochs) else float(number)} | {
            name: column[number]
            for name, column in columns.items()
            if number < len(column) and (name == "loss" or not math.isnan(column[number]))
        }


def _columns(flat: Flat) -> dict[str, list[float]]:
    """Lists and arrays of numbers by what they measure, the first of each."""
    columns: dict[str, list[float]] = {}
    for path, values in flat.lists.items():
        *parents, last = path.lower().split(".")
        named = parents and parents[-1] in _HISTORIES
        if (named or last in _LOSSES) and values and all(type(v) in (int, float) for v in values):
            name = "loss" if last in _LOSSES else _metric(last)
            columns.setdefault(name, [float(v) for v in values])  # type: ignore[arg-type]
    for path, array in flat.arrays.items():
        *parents, last = path.lower().split(".")
        if parents and parents[-1] in _HISTORIES and len(array.shape) == 1:
            column = array.array()[:_RECORDS_LIMIT]
            if column.dtype.kind in "fiu":
                columns.setdefault(_metric(last), column.astype(np.float64).tolist())
    return columns


def _metric(name: str) -> str:
    lowered = name.lower()
    return _METRICS.get(lowered, lowered)
