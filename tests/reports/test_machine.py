from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError

from taxcheck.registry import load_renderers
from taxcheck.report import RenderOptions
from tests.reports.audit import audited_incident
from tests.reports.incident import incident
from tests.reports.sample import REPORTS
from tests.reports.sound import healthy

SCHEMA = json.loads((files("taxcheck_reports") / "report.schema.json").read_text(encoding="utf-8"))


def render(report) -> str:
    return load_renderers()["json"](report, RenderOptions())


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_the_schema_is_a_schema_of_no_foreign_host():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:taxcheck:report:1.4"


def _objects(schema: object, at: str = "") -> Iterator[tuple[str, dict]]:
    """Every part of a schema that speaks of an object, with its place."""
    if isinstance(schema, dict):
        if "object" in schema.get("type", ()) or "properties" in schema:
            yield at, schema
        for key, part in schema.items():
            yield from _objects(part, f"{at}/{key}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from _objects(part, f"{at}/{number}")


def test_every_object_is_closed_or_says_what_it_maps_to():
    for at, schema in _objects(SCHEMA):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, at
            assert set(schema.get("required", ())) <= set(schema["properties"]), at
        else:
            assert isinstance(schema["additionalProperties"], dict), at


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("mapping",),
        ("pairs", "depth", "shares"),
        ("pairs", "depth", "histogram", 0),
        ("tree",),
        ("embeddings",),
        ("embeddings", "clip"),
        ("embeddings", "norms"),
        ("embeddings", "never_trained"),
        ("embeddings", "never_trained", "by_clade", 0),
        ("embeddings", "quality"),
        ("embeddings", "quality", "map"),
        ("embeddings", "quality", "map", "nulls", "popularity"),
        ("embeddings", "clades", 0),
    ],
)
def test_a_field_that_the_schema_does_not_describe_is_refused(path):
    content = json.loads(render(audited_incident()))
    part = content["statistics"]
    for key in path:
        part = part[key]
    part["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        Draft202012Validator(SCHEMA).validate(content)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_strict_json_that_its_schema_describes(name):
    text = render(REPORTS[name]())
    content = json.loads(text, parse_constant=_refuse)
    if name == "hostile":
        content["statistics"] = {}  # its keys are no fields of ours
    Draft202012Validator(SCHEMA).validate(content)
    assert text.endswith("}\n")
    assert text.encode("utf-8")
    assert text == render(REPORTS[name]())


def test_the_incident_in_figures():
    content = json.loads(render(incident()))
    assert (content["verdict"], content["exit_code"]) == ("fail", 1)
    assert content["headline"] == "28,610 of 110,478 nodes (25.9 %) will never be trained."
    rules = {rule["id"]: rule for rule in content["rules"]}
    assert rules["TREE004"]["caused_by"] == ["PAIR014", "TREE007"]
    assert rules["PAIR003"]["share"] == pytest.approx(28610 / 110478)
    assert rules["PAIR003"]["samples"][0]["name"] == "Azorhizobium doebereinerae"
    assert rules["MAP006"]["skipped_reason"] == "no taxonomy given: add --taxonomy"
    assert rules["MAP006"]["count"] is None
    histogram = content["statistics"]["pairs"]["depth"]["histogram"]
    assert sum(bar["pairs"] for bar in histogram) == 975413
    assert sum(bar["pairs"] for bar in histogram if bar["depth"] > 5) == 721349


def test_a_fix_holds_no_markup():
    rules = {rule["id"]: rule for rule in json.loads(render(incident()))["rules"]}
    assert rules["PAIR014"]["fix"].startswith("taxcheck run --mapping mapping.tsv ")
    assert rules["PAIR014"]["fix"].endswith(" --failures out/")


def test_a_reproducible_report_holds_no_clock():
    content = json.loads(render(healthy()))
    assert not {"timings", "created"} & set(content)
    assert {"timings", "created"} <= set(json.loads(render(incident())))


def test_an_audited_table_in_figures():
    content = json.loads(render(audited_incident()))
    assert content["schema_version"] == "1.4"
    table = content["statistics"]["embeddings"]
    assert (table["rows"], table["dim"], table["geometry"]) == (92290, 10, "ball")
    assert table["norms"]["percentiles"]["90"] == pytest.approx(0.9997, abs=1e-5)
    assert table["norms"]["percentiles"]["25"] == pytest.approx(0.5742, abs=1e-5)
    assert table["never_trained"]["total"] == 18813 + 10250
    assert table["never_trained"]["by_explanation"]["beyond the table"] == 18813
    assert table["never_trained"]["by_both"] == {
        "beyond the table": {"no row in the table": 18813},
        "in no pair": {"equal to the initial table": 10250},
    }
    assert table["never_trained"]["by_clade"][0] == {
        "clade": "Streptomyces",
        "never_trained": 2204,
        "nodes": 2310,
    }
    assert table["quality"]["map"]["beats_every_null"] is True
    assert table["quality"]["mean_rank"]["beats_every_null"] is False
    assert table["quality"]["map"]["ci"] == [pytest.approx(0.348), pytest.approx(0.372)]


def test_a_report_without_a_table_says_nothing_of_one():
    assert "embeddings" not in json.loads(render(incident()))["statistics"]


def test_what_json_cannot_hold_becomes_null_or_plain():
    statistics = {
        "a": float("nan"),
        "b": [np.float32("inf"), np.int64(7), np.bool_(True)],
        "c": np.arange(3),
        "d": "\ud800",
    }
    content = json.loads(render(replace(incident(), statistics=statistics)))
    assert content["statistics"] == {"a": None, "b": [None, 7, True], "c": [0, 1, 2], "d": "\ufffd"}
