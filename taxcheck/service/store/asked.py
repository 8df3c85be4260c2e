"""What a job can be asked to do: the fields of a command, by the names that the command gives them.

A file is ``upload:`` and the id of an upload, or the absolute path of one that the administrator
allowed jobs to read. Behind ``::`` stands what is meant inside of it: ``upload:ID::sheet``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxcheck.policy.model import FILES

Text = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
File = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
Whole = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Counted = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Share = Annotated[float, Meta(gt=0, lt=1)]


class _Data(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A mapping and its pairs; what is not named here, [inputs] of the policy may name."""

    policy: File | None = None
    mapping: File | None = None
    pairs: File | None = None
    held_out: File | None = None
    taxonomy: File | None = None
    mapping_columns: Text | None = None
    pair_columns: Text | None = None


class Gate(_Data, frozen=True, kw_only=True, tag_field="kind", tag="gate"):
    """`taxcheck run` without a trained table, whatever the policy names."""

    fail_on: Literal["fail", "warn"] = "fail"
    seed: Whole = 0
    title: Text | None = None


class Audit(_Data, frozen=True, kw_only=True, tag_field="kind", tag="audit"):
    """`taxcheck run` with a trained table."""

    embeddings: File | None = None
    initial: File | None = None
    key: Text | None = None
    geometry: Text | None = None
    curvature: Annotated[float, Meta(gt=0)] | None = None
    labels: Text | None = None
    fail_on: Literal["fail", "warn"] = "fail"
    seed: Whole = 0
    title: Text | None = None


class Repair(_Data, frozen=True, kw_only=True, tag_field="kind", tag="fix"):
    """The plan of `taxcheck fix`; nothing is repaired."""

    oversample: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    target_share: Share | None = None
    cap_depth: Counted | None = None
    materialize: bool = False


class Build(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="build",
):
    """`taxcheck build`; ``source`` may be the word ncbi as well."""

    source: File
    format: Text = "auto"
    root: Text | None = None
    clean: bool = False
    max_depth: Counted | None = None
    pairs: Text = "closure"
    split: Share | None = None
    seed: Whole = 0
    relations: Text | None = None
    namespaces: Text | None = None
    columns: Text | None = None
    inner_labels: Text | None = None
    language: Text | None = None


Asked = Gate | Audit | Repair | Build


def kind(asked: Asked) -> str:
    """The word for it: "gate", "audit", "fix" or "build"."""
    return str(asked.__struct_config__.tag)


def files(asked: Asked) -> tuple[str, ...]:
    """The files that a job names."""
    if isinstance(asked, Build):
        return () if asked.source == "ncbi" else (asked.source,)
    named = (getattr(asked, name, None) for name in ("policy", *FILES))
    return tuple(name for name in named if name is not None)
