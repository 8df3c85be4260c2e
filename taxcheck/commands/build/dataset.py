"""`taxcheck build`: a source walks in, a dataset that passed the gate walks out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from taxcheck.commands.build.manifest import manifest
from taxcheck.commands.build.pairs import PAIR_SCHEMA, closure_batches, closure_by, count_pairs
from taxcheck.commands.build.plausible import Plausible, plausible
from taxcheck.commands.build.selection import Linked, below, clean, down_to, related
from taxcheck.commands.build.split import PROTOCOL, choose
from taxcheck.commands.build.write import (
    write_mapping,
    write_pairs,
    write_policy,
    write_streams,
    write_table,
)
from taxcheck.files import expect_free, whole_folder, write_text
from taxcheck.model.errors import InputError, TaxcheckError, one_line
from taxcheck.model.finding import Outcome
from taxcheck.model.reading import Reading
from taxcheck.model.report import InputSummary, Report
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Dataset, Inputs
from taxcheck.policy.read import load_policy
from taxcheck.run.check import check
from taxcheck.run.executors.opening import THREADS, executor_of
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.run.request import Request
from taxcheck.sources.tables.columnar import GUESSED
from taxcheck.sources.taxonomies.opening import read_source

FILES = (
    "manifest.json",
    "mapping.tsv",
    "mapping.parquet",
    "pairs.parquet",
    "held_out.parquet",
    "nodes.parquet",
    "taxcheck.toml",
)
LARGE = 1_000_000  # nodes; beyond, the mapping is Parquet
MOST_PAIRS = 2_000_000_000
_MOST_ROOTS = 20  # in the policy


class GateError(TaxcheckError):
    """What was built does not pass the gate; nothing was written."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is asked of a build."""

    source: str
    out: Path
    format: str = "auto"
    root: str | None = None
    clean: bool = False
    max_depth: int | None = None
    pairs: str = "closure"  # or "edges", "depth<=k"
    split: float | None = None
    seed: int = 0
    relations: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    columns: str | None = None
    inner_labels: str | None = None
    language: str | None = None
    force: bool = False
    workers: int = 1
    engine: str = THREADS  # who closes the hierarchy; the gate is run here
    command: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left, and the gate's report on it."""

    manifest: dict[str, object]
    report: Report
    lines: tuple[str, ...]


def build(plan: BuildRequest, told: Callable[[str], None] = lambda _: None) -> Built:
    """Read, choose, write, judge; the folder appears only where the gate passed."""
    intent = Dataset(pairs=plan.pairs)  # a wrong word shows before anything is read
    if not plan.force:
        expect_free(plan.out, ", or `force`")
    with whole_folder(plan.out, "building", FILES if plan.force else ()) as place:
        told("reading the source")
        read = plausible(chosen(plan))
        hierarchy = read.hierarchy
        told("writing")
        dataset = _intent(hierarchy, intent.pairs)
        counts = _write(place, read, dataset, plan)
        told("running the gate")
        report = _gate(place, plan)
        report = structs.replace(report, inputs=(_source(read), *map(_told_once, report.inputs)))
        whole = manifest(place, read, dataset, counts, plan.command, report)
        if plan.split is not None:
            whole["split"] = {"share": plan.split, "seed": plan.seed, "protocol": PROTOCOL}
        text = json.dumps(whole, indent=2, ensure_ascii=False)
        write_text(str(place / "manifest.json"), f"{text}\n")
    lines = _lines(read, counts, report)
    if plan.split is not None and plan.engine != THREADS:
        lines += (f"note: held-out pairs are drawn here, so that {plan.engine} had no part in it",)
    return Built(whole, report, lines)


def chosen(plan: BuildRequest) -> Linked:
    """The part of the source that is asked for, without a cycle and without lone nodes."""
    hierarchy = Linked.of(
        read_source(
            plan.source,
            plan.format,
            plan.relations,
            plan.namespaces,
            plan.columns,
            plan.inner_labels,
            plan.language,
        )
    )
    if plan.root is not None:
        hierarchy = below(hierarchy, plan.root)
    if plan.clean:
        hierarchy = clean(hierarchy)
    if plan.max_depth is not None:
        hierarchy = down_to(hierarchy, plan.max_depth)
    _refuse_broken(hierarchy)
    return related(hierarchy)


