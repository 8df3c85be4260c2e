"""A checkpoint in words, for `taxcheck inspect`."""

from __future__ import annotations

from collections.abc import Iterator

from taxcheck.sources.checkpoints.value import Checkpoint

_LISTED = 40


def describe(checkpoint: Checkpoint) -> Iterator[str]:
    """Lines that tell format, arrays, geometry with its reasons, and what the engine recorded."""
    reading, facts = checkpoint.reading, checkpoint.facts
    yield f"{checkpoint.path}: {checkpoint.format}, {checkpoint.bytes:,} bytes"
    yield f"fingerprint  {checkpoint.fingerprint}"
    yield (
        f"table        {checkpoint.key}: {checkpoint.rows:,} rows, dimension {checkpoint.dim}, "
        + (checkpoint.dtype)
    )
    clip = "unknown" if reading.clip is None else f"{reading.clip:.6g}"
    yield (
        f"geometry     {reading.geometry.value} ({reading.confidence}), curvature "
        f"-{reading.curvature:g}, clip {clip}"
    )
    for reason in reading.reasons:
        yield f"             {reason}"
    if checkpoint.labels is None:
        yield "labels       none: row k is idx k"
    else:
        first = ", ".join(str(label) for label in checkpoint.labels[:3].to_pylist())
        yield f"labels       {len(checkpoint.labels):,}, first: {first}"
    for note in checkpoint.notes:
        yield f"note         {note}"
    yield "arrays"
    for tensor in checkpoint.tensors[:_LISTED]:
        shape = " x ".join(f"{size:,}" for size in tensor.shape) or "scalar"
        yield f"  {tensor.key}  {shape}  {tensor.dtype}"
    if len(checkpoint.tensors) > _LISTED:
        yield f"  and {len(checkpoint.tensors) - _LISTED:,} more"
    stated = {
        "epoch": facts.epoch,
        "max_depth": facts.max_depth,
        "n_nodes": facts.n_nodes,
        "stopped_early": facts.stopped_early,
        **facts.config,
        **facts.recorded,
    }
    known = {name: value for name, value in stated.items() if value is not None}
    if known:
        yield "recorded"
        for name, value in known.items():
            yield f"  {name} = {value}"
    if facts.update_counts is not None:
        idle = int((facts.update_counts == 0).sum())
        yield f"  updates of every row; {idle:,} rows with none"
    if facts.history:
        yield f"  a log of {len(facts.history):,} epochs"
