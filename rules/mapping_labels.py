"""MAP010: identifiers of the mapping that a person takes for one another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from taxcheck.model.finding import Defect, Finding, Severity
from taxcheck.model.reading import Forms, Reading
from taxcheck.model.rule import rule
from taxcheck.statistics.values import MappingStatistics

from .mapping_rows import needs_mapping
from .wording import first, judged, part


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Cells of some columns that had blanks at their ends, which are not read."""

    count: int
    cells: int

    @classmethod
    def of(cls, reading: Reading | None, *roles: str) -> Trimmed:
        """Those of the columns that play these roles."""
        forms = [] if reading is None else [reading.forms.get(role, Forms()) for role in roles]
        return cls(sum(form.trimmed for form in forms), sum(form.cells for form in forms))

    def beside(self, finding: Finding) -> Finding:
        """The finding with what was trimmed; that alone is worth knowing, and no warning."""
        observed = {**finding.observed, "cells trimmed": self.count}
        if not self.count:
            return replace(finding, observed=observed)
        told = (
            f"{part(self.count, self.cells, 'cells')} had blanks at their ends, which were left out"
        )
        if finding.found:
            return replace(finding, message=f"{finding.message}; {told}", observed=observed)
        return Finding(
            found=True,
            message=f"{told}; {finding.message}",
            severity=Severity.INFO,
            count=self.count,
            total=self.cells,
            observed=observed,
            fix="``str.strip()`` on that column writes the labels as they are read; other tools "
            "may take the blanks for a part of them",
        )


def alike(bad: Defect, whole: str, other: str) -> str:
    """How many of the whole differ from others only in form, in which, and the first."""
    forms = ", ".join(f"{count:,} by {kind}" for kind, count in bad.detail.items())
    verb = "differs" if bad.count == 1 else "differ"
    return (
        f"{part(bad.count, bad.total, whole)} {verb} from {other} only in form: {forms}"
        f"{first(bad.samples)}"
    )


@rule(
    "MAP010",
    "warn",
    about="mapping",
    beyond_repair=(
        "the data does not say whether spellings that look alike mean one node",
        "a mapping and pairs that write each identifier in one form",
    ),
)
def lookalike_identifier(
    mapping: MappingStatistics, mapping_reading: Reading | None = None
) -> Finding:
    r"""Identifiers of the mapping differ from one another in nothing but their form.

    Compared are identifiers that are text, once they are in Unicode's composed form and without
    blanks at their ends, no-break blanks, the case of letters, and a final ``.0`` of a number.
    Counted are those beyond the first of each look. Characters that cannot be seen are written
    out: ``Canis\xa0lupus``. Blanks at the ends of an identifier are never read; how many cells had
    some is told, and where nothing looks alike that is no warning.

    Why it matters:
    Two spellings of one taxon are two nodes: each gets a row of the table and a part of the pairs,
    and neither is trained as a whole. In a report, a plot or a terminal they look the same, so
    nobody sees why the one has no children and the other no parent. Such spellings come from
    spreadsheets, from web pages, from file systems that decompose accents, and from number columns
    that became floats.

    How to fix:
    Bring all identifiers, in the mapping and in the pairs, into one form before nodes are numbered:

        text = mapping["identifier"].str.normalize("NFC").str.replace("\u00a0", " ").str.strip()
        mapping["identifier"] = text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)

    Where letters differ in case, decide which spelling is meant.

    Known exceptions:
    Identifiers in which case counts, such as keys in base 62, are all different: lower the severity
    in the policy, ``[rules.MAP010] severity = "info"``. Numbers are compared as numbers, and never
    look alike.

    References:
    - Unicode Standard Annex 15, normalization forms: https://www.unicode.org/reports/tr15/
    """
    needs_mapping(mapping)
    bad = mapping.lookalikes
    finding = judged(
        bad,
        alike(bad, "identifiers", "another one"),
        f"no two of {bad.total:,} identifiers look alike",
        impact=f"{part(bad.count, bad.total, 'nodes')} may be another node once more, and share "
        "its pairs with it.",
        fix='``mapping["identifier"].str.normalize("NFC").str.strip()`` unites what blanks and '
        "accents divide; write the same form in the pairs, then number the nodes again",
    )
    return Trimmed.of(mapping_reading, "taxid").beside(finding)
