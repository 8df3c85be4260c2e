"""Corruptions whose cause is that pairs and mapping were numbered apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Verdict
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, closure, pick, touching
from taxcheck.statistics.ranks import ORDER  # a published table

from .library import corruption, fail, warn, wholly
from .mapping import renumbered
from .pair_rows import deep_rows, gap, with_identifiers
from .taxonomy import WITH, given, settled

ENDS = ["ancestor_idx", "descendant_idx"]


def numbered_apart(frame: DatasetFrame, number: np.ndarray) -> DatasetFrame:
    """The dataset with idx k of the pairs called number[k]; identifiers beside them stay."""
    return replace(renumbered(frame, number), mapping=frame.mapping)


def with_row_lost(frame: DatasetFrame, row: int) -> DatasetFrame:
    """The dataset whose mapping lost a row and was numbered anew."""
    mapping = frame.mapping.drop(index=row).reset_index(drop=True)
    return replace(frame, mapping=mapping.assign(idx=range(len(mapping))))


def inner_leaf(frame: DatasetFrame) -> int:
    """A leaf whose idx is somewhere in the middle."""
    leaves = Tree(frame.pairs).leaves()
    return leaves[len(leaves) // 2]


def disagreeing(frame: DatasetFrame) -> int:
    """Rows that are in range and whose identifiers the mapping joins to another idx."""
    taxid = dict(zip(frame.mapping["idx"], frame.mapping["taxid"], strict=True))
    wrong = np.zeros(len(frame.pairs), dtype=bool)
    inside = np.ones(len(frame.pairs), dtype=bool)
    for end in ("ancestor", "descendant"):
        own = frame.pairs[f"{end}_idx"].map(taxid)
        inside &= own.notna().to_numpy()
        wrong |= (own != frame.pairs[f"{end}_taxid"]).to_numpy()
    return int((wrong & inside).sum())


def outside(frame: DatasetFrame) -> int:
    """Rows with an idx that the mapping lacks."""
    known = frame.pairs[ENDS].isin(set(frame.mapping["idx"]))
    return int((~known.all(axis=1)).sum())


def denied(frame: DatasetFrame) -> dict[str, Verdict]:
    """What a taxonomy says of pairs that name other taxa: false ones, missing ones, ranks."""
    nodes = given(frame).nodes.set_index("taxid")
    parent, rank = nodes["parent"].to_dict(), nodes["rank"].to_dict()
    taxid = dict(zip(frame.mapping["idx"], frame.mapping["taxid"], strict=True))
    mapped, true = set(taxid.values()), set()
    for low in mapped:
        high = parent[low]
        while True:
            if high in mapped:
                true.add((high, low))
            if parent[high] == high:
                break
            high = parent[high]
    rows = [
        (taxid[a], taxid[d], k)
        for a, d, k in frame.pairs[[*ENDS, "depth_diff"]].itertuples(index=False)
        if a in taxid and d in taxid
    ]
    said = {(a, d) for a, d, _ in rows}
    place = {name: at for at, names in enumerate(ORDER) for name in names}
    edges = [(place.get(rank[a], -1), place.get(rank[d], -1)) for a, d, k in rows if k == 1]
    inverted = sum(low >= 0 and high > low for high, low in edges)
    found: dict[str, Verdict] = fail(TREE009=len(said ^ true))
    return found | ({"TREE008": ("warn", inverted)} if inverted else {})


def _joined_wrongly(frame: DatasetFrame) -> dict[str, Verdict]:
    """What identifiers beside the idx show: rows that disagree, and those out of range."""
    left = outside(frame)
    return fail(PAIR010=disagreeing(frame)) | (fail(PAIR002=left) if left else {})


@corruption("PAIR010", "PAIR002", "PAIR003")
def idx_shifted_by_one(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A header was counted: all idx of the pairs are one higher, and the last is in no mapping."""
    pairs = with_identifiers(frame)
    last = len(frame.mapping) - 1
    outside = int(touching(pairs, [last]).sum())
    pairs[ENDS] += 1
    counts = fail(PAIR010=len(pairs) - outside, PAIR002=outside, PAIR003=1)
    return Corrupted(
        replace(frame, pairs=pairs),
        counts | {"PAIR014": SKIPPED},
        causes={"one_based_idx": wholly(counts)},
    )