def _refuse_broken(hierarchy: Linked) -> None:
    """InputError for an identifier that no line of a table can hold."""
    if pa.types.is_integer(hierarchy.identifiers.type):
        return
    broken = hierarchy.identifiers.filter(
        pc.match_substring_regex(hierarchy.identifiers, r"[\r\n]")
    )
    if len(broken):
        raise InputError(
            f"{hierarchy.origin.path}: {plural(len(broken), 'identifier')} with a line break, such "
            f"as {broken[0].as_py()!r}; write them without it"
        )


def _intent(hierarchy: Linked, pairs: str) -> Dataset:
    graph = hierarchy.graph
    roots = graph.roots
    shown = roots if len(roots) <= _MOST_ROOTS else roots[:0]
    return Dataset(
        pairs=pairs,
        kind="tree" if graph.forest is not None else "dag",
        roots=tuple(hierarchy.identifiers.take(pa.array(shown)).to_pylist()),
    )


def _told_once(built: InputSummary) -> InputSummary:
    """One of the files that were built, without what is told of the source."""
    assert built.reading is not None
    return structs.replace(built, notes=(), reading=structs.replace(built.reading, guesses=()))


def _source(read: Plausible) -> InputSummary:
    """What was read, with what was guessed of it, for the report."""
    hierarchy, origin = read.hierarchy, read.hierarchy.origin
    open_questions = tuple(f"Not certain: {question}" for question in read.questions)
    return InputSummary(
        role="source",
        path=origin.path,
        format=origin.kind,
        bytes=origin.bytes,
        rows=hierarchy.n,
        fingerprint=origin.fingerprint,
        notes=hierarchy.notes,
        reading=Reading(None, "", (), {}, guesses=(*hierarchy.guesses, *open_questions)),
    )


def _write(place: Path, read: Plausible, dataset: Dataset, plan: BuildRequest) -> dict[str, int]:
    hierarchy = read.hierarchy
    graph, cap = hierarchy.graph, dataset.depth_cap
    if graph.forest is not None and (pairs := count_pairs(graph.forest, cap)) > MOST_PAIRS:
        raise InputError(
            f"{plan.source}: its closure has {pairs:,} pairs; take `pairs` depth<=5, `max_depth` "
            "or `root`"
        )
    write_mapping(place / mapping_name(hierarchy.n), hierarchy.identifiers)
    write_table(place / "nodes.parquet", nodes_table(hierarchy))
    held_out, schema = 0, _schema(read)
    if plan.split is None and plan.engine == THREADS:
        rows = write_pairs(place / "pairs.parquet", closure_batches(graph, cap), schema)
    elif plan.split is None:
        with executor_of(plan.engine, plan.workers) as executor:
            rows = write_pairs(place / "pairs.parquet", closure_by(executor, graph, cap), schema)
    else:
        files = [place / "pairs.parquet", place / "held_out.parquet"]
        split = choose(graph, cap, plan.split, plan.seed)
        rows, held_out = write_streams(files, split.batches(), schema)
    inputs = Inputs(
        mapping=str(place / mapping_name(hierarchy.n)),
        pairs=str(place / "pairs.parquet"),
        held_out=None if plan.split is None else str(place / "held_out.parquet"),
    )
    write_policy(
        place / "taxcheck.toml",
        dataset,
        _head(read, plan),
        _notes(hierarchy, plan),
        inputs,
        before=plan.out / "taxcheck.toml",
    )
    depth = graph.depths
    return {
        "nodes": hierarchy.n,
        "edges": len(graph.parents),
        "pairs": rows,
        "held-out pairs": held_out,
        "roots": len(graph.roots),
        "leaves": hierarchy.n - int(np.count_nonzero(graph.children_of.counts)),
        "nodes with several parents": int(np.count_nonzero(graph.parent_counts > 1)),
        "greatest depth": int(depth.max()),
    }


def _schema(read: Plausible) -> pa.Schema:
    """That of the pairs, with what was guessed of the source and what is open."""
    open_questions = (f"not certain: {question}" for question in read.questions)
    said = [one.rstrip(".") for one in (*read.hierarchy.guesses, *open_questions)]
    return PAIR_SCHEMA.with_metadata({GUESSED: json.dumps(said)} if said else None)


def mapping_name(nodes: int) -> str:
    """What the mapping of so many nodes is called."""
    return "mapping.parquet" if nodes > LARGE else "mapping.tsv"


