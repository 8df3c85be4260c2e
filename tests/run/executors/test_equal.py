"""Any partitioning, any order of partitions, any executor: the same report, samples included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.why import explain_node
from taxcheck.run import again
from taxcheck.run.check import check
from taxcheck.run.request import Request
from tests.commands.selftest.bases import CORRUPTIONS, TABLES
from tests.run.executors.reports import (
    checked,
    corrupted,
    in_files,
    kept,
    partitions_of,
    run_by,
    said,
)
from tests.run.executors.scattered import Scattered

MAPPING, PAIRS = "fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet"
# Of each kind some: rows of the contract, of numbers, of the tree, of a DAG, with a taxonomy, held
# out, of words, of labels that one process has to number, with columns that nobody states.
SOME = (
    "damaged_rows_appended",
    "taxids_of_another_build",
    "rows_repeated_with_another_distance",
    "weights_that_no_draw_can_use",
    "held_out_pairs_that_are_false",
    "rows_turned_round",
    "long_cycle",
    "second_parent_with_its_ancestors",
    "some_ancestors_missing",
    "false_ancestor_without_depths",
    "dag_pairs_beyond_the_edges",
    "labels_with_underscores",
    "false_ancestor_with_a_taxonomy",
)
DASK = SOME[::8]  # the same code as the scattered cluster's, pickled for real
ALL = tuple(name for name, one in CORRUPTIONS.items() if one.base not in TABLES)
SIZES = (1, 3_000, 1 << 40)  # rows of a partition: one row group, a few, all


def equal_however_it_is_cut(name, folder, monkeypatch, sizes=SIZES):
    request = corrupted(name, folder)
    expected = checked(request)
    for seed, rows in enumerate(sizes):
        executor = Scattered(workers=3, seed=seed)
        with run_by(executor, monkeypatch), partitions_of(rows, monkeypatch):
            assert checked(request) == expected, f"{name}, partitions of {rows}"
    return request, expected


@pytest.mark.parametrize("name", SOME)
def test_a_corruption_however_it_is_cut(name, tmp_path, monkeypatch):
    equal_however_it_is_cut(name, tmp_path, monkeypatch, SIZES[:2])


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_corruption_however_it_is_cut(name, tmp_path, monkeypatch):
    equal_however_it_is_cut(name, tmp_path, monkeypatch)


def test_sound_data_needs_two_passes_and_nothing_else(monkeypatch):
    expected = checked(Request(mapping=MAPPING, pairs=PAIRS))
    executor = Scattered(workers=2, seed=0)
    with run_by(executor, monkeypatch), partitions_of(1, monkeypatch):
        assert checked(Request(mapping=MAPPING, pairs=PAIRS)) == expected
    assert executor.passes == 2


@pytest.mark.parametrize("cuts", [[], [1], [3000, 3001, 7000], [500 * k for k in range(1, 14)]])
def test_files_of_any_size(cuts, tmp_path, monkeypatch):
    request = in_files(corrupted("rows_turned_round", tmp_path), tmp_path / "pairs", cuts)
    expected = checked(request)
    with run_by(Scattered(2, len(cuts)), monkeypatch), partitions_of(1, monkeypatch):
        assert checked(request) == expected


def test_idx_whose_keys_take_more_than_32_bits(tmp_path, monkeypatch):
    """Of more than 46,340 nodes; the pairs that the closure does not hold are told by such keys."""
    n = 70_000
    low, high = np.arange(0, 100), np.arange(n - 100, n)
    pairs = pd.DataFrame({"ancestor_idx": low[:-1], "descendant_idx": low[1:], "depth_diff": 1})
    wrong = pairs.assign(ancestor_idx=high[:-1], descendant_idx=low[1:], depth_diff=7)
    turned = wrong.rename(
        columns={"ancestor_idx": "descendant_idx", "descendant_idx": "ancestor_idx"}
    )
    pd.DataFrame({"taxid": np.arange(n), "idx": np.arange(n)}).to_parquet(tmp_path / "m.parquet")
    pd.concat([pairs, wrong, turned, wrong]).astype("int32").to_parquet(tmp_path / "p.parquet")
    request = Request(mapping=str(tmp_path / "m.parquet"), pairs=str(tmp_path / "p.parquet"))
    expected = checked(request)
    with run_by(Scattered(2, 0), monkeypatch):
        assert checked(request) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rows_turned_round", "dag_pairs_beyond_the_edges"])
def test_pairs_that_fit_no_memory_are_read_again_each_time(name, tmp_path, monkeypatch):
    request = corrupted(name, tmp_path)
    expected = checked(request)
    monkeypatch.setattr(again, "MEMORY_LIMIT", 0)
    with run_by(Scattered(2, 0), monkeypatch), partitions_of(1, monkeypatch):
        assert checked(request) == expected


def test_a_node_is_explained_in_the_same_lines(tmp_path, monkeypatch):
    request = corrupted("rows_never_updated", tmp_path)
    node = str(pd.read_csv(request.mapping, sep="\t")["taxid"].iloc[100])
    expected = list(explain_node(request, node))
    with run_by(Scattered(2, 0), monkeypatch), partitions_of(1, monkeypatch):
        assert list(explain_node(request, node)) == expected


def test_failures_are_written_in_the_same_order(tmp_path, monkeypatch):
    request = corrupted("damaged_rows_appended", tmp_path / "data")
    check(replace(request, failures=tmp_path / "here", workers=1))
    with run_by(Scattered(2, 0), monkeypatch), partitions_of(1, monkeypatch):
        check(replace(request, failures=tmp_path / "there"))
    assert kept(tmp_path / "here") == kept(tmp_path / "there")


@pytest.mark.parametrize("name", DASK)
def test_a_corruption_by_dask(name, cluster, tmp_path, monkeypatch):
    request = corrupted(name, tmp_path)
    with partitions_of(1, monkeypatch):
        assert checked(request, cluster) == checked(request)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_corruption_by_dask(name, cluster, tmp_path, monkeypatch):
    request = corrupted(name, tmp_path)
    with partitions_of(1, monkeypatch):
        assert checked(request, cluster) == checked(request)


def test_who_read_the_pairs_is_told(cluster, tmp_path, monkeypatch):
    request = replace(corrupted("rows_turned_round", tmp_path, 2_000), engine=cluster)
    with partitions_of(1, monkeypatch):
        *_, note = next(one for one in check(request).inputs if one.role == "pairs").notes
    assert note == (
        f"Read by Dask, 2 workers at {cluster}, in 4 partitions; pairs that are wanted again are "
        "read again."
    )


def test_labels_are_numbered_here_and_that_is_told(cluster, tmp_path):
    request = replace(corrupted("cycle_of_labels", tmp_path), engine=cluster)
    report = check(request)
    assert (
        f"Read by this process, not by Dask, 2 workers at {cluster}: labels are numbered in the "
        "order in which they appear."
    ) in next(one for one in report.inputs if one.role == "pairs").notes
    assert said(report) == checked(request)


def test_a_report_of_sound_data_by_a_cluster_passes(cluster):
    request = Request(mapping=MAPPING, pairs=PAIRS)
    assert checked(request, cluster) == checked(request)


@pytest.mark.slow
def test_a_table_is_ranked_elsewhere_and_that_is_told(tmp_path, monkeypatch):
    """Every score, interval and tie is the same."""
    request = corrupted("rows_turned_round", tmp_path / "data")
    points = np.random.default_rng(1).normal(size=(5_000, 4)) / 9
    points[:900] = points[900]  # ties
    np.save(tmp_path / "table.npy", points.astype(np.float32))
    request = replace(request, embeddings=str(tmp_path / "table.npy"))
    expected = checked(request)
    with run_by(Scattered(2, 0), monkeypatch), partitions_of(500, monkeypatch):
        report = check(request)
    assert said(report) == expected
    *_, note = next(one for one in report.inputs if one.role == "checkpoint").notes
    assert note.startswith("Ranked by a cluster without processes; all else of the table was")


@pytest.mark.slow
def test_a_table_is_ranked_by_dask(cluster, tmp_path):
    request = corrupted("rows_turned_round", tmp_path / "data")
    points = np.random.default_rng(1).normal(size=(5_000, 4)) / 9
    np.save(tmp_path / "table.npy", points.astype(np.float32))
    request = replace(request, embeddings=str(tmp_path / "table.npy"))
    assert checked(request, cluster) == checked(request)
