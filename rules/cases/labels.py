"""Corruptions of labels that are seen by nobody: MAP010 and PAIR017."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted
from taxcheck.commands.selftest.folder import PARENTS, TAXA, Folder
from taxcheck.commands.selftest.frame import HEADER, DatasetFrame, closure

from .library import bad, corruption, fail, warn
from .mapping import with_cells


@corruption("MAP010", base="DAG")
def identifiers_that_print_alike(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Three terms bear the identifier of others, in other letters or with a character unseen."""
    names = frame.mapping["identifier"].tolist()
    others = (names[40].swapcase(), f"{names[41]}\u200b", names[42].swapcase())
    cells = {row: {"identifier": other} for row, other in enumerate(others, start=100)}
    return Corrupted(with_cells(frame, dict(cells)), warn(MAP010=3))


@corruption("PAIR017", base="labels")
def labels_that_print_alike(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The rows of three leaves stand there again, each under another spelling: three more nodes."""
    pairs = frame.pairs.map(lambda taxid: f"Taxon {taxid}")
    leaves = sorted(set(pairs["descendant_label"]) - set(pairs["ancestor_label"]))[:3]
    spellings = (leaves[0].replace(" ", "\u00a0"), leaves[1].upper(), f"{leaves[2]}\ufeff")
    again = [
        pairs[pairs["descendant_label"] == leaf].assign(descendant_label=spelling)
        for leaf, spelling in zip(leaves, spellings, strict=True)
    ]
    damaged = replace(frame, pairs=pd.concat([pairs, *again], ignore_index=True))
    return Corrupted(damaged, warn(PAIR017=3), causes={"label_variants": {"PAIR017": (3, 3)}})


def _respelled(
    frame: DatasetFrame,
    cause: str,
    in_mapping: Callable[[int], str],
    in_pairs: Callable[[str], str],
    *,
    alike: bool = False,
) -> Corrupted:
    """A genus with the identifiers of its idx as labels; every other strain has another label."""
    mapping = pd.DataFrame(
        {"identifier": [in_mapping(k) for k in frame.mapping["idx"]], "idx": frame.mapping["idx"]}
    )
    labels = frame.pairs.drop(columns=["ancestor_idx", "descendant_idx"])
    for end in ("ancestor", "descendant"):
        column = [
            in_pairs(in_mapping(k)) if k % 2 else in_mapping(k) for k in frame.pairs[f"{end}_idx"]
        ]
        labels.insert(0, f"{end}_label", column)
    strains = len(frame.pairs) // 2
    expected = fail(PAIR002=strains, PAIR003=strains) | {"PAIR014": SKIPPED}
    expected |= warn(PAIR017=strains) if alike else {"PAIR017": ("pass", 0)}
    counts = {rule: (n, n) for rule, (outcome, n) in expected.items() if outcome != "pass" and n}
    return Corrupted(
        replace(frame, mapping=mapping, pairs=labels), expected, causes={cause: counts}
    )


@corruption("PAIR002", base="genus")
def labels_cut_off(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other label went through a field of 12 characters, and still begins one alone."""
    return _respelled(
        frame, "cut_labels", lambda k: f"strain {k:05} of the genus", lambda label: label[:12]
    )


@corruption("PAIR002", "PAIR017", base="genus")
def labels_in_capitals(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other strain is written in capitals in the pairs."""
    return _respelled(frame, "label_variants", lambda k: f"Strain {k}", str.upper, alike=True)


@corruption("PAIR002", base="genus")
def labels_with_underscores(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other strain has _ in place of a blank in the pairs."""
    return _respelled(
        frame, "label_variants", lambda k: f"Strain {k}", lambda label: label.replace(" ", "_")
    )


@corruption("PAIR002", base="genus")
def labels_with_a_prefix(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other strain has the prefix of its rank in the pairs."""
    return _respelled(frame, "label_variants", lambda k: f"Strain {k}", lambda label: f"t__{label}")


@corruption("PAIR002", "PAIR017", base="genus")
def labels_as_floats(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Among names there are numbers, which are floats in the pairs."""
    return _respelled(
        frame,
        "float_identifiers",
        lambda k: f"{7 * k}" if k % 2 else f"Strain {k}",
        lambda label: f"{label}.0",
        alike=True,
    )


@corruption("PAIR002", base="genus")
def labels_without_zeros(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other code has lost the zeros that it begins with."""
    return _respelled(frame, "lost_zeros", lambda k: f"{7 * k:06}", lambda code: code.lstrip("0"))


@corruption("PAIR002", base="genus")
def labels_with_thousands(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every other number is written with dots between its thousands."""
    return _respelled(
        frame,
        "thousands_separators",
        lambda k: f"{10_000 + 7 * k}",
        lambda number: f"{int(number):,}".replace(",", "."),
    )


@corruption("PAIR010", base="genus")
def codes_beside_idx_without_zeros(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Codes stand beside the idx of the pairs, as the numbers that pandas made of them."""
    codes = [f"{7 * k:06}" for k in frame.mapping["idx"]]
    mapping = pd.DataFrame({"identifier": codes, "idx": frame.mapping["idx"]})
    ends = {
        f"{end}_taxid": [int(codes[k]) for k in frame.pairs[f"{end}_idx"]]
        for end in ("ancestor", "descendant")
    }
    rows = len(frame.pairs)
    return Corrupted(
        replace(frame, mapping=mapping, pairs=frame.pairs.assign(**ends)),
        fail(PAIR010=rows) | {"PAIR014": SKIPPED},
        causes={"lost_zeros": {"PAIR010": (rows, rows)}},
    )


def _named() -> Folder:
    """The carnivores, whose mapping calls them by their names."""
    return Folder(
        mapping=[(taxon[3], idx) for idx, taxon in enumerate(TAXA)], mapping_header=("name", "idx")
    )


def _labelled() -> Folder:
    """The same, with names in the pairs as well."""
    folder, names = _named(), [taxon[3] for taxon in TAXA]
    folder.pairs = [(names[a], names[d], *rest) for a, d, *rest in closure(PARENTS)]
    folder.pairs_header = ("ancestor_name", "descendant_name", *HEADER[2:])
    return folder


@bad("MAP010", "warn", 1, "the coyote is called Canis lupus, with a no-break space", ok=_named)
def _(folder: Folder) -> None:
    folder.mapping[8] = ("Canis\u00a0lupus", 8)


@bad("PAIR017", "warn", 1, "a further row has canis lupus, which the mapping lacks", ok=_labelled)
def _(folder: Folder) -> None:
    folder.pairs.append(("Canidae", "canis lupus", 2, 1, 3))