def nodes_table(hierarchy: Linked) -> pa.Table:
    """idx, identifier, name, rank, and the idx of all parents."""
    n, above = hierarchy.n, hierarchy.graph.parents_of
    missing = pa.nulls(n, pa.string())
    return pa.table(
        {
            "idx": pa.array(np.arange(n, dtype=np.int32)),
            "identifier": hierarchy.identifiers,
            "name": missing if hierarchy.names is None else hierarchy.names,
            "rank": missing if hierarchy.ranks is None else hierarchy.ranks.cast(pa.string()),
            "parents": pa.ListArray.from_arrays(
                pa.array(above.starts.astype(np.int32)), pa.array(above.targets.astype(np.int32))
            ),
        }
    )


def _head(read: Plausible, plan: BuildRequest) -> list[str]:
    origin = read.hierarchy.origin
    version = f", {origin.version}" if origin.version else ""
    return [
        "What this data means to be: taxcheck judges it against these words.",
        f"Made from {origin.kind}{version} by: {plan.command or 'taxcheck build'}",
        "`taxcheck run` here checks it; from elsewhere: taxcheck run --policy FOLDER/taxcheck.toml",
        *(f"Guessed in reading: {one_line(guess)}" for guess in read.hierarchy.guesses),
        *(f"Not certain, so not blessed: {one_line(question)}" for question in read.questions),
    ]


def _notes(hierarchy: Linked, plan: BuildRequest) -> dict[str, str]:
    cap = {"closure": "every ancestor of every node", "edges": "parents only"}
    names = ", ".join(hierarchy.labels(hierarchy.graph.roots))
    return {
        "pairs": cap.get(plan.pairs, "ancestors up to so many levels above")
        + ("; pairs.parquet and held_out.parquet together" if plan.split is not None else ""),
        "kind": "every node has one parent" if hierarchy.graph.forest else "some have several",
        "roots": names if len(hierarchy.graph.roots) <= _MOST_ROOTS else "too many to name",
        "duplicates": "every pair is there once",
    }


def _gate(place: Path, plan: BuildRequest) -> Report:
    mapping = next(place.glob("mapping.*"))
    held_out = place / "held_out.parquet"
    request = Request(
        mapping=str(mapping),
        pairs=str(place / "pairs.parquet"),
        held_out=str(held_out) if held_out.exists() else None,
        policy=load_policy(place / "taxcheck.toml", load_rules(), cause_names()),
        workers=plan.workers or min(os.cpu_count() or 1, 8),
        drawn=False,
        title=plan.out.name,
    )
    report = check(request)
    if report.exit_code:
        first = next(
            (r for r in report.results if r.outcome in (Outcome.FAIL, Outcome.ERROR)), None
        )
        why = f" ({first.id}: {first.message})" if first else f" ({report.headline})"
        raise GateError(
            f"{plan.source}: what is made of it does not pass the gate{why}; nothing was written"
        )
    return report


def _lines(read: Plausible, counts: dict[str, int], report: Report) -> tuple[str, ...]:
    hierarchy, origin = read.hierarchy, read.hierarchy.origin
    version = f" ({origin.version})" if origin.version else ""
    held = counts["held-out pairs"]
    return (
        f"{origin.kind}: {origin.path}{version}",
        f"{counts['nodes']:,} nodes, {counts['edges']:,} edges, {counts['pairs']:,} pairs"
        + (f", {held:,} held out" if held else "")
        + f"; {counts['roots']:,} root{'s' * (counts['roots'] != 1)}: "
        + ", ".join(hierarchy.labels(hierarchy.graph.roots)),
        *(f"dropped: {one.line()}" for one in hierarchy.dropped),
        *(f"note: {note}" for note in hierarchy.notes),
        *(f"guess: {guess}" for guess in hierarchy.guesses),
        *(f"question: {question}" for question in read.questions),
        f"gate: {_verdict(read, report)}",
    )


def _first(said: Sequence[str]) -> str:
    """The first of several sentences, and how many more there are."""
    more = f" (and {len(said) - 1} more above)" if len(said) > 1 else ""
    return f"{said[0].rstrip('.')}{more}"


def _verdict(read: Plausible, report: Report) -> str:
    """The gate's headline, with what it rests on: what was guessed, and what is open."""
    rests = []
    if guesses := read.hierarchy.guesses:
        rests.append(f"read as guessed: {_first(guesses)}")
    if read.questions:
        rests.append(f"if this is meant: {_first(read.questions)}")
    said = report.headline.rstrip(".")
    return f"{said}, {', and '.join(rests)}." if rests else report.headline
