"""Reports built by hand.

The incident's figures were counted on the rebuilt incident, but for those of MAP008 and TREE004:
there no pair that the depth-1 pairs imply is missing, and the finding is here to show a
consequence that has two causes.
"""

from collections.abc import Mapping
from dataclasses import replace

from taxcheck.report import Bar, InputSummary, Pictures, Report, RuleResult
from taxcheck.rule import Document, Finding, Outcome, Sample, Severity

from .catalogue import CATALOGUE, rule

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


def result(
    id: str,
    outcome: Outcome,
    message: str,
    *,
    caused_by: tuple[str, ...] = (),
    threshold: Mapping[str, float] | None = None,
    **finding: object,
) -> RuleResult:
    broken = outcome in (Outcome.SKIPPED, Outcome.ERROR)
    found = outcome in (Outcome.FAIL, Outcome.WARN, Outcome.INFO)
    return RuleResult(
        rule=rule(id, caused_by),
        outcome=outcome,
        finding=None if broken else Finding(found, message, **finding),  # type: ignore[arg-type]
        threshold=threshold or {},
        caused_by=caused_by,
        reason=message if broken else None,
    )


def _complete(given: list[RuleResult], skipped: Mapping[str, str], total: int) -> tuple:
    """The given results, the skipped ones, and a pass for every other rule."""
    known = {r.rule.id: r for r in given}
    for id, (name, _) in CATALOGUE.items():
        if id in skipped:
            known[id] = result(id, Outcome.SKIPPED, skipped[id])
        elif id not in known:
            said = f"0 of {total:,} rows show {name.replace('_', ' ')}."
            known[id] = result(id, Outcome.PASS, said, total=total, observed={"rows": 0})
    return tuple(known[id] for id in CATALOGUE)


