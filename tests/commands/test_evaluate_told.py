"""What a score rests on is told beside it: the array, how rows were joined, what was guessed."""

from __future__ import annotations

import json

import numpy as np
import torch
from click.testing import CliRunner

from taxcheck.cli import cli


def test_a_score_tells_what_it_rests_on(tmp_path) -> None:
    (tmp_path / "map.csv").write_text("taxid,idx\n10,0\n20,1\n30,2\n40,3\n")
    (tmp_path / "pairs.csv").write_text("0,1\n0,2\n1,3\n0,3\n")
    rows = torch.linspace(0, 0.4, 8, dtype=torch.float64).reshape(4, 2)
    torch.save({"last": {"emb.weight": rows}, "best": {"emb.weight": rows / 2}}, tmp_path / "t.pt")
    found = CliRunner().invoke(
        cli,
        [
            "evaluate", str(tmp_path / "t.pt"), "--mapping", str(tmp_path / "map.csv"),
            "--pairs", str(tmp_path / "pairs.csv"), "--json", str(tmp_path / "s.json"),
        ],
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    (table,) = (line for line in lines if line.startswith("table last.emb.weight, ball ("))
    assert table.endswith("), row k is idx k")
    guesses = json.loads((tmp_path / "s.json").read_text())["guesses"]
    assert any("best.emb.weight" in guess for guess in guesses)
    assert any("Columns without names are taken as ancestor, descendant" in g for g in guesses)
    assert sum(line.startswith("guessed: ") for line in lines) == len(guesses)


def test_a_table_that_begins_with_a_letter_of_pickles_is_no_pickle(tmp_path) -> None:
    table = np.linspace(0, 0.5, 12).reshape(4, 3)
    rows = "\n".join(",".join(map(str, (f"t{k}", *row))) for k, row in enumerate(table))
    for name in ("concept", "label", "(name)", "IDs"):
        (tmp_path / "t.csv").write_text(f"{name},d0,d1,d2\n{rows}\n")
        found = CliRunner().invoke(cli, ["inspect", str(tmp_path / "t.csv")])
        assert found.exit_code == 0, found.output
        assert "4 rows, dimension 3" in found.output
    (tmp_path / "e.csv").write_text("child,parent\nb,a\nc,a\n")
    assert "pickle" not in CliRunner().invoke(cli, ["inspect", str(tmp_path / "e.csv")]).output


def test_a_geometry_that_nothing_states_is_told_as_a_guess(tmp_path) -> None:
    """By the same sentence as in a run, which `--geometry` takes away."""
    (tmp_path / "map.csv").write_text("taxid,idx\n10,0\n20,1\n30,2\n40,3\n")
    (tmp_path / "pairs.csv").write_text("ancestor,descendant\n0,1\n0,2\n1,3\n0,3\n")
    np.save(tmp_path / "t.npy", np.linspace(0, 0.4, 8).reshape(4, 2))
    told = {}
    for stated in ((), ("--geometry", "ball")):
        found = CliRunner().invoke(
            cli,
            [
                "evaluate", str(tmp_path / "t.npy"), "--mapping", str(tmp_path / "map.csv"),
                "--pairs", str(tmp_path / "pairs.csv"), *stated,
            ],
        )  # fmt: skip
        assert found.exit_code == 0, found.output
        told[stated] = [line for line in found.output.splitlines() if "Nothing states" in line]
    (guess,) = told[()]
    assert guess.startswith("guessed: Nothing states the geometry: read as ball")
    assert told["--geometry", "ball"] == []
