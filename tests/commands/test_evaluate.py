"""`taxcheck evaluate`: which pairs are ranked, and what is known to be true beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from taxcheck.cli import main
from taxcheck.geometry.space import Space
from tests.audit.test_held_out import naive
from tests.audit.test_scores import N, pairs, placed

HEAD = "ancestor_idx\tdescendant_idx\tdepth_diff\n"
POLICY = """[inputs]
mapping = "mapping.tsv"
pairs = "training.tsv"
held_out = "held_out.tsv"
embeddings = "table.npy"
geometry = "ball"
"""


def write(path: Path, rows: np.ndarray) -> None:
    path.write_text(HEAD + "".join(f"{a}\t{d}\t{k}\n" for a, d, k in rows.T))


@pytest.fixture(scope="module")
def parts() -> tuple[np.ndarray, np.ndarray]:
    every = pairs()
    held = (every[2] > 1) & (np.random.default_rng(1).random(every.shape[1]) < 0.2)
    return every[:, ~held], every[:, held]


@pytest.fixture
def folder(
    tmp_path: Path, parts: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> Path:
    for name, rows in zip(("training.tsv", "held_out.tsv"), parts, strict=True):
        write(tmp_path / name, rows)
    lines = "".join(f"{node + 1000}\t{node}\n" for node in range(N))
    (tmp_path / "mapping.tsv").write_text("taxid\tidx\n" + lines)
    np.save(tmp_path / "table.npy", placed())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def space() -> Space:
    return Space.of(placed(), "ball")


def evaluated(*options: str) -> dict:
    main(["evaluate", *options, "--sources", "all", "--json", "scores.json"])
    return json.loads(Path("scores.json").read_text())


BARE = ("table.npy", "--geometry", "ball", "--mapping", "mapping.tsv", "--pairs")


@pytest.mark.usefixtures("folder")
def test_what_is_known_is_no_candidate(parts, space, capsys):
    training, held = parts
    found = evaluated(*BARE, "held_out.tsv", "--known", "training.tsv")
    precision, mean_rank = naive(space, held, training)
    assert found["map"]["value"] == pytest.approx(precision, abs=1e-12)
    assert found["mean_rank"]["value"] == pytest.approx(mean_rank, abs=1e-12)
    assert found["filtered"] == ["training.tsv"]
    assert "filtered: ancestors in training.tsv are no candidates" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_without_anything_known_that_is_said(parts, space, capsys):
    found = evaluated(*BARE, "held_out.tsv")
    precision, _ = naive(space, parts[1], parts[0][:, :0])
    assert found["map"]["value"] == pytest.approx(precision, abs=1e-12)
    assert (found["filtered"], found["held_out"]) == ([], None)
    shown = capsys.readouterr().out
    assert "not filtered: no other pairs are known" in shown
    assert "name them with --known" in shown


def test_of_several_tables_that_are_known_each_is_read_by_itself(folder, parts, space):
    first, second = parts[0][:, ::2], parts[0][:, 1::2]
    write(folder / "a.tsv", first)
    (folder / "b.csv").write_text(
        "descendant_idx,ancestor_idx\n" + "".join(f"{d},{a}\n" for a, d, _ in second.T)
    )
    found = evaluated(*BARE, "held_out.tsv", "--known", "a.tsv", "--known", "b.csv")
    assert found["map"]["value"] == pytest.approx(naive(space, parts[1], parts[0])[0], abs=1e-12)
    assert found["filtered"] == ["a.tsv", "b.csv"]


@pytest.mark.usefixtures("folder")
def test_held_out_pairs_are_scored_apart_each_without_the_other(parts, space, capsys):
    training, held = parts
    found = evaluated(*BARE, "training.tsv", "--held-out", "held_out.tsv")
    apart = found["held_out"]
    assert found["map"]["value"] == pytest.approx(naive(space, training, held)[0], abs=1e-12)
    assert apart["map"]["value"] == pytest.approx(naive(space, held, training)[0], abs=1e-12)
    assert (found["filtered"], apart["filtered"]) == (["held_out.tsv"], ["training.tsv"])
    assert apart["edges"] == held.shape[1]
    assert apart["above_popularity"]["low"] > 0
    shown = capsys.readouterr().out
    assert f"held-out pairs: all sources, {held.shape[1]:,} positives" in shown
    assert shown.count("popularity alone") == 2
    assert shown.count("99th percentile") == 2


def test_held_out_pairs_that_are_among_the_pairs_are_not_scored(folder, parts, space, capsys):
    training, held = parts
    write(folder / "leaked.tsv", np.hstack([held, training[:, :9]]))
    found = evaluated(*BARE, "training.tsv", "--held-out", "leaked.tsv")
    assert found["in_training"] == 9
    assert found["held_out"]["map"]["value"] == pytest.approx(naive(space, held, training)[0])
    assert "9 positives of held-out pairs are among the pairs" in capsys.readouterr().out
    nothing = evaluated(*BARE, "training.tsv", "--held-out", "training.tsv")
    assert (nothing["held_out"], nothing["in_training"]) == (None, training.shape[1])


def test_a_policy_that_names_both_has_what_is_scored_filtered(folder, parts, space):
    """Whichever of them is scored; the files of another mapping have nothing to say of these."""
    training, held = parts
    (folder / "taxcheck.toml").write_text(POLICY)
    both = evaluated()
    assert both["held_out"]["map"]["value"] == pytest.approx(naive(space, held, training)[0])
    apart = evaluated("--pairs", "held_out.tsv")
    assert apart["map"]["value"] == pytest.approx(naive(space, held, training)[0], abs=1e-12)
    assert (apart["filtered"], apart["held_out"]) == (["training.tsv"], None)
    trained = evaluated("--pairs", "training.tsv")
    assert trained["map"] == both["map"]
    assert trained["filtered"] == ["held_out.tsv"]
    (folder / "other.tsv").write_text((folder / "mapping.tsv").read_text())
    others = evaluated("--pairs", "held_out.tsv", "--mapping", "other.tsv")
    assert others["filtered"] == []


def test_labels_are_numbered_together(folder, parts, space):
    """Without a mapping the known pairs may name nodes that the scored ones lack."""
    training, held = parts
    for name, rows in (("h.tsv", held), ("t.tsv", training)):
        lines = "".join(f"n{a}\tn{d}\n" for a, d, _ in rows.T)
        (folder / name).write_text("ancestor\tdescendant\n" + lines)
    rows = "\n".join(f"n{k} " + " ".join(map(repr, row)) for k, row in enumerate(placed().tolist()))
    (folder / "table.txt").write_text(f"{N} 2\n{rows}\n")
    found = evaluated("table.txt", "--geometry", "ball", "--pairs", "h.tsv", "--known", "t.tsv")
    assert found["map"]["value"] == pytest.approx(naive(space, held, training)[0], abs=1e-9)


def test_neighbours_in_the_graph_are_filtered_by_edges(folder, parts):
    training, _ = parts
    edges = training[:, training[2] == 1]
    for name, rows in (("some.tsv", edges[:, ::2]), ("rest.tsv", edges[:, 1::2])):
        write(folder / name, rows)
    bare = evaluated(*BARE, "some.tsv", "--protocol", "edges")
    known = evaluated(*BARE, "some.tsv", "--protocol", "edges", "--known", "rest.tsv")
    assert known["mean_rank"]["value"] < bare["mean_rank"]["value"]
    assert known["edges"] == bare["edges"] == 2 * edges[:, ::2].shape[1]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("known", ["missing.tsv", "mapping.tsv"])
def test_a_known_table_that_cannot_be_read_is_one_line(capsys, known):
    with pytest.raises(SystemExit) as done:
        main(["evaluate", *BARE, "held_out.tsv", "--known", known])
    assert done.value.code == 3
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert known in line
