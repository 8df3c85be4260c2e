"""The pages of what Python code may import, which mkdocstrings fills from the docstrings."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generate.markdown import Page

FOLDER = "reference/python/"
# Page -> title, words, what is public there.
PUBLIC = {
    "check": (
        "Check and audit",
        "A Request says what is asked, `check` answers with a Report; it is `gather`, which reads, "
        "and `judge`, which may be asked again under another policy. Nothing is printed and "
        "nothing written; what a user can mend is raised as a TaxcheckError of one line.",
        (
            "taxcheck.check",
            "taxcheck.gather",
            "taxcheck.judge",
            "taxcheck.Gathered",
            "taxcheck.Request",
            "taxcheck.Report",
            "taxcheck.RuleResult",
            "taxcheck.InputSummary",
        ),
    ),
    "policy": (
        "Policy",
        "The policy as a value, and how it is read.",
        (
            "taxcheck.Policy",
            "taxcheck.Dataset",
            "taxcheck.RulePolicy",
            "taxcheck.Service",
            "taxcheck.load_policy",
            "taxcheck.Waiver",
        ),
    ),
    "rules": (
        "Rules and renderers",
        "What a rule of your own is made of, and how rules and renderers are found.",
        (
            "taxcheck.rule",
            "taxcheck.Rule",
            "taxcheck.Finding",
            "taxcheck.Sample",
            "taxcheck.Threshold",
            "taxcheck.Skip",
            "taxcheck.Severity",
            "taxcheck.Outcome",
            "taxcheck.load_rules",
            "taxcheck.load_renderers",
            "taxcheck.RenderOptions",
        ),
    ),
    "statistics": (
        "What rules see",
        "The values that a rule takes by the name of its parameter, frozen and read-only.",
        (
            "taxcheck.statistics.values.MappingStatistics",
            "taxcheck.statistics.values.PairStatistics",
            "taxcheck.statistics.values.DepthStatistics",
            "taxcheck.statistics.values.HierarchyStatistics",
            "taxcheck.statistics.values.ClosureStatistics",
            "taxcheck.statistics.values.TaxonomyStatistics",
            "taxcheck.statistics.values.HeldOutStatistics",
            "taxcheck.model.reading.Reading",
            "taxcheck.model.reading.Column",
            "taxcheck.model.reading.Forms",
            "taxcheck.audit.values.EmbeddingStatistics",
            "taxcheck.audit.values.CoverageOfTraining",
            "taxcheck.audit.values.HierarchyScores",
            "taxcheck.audit.values.TrainingRecord",
        ),
    ),
    "training": (
        "Train",
        "The gate, the training and the audit as one call.",
        (
            "taxcheck.train",
            "taxcheck.Finished",
            "taxcheck.Watcher",
            "taxcheck.TrainConfig",
            "taxcheck.engine.presets.find",
            "taxcheck.commands.evaluate.evaluate_table",
        ),
    ),
    "loops": (
        "Tests and loops of your own",
        "The gate as an assertion, and a guard for a training loop. Where the data or the table is "
        "not sound they raise an error that names causes and fixes, and holds the Report.",
        (
            "taxcheck.assert_sound",
            "taxcheck.integrations.assert_sound.run",
            "taxcheck.UnsoundError",
            "taxcheck.Guard",
        ),
    ),
    "push": (
        "Push to a service",
        "A report goes to where a team keeps its runs. The same report twice is one run; what "
        "cannot be sent now waits in the outbox, and nothing is raised for it.",
        ("taxcheck.push", "taxcheck.Pushed"),
    ),
    "geometry": (
        "Geometry",
        "Pure functions over rows, in float64, each with the source of its equation.",
        (
            "taxcheck.geometry.ball",
            "taxcheck.geometry.lorentz",
            "taxcheck.geometry.tangent",
            "taxcheck.geometry.precision",
        ),
    ),
    "errors": (
        "Errors",
        "What ends a command as one line, with its exit code.",
        ("taxcheck.model.errors",),
    ),
}


def pages() -> Iterator[Page]:
    """A page for each part of what is public."""
    for name, (title, about, public) in PUBLIC.items():
        parts = [f"# {title}", about, *(f"::: {path}" for path in public)]
        yield Page(f"{FOLDER}{name}.md", "\n\n".join(parts) + "\n")


def navigation() -> list[object]:
    """The entries of the parts."""
    return [{title: f"{FOLDER}{name}.md"} for name, (title, _, _) in PUBLIC.items()]
