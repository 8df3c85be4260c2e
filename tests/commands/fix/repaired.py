"""Running a repair in a test, and reading what it wrote by identifier."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from taxcheck.commands.fix.plan import Wishes
from taxcheck.commands.fix.repair import Fixed, fix
from taxcheck.commands.selftest.folder import Folder
from taxcheck.policy.read import load_policy
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request

Pairs = set[tuple[object, object, int]]


def request_of(folder: Path, **more: object) -> Request:
    """What is asked of a folder: mapping, pairs, and perhaps a split, a taxdump and a policy."""
    found = {p.name: str(p) for p in folder.iterdir()}
    policy = folder / "taxcheck.toml"
    return Request(
        mapping=found.get("mapping.tsv"),
        pairs=found.get("pairs.parquet") or found.get("pairs.tsv"),
        held_out=found.get("held_out.parquet") or found.get("held_out.tsv"),
        taxonomy=found.get("taxdump"),
        policy=load_policy(policy if policy.exists() else Path("/dev/null"), load_rules()),
        **more,  # type: ignore[arg-type]
    )


def repair(folder: Folder, path: Path, wishes: Wishes | None = None, **more: object) -> Fixed:
    """Write a folder to ``path``/data and repair it into ``path``/fixed."""
    folder.write(path / "data")
    return fix(request_of(path / "data", **more), path / "fixed", wishes)


def steps(fixed: Fixed) -> dict[str, int]:
    """Rows by the first rule of each step, or by its first word."""
    return {(s.rules or (s.what.split()[0],))[0]: s.rows for s in fixed.plan.steps}


def mapping_of(folder: Path) -> dict[int, object]:
    table = pd.read_csv(folder / "mapping.tsv", sep="\t")
    return dict(zip(table["idx"].tolist(), table[table.columns[0]].tolist(), strict=True))


def pairs_of(folder: Path, part: str = "pairs") -> Pairs:
    """(ancestor, descendant, distance) by identifier; every row is there once."""
    table = pd.read_parquet(folder / f"{part}.parquet")
    named = by_name(table, mapping_of(folder))
    assert len(named) == len(table)
    return named


def by_name(table: pd.DataFrame, name: dict[int, object]) -> Pairs:
    columns = ("ancestor_idx", "descendant_idx", "depth_diff")
    rows = zip(*(table[c].tolist() for c in columns), strict=True)
    return {(name[a], name[d], k) for a, d, k in rows}
