"""Corruptions that only a taxonomy shows: MAP006, MAP008, MAP009, TREE008, TREE009."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted
from taxcheck.commands.selftest.folder import PARENTS, TAXA, Folder, taxonomy
from taxcheck.commands.selftest.frame import (
    DatasetFrame,
    TaxonomyFrame,
    Tree,
    closure,
    one,
    pick,
    touching,
)

from .library import bad, corruption, fail, info, warn, wholly
from .mapping import renumbered, taxids_as_idx
from .pair_rows import gap

WITH = "tree with taxonomy"
_MARKS = ("sp.", "cf.", "aff.", "unclassified", "environmental", "uncultured", "unidentified")

_bad = partial(bad, ok=lambda: Folder(taxa=taxonomy()))


def given(frame: DatasetFrame) -> TaxonomyFrame:
    """The taxonomy, which the base has."""
    assert frame.taxonomy is not None
    return frame.taxonomy


def noisy(names: Mapping[int, str], taxids: list[int]) -> list[int]:
    """Taxids whose name has a mark of an unsettled identity among its words."""
    return [t for t in taxids if any(mark in names[t].lower().split() for mark in _MARKS)]


def settled(frame: DatasetFrame, nodes: list[int]) -> list[int]:
    """Nodes whose name is two plain words, as a described species has."""
    names, taxids = given(frame).names, frame.mapping["taxid"].tolist()
    return [
        x
        for x in nodes
        if len(words := names[taxids[x]].split()) == 2
        and all(word.isalpha() for word in words)
        and words[0].lower() not in _MARKS
    ]


@corruption("MAP006", base=WITH)
def taxids_merged_deleted_and_unheard_of(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A newer dump: two taxids were merged, three deleted, and one was never there.

    Pairs of unknown nodes cannot be judged and are no disagreement. Described species are taken,
    so that the number of unsettled names stays.
    """
    tree = Tree(frame.pairs)
    leaves = pick(generator, settled(frame, tree.leaves()), 7)
    taxids = [int(frame.mapping["taxid"][leaf]) for leaf in leaves]
    successor, merged, deleted = taxids[6], taxids[:2], taxids[2:5]
    dump = replace(
        given(frame).without(set(taxids[:6])),
        merged=tuple((old, successor) for old in merged),
        deleted=tuple(deleted),
    )
    return Corrupted(replace(frame, taxonomy=dump), warn(MAP006=6))