@corruption("PAIR010", "PAIR002", "PAIR003")
def idx_shifted_beside_floats(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The same, with identifiers that were written as floats: two damages, of which one matters."""
    shifted = idx_shifted_by_one(frame, generator)
    pairs = shifted.frame.pairs.copy()
    for end in ("ancestor_taxid", "descendant_taxid"):
        pairs[end] = pairs[end].astype(str) + ".0"
    return replace(shifted, frame=replace(shifted.frame, pairs=pairs))


@corruption("PAIR010")
def two_idx_exchanged(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Two leaves have each other's idx in the pairs: too little to say how it came about."""
    leaves = Tree(frame.pairs).leaves()
    number = np.arange(len(frame.mapping))
    number[[leaves[0], leaves[-1]]] = leaves[-1], leaves[0]
    damaged = numbered_apart(replace(frame, pairs=with_identifiers(frame)), number)
    return Corrupted(damaged, _joined_wrongly(damaged))


@corruption("MAP004")
def idx_counted_from_one(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Mapping and pairs agree that the first idx is 1: row 0 of the table is nobody's."""
    damaged = renumbered(frame, 1 + np.arange(len(frame.mapping)))
    return Corrupted(damaged, fail(MAP004=1), causes={"one_based_idx": {"MAP004": (1, 1)}})


@corruption("PAIR002", "PAIR003")
def idx_shifted_without_identifiers(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Three rows of padding were put first: only the range of the idx tells."""
    damaged = numbered_apart(frame, 3 + np.arange(len(frame.mapping)))
    counts = fail(PAIR002=outside(damaged), PAIR003=3)
    causes = {"shifted_idx": wholly(counts)}
    return Corrupted(damaged, counts | {"PAIR014": SKIPPED}, causes=causes)


@corruption("PAIR010")
def idx_rotated(frame: DatasetFrame, _: Generator) -> Corrupted:
    """np.roll moved the idx by 700 and the last ones to the front: all are in range."""
    n = len(frame.mapping)
    pairs = replace(frame, pairs=with_identifiers(frame))
    damaged = numbered_apart(pairs, (np.arange(n) + 700) % n)
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"rotated_idx": wholly(counts)})


@corruption("TREE009", base=WITH)
def idx_rotated_beside_a_taxonomy(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The same without identifiers: the taxonomy holds the pairs once they are turned back."""
    n = len(frame.mapping)
    damaged = numbered_apart(frame, (np.arange(n) + 1) % n)
    counts = denied(damaged)
    return Corrupted(damaged, counts, causes={"rotated_idx": wholly(counts)})


@corruption("PAIR010")
def identifiers_looked_up_one_row_off(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The idx are right, and beside each stands the identifier of the row before."""
    taxids = np.roll(frame.mapping["taxid"].to_numpy(), 1)
    off = replace(frame, mapping=frame.mapping.assign(taxid=taxids))
    damaged = replace(frame, pairs=with_identifiers(off))
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"rotated_idx": wholly(counts)})


@corruption("PAIR010", base=WITH)
def identifiers_looked_up_one_row_off_beside_a_taxonomy(
    frame: DatasetFrame, generator: Generator
) -> Corrupted:
    """The same: the taxonomy says that the idx are right, so that nothing is wrong with them."""
    damaged = identifiers_looked_up_one_row_off(frame, generator).frame
    return Corrupted(damaged, _joined_wrongly(damaged))


@corruption("TREE009", base=WITH)
def identifiers_of_a_part_one_row_off(frame: DatasetFrame, _: Generator) -> Corrupted:
    """In a part of the mapping each identifier stands a row too low, and the last comes first."""
    taxids = frame.mapping["taxid"].to_numpy().copy()
    taxids[300:800] = np.roll(taxids[300:800], 1)
    damaged = replace(frame, mapping=frame.mapping.assign(taxid=taxids))
    counts = denied(damaged)
    return Corrupted(damaged, counts, causes={"permuted_range": wholly(counts)})


@corruption("PAIR010", "PAIR002")
def mapping_row_lost(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The mapping lost a leaf's row and was numbered anew: from there on idx are one lower."""
    sound = replace(frame, pairs=with_identifiers(frame))
    damaged = with_row_lost(sound, inner_leaf(frame))
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"shifted_from": wholly(counts)})


@corruption("TREE009", "PAIR002", base=WITH)
def mapping_row_lost_beside_a_taxonomy(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The same without identifiers: which idx it was the taxonomy tells."""
    leaves = settled(frame, Tree(frame.pairs).leaves())  # so that no other name is unsettled
    damaged = with_row_lost(frame, leaves[len(leaves) // 2])
    counts = denied(damaged) | fail(PAIR002=outside(damaged))
    return Corrupted(damaged, counts, causes={"shifted_from": wholly(counts)})


@corruption("PAIR010")
def range_permuted(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A part of the mapping was sorted alone: five hundred taxa have each other's idx."""
    sound = replace(frame, pairs=with_identifiers(frame))
    damaged = numbered_apart(sound, _permuted(frame, generator))
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"permuted_range": wholly(counts)})


@corruption("TREE009", base=WITH)
def range_permuted_beside_a_taxonomy(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The same without identifiers: the taxonomy's hierarchy has the shape of the pairs'."""
    damaged = numbered_apart(frame, _permuted(frame, generator))
    counts = denied(damaged)
    return Corrupted(damaged, counts, causes={"permuted_range": wholly(counts)})


def _permuted(frame: DatasetFrame, generator: Generator) -> np.ndarray:
    number = np.arange(len(frame.mapping))
    number[300:800] = generator.permutation(number[300:800])
    return number


@corruption("PAIR010")
def all_idx_permuted(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """All idx of the pairs are others, in no order at all: nothing says how it came about."""
    sound = replace(frame, pairs=with_identifiers(frame))
    damaged = numbered_apart(sound, generator.permutation(len(frame.mapping)))
    return Corrupted(damaged, _joined_wrongly(damaged))


@corruption("PAIR010")
def pairs_numbered_in_text_order(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Taxids were strings when the pairs were built: 10090 comes before 9606."""
    taxids = generator.choice(np.arange(5_000, 500_000), len(frame.mapping), replace=False)
    sound = replace(frame, mapping=frame.mapping.assign(taxid=taxids))
    sound = replace(sound, pairs=with_identifiers(sound))
    number = np.empty(len(taxids), dtype=np.int64)
    number[sorted(range(len(taxids)), key=lambda k: str(taxids[k]))] = range(len(taxids))
    damaged = numbered_apart(sound, number)
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"text_ordered_idx": wholly(counts)})


