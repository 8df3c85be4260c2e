"""Sound data, and what is between sound and failing: a warning, a broken rule, nothing judged."""

from dataclasses import replace

from taxcheck.data_bins import Bar, Pictures
from taxcheck.report import Report
from taxcheck.rule import Outcome

from .build import complete, result
from .catalogue import CATALOGUE
from .incident import incident


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
        results=complete(info, {"PAIR012": "no held-out pairs given: add --held-out"}, 61168),
        statistics={
            "mapping": {
                "rows": 7112,
                "nodes": 7112,
                "n_nodes": 7112,
                "holes": 0,
                "derived": False,
            },
            "pairs": {
                "rows": 61168,
                "valid": 61168,
                "nodes": 7112,
                "only_descendant": 4720,
                "only_ancestor": 1,
                "both": 2391,
                "never": 0,
                "table_size": 7112,
                "holes_in_range": 0,
                "depth": None,
            },
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
            fix='declare ``[dataset] sampler = "balanced"`` in taxcheck.toml',
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


def nothing() -> Report:
    """Nothing could be evaluated."""
    skipped = dict.fromkeys(CATALOGUE, "no pairs given: add --pairs")
    skipped |= {id: "no mapping given: add --mapping" for id in CATALOGUE if id < "N"}
    base = incident()
    return replace(
        base,
        title="nothing",
        inputs=(),
        results=complete([], skipped, 0),
        statistics={},
        pictures=Pictures(),
        proof=None,
    )
