"""Several tables of one run: their order, the best, where rows began to fail, what is no table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from taxcheck.cli import main
from taxcheck.commands import series
from taxcheck.commands.series import as_series, judge_series
from taxcheck.model.errors import InputError, UsageError
from taxcheck.run import gather
from taxcheck.run.request import Request
from tests.case_folders import case_folder

DATA = case_folder("HIER001", "ok")
NODES = 177


def rows_of() -> np.ndarray:
    from safetensors.numpy import load_file

    return load_file(DATA / "checkpoint.safetensors")["embeddings"]


def save(path: Path, rows: np.ndarray, **said: object) -> Path:
    np.savez(path, embeddings=rows, manifold="poincare", **said)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three tables: without directions, trained, and trained with two rows lost; told by epochs.

    Their names tell another order.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    rows, rng = rows_of(), np.random.default_rng(0)
    save(folder / "c.npz", rng.permutation(rows), epoch=1)
    save(folder / "a.npz", rows, epoch=20)
    lost = rows.copy()
    lost[[5, 60]] = np.nan
    save(folder / "b.npz", lost, epoch=30)
    return folder


def request(*tables: Path, **more: object) -> Request:
    return Request(
        mapping=str(DATA / "mapping.tsv"),
        pairs=str(DATA / "pairs.tsv"),
        embeddings=str(tables[0]),
        series=tuple(map(str, tables)),
        drawn=False,
        **more,  # type: ignore[arg-type]
    )


def test_a_run_is_judged_by_its_last_table_and_tells_of_each(run, tmp_path, capsys) -> None:
    (run / "notes.txt").write_text("of no table")
    shutil.copy(run / "b.npz", run / "last.npz")
    data = ["--mapping", str(DATA / "mapping.tsv"), "--pairs", str(DATA / "pairs.tsv")]
    out, page = tmp_path / "report.json", tmp_path / "report.html"
    kept = ["--json", str(out), "--html", str(page), "--format", "terminal"]
    with pytest.raises(SystemExit) as done:
        main(["run", *data, "--embeddings", str(run), *kept])
    assert done.value.code == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "The verdict is that of b.npz, the last of 3 by the epoch (30)." in said
    assert "Best by MAP: a.npz (20)" in said
    assert "Rows began to fail at 30: 2 rows." in said
    assert "Since 30: EMB002 non_finite, first" in said
    assert "Left out: notes.txt (no table), last.npz (the same table as b.npz)." in said
    report = json.loads(out.read_text())
    one, two, three = report["series"]["tables"]
    assert [one["at"], two["at"], three["at"]] == [1, 20, 30]
    assert one["map"] < three["map"] < two["map"]
    assert two["map_ci"][0] <= two["map"] <= two["map_ci"][1]
    assert [one["failing"], two["failing"], three["failing"]] == [0, 0, 2]
    assert [found["count"] for found in three["findings"] if found["id"] == "EMB002"] == [2]
    assert report["verdict"] == three["verdict"] == "fail"
    html = page.read_text()
    assert "MAP is best at epoch 20" in html
    assert html.count("c.npz") >= 1


@pytest.mark.slow
def test_each_table_has_the_report_that_it_has_alone(run) -> None:
    whole = judge_series(request(run / "c.npz", run / "a.npz"))
    alone = judge_series(request(run / "c.npz"))
    assert whole.series is not None
    assert alone.series is not None
    assert whole.series.tables[0] == alone.series.tables[0]


@pytest.mark.slow
def test_the_data_is_read_once_and_no_table_is_kept(run, monkeypatch) -> None:
    opened, read = [], []
    fold, open_tables = gather.read_pairs, gather.open_tables
    monkeypatch.setattr(gather, "read_pairs", lambda *a: read.append(1) or fold(*a))
    monkeypatch.setattr(
        gather, "open_tables", lambda r: opened.append(Path(r.embeddings).name) or open_tables(r)
    )
    judge_series(request(run))
    assert read == [1]
    assert opened == ["c.npz", "a.npz", "b.npz"]


def test_a_file_that_cannot_be_read_is_told_and_no_pass_hides_it(run) -> None:
    (run / "b.npz").write_bytes((run / "b.npz").read_bytes()[:90])
    report = judge_series(request(run))
    assert report.series is not None
    assert [table.at for table in report.series.tables] == [1, 20]
    (unread,) = report.series.unread
    assert "b.npz" in unread
    assert (report.verdict, report.exit_code) != ("fail", 0)
    assert report.exit_code == (1 if report.verdict == "fail" else 3)


@pytest.mark.parametrize(
    ("names", "epochs", "order"),
    [
        (("t-2.npz", "t-10.npz"), (None, None), "number in its name"),
        (("t-10.npz", "t-2.npz"), (1, 2), "epoch"),
        (("t-2.npz", "t-10.npz"), (7, 7), "number in its name"),
        (("first.npz", "last.npz"), (None, None), ""),
        (("first.npz", "last.npz"), (7, 7), ""),
        (("first-1.npz", "last-2.npz"), (1, None), ""),
        (("e1-s2.npz", "e2-s1.npz"), (None, None), ""),
    ],
)
def test_the_order_is_what_the_tables_tell_or_it_is_asked(tmp_path, names, epochs, order) -> None:
    rows = rows_of()
    paths = []
    for k, (name, epoch) in enumerate(zip(names, epochs, strict=True)):
        said = {} if epoch is None else {"epoch": epoch}
        paths.append(save(tmp_path / name, rows * (1 - k / 100), **said))
    found = [series._looked_at(str(path), request(*paths)) for path in reversed(paths)]
    if not order:
        with pytest.raises(UsageError, match="nothing tells their order"):
            series._ordered(found)
        return
    told, placed = series._ordered(found)
    assert told.value == order
    assert [table.name for _, table in placed] == list(names)


def test_tables_of_other_rows_are_of_no_one_run(tmp_path) -> None:
    rows = rows_of()
    one = save(tmp_path / "t-1.npz", rows, taxids=np.arange(NODES))
    fewer = save(tmp_path / "t-2.npz", rows[:100])
    other = save(tmp_path / "t-3.npz", rows, taxids=np.arange(1, NODES + 1))
    with pytest.raises(UsageError, match=r"t-2.npz: has 100 rows of dimension 10, .*t-1.npz 177"):
        judge_series(request(one, fewer))
    with pytest.raises(UsageError, match=r"t-3.npz: names other rows than .*t-1.npz"):
        judge_series(request(one, other))


def test_a_folder_without_a_table_is_refused_and_a_checkpoint_that_is_one_is_no_series(
    tmp_path,
) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"broken\.npz"):
        judge_series(request(tmp_path))
    one = Request(embeddings=str(tmp_path))
    assert as_series(one).series == (str(tmp_path),)
    (tmp_path / "model.index.json").write_text("{}")
    assert as_series(one).series == ()