@corruption("MAP008", base=WITH)
def species_renamed_uncultured(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Fifty described species become 'uncultured': that many more are told."""
    names, taxids = dict(given(frame).names), frame.mapping["taxid"].tolist()
    before = len(noisy(names, taxids))
    for leaf in pick(generator, settled(frame, Tree(frame.pairs).leaves()), 50):
        names[taxids[leaf]] = f"uncultured {names[taxids[leaf]].split()[0]}"
    damaged = replace(frame, taxonomy=replace(given(frame), names=names))
    return Corrupted(damaged, info(MAP008=before + 50))


@corruption("MAP008", base=WITH)
def all_names_settled(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Without such names there is nothing to tell."""
    names = {taxid: f"Taxon {taxid}" for taxid in given(frame).names}
    damaged = replace(frame, taxonomy=replace(given(frame), names=names))
    return Corrupted(damaged, {"MAP008": ("pass", 0)})


@corruption("MAP009", base=WITH)
def inner_node_left_out_of_the_mapping(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A taxon is contracted: its children are paired with their grandparent at distance 1.

    Pairs and depths are consistent and true; only the taxonomy knows a parent in between. Its
    children have lost it, and the clade's root has a parent outside by nature.
    """
    tree = Tree(frame.pairs)
    inner = [x for x in tree.children if tree.depth(x) >= 2 and len(tree.children[x]) >= 2]
    out = one(generator, inner)
    under = set(tree.below(out)) - {out}
    left = frame.only(~touching(frame.pairs, [out]))
    pairs = left.pairs.copy()
    lower, upper = (pairs[f"{end}_idx"].isin(under) for end in ("descendant", "ancestor"))
    pairs["descendant_depth"] -= lower
    pairs["ancestor_depth"] -= upper
    pairs["depth_diff"] = pairs["descendant_depth"] - pairs["ancestor_depth"]
    n = len(frame.mapping)
    damaged = replace(left, pairs=pairs, mapping=frame.mapping[frame.mapping["idx"] != out])
    names, taxids = given(frame).names, damaged.mapping["taxid"].tolist()
    expected = info(MAP008=len(noisy(names, taxids))) | warn(MAP009=len(tree.children[out]) + 1)
    return Corrupted(renumbered(damaged, np.arange(n) - (np.arange(n) > out)), expected)


@corruption("TREE008", base=WITH)
def genus_ranked_below_its_species(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A genus is called a subspecies: all of its species have the finer rank above them."""
    tree, nodes = Tree(frame.pairs), given(frame).nodes
    taxids = frame.mapping["taxid"].tolist()
    rank = dict(zip(nodes["taxid"].tolist(), nodes["rank"].tolist(), strict=True))
    of_species = {
        x: sum(rank[taxids[child]] == "species" for child in children)
        for x, children in tree.children.items()
        if rank[taxids[x]] == "genus"
        and {rank[taxids[child]] for child in children} <= {"species", "no rank"}
    }
    genus = one(generator, [x for x, species in of_species.items() if species >= 2])
    ranks = nodes["rank"].mask(nodes["taxid"] == taxids[genus], "subspecies")
    damaged = replace(frame, taxonomy=replace(given(frame), nodes=nodes.assign(rank=ranks)))
    return Corrupted(damaged, warn(TREE008=of_species[genus]))


@corruption("TREE009", base=WITH)
def species_moved_to_another_genus(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A species hangs below another genus of the same depth, with all pairs that follow.

    The file is consistent in itself. Against the taxonomy, the new ancestors are false and the old
    ones missing; those above both are neither.
    """
    tree, nodes = Tree(frame.pairs), given(frame).nodes
    taxids = frame.mapping["taxid"].tolist()
    rank = dict(zip(nodes["taxid"].tolist(), nodes["rank"].tolist(), strict=True))
    genera = [x for x in tree.children if rank[taxids[x]] == "genus"]
    leaf = one(generator, [x for x in tree.leaves() if tree.parent[x] in genera])
    old = tree.above(leaf)
    others = [x for x in genera if tree.depth(x) == tree.depth(old[0]) and x != old[0]]
    genus = one(generator, others)
    new = [genus, *tree.above(genus)]
    kept = frame.only(~touching(frame.pairs, [leaf]))
    damaged = kept.appended(tree.rows((x, leaf, k) for k, x in enumerate(new, start=1)))
    count = len(set(new) ^ set(old))
    return Corrupted(damaged, fail(TREE009=count))


@corruption("TREE009", "PAIR003", base=WITH)
def clade_left_out(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Every pair that names the clade is one that the taxonomy holds and the file lacks."""
    tree = Tree(frame.pairs)
    sizes = {x: len(tree.below(x)) for x in tree.children if x != tree.root}
    clade = tree.below(one(generator, [x for x, size in sizes.items() if 10 <= size <= 60]))
    lost = touching(frame.pairs, clade)
    count = int(lost.sum())
    expected = gap(frame, clade) | fail(TREE009=count)
    explains = {"TREE009": (count, count), "PAIR003": (len(clade), len(clade))}
    return Corrupted(
        frame.only(~lost), expected, {"lost_clade", "PAIR003"}, causes={"lost_clade": explains}
    )


@corruption("TREE009", "TREE005", base=WITH)
def false_ancestor_with_a_taxonomy(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A false pair is contradicted twice: by its own chain and by the taxonomy."""
    tree = Tree(frame.pairs)
    leaf = one(generator, tree.leaves(depth=6))
    level = tree.depth(leaf) - 3
    strangers = [x for x in tree.nodes if tree.depth(x) == level and x not in tree.above(leaf)]
    damaged = frame.appended(tree.rows([(one(generator, strangers), leaf, 3)]))
    return Corrupted(damaged, fail(TREE005=1, TREE009=1), {"TREE005"})


@corruption("MAP005", base=WITH)
def swapped_mapping_columns_with_taxonomy(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The numbers 0 to 7,111, read as taxids, are those of other organisms, or of none.

    The dump holds the clade and its lineage up to taxid 1; of the numbers it knows a few.
    """
    n, nodes = len(frame.mapping), given(frame).nodes
    parent = dict(zip(nodes["taxid"].tolist(), nodes["parent"].tolist(), strict=True))
    known = [x for x in range(n) if x in parent]
    lost = [x for x in known if x != parent[x] and parent[x] >= n]
    lineage = {x: _up(parent, x) for x in known}
    missing = sum(y in lineage for path in lineage.values() for y in path)
    assert not noisy(given(frame).names, known)
    expected = taxids_as_idx(frame) | fail(MAP005=n) | warn(MAP006=n - len(known))
    expected |= {
        "MAP008": ("pass", 0),
        "MAP009": ("warn", len(lost)) if len(lost) > 1 else ("pass", 0),
        "TREE008": SKIPPED,
        "TREE009": ("fail", missing) if missing else SKIPPED,
    }
    swapped = replace(frame, mapping=frame.mapping[["idx", "taxid"]], mapping_header=False)
    causes = {"swapped_columns": wholly(expected)}
    return Corrupted(swapped, expected, {"swapped_columns"}, causes=causes)


def _up(parent: dict[int, int], taxid: int) -> list[int]:
    path = []
    while parent[taxid] != taxid:
        taxid = parent[taxid]
        path.append(taxid)
    return path


@_bad("MAP006", "warn", 2, "the dump has merged the tiger into the lion and deleted the wolf")
def _(folder: Folder) -> None:
    assert folder.taxa is not None
    folder.taxa = [taxon for taxon in folder.taxa if taxon[0] not in (9694, 9612)]
    folder.merged, folder.deleted = [(9694, 9689)], [(9612,)]


@_bad("MAP008", "info", 2, "2 of 15 names, 13 %, say 'sp.' and 'uncultured'")
def _(folder: Folder) -> None:
    names = {9614: "Canis sp. K-12", 9683: "uncultured Felis"}
    assert folder.taxa is not None
    folder.taxa = [(*taxon[:3], names.get(taxon[0], taxon[3])) for taxon in folder.taxa]


@_bad("MAP009", "warn", 3, "Canidae is not mapped: Canis, Vulpes and the clade's root lack theirs")
def _(folder: Folder) -> None:
    taxids = [taxon[0] for taxon in TAXA if taxon[3] != "Canidae"]
    folder.mapping = [(taxid, idx) for idx, taxid in enumerate(taxids)]
    folder.pairs = closure([-1, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])


@_bad("TREE008", "warn", 2, "Canis has the rank of a subspecies, above two species")
def _(folder: Folder) -> None:
    assert folder.taxa is not None
    folder.taxa = [
        (taxid, parent, "subspecies" if name == "Canis" else rank, name)
        for taxid, parent, rank, name in folder.taxa
    ]


@_bad("TREE009", "fail", 4, "the coyote hangs below Felis: two false ancestors, two missing")
def _(folder: Folder) -> None:
    parents = list(PARENTS)
    parents[8] = 5
    folder.pairs = closure(parents)
