"""`taxcheck explore`: a page of any table, with what is known of it, or one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from taxcheck.cli import main
from taxcheck.commands.explore import explore, explored
from taxcheck.model.errors import UsageError
from taxcheck.run.gather import gather
from taxcheck.run.request import Request
from taxcheck.statistics.offenders import of_nodes

# 0 is above 1 and 2, 1 above 3, 4 and 5; 6 is in no pair, and 7 has no row
PAIRS = "ancestor\tdescendant\tdepth_diff\n" + "".join(
    f"{a}\t{d}\t{k}\n"
    for a, d, k in ((10, 11, 1), (10, 12, 1), (11, 13, 1), (11, 14, 1), (11, 15, 1),
                    (10, 13, 2), (10, 14, 2), (10, 15, 2))
)  # fmt: skip
NAMES = "taxid\tname\n10\tRoot\n11\tעץ\n13\t=1+1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mapping.tsv").write_text(
        "taxid\tidx\n" + "".join(f"{10 + k}\t{k}\n" for k in range(8))
    )
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    (tmp_path / "names.tsv").write_text(NAMES)
    rows = np.array(
        [[0.02, 0, 0], [0.3, 0, 0], [0, 0.3, 0], [0.5, 0.05, 0], [0.5, 0.05, 0], [0.5, 0, 0.1],
         [np.nan, 0, 0]]
    )  # fmt: skip
    np.save(tmp_path / "table.npy", rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_all_that_is_known_of_a_table():
    request = Request(
        mapping="mapping.tsv", pairs="pairs.tsv", taxonomy="names.tsv",
        embeddings="table.npy", geometry="ball", title="t",
    )  # fmt: skip
    found = explore(request)
    assert found.n == 8
    assert found.drawn == 6  # without NaN, and without the node that has no row
    assert found.parent.tolist() == [-1, 0, 0, 1, 1, 1, -1, -1]
    assert found.walk[:6].tolist() == [0, 1, 3, 4, 5, 2]
    assert list(found.names) == ["Root", "עץ", None, "=1+1", None, None, None, None]
    assert list(found.identifiers) == list(range(10, 18))
    # to 1 its children are nearer than 0; from 5 it is behind 3 and 4, from 3 behind 4 and 5
    assert found.parent_rank[[1, 2, 3, 5]].tolist() == [4, 1, 3, 3]
    marks = {mark.name: np.flatnonzero(mark.rows).tolist() for mark in found.marks}
    assert marks == {"duplicate": [3, 4], "never trained": [6, 7]}
    assert found.faithful.startswith("Of each row's 5 nearest rows in the table, ")
    assert found.clades[0] in (0, 1)


@pytest.mark.usefixtures("folder")
def test_rows_that_were_judged_misplaced_are_marked():
    request = Request(
        mapping="mapping.tsv", pairs="pairs.tsv", embeddings="table.npy", geometry="ball"
    )
    with gather(request) as data:
        data.symptoms(of_nodes("misplaced_rows", np.array([5, 2])))
        found = explored(data)
    assert [mark.name for mark in found.marks] == ["duplicate", "misplaced", "never trained"]
    assert np.flatnonzero(found.marks[1].rows).tolist() == [2, 5]


def test_a_dag_keeps_one_parent_and_tells_the_others(folder):
    (folder / "pairs.tsv").write_text(PAIRS + "12\t13\t1\n")
    found = explore(Request(mapping="mapping.tsv", pairs="pairs.tsv", embeddings="table.npy",
                            geometry="ball"))  # fmt: skip
    assert found.parent[3] == 1
    assert found.more_parents.tolist() == [[3, 2]]


def test_a_table_alone_is_called_by_its_rows(folder, capsys):
    main(["explore", "table.npy", "--geometry", "ball", "--out", "page.html"])
    said = capsys.readouterr().out
    assert "6 of 7 rows drawn" in said
    assert "written: page.html" in said
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "idx 6" in page  # it is listed as not drawn


def test_what_cannot_be_explored_is_one_line(folder, capsys):
    with pytest.raises(UsageError, match="embeddings"):
        explore(Request(mapping="mapping.tsv"))
    for arguments, said in (
        (["--mapping", "mapping.tsv", "--out", "p.html"], "nothing to explore: give CHECKPOINT"),
        (["none.npy", "--out", "p.html"], "none.npy"),
        (["table.npy", "--geometry", "ball", "--out", "none/p.html"], "none/p.html"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["explore", *arguments])
        assert ended.value.code in (2, 3)
        told = capsys.readouterr().err
        assert told.startswith("taxcheck: ")
        assert said in told
        assert told.count("\n") == 1
    assert not (folder / "p.html").exists()


def test_what_was_guessed_of_the_table_is_told(folder, capsys):
    rows = np.load("table.npy")
    rows[6] = 0.1
    np.save("table.npy", rows)
    data = ["--mapping", "mapping.tsv", "--pairs", "pairs.tsv"]
    main(["explore", "table.npy", *data, "--out", "page.html"])
    said = capsys.readouterr().out
    [guess] = [line for line in said.splitlines() if "geometry" in line]
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert guess.split(",")[0] in page.replace("&#39;", "'")


def test_a_run_writes_it_beside_its_report(folder, capsys):
    given = ["--mapping", "mapping.tsv", "--pairs", "pairs.tsv", "--projection", "page.html"]
    with pytest.raises(SystemExit):
        main(["run", *given, "--embeddings", "table.npy", "--geometry", "ball", "--title", "both"])
    told = capsys.readouterr()
    assert "projection: page.html" in told.out
    assert told.err == ""
    assert "6 of 8 rows of both" in (folder / "page.html").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["run", *given])
    assert "There is no table to explore" in (folder / "page.html").read_text(encoding="utf-8")
