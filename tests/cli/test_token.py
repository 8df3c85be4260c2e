"""`taxcheck token`: made, listed, void."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.cli import main


def called(*line: str) -> int:
    try:
        main(["token", *line])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_token_is_made_listed_and_void(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("create", "--scope", "push", "--scope", "read", "--project", "demo") == 0
    made = capsys.readouterr()
    assert made.out.startswith("tck_")
    assert len(made.out.splitlines()) == 1, "the token alone, so that a script can take it"
    assert made.err == "token 1: push, read in demo; it is shown this once\n"
    assert called("create", "--scope", "admin", "--name", "ada", "--days", "30") == 0
    capsys.readouterr()
    assert called("list") == 0
    listed = capsys.readouterr().out
    assert [line.split()[:2] for line in listed.splitlines()] == [["2", "ada"], ["1", "demo"]]
    assert "until" in listed.splitlines()[0]
    assert "tck_" not in listed
    assert called("list", "--project", "demo") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert called("revoke", "2") == 0
    assert capsys.readouterr().out == "token 2 is void\n"
    assert called("list") == 0
    assert "ada" not in capsys.readouterr().out


@pytest.mark.parametrize(("line", "code", "said"), [
    (("create",), 2, "Missing option '--scope'"),
    (("create", "--scope", "root"), 2, "'root' is not one of"),
    (("create", "--scope", "push", "--days", "0"), 2, "0 is not in the range"),
    (("create", "--scope", "push", "--project", "a/b"), 3, "project 'a/b': a name has letters"),
    (("create", "--scope", "push", "--project", "admin"), 3, "the server has pages of that name"),
    (("create", "--scope", "push", "--name", "a\nb"), 3, "not printable"),
    (("revoke", "7"), 3, "token 7: is not here"),
    (("revoke", "x"), 2, "'x' is not a valid integer"),
])  # fmt: skip
def test_what_cannot_be_is_one_line(
    line: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    called("create", "--scope", "read")
    capsys.readouterr()
    assert called(*line) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert len(shown.err.splitlines()) == 1


def test_looking_makes_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (("list",), ("revoke", "1")):
        assert called(*line) == 3
        assert "holds no server" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
