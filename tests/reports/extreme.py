"""Reports at their limits: hostile text, many findings with wide samples, every rule failing."""

from msgspec.structs import replace

from taxcheck.model.finding import Outcome, Sample
from taxcheck.model.pictures import (
    AuditPictures,
    Bar,
    Clade,
    Clades,
    Pictures,
    Projection,
    Untrained,
)
from taxcheck.model.report import PolicySummary, Report
from taxcheck.model.rule import Document

from .audit import audited_incident
from .build import result
from .catalogue import CATALOGUE
from .incident import incident

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\x1b[31m\u202e\ud800"


def _hostile_audit() -> AuditPictures:
    """Pictures after training whose every name is hostile."""
    cards = tuple(
        replace(card, label=HOSTILE, protocol=HOSTILE, remark=HOSTILE)
        for card in audited_incident().audit.scores
    )
    names = (HOSTILE, "</script><script>alert(3)</script>", "a\u2028b", "]]>", "<!--<script>")
    return AuditPictures(
        table=((HOSTILE, HOSTILE),),
        untrained=Untrained(9, 5, ((HOSTILE, 5),), ((HOSTILE, 5),), ((HOSTILE, 5, 9),)),
        distances=((HOSTILE, (0.0, 1.0, 2.0, 3.0, 4.0)),),
        scores=cards,
        clades=Clades(
            HOSTILE,
            (8.0,),
            (Clade(HOSTILE, 5, 2, 9.0, 1.0, 8.0, 1.0),),
            ((-9.0, 0.0, 0), (0.0, 9.0, 1)),
        ),
        projection=Projection(
            space="disk",
            method=HOSTILE,
            points=((0.0, 0.0), (1.0, 0.5), (-2.0, 3.0), (12.0, -9.0), (0.1, 7.0)),
            idx=(0, 1, 2, 3, 4),
            names=names,
            lineages=names,
            clade=(0, 0, 1, -1, 1),
            clades=(HOSTILE, "</script>"),
            untrained=(False, True, False, True, False),
            total=5,
            seed=0,
        ),
    )


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
            fix=f"``taxcheck run {HOSTILE}``",
        )
        hostile_rule = {"id": f'{id}"><i>', "name": HOSTILE, "document": document}
        results.append(replace(made, **hostile_rule, threshold={HOSTILE: 1.5}))
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
        causes=(),
        pictures=replace(
            base.pictures,
            roles=tuple(Bar(f"{HOSTILE}{i}", v) for i, v in enumerate((5, 0, 1, 9))),
            depths=tuple((d, 1000 - d) for d in range(1, 61)),
        ),
        statistics=replace(
            base.statistics,
            tree=replace(base.statistics.tree, kind=HOSTILE, kind_reason=HOSTILE, path=HOSTILE),
        ),
        audit=_hostile_audit(),
        policy=PolicySummary(HOSTILE, {HOSTILE: HOSTILE}),
        proof=HOSTILE,
        packages={HOSTILE: HOSTILE},
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
            samples=samples,
        )
        for id in list(CATALOGUE)[:30]
    )
    return replace(incident(), title="crowded", results=results, causes=())


def worst() -> Report:
    """Every rule fails with a message and a fix of some lines, under one cause or another."""
    said = "110,478 of 110,478 rows of the file are not what they should be, which is much to say "
    advice = "change this: ``pairs = pairs.assign(column=pairs['another_column'].map(index_of))``; "
    results = tuple(
        result(
            id,
            Outcome.FAIL,
            said * 5,
            caused_by=("MAP001",) if position % 2 else (),
            count=110478,
            total=110478,
            impact=said * 5,
            fix=advice * 5,
        )
        for position, id in enumerate(CATALOGUE)
    )
    inputs = tuple(
        replace(source, path=f"data/{'a_very_long_name_of_a_file_' * 8}{source.role}.parquet")
        for source in incident().inputs
    )
    return replace(incident(), title="worst", inputs=inputs, results=results, causes=())


NAMES = (
    "بكتيريا غير مستزرعة",  # right to left
    "חיידק לא מזוהה 1 (sp.)",
    "🦠🧬👩🏽‍🔬 phage",
    "Z͑̀a̴l̷g̶o̸ " * 4,
    "Aa" * 150,  # one word that nothing breaks
    "根瘤菌屬未定名之極長名稱" * 8,
)


def odd() -> Report:
    """No node at all, and names in other scripts, in pictographs, and without a place to break."""
    samples = tuple(
        Sample({"key": name}, row, row, row, name, " › ".join(NAMES))
        for row, name in enumerate(NAMES)
    )
    results = tuple(
        result(id, outcome, f"{name}: 0 of 0 nodes.", count=0, total=0, samples=samples)
        for id, name, outcome in zip(
            CATALOGUE, NAMES, (Outcome.FAIL, Outcome.WARN, Outcome.INFO) * 2, strict=False
        )
    )
    nothing = Pictures(
        roles=tuple(replace(bar, value=0) for bar in incident().pictures.roles), n_nodes=0
    )
    policy = PolicySummary(NAMES[4])
    bare = replace(incident(), causes=(), pictures=nothing)
    return replace(bare, title=NAMES[0], results=results, policy=policy)
