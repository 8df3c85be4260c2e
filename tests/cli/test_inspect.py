"""How tables of rows are understood, told before anything is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.cli import main

HEAD = "ancestor_idx\tdescendant_idx\tnote\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for split in ("test", "train"):
        (tmp_path / "pairs" / f"split={split}").mkdir(parents=True)
    Path("pairs/split=train/part-10.tsv").write_text(HEAD + "0\t1\tx\n" * 3)
    Path("pairs/split=train/part-9.tsv").write_text(HEAD + "0\t1\tx\n" * 4)
    Path("pairs/split=test/part-0.tsv").write_text(HEAD)
    Path("mapping.tsv").write_text("taxid\tidx\n5\t0\n6\t1\n")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(["inspect", *arguments])
    return capsys.readouterr().out.splitlines()


def test_the_files_stand_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "--pairs", "pairs")
    assert lines[0].startswith("pairs        pairs: tsv, 10 lines, ")
    at = lines.index("files        3, in this order")
    assert lines[at + 1 :] == [
        "  pairs/split=test/part-0.tsv  1 line",
        "  pairs/split=train/part-9.tsv  5 lines",
        "  pairs/split=train/part-10.tsv  4 lines",
    ]
    assert "not read     'note', 'split'" in lines
    assert any(line.startswith("guess        Files of split = test, train are") for line in lines)


def test_a_mapping_of_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "--mapping", "mapping.tsv", "--mapping-columns", "idx,taxid")
    assert lines[0] == "mapping      mapping.tsv: tsv, 3 lines, 18 bytes"
    assert "column       'taxid' is idx, as was given" in lines
    assert not any(line.startswith("files") for line in lines)


def test_something_has_to_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["inspect"])
    assert ended.value.code == 2
    assert "give a checkpoint, --mapping, --pairs or --held-out" in capsys.readouterr().err


def test_a_pattern_that_the_shell_has_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(map(str, Path("pairs").rglob("*.tsv")))
    with pytest.raises(SystemExit) as ended:
        main(["run", "--pairs", *files])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "quote a pattern of files, as in --pairs 'pairs/*.parquet'" in said
    with pytest.raises(SystemExit):
        main(["run", "--pairs", files[0], "nowhere"])
    assert "run --help`" in capsys.readouterr().err
