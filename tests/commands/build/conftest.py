"""What the tests of build share: a build in a folder, read back with nothing of the product."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import BuildRequest, build


@dataclass
class Data:
    """A dataset by identifiers."""

    folder: Path
    ids: list[object]
    pairs: dict[tuple[object, object], int]  # (ancestor, descendant) -> distance
    held_out: dict[tuple[object, object], int]
    parents: dict[object, set[object]]
    names: dict[object, str | None]
    ranks: dict[object, str | None]
    manifest: dict
    dataset: dict
    lines: tuple[str, ...]

    @property
    def edges(self) -> set[tuple[object, object]]:
        return {(parent, child) for child, above in self.parents.items() for parent in above}


def _pairs(path, ids):
    if not path.exists():
        return {}
    table = pq.read_table(path).to_pylist()
    found = {(ids[r["ancestor_idx"]], ids[r["descendant_idx"]]): r["depth_diff"] for r in table}
    assert len(found) == len(table)
    return found


def read(folder: Path, lines=()) -> Data:
    header = (folder / "mapping.tsv").read_text(encoding="utf-8").split("\n", 1)[0]
    key, idx = header.split("\t")
    assert idx == "idx"
    mapping = pacsv.read_csv(
        folder / "mapping.tsv",
        parse_options=pacsv.ParseOptions(delimiter="\t"),
        convert_options=pacsv.ConvertOptions(column_types={key: "string"}),
    ).to_pylist()
    assert [row["idx"] for row in mapping] == list(range(len(mapping)))
    ids = [row[key] for row in mapping]
    nodes = pq.read_table(folder / "nodes.parquet").to_pylist()
    assert [str(row["identifier"]) for row in nodes] == list(map(str, ids))
    ids = [row["identifier"] for row in nodes]
    return Data(
        folder,
        ids,
        _pairs(folder / "pairs.parquet", ids),
        _pairs(folder / "held_out.parquet", ids),
        {row["identifier"]: {ids[p] for p in row["parents"]} for row in nodes},
        {row["identifier"]: row["name"] for row in nodes},
        {row["identifier"]: row["rank"] for row in nodes},
        json.loads((folder / "manifest.json").read_text()),
        tomllib.loads((folder / "taxcheck.toml").read_text())["dataset"],
        tuple(lines),
    )


@pytest.fixture
def make(tmp_path):
    """Build from a path, or from text that is written first; the gate has passed."""

    def made(source, name="source.txt", **options) -> Data:
        if isinstance(source, str) and "\n" in source:
            (tmp_path / name).write_text(source, encoding="utf-8")
            source = tmp_path / name
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
        built = build(BuildRequest(source=str(source), out=out, **options))
        assert built.report.exit_code == 0
        assert built.report.verdict == "pass", built.report.headline
        assert not list(tmp_path.glob(".*building*"))
        return read(out, built.lines)

    return made


def taxdump(folder: Path, nodes, merged=(), deleted=()) -> Path:
    """nodes: (taxid, parent, rank, name)."""
    folder.mkdir(parents=True, exist_ok=True)

    def write(name, rows):
        text = "".join("\t|\t".join(map(str, row)) + "\t|\n" for row in rows)
        (folder / f"{name}.dmp").write_text(text)

    write("nodes", [(t, p, r, "") for t, p, r, _ in nodes])
    write("names", [(t, n, "", "scientific name") for t, _, _, n in nodes])
    write("merged", merged)
    write("delnodes", [(t,) for t in deleted])
    return folder