def incident() -> Report:
    fix = (
        "taxcheck fix --mapping mapping.tsv --pairs pairs.parquet --taxonomy taxdump/ --out fixed/"
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
        results=_complete(results, skipped, 975413),
        statistics={
            "mapping": {"rows": 110478, "nodes": 110478, "n_nodes": 110478, "holes": 0},
            "pairs": {
                "rows": 975413,
                "nodes": 81868,
                "only_descendant": 59997,
                "only_ancestor": 1,
                "both": 21870,
                "never": 28610,
                "table_size": 91567,
                "depth": depth,
            },
            "tree": {
                "kind": "tree",
                "roots": 22677,
                "max_depth": 37,
                "expected_pairs": 998089,
                "missing_pairs": 22676,
                "false_pairs": 0,
                "unproven_pairs": 801564,
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
            id_axis=tuple((share, 1 - share, 0.0) for share in _COVERED_BY_IDX),
            taxid_cut=(0.7410, 110478, 1.0, 0.0),
            taxid_axis=(*[1.0] * 44, 0.463, *[0.0] * 15),
            table_size=91567,
            n_nodes=110478,
            pairs_per_node=_PAIRS_PER_NODE,
        ),
        policy_source=None,
        policy_differences={},
        proof=(
            "Euler tour of the forest of depth-1 pairs: a proof of self-consistency, since no "
            "taxonomy was given."
        ),
        timings={"read": 0.7, "statistics": 0.6, "closure": 0.2, "rules": 0.1},
        packages={"python": "3.11.2", "numpy": "2.4.6", "pandas": "3.1.1", "pyarrow": "26.0.1"},
    )


def healthy() -> Report:
    """Echinodermata: a sound clade. Depth shares are plausible, not measured."""
    counts = (7111, 7108, 7090, 6980, 6610, 6020, 5430, 4800, 3950, 3010, 1890, 829, 260, 80)
    depths = tuple(enumerate(counts, start=1))
    info = [
        result(
            "MAP008",
            Outcome.INFO,
            "3,840 of 7,112 nodes (54.0 %) are named as noise: 'sp.', 'cf.', environmental.",
            count=3840,
            total=7112,
        ),
        result(
            "PAIR009",
            Outcome.INFO,
            "26,269 of 61,168 pairs (42.9 %) are deeper than 5, as in the hierarchy itself.",
            threshold={"deep_share": 0.65},
            count=26269,
            total=61168,
        ),
        result(
            "PAIR011",
            Outcome.INFO,
            "The top ten ancestors hold 48,011 of 61,168 pairs (78.5 %); Gini 0.91.",
            count=48011,
            total=61168,
        ),
    ]
    base = incident()
    return replace(
        base,
        title="echinodermata",
        command="taxcheck run --mapping mapping.tsv --pairs pairs.parquet --taxonomy taxdump/",
        inputs=(
            replace(base.inputs[0], rows=7112, bytes=84110, notes=()),
            replace(base.inputs[1], rows=61168, bytes=402118),
        ),
        results=_complete(info, {"PAIR012": "no held-out pairs given: add --held-out"}, 61168),
        statistics={
            "mapping": {"rows": 7112, "nodes": 7112, "n_nodes": 7112, "holes": 0},
            "pairs": {"rows": 61168, "nodes": 7112, "never": 0, "table_size": 7112},
            "tree": None,
        },
        pictures=Pictures(
            roles=(
                Bar("both roles", 2391),
                Bar("only descendant", 4720),
                Bar("only ancestor", 1),
                Bar("in no pair", 0),
            ),
            depths=depths,
            closure_depths=depths,
            id_axis=((1.0, 0.0, 0.0),) * 60,
            table_size=7112,
            n_nodes=7112,
            pairs_per_node=((1, 1, 6), (2, 3, 41), (4, 7, 2010), (8, 15, 4870), (16, 31, 185)),
        ),
        policy_source="taxcheck.toml",
        policy_differences={"dataset.kind": "tree", "rules.PAIR009.deep_share": "0.75"},
        timings=None,
    )


def warned() -> Report:
    base = healthy()
    results = tuple(
        result(
            "PAIR009",
            Outcome.WARN,
            "44,041 of 61,168 pairs (72.0 %) are deeper than 5, and the declared sampler draws "
            "pairs uniformly.",
            threshold={"deep_share": 0.65},
            count=44041,
            total=61168,
            impact="72.0 % of the training draws will go to ancestors more than 5 levels away.",
            fix='set sampler = "balanced" under [dataset] in taxcheck.toml',
        )
        if r.rule.id == "PAIR009"
        else r
        for r in base.results
    )
    return replace(base, title="uniform sampler", results=results)


def broken() -> Report:
    base = healthy()
    results = tuple(
        result("PAIR006", Outcome.ERROR, "ZeroDivisionError: division by zero")
        if r.rule.id == "PAIR006"
        else r
        for r in base.results
    )
    return replace(base, title="a rule that breaks", results=results)


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\x1b[31m\u202e\ud800"


def hostile() -> Report:
    """Every string that comes from data is hostile; lineages are 60 levels deep."""
    lineage = " › ".join(f"{HOSTILE} level {level}" for level in range(60))
    samples = tuple(
        Sample({HOSTILE: HOSTILE, "javascript:x": None}, row, row, HOSTILE, HOSTILE, lineage)
        for row in range(1, 21)
    )
    document = Document(*[f'{HOSTILE} ``{HOSTILE}`` https://x.example/?a="><b> ' * 30] * 5)
    results = []
    for position, id in enumerate(CATALOGUE):
        outcome = list(Outcome)[position % 6]
        made = result(
            id,
            outcome,
            f"{HOSTILE} " * 200,
            count=1,
            total=3,
            observed={HOSTILE: [HOSTILE, float("nan")], "dict": {HOSTILE: float("inf")}},
            samples=samples,
            impact=f"{HOSTILE} " * 100,
            fix=f"taxcheck fix {HOSTILE}",
        )
        hostile_rule = replace(made.rule, id=f'{id}"><i>', name=HOSTILE, document=document)
        results.append(replace(made, rule=hostile_rule, threshold={HOSTILE: 1.5}))
    base = incident()
    return replace(
        base,
        title=HOSTILE,
        command=f"taxcheck run {HOSTILE}",
        inputs=tuple(
            replace(i, path=HOSTILE, columns={HOSTILE: HOSTILE}, notes=(HOSTILE,))
            for i in base.inputs
        ),
        results=tuple(results),
        pictures=replace(
            base.pictures,
            roles=tuple(Bar(f"{HOSTILE}{i}", v) for i, v in enumerate((5, 0, 1, 9))),
            depths=tuple((d, 1000 - d) for d in range(1, 61)),
        ),
        statistics={HOSTILE: {HOSTILE: HOSTILE}},
        policy_source=HOSTILE,
        policy_differences={HOSTILE: HOSTILE},
        proof=HOSTILE,
        packages={HOSTILE: HOSTILE},
    )


def nothing() -> Report:
    """Nothing could be evaluated."""
    skipped = dict.fromkeys(CATALOGUE, "no pairs given: add --pairs")
    skipped |= {id: "no mapping given: add --mapping" for id in CATALOGUE if id < "N"}
    base = incident()
    return replace(
        base,
        title="nothing",
        inputs=(),
        results=_complete([], skipped, 0),
        statistics={},
        pictures=Pictures(),
        proof=None,
    )


def crowded() -> Report:
    """Thirty findings with twenty samples each, as wide and long as data makes them."""
    lineage = " › ".join(f"Clade number {level} incertae sedis" for level in range(60))
    samples = tuple(
        Sample(
            {f"column_{c}": 10**12 + row for c in range(8)},
            row,
            row,
            10**6 + row,
            f"Uncultured organism {row} of a very long name from an environmental sample",
            lineage,
        )
        for row in range(20)
    )
    results = tuple(
        replace(
            result(id, Outcome.FAIL, f"{id}: 20 of 20 rows. " * 20, count=20, total=20),
            finding=Finding(
                True, f"{id}: 20 of 20 rows. " * 20, Severity.FAIL, 20, 20, {}, samples
            ),
        )
        for id in list(CATALOGUE)[:30]
    )
    return replace(incident(), title="crowded", results=results)


REPORTS = {
    "incident": incident,
    "healthy": healthy,
    "warned": warned,
    "broken": broken,
    "hostile": hostile,
    "nothing": nothing,
    "crowded": crowded,
}
