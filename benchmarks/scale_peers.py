"""The same questions asked of DuckDB and of polars: `python -m benchmarks.scale_peers PEER FOLDER`.

Nulls, ranges, idx that the mapping lacks, nodes in no pair, rows that repeat a pair; and whether
the pairs are closed: whatever is above a parent is above its child.
"""

from __future__ import annotations

import sys

CLOSED = """
select count(*) from pairs p
join (select ancestor_idx, descendant_idx from pairs where depth_diff = 1) e
  on p.descendant_idx = e.ancestor_idx
left join pairs q on q.ancestor_idx = p.ancestor_idx and q.descendant_idx = e.descendant_idx
where q.ancestor_idx is null
"""
QUESTIONS = {
    "null": "select count(*) - count(ancestor_idx), count(*) - count(descendant_idx) from pairs",
    "range": "select min(ancestor_idx), max(descendant_idx), min(depth_diff) from pairs",
    "reference": "select count(*) from pairs where ancestor_idx not in (select idx from mapping) "
    "or descendant_idx not in (select idx from mapping)",
    "coverage": "select count(*) from mapping where idx not in (select ancestor_idx from pairs) "
    "and idx not in (select descendant_idx from pairs)",
    "duplicates": "select count(*) from (select 1 from pairs group by ancestor_idx, "
    "descendant_idx having count(*) > 1)",
    "closure": CLOSED,
}


def duckdb(folder: str) -> None:
    """Ask DuckDB."""
    import duckdb

    asked = duckdb.connect()
    for name in ("pairs", "mapping"):
        asked.execute(f"create view {name} as select * from '{folder}/{name}.parquet'")
    for name, question in QUESTIONS.items():
        print(name, asked.execute(question).fetchall())


def polars(folder: str) -> None:
    """Ask polars, streaming."""
    import polars as pl

    pairs, mapping = (pl.scan_parquet(f"{folder}/{name}.parquet") for name in ("pairs", "mapping"))
    ends = ["ancestor_idx", "descendant_idx"]
    lacking = [pairs.join(mapping, left_on=end, right_on="idx", how="anti") for end in ends]
    edges = pairs.filter(pl.col("depth_diff") == 1).select(
        pl.col("ancestor_idx").alias("middle"), pl.col("descendant_idx").alias("below")
    )
    implied = pairs.join(edges, left_on="descendant_idx", right_on="middle")
    questions = {
        "null": pairs.select(pl.col(*ends).null_count()),
        "range": pairs.select(
            pl.col("ancestor_idx").min(),
            pl.col("descendant_idx").max(),
            pl.col("depth_diff").min(),
        ),
        "reference": pl.concat(lacking).select(pl.len()),
        "coverage": mapping.join(pairs, left_on="idx", right_on=ends[0], how="anti")
        .join(pairs, left_on="idx", right_on=ends[1], how="anti")
        .select(pl.len()),
        "duplicates": pairs.group_by(ends).len().filter(pl.col("len") > 1).select(pl.len()),
        "closure": implied.join(
            pairs, left_on=["ancestor_idx", "below"], right_on=ends, how="anti"
        ).select(pl.len()),
    }
    for name, question in questions.items():
        print(name, question.collect(engine="streaming").rows())


if __name__ == "__main__":
    {"duckdb": duckdb, "polars": polars}[sys.argv[1]](sys.argv[2])
