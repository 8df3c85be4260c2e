"""The incident's report. Its figures were counted on the rebuilt incident, but for those of MAP008
and TREE004: there no pair that the depth-1 pairs imply is missing, and the finding is here to show
a consequence that has two causes.
"""

from taxcheck.data_bins import Bar, Draws, Pictures
from taxcheck.report import InputSummary, Report
from taxcheck.rule import Outcome, Sample

from .build import complete, result

INCIDENT_DEPTHS = tuple(
    enumerate(
        [
            59191, 53278, 47395, 47991, 46209, 44698, 43919, 43229, 44904, 44594, 42602,
            41088, 40001, 36730, 33685, 32075, 30267, 27822, 26672, 25306, 23469, 21837,
            20061, 18223, 15969, 14164, 12026, 9838, 8235, 6569, 5222, 3298, 2416, 1402,
            773, 227, 28,
        ],
        start=1,
    )
)  # fmt: skip
_COVERED_BY_IDX = (
    0.802, 0.867, 0.828, 0.852, 0.873, 0.858, 0.8, 0.835, 0.864, 0.863, 0.884, 0.877, 0.878,
    0.857, 0.853, 0.88, 0.89, 0.892, 0.892, 0.9, 0.895, 0.892, 0.906, 0.891, 0.92, 0.918, 0.879,
    0.875, 0.918, 0.898, 0.905, 0.916, 0.935, 0.919, 0.929, 0.902, 0.93, 0.893, 0.941, 0.929,
    0.937, 0.916, 0.929, 0.917, 0.936, 0.929, 0.931, 0.935, 0.92, 0.675, *[0.0] * 10,
)  # fmt: skip
_PAIRS_PER_NODE = (
    (0, 0, 28610), (1, 1, 0), (2, 3, 5809), (4, 7, 20842), (8, 15, 21632), (16, 31, 31547),
    (32, 63, 1116), (64, 127, 460), (128, 255, 213), (256, 511, 94), (512, 1023, 63),
    (1024, 2047, 35), (2048, 4095, 18), (4096, 8191, 12), (8192, 16383, 15),
    (16384, 32767, 9), (32768, 65535, 2), (65536, 131071, 1),
)  # fmt: skip
_NEVER = (
    (4, 3, 335928, "Azorhizobium doebereinerae"),
    (9, 8, 1706371, "Cellvibrio sp. PSBB023"),
    (19, 18, 213421, "Desulfuromonas group"),
    (58, 57, 224463, "Xanthomonas arboricola pv. pruni"),
)


