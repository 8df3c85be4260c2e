"""One table as several engines save it: read, identified, joined by its labels, scored alike."""

from __future__ import annotations

import json
from collections import OrderedDict

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from taxcheck.cli import main
from tests.audit.tables import audited, outcomes, subtree

gensim = pytest.importorskip("gensim.models.poincare")
torch = pytest.importorskip("torch")

FORMATS = {
    "gensim PoincareModel": "model.gensim",
    "word2vec text": "vectors.txt",
    "facebookresearch checkpoint": "checkpoint.pth",
    "npy": "rows.npy",
}


class Trained:
    """A gensim model of a small real tree, and its table in every format."""

    def __init__(self, folder):
        self.folder, self.tree = folder, subtree(folder, 120)
        names = [str(taxid) for taxid in self.tree.taxids]
        edges = [(names[d], names[a]) for a, d, _ in self.tree.pairs]
        rng = np.random.default_rng(0)
        edges = [edges[k] for k in rng.permutation(len(edges))]  # rows in an order of their own
        model = gensim.PoincareModel(edges, size=4, negative=5, seed=1, burn_in=2)
        model.train(epochs=8)
        model.save(str(folder / "model.gensim"))
        self.kv = model.kv
        self.kv.save_word2vec_format(str(folder / "vectors.txt"), binary=False)
        weight = torch.tensor(self.kv.vectors, dtype=torch.float64)
        torch.save(
            {
                "conf": {"manifold": "poincare", "dim": 4, "lr": 0.1, "burnin": 2},
                "objects": list(self.kv.index_to_key),
                "model": OrderedDict([("lt.weight", weight)]),
                "embeddings": weight,
                "epoch": 7,
                "model_type": "distance",
            },
            folder / "checkpoint.pth",
        )
        self.rows = self.kv.vectors[[self.kv.key_to_index[name] for name in names]]
        np.save(folder / "rows.npy", self.rows)
        (folder / "closure.tsv").write_text("".join(f"{u}\t{v}\n" for u, v in edges))

    def evaluate(self, file, *options):
        out = self.folder / "scores.json"
        geometry = ("--geometry", "ball")
        main(["evaluate", str(self.folder / file), *geometry, *map(str, self.tree.data),
              "--sources", "all", "--json", str(out), *options])  # fmt: skip
        return json.loads(out.read_text())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return Trained(tmp_path_factory.mktemp("engines"))


def naive(points, above):
    """Nickel & Kiela 2017, one source at a time: every ancestor among all nodes but the source."""
    norm = 1 - (points**2).sum(axis=1)
    precisions, ranks = [], []
    for source in np.flatnonzero(above.any(axis=1)):
        apart = ((points - points[source]) ** 2).sum(axis=1)
        distance = np.arccosh(1 + 2 * apart / norm / norm[source])
        others = np.arange(len(points)) != source
        labels = above[source, others]
        precisions.append(average_precision_score(labels, -distance[others]))
        nearer = distance[None, others][:, ~labels] < distance[others][labels][:, None]
        ranks.extend(1 + nearer.sum(axis=1))
    return float(np.mean(precisions)), float(np.mean(ranks)), np.array(ranks)


@pytest.mark.parametrize("file", FORMATS.values())
def test_all_formats_score_as_the_published_protocol(trained, file, capsys):
    found = trained.evaluate(file, "--protocol", "nickel", "--ties", "sklearn")
    precision, mean_rank, ranks = naive(trained.rows, trained.tree.above)
    assert found["map"]["value"] == pytest.approx(precision, abs=1e-9)
    assert found["mean_rank"]["value"] == pytest.approx(mean_rank, abs=1e-9)
    for k in (1, 5, 10):
        assert found["hits"][str(k)]["value"] == pytest.approx((ranks <= k).mean(), abs=1e-9)
    assert found["sources"] == found["total"] == trained.tree.n - 1
    assert found["edges"] == len(trained.tree.pairs)
    printed = capsys.readouterr().out
    assert f"MAP        {precision:.4f}\n" in printed
    assert f"mean rank  {mean_rank:.4f}\n" in printed


def test_gensims_protocol_is_gensims_own(trained):
    theirs = gensim.ReconstructionEvaluation(str(trained.folder / "closure.tsv"), trained.kv)
    expected = theirs.evaluate()
    found = trained.evaluate("model.gensim", "--protocol", "gensim")
    assert found["map"]["value"] == pytest.approx(expected["MAP"], abs=1e-9)
    assert found["mean_rank"]["value"] == pytest.approx(expected["mean_rank"], abs=1e-9)


@pytest.mark.parametrize(("format", "file"), list(FORMATS.items())[:3])
def test_inspect_names_the_format_the_table_and_its_labels(trained, format, file, capsys):
    main(["inspect", str(trained.folder / file)])
    printed = capsys.readouterr().out
    assert format in printed
    assert f"{trained.tree.n:,} x 4" in printed or f"{trained.tree.n:,} rows" in printed
    assert "ball" in printed
    assert any(f"first: {name}," in printed for name in trained.kv.index_to_key)


def test_a_word2vec_file_in_any_row_order_is_the_same_audit(trained, tmp_path):
    header, *lines = (trained.folder / "vectors.txt").read_text().splitlines()
    (tmp_path / "turned.txt").write_text("\n".join([header, *reversed(lines)]) + "\n")
    data = ("--geometry", "ball", *trained.tree.data)

    def quality(path):
        _, report = audited(tmp_path, "--embeddings", path, *data)
        assert outcomes(report)["EMB001"] == "pass"
        return report["statistics"]["embeddings"]["quality"]

    assert quality(tmp_path / "turned.txt") == quality(trained.folder / "rows.npy")


def test_labels_that_the_mapping_lacks_are_rows_without_a_node(trained, tmp_path):
    header, first, *lines = (trained.folder / "vectors.txt").read_text().splitlines()
    lost, values = first.split(" ", 1)
    (tmp_path / "other.txt").write_text("\n".join([header, f"999999999 {values}", *lines]) + "\n")
    _, report = audited(
        tmp_path, "--embeddings", tmp_path / "other.txt", "--geometry", "ball", *trained.tree.data
    )
    found = report["statistics"]["embeddings"]["never_trained"]
    assert (found["total"], found["by_evidence"]) == (1, {"no row in the table": 1})
    (sample,) = next(r for r in report["results"] if r["id"] == "EMB006")["samples"]
    assert sample["taxid"] == int(lost)
