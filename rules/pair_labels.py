"""PAIR017: labels of the pairs that a person takes for one another."""

from __future__ import annotations

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.reading import Reading
from taxcheck.model.rule import rule
from taxcheck.statistics.values import MappingStatistics, PairStatistics

from .mapping_labels import Trimmed, alike
from .wording import judged, part


@rule("PAIR017", "warn", about="pairs")
def lookalike_label(
    mapping: MappingStatistics, pairs: PairStatistics, pair_reading: Reading | None = None
) -> Finding:
    r"""Labels in the pairs differ from another label in nothing but their form.

    Judged are pairs that hold labels in place of idx. Without a mapping all labels are compared
    with each other; with one, those that the mapping lacks are compared with those that it has.
    The forms are those of MAP010: Unicode's composed and decomposed letters, blanks at the ends,
    no-break blanks, the case of letters, and a final ``.0`` of a number. Blanks at the ends of a
    label are never read; how many cells had some is told.

    Why it matters:
    Without a mapping every spelling becomes a node, so one taxon has two rows, each with a part of
    its pairs, and both are printed alike. With a mapping the other spelling is found nowhere, and
    all of its pairs are lost: a column of taxids that pandas turned into floats, ``9606.0``, loses
    every row in this way.

    How to fix:
    Bring the labels of the pairs into the form that the mapping has:

        text = pairs["ancestor"].str.normalize("NFC").str.replace("\u00a0", " ").str.strip()
        pairs["ancestor"] = text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)

    and likewise the descendants. Where letters differ in case, decide which spelling is meant.

    Known exceptions:
    Labels in which case counts, such as keys in base 62, are all different: lower the severity in
    the policy, ``[rules.PAIR017] severity = "info"``.

    References:
    - Unicode Standard Annex 15, normalization forms: https://www.unicode.org/reports/tr15/
    """
    labels = pairs.labels
    if labels is None:
        raise Skip("the pairs hold idx, not labels")
    bad, trimmed = labels.lookalikes, Trimmed.of(pair_reading, "ancestor_taxid", "descendant_taxid")
    if not labels.distinct:
        return trimmed.beside(Finding(False, "every label is an identifier of the mapping"))
    if mapping.derived:
        whole, other, good = "labels", "another one", f"no two of {bad.total:,} labels look alike"
        effect = "may be another node once more, and share its pairs with it."
    else:
        whole, other = "labels that the mapping lacks", "one that it has, or from each other,"
        good = f"none of {bad.total:,} labels that the mapping lacks looks like one that it has"
        effect = "may stand for a node that the mapping has, and their pairs are lost."
    finding = judged(
        bad,
        alike(bad, whole, other),
        good,
        impact=f"{part(bad.count, bad.total, whole)} {effect}",
        fix='``pairs["ancestor"].str.normalize("NFC").str.strip()``, and likewise the descendants, '
        "unites what blanks and accents divide; a final ``.0`` goes with "
        r'``.str.replace(r"\.0+$", "", regex=True)``',
    )
    return trimmed.beside(finding)