def incident() -> Report:
    fix = (
        "``taxcheck run --mapping mapping.tsv --pairs pairs.parquet --taxonomy taxdump/ "
        "--failures out/``"
    )
    never = tuple(
        Sample(
            values={"taxid": taxid, "idx": idx},
            row=row,
            node=idx,
            taxid=taxid,
            name=name,
            lineage=f"cellular organisms › Bacteria › Pseudomonadota › {name.split()[0]}",
        )
        for row, idx, taxid, name in _NEVER
    )
    cause = ("PAIR014",)
    results = [
        result(
            "PAIR014",
            Outcome.FAIL,
            "81,868 of 81,868 nodes with a taxid below 110,478 are covered, 0 of 28,610 above.",
            threshold={"covered_below": 0.99, "covered_above": 0.01, "smallest_group": 100},
            count=28610,
            total=110478,
            observed={
                "n_nodes": 110478,
                "below": 81868,
                "covered_below": 81868,
                "above": 28610,
                "covered_above": 0,
            },
            samples=never,
            fix=fix,
        ),
        result(
            "PAIR003",
            Outcome.FAIL,
            "28,610 of 110,478 nodes (25.9 %) are in no pair; first: idx 3 (taxid 335928, "
            "Azorhizobium doebereinerae).",
            caused_by=cause,
            threshold={"share": 0.0},
            count=28610,
            total=110478,
            observed={"roles": {"both": 21870, "only descendant": 59997, "only ancestor": 1}},
            samples=never,
            impact="28,610 of 110,478 nodes (25.9 %) will never be trained.",
        ),
        result(
            "PAIR004",
            Outcome.FAIL,
            "A table sized from the pairs has 91,567 rows, 18,911 too few; 9,699 idx inside that "
            "range are in no pair.",
            caused_by=cause,
            count=18911,
            total=110478,
            observed={"table_size": 91567, "n_nodes": 110478, "holes_inside": 9699},
            impact="Lookups of 18,911 nodes will end in an index error.",
        ),
        result(
            "TREE004",
            Outcome.FAIL,
            "22,676 of 998,089 pairs (2.3 %) of the closure are missing, all at depth 1.",
            caused_by=("PAIR014", "TREE007"),
            count=22676,
            total=998089,
            observed={"missing_by_depth": {"1": 22676}},
        ),
        result(
            "TREE007",
            Outcome.FAIL,
            "22,676 of 81,867 descendants (27.7 %) have ancestors but no parent.",
            caused_by=cause,
            count=22676,
            total=81867,
            samples=(
                Sample({"pairs": 11}, None, 18, 213421, "Desulfuromonas group", "Bacteria › … "),
                Sample({"pairs": 9}, None, 20, 2812025, None, None),
            ),
        ),
        result(
            "MAP008",
            Outcome.INFO,
            "31,207 of 110,478 nodes (28.2 %) are named as noise: 'sp.', 'cf.', environmental.",
            count=31207,
            total=110478,
            observed={"kinds": {"sp.": 24110, "uncultured": 4032, "cf.": 3065}},
        ),
        result(
            "PAIR009",
            Outcome.INFO,
            "721,349 of 975,413 pairs (74.0 %) are deeper than 5; mean 11.94, median 11, max 37.",
            threshold={"deep_share": 0.65},
            count=721349,
            total=975413,
            observed={"1": 0.0607, "2-5": 0.1998, ">5": 0.7395, "effective depths": 28.3},
        ),
        result(
            "PAIR011",
            Outcome.INFO,
            "The top ten ancestors hold 340,583 of 975,413 pairs (34.9 %); Gini 0.952.",
            count=340583,
            total=975413,
            observed={"gini": 0.952},
        ),
        result(
            "TREE003",
            Outcome.INFO,
            "22,677 roots over 81,868 nodes, in 22,677 components.",
            count=22677,
            total=81868,
        ),
    ]
    no_taxonomy = "no taxonomy given: add --taxonomy"
    skipped = dict.fromkeys(["MAP006", "MAP009", "TREE008", "TREE009"], no_taxonomy)
    depth = {
        "mean": 11.94,
        "median": 11,
        "max": 37,
        "shares": {"1": 0.0607, "2-5": 0.1998, ">5": 0.7395},
        "histogram": [{"depth": d, "pairs": n} for d, n in INCIDENT_DEPTHS],
    }
    return Report(
        title="incident",
        version="0.1.0",
        created="2026-11-22T09:14:07Z",
        command="taxcheck run --mapping mapping.tsv --pairs pairs.parquet --html report.html",
        inputs=(
            InputSummary(
                role="mapping",
                path="data/mapping.tsv",
                format="tsv",
                bytes=1398210,
                rows=110478,
                fingerprint="blake3:7c1f0e2b9a6d4c558e0b3f1a2d7c9e04",
                columns={"taxid": "column 1", "idx": "column 2"},
                notes=(
                    "No header line: the columns are taken as taxid, idx.",
                    "Identifiers are integers.",
                ),
            ),
            InputSummary(
                role="pairs",
                path="data/pairs.parquet",
                format="parquet",
                bytes=8914334,
                rows=975413,
                fingerprint="blake3:19ab77d0c3e24f6688512b7de0a94f3c",
                columns={
                    "ancestor": "ancestor_idx",
                    "descendant": "descendant_idx",
                    "depth_diff": "depth_diff",
                },
                notes=("The hierarchy is a tree: 0 of 59,191 nodes have several parents.",),
            ),
        ),
        results=complete(results, skipped, 975413),
        statistics={
            "mapping": {
                "rows": 110478,
                "nodes": 110478,
                "n_nodes": 110478,
                "holes": 0,
                "derived": False,
            },
            "pairs": {
                "rows": 975413,
                "valid": 975413,
                "nodes": 81868,
                "only_descendant": 59997,
                "only_ancestor": 1,
                "both": 21870,
                "never": 28610,
                "table_size": 91567,
                "holes_in_range": 9699,
                "depth": depth,
            },
            "tree": {
                "kind": "tree",
                "kind_reason": "no node has several parents",
                "edges_from": "depth-1 pairs",
                "edges": 59191,
                "roots": 22677,
                "components": 22677,
                "max_depth": 37,
                "expected_pairs": 998089,
                "missing_pairs": 22676,
                "false_pairs": 0,
                "unproven_pairs": 801564,
                "duplicate_pairs": 0,
                "path": "forest",
            },
        },
        pictures=Pictures(
            roles=(
                Bar("both roles", 21870),
                Bar("only descendant", 59997),
                Bar("only ancestor", 1),
                Bar("in no pair", 28610),
            ),
            depths=INCIDENT_DEPTHS,
            closure_depths=((1, 81867), *INCIDENT_DEPTHS[1:]),
            draws=(
                Draws("uniform over pairs", (59191 / 975413, 194873 / 975413, 721349 / 975413)),
                Draws("balanced over depths", (1 / 37, 4 / 37, 32 / 37)),
                Draws("balanced over ranges", (1 / 3, 1 / 3, 1 / 3)),
            ),
            id_axis=tuple((share, 1 - share, 0.0) for share in _COVERED_BY_IDX),
            taxid_cut=(0.7410, 110478, 1.0, 0.0),
            taxid_axis=(*[1.0] * 44, 0.463, *[0.0] * 15),
            table_size=91567,
            n_nodes=110478,
            pairs_per_node=_PAIRS_PER_NODE,
        ),
        proof=(
            "Euler tour of the forest of depth-1 pairs: a proof of self-consistency, since no "
            "taxonomy was given."
        ),
        timings={"read": 0.7, "statistics": 0.6, "closure": 0.2, "rules": 0.1},
        packages={"python": "3.11.2", "numpy": "2.4.6", "pandas": "3.1.1", "pyarrow": "26.0.1"},
    )
