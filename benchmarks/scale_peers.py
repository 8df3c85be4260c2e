"""The same questions asked of DuckDB and of polars: `python -m benchmarks.scale_peers PEER FOLDER`.

Nulls, ranges, idx that the mapping lacks, nodes in no pair, rows that repeat a pair; and whether
the pairs are closed: whatever is above a parent is above its child. The answers, a number each, go
to PEER.json in the folder, which has mapping.parquet and pairs/*.parquet.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CLOSED = """
select count(*) from pairs p
join (select ancestor_idx, descendant_idx from pairs where depth_diff = 1) e
  on p.descendant_idx = e.ancestor_idx
left join pairs q on q.ancestor_idx = p.ancestor_idx and q.descendant_idx = e.descendant_idx
where q.ancestor_idx is null
"""
QUESTIONS = {
    "null": "select 2 * count(*) - count(ancestor_idx) - count(descendant_idx) from pairs",
    "range": "select count(*) from pairs where ancestor_idx < 0 or descendant_idx < 0 "
    "or depth_diff < 1",
    "reference": "select count(*) from pairs where ancestor_idx not in (select idx from mapping) "
    "or descendant_idx not in (select idx from mapping)",
    "coverage": "select count(*) from mapping where idx not in (select ancestor_idx from pairs) "
    "and idx not in (select descendant_idx from pairs)",
    "duplicates": "select coalesce(sum(more), 0)::bigint from (select count(*) - 1 as more "
    "from pairs group by ancestor_idx, descendant_idx having count(*) > 1)",
    "closure": CLOSED,
}
Answers = dict[str, int]


def duckdb(folder: str) -> Answers:
    """Ask DuckDB."""
    import duckdb

    asked = duckdb.connect()
    asked.execute(f"set temp_directory = '{folder}/duckdb'")
    for name, files in (("pairs", "pairs/*.parquet"), ("mapping", "mapping.parquet")):
        asked.execute(f"create view {name} as select * from '{folder}/{files}'")
    return {name: asked.execute(one).fetchall()[0][0] for name, one in QUESTIONS.items()}


def polars(folder: str) -> Answers:
    """Ask polars, streaming."""
    import polars as pl

    pairs = pl.scan_parquet(f"{folder}/pairs/*.parquet")
    mapping = pl.scan_parquet(f"{folder}/mapping.parquet")
    ends = ["ancestor_idx", "descendant_idx"]
    known = mapping.select("idx", known=pl.lit(value=True))
    joined = pairs
    for end in ends:
        joined = joined.join(known, left_on=end, right_on="idx", how="left").rename(
            {"known": f"{end}?"}
        )
    edges = pairs.filter(pl.col("depth_diff") == 1).select(
        pl.col("ancestor_idx").alias("middle"), pl.col("descendant_idx").alias("below")
    )
    implied = pairs.join(edges, left_on="descendant_idx", right_on="middle")
    repeats = pairs.group_by(ends).len().filter(pl.col("len") > 1)
    below_zero = pl.any_horizontal(pl.col(*ends) < 0, pl.col("depth_diff") < 1)
    questions = {
        "null": pairs.select(pl.sum_horizontal(pl.col(*ends).null_count())),
        "range": pairs.filter(below_zero).select(pl.len()),
        "reference": joined.filter(
            pl.any_horizontal(pl.col(f"{end}?").is_null() for end in ends)
        ).select(pl.len()),
        "coverage": mapping.join(pairs, left_on="idx", right_on=ends[0], how="anti")
        .join(pairs, left_on="idx", right_on=ends[1], how="anti")
        .select(pl.len()),
        "duplicates": repeats.select((pl.col("len").cast(pl.Int64) - 1).sum()),
        "closure": implied.join(
            pairs, left_on=["ancestor_idx", "below"], right_on=ends, how="anti"
        ).select(pl.len()),
    }
    return {name: one.collect(engine="streaming").item() for name, one in questions.items()}


def told(report: dict[str, object]) -> Answers:
    """What `taxcheck run --json` has told of the same."""
    results = {one["name"]: one for one in report["results"]}  # type: ignore[attr-defined]
    rules = {
        "null": "invalid_pair_row",  # both are the contract's, which tells them apart by reason
        "reference": "index_out_of_range",
        "coverage": "coverage_gap",
        "duplicates": "duplicate_pair",
        "closure": "missing_ancestor_pair",
    }
    found = {name: results[rule].get("count") or 0 for name, rule in rules.items()}
    found["range"] = results["invalid_pair_row"].get("count") or 0
    return found


if __name__ == "__main__":
    peer, place = sys.argv[1:]
    answers = {"duckdb": duckdb, "polars": polars}[peer](place)
    Path(place, f"{peer}.json").write_text(json.dumps(answers))
