"""Small tables as other tools write them: what run, fix and build make of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taxcheck.cli import main
from tests.commands.test_laws import closure

Pairs = set[tuple[int, int]]
TREE = closure()  # 121 nodes of 0, whose identifier is the idx and 100 more
TRUE = {(a + 100, d + 100) for a, d, _ in TREE}


def typed(*command: object) -> int:
    try:
        main([str(word) for word in command])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def table(
    path: Path, rows: list[tuple[object, ...]], header: str = "", separator: str = ","
) -> Path:
    text = "".join(separator.join(map(str, row)) + "\n" for row in rows)
    path.write_text((f"{header}\n" if header else "") + text)
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return table(tmp_path / "mapping.tsv", [(n + 100, n) for n in range(121)], "taxid\tidx", "\t")


def edges() -> list[tuple[int, int]]:
    return [(d + 100, a + 100) for a, d, k in TREE if k == 1]


# The same closure in the forms of other tools: its rows, header and separator.
FORMS: dict[str, tuple[list[tuple[object, ...]], str, str]] = {
    "a header of numbers": ([(a, d) for a, d, _ in TREE[::-1]], "0,1", ","),
    "with distances": (TREE[::-1], "0,1,2", ","),  # type: ignore[dict-item]
    "an index and a header of numbers": ([(n, *r) for n, r in enumerate(TREE)], ",0,1,2", ","),
    "an index and no header": ([(n, *row) for n, row in enumerate(TREE)], "", "\t"),
    "an index that pandas named": (
        [(n, *row) for n, row in enumerate(TREE)],
        "Unnamed: 0;ancestor;descendant;depth_diff",
        ";",
    ),
    "labels as floats": (
        [(f"{a + 100}.0", f"{d + 100}.0") for a, d, _ in TREE],
        "ancestor_taxid,descendant_taxid", ",",
    ),
    "comments": (TREE, "# made by us\n# ancestor descendant depth", " "),  # type: ignore[dict-item]
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_closure_passes_in_any_form(
    tmp_path: Path, mapping: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = table(tmp_path / "pairs.txt", *FORMS[form])
    report = tmp_path / "report.json"
    assert typed("run", "--mapping", mapping, "--pairs", pairs, "--json", report) == 0
    read = json.loads(report.read_text())
    assert read["verdict"] == "pass"
    assert read["statistics"]["pairs"]["valid"] == len(TREE)
    capsys.readouterr()
    assert typed("fix", "--mapping", mapping, "--pairs", pairs, "--out", tmp_path / "fixed") == 0
    assert "Nothing to repair" in capsys.readouterr().out


def test_fix_of_a_closure_under_a_header_of_numbers_adds_what_is_true(
    tmp_path: Path, mapping: Path
) -> None:
    """A row is lost and a pair of a node with itself is there; 0,1 is none of the rows."""
    rows = [(a, d) for a, d, _ in TREE if (a, d) != (0, 119)] + [(7, 7)]
    pairs = table(tmp_path / "pairs.csv", rows[::-1], "0,1")
    out = tmp_path / "fixed"
    typed("fix", "--mapping", mapping, "--pairs", pairs, "--out", out)
    assert written(out) == TRUE


def written(folder: Path) -> Pairs:
    """The pairs of a folder that was written, by identifiers."""
    import pyarrow.parquet as pq

    (file,) = folder.glob("pairs.*")
    pairs = pq.read_table(file)
    lines = (folder / "mapping.tsv").read_text().splitlines()[1:]
    name = {int(idx): int(taxid) for taxid, idx in (line.split("\t")[:2] for line in lines)}
    ends = (pairs[f"{end}_idx"].to_pylist() for end in ("ancestor", "descendant"))
    return {(name[a], name[d]) for a, d in zip(*ends, strict=True)}


EDGES: dict[str, tuple[list[tuple[object, ...]], str, str]] = {
    "no header": (edges(), "", ","),  # type: ignore[dict-item]
    "a header of numbers": (edges(), "0,1", ","),  # type: ignore[dict-item]
    "floats": ([(f"{c}.0", f"{p}.0") for c, p in edges()], "child,parent", ","),
    "parents as floats": ([(c, f"{p}.0") for c, p in edges()], "child\tparent", "\t"),
    "comments": (edges(), "# snap\n# Child\tParent", "\t"),  # type: ignore[dict-item]
    "a hint for Excel": (edges(), "sep=;\nchild;parent", ";"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("form", EDGES)
def test_a_build_of_edges_is_the_closure_in_any_form(tmp_path: Path, form: str) -> None:
    path = table(tmp_path / "edges.txt", *EDGES[form])
    assert typed("build", path, "--out", tmp_path / "built") == 0
    assert written(tmp_path / "built") == TRUE


@pytest.mark.parametrize("names", ["source,target", "from,to"])
def test_a_header_of_words_has_the_direction_that_its_cells_tell_or_is_asked(
    tmp_path: Path, names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[tuple[object, ...]] = [("wolf", "Canis"), ("coyote", "Canis"), ("Canis", "Canidae")]
    path = table(tmp_path / "edges.csv", rows, names)
    first, second = names.split(",")
    assert typed("build", path, "--out", tmp_path / "built") == 0
    told = capsys.readouterr().out
    assert "4 nodes, 3 edges, 5 pairs; 1 root: Canidae" in told
    assert (
        f"sound in itself, read as guessed: child is '{first}' and parent '{second}', as each cell"
        in told
    )
    path = table(tmp_path / "dag.csv", [*rows, ("wolf", "pack"), ("pack", "Canidae")], names)
    assert typed("build", path, "--out", tmp_path / "dag") == 3
    given = f"child={first},parent={second}"
    assert f"--columns {given}, or --columns child={second}" in capsys.readouterr().err
    assert typed("build", path, "--columns", given, "--out", tmp_path / "dag") == 0


def test_thousands_of_excel_are_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A star of 1,200 leaves, its idx as a German Excel writes them."""
    german = [f"{n:,}".replace(",", ".") for n in range(1_200)]
    mapping = table(
        tmp_path / "m.csv", [(7_000 + n, cell) for n, cell in enumerate(german)], "taxid;idx", ";"
    )
    pairs = table(
        tmp_path / "p.csv", [(0, cell) for cell in german[1:]], "ancestor_idx;descendant_idx", ";"
    )
    assert typed("run", "--mapping", mapping, "--pairs", pairs) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "m.csv: In 'idx', a dot or comma before three digits is a separator" in told
    assert "1.000 is read as 1000" in told