@corruption("PAIR010")
def rows_of_the_mapping_counted(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The mapping's rows stand in another order than their idx, and were counted."""
    mapping = frame.mapping.sample(frac=1, random_state=generator).reset_index(drop=True)
    sound = replace(frame, pairs=with_identifiers(frame))
    number = np.empty(len(mapping), dtype=np.int64)
    number[mapping["idx"]] = range(len(mapping))
    damaged = replace(numbered_apart(sound, number), mapping=mapping)
    counts = _joined_wrongly(damaged)
    return Corrupted(damaged, counts, causes={"row_numbers_as_idx": wholly(counts)})


@corruption("PAIR002")
def mapping_row_lost_without_a_trace(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The mapping lost a row and nothing says which: it is not the one of these pairs."""
    damaged = with_row_lost(frame, inner_leaf(frame))
    counts = fail(PAIR002=outside(damaged))
    return Corrupted(damaged, counts, causes={"other_build": wholly(counts)})


@corruption("PAIR010", "PAIR003")
def mapping_of_another_build(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Thirty leaves are gone, forty taxa are new, and all were numbered in another order."""
    n, gone = len(frame.mapping), pick(generator, Tree(frame.pairs).leaves(), 30)
    taxids = frame.mapping["taxid"].drop(index=gone).to_numpy()
    new = int(taxids.max()) + 1 + np.arange(40)
    shuffled = generator.permutation(np.concatenate([taxids, new]))
    mapping = pd.DataFrame({"taxid": shuffled, "idx": range(len(shuffled))})
    damaged = replace(frame, mapping=mapping, pairs=with_identifiers(frame))
    counts = _joined_wrongly(damaged) | gap(damaged, list(range(n, n + 10)))
    return Corrupted(damaged, counts, causes={"other_build": wholly(counts)})


@corruption("MAP006", base=WITH)
def taxids_merged(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A newer dump has merged three described species into a fourth."""
    leaves = pick(generator, settled(frame, Tree(frame.pairs).leaves()), 4)
    *old, new = (int(frame.mapping["taxid"][leaf]) for leaf in leaves)
    dump = given(frame).without(set(old))
    dump = replace(dump, merged=tuple((taxid, new) for taxid in sorted(old)))
    causes = {"merged_identifiers": {"MAP006": (3, 3)}}
    return Corrupted(replace(frame, taxonomy=dump), warn(MAP006=3), causes=causes)


@corruption("MAP003")
def second_mapping_appended(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Two mappings were concatenated as they are: the second's forty idx are the first's."""
    taxids = int(frame.mapping["taxid"].max()) + 1 + np.arange(40)
    second = pd.DataFrame({"taxid": taxids, "idx": range(40)})
    mapping = pd.concat([frame.mapping, second], ignore_index=True)
    causes = {"restarted_idx": {"MAP003": (40, 40)}}
    return Corrupted(replace(frame, mapping=mapping), fail(MAP003=40), causes=causes)


@corruption("MAP003")
def mapping_starts_again(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The mapping was put together of two halves that were each numbered from 0."""
    half = (len(frame.mapping) + 1) // 2
    mapping = frame.mapping.assign(idx=frame.mapping["idx"].to_numpy() % half)
    inside = (frame.pairs[["ancestor_idx", "descendant_idx"]] < half).all(axis=1)
    left, nearest = frame.pairs[inside], frame.pairs[~inside].groupby("descendant_idx")
    broken = left["depth_diff"] > left["descendant_idx"].map(nearest["depth_diff"].min())
    orphans = set(left["descendant_idx"]) - set(left["descendant_idx"][left["depth_diff"] == 1])
    counts = fail(MAP003=len(mapping) - half, PAIR002=int((~inside).sum()))
    counts |= fail(TREE007=len(orphans)) if orphans else {}
    counts |= {"TREE003": ("info", len(orphans) + 1)} if orphans else {}
    explained = wholly(counts)
    if unproven := int(broken.sum()):
        counts |= warn(TREE005=0)
        explained = {**explained, "TREE005": (unproven, unproven)}
    return Corrupted(replace(frame, mapping=mapping), counts, causes={"restarted_idx": explained})


@corruption("TREE002", "TREE004", "TREE006")
def pairs_of_another_dataset_appended(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A root, its child and ten grandchildren, numbered from 0, come after the pairs.

    To the first dataset these are twelve leaves of one depth, so that no distance gets shorter:
    eleven have a second parent, and what is above the first two is above the ten as well.
    """
    tree = Tree(frame.pairs)
    by_depth: dict[int, list[int]] = {}
    for leaf in tree.leaves(depth=4):
        by_depth.setdefault(tree.depth(leaf), []).append(leaf)
    twelve = max(by_depth.values(), key=len)[:12]
    number = np.empty(len(frame.mapping), dtype=np.int64)
    number[[*twelve, *(x for x in range(len(number)) if x not in twelve)]] = range(len(number))
    sound = renumbered(frame, number)
    second = pd.DataFrame(closure([-1, 0, *[1] * 10]), columns=list(sound.pairs.columns))
    damaged = sound.appended(second)
    above = [set(tree.above(leaf)) for leaf in twelve]
    missing = len(above[0] - above[1])
    missing += sum(len((above[0] | above[1]) - own) for own in above[2:])
    counts = fail(TREE004=missing, TREE006=12) | warn(TREE002=11)
    return Corrupted(damaged, counts, causes={"appended_file": wholly(counts)})


@corruption("PAIR010")
def identifiers_exchanged(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """In thirty rows the identifiers of the two ends stand in each other's place."""
    pairs = with_identifiers(frame)
    rows = generator.choice(len(pairs), size=30, replace=False)
    ends = ["ancestor_taxid", "descendant_taxid"]
    pairs.loc[rows, ends] = pairs.loc[rows, ends[::-1]].to_numpy()
    counts = fail(PAIR010=30)
    return Corrupted(replace(frame, pairs=pairs), counts, causes={"exchanged_ends": wholly(counts)})


@corruption("PAIR010")
def identifiers_one_row_lower(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The column of the ancestors' identifiers stands one row lower than all others."""
    pairs = with_identifiers(frame)
    lower = np.roll(pairs["ancestor_taxid"], 1)
    counts = fail(PAIR010=int((lower != pairs["ancestor_taxid"]).sum()))
    damaged = replace(frame, pairs=pairs.assign(ancestor_taxid=lower))
    return Corrupted(damaged, counts, causes={"shifted_column": wholly(counts)})


@corruption("PAIR008", "TREE004", "TREE005")
def rows_turned_round(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Thirty distant pairs point upwards, with the depths of both ends, and the true ones lack."""
    pairs = frame.pairs.copy()
    rows = deep_rows(frame, generator, 30, top=1)
    for name in ("idx", "depth"):
        ends = [f"ancestor_{name}", f"descendant_{name}"]
        pairs.loc[rows, ends] = pairs.loc[rows, ends[::-1]].to_numpy()
    counts = fail(PAIR008=30, TREE004=30, TREE005=30)
    return Corrupted(replace(frame, pairs=pairs), counts, causes={"exchanged_ends": wholly(counts)})
