from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec.structs import replace

from taxcheck.model.report import RenderOptions
from taxcheck.model.schema import report_schema
from taxcheck.model.written import plain_observed
from taxcheck.run.registry import load_renderers
from tests.reports.audit import BEYOND, audited_incident, clade, incident_table, lost
from tests.reports.incident import incident
from tests.reports.sample import REPORTS
from tests.reports.sound import healthy

SCHEMA = report_schema()
BRISINGIDA = 105864  # its taxid


def render(report) -> str:
    return load_renderers()["json"](report, RenderOptions())


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_the_schema_is_a_schema_of_no_foreign_host():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:taxcheck:report:2.0"


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
    Draft202012Validator(SCHEMA).validate(content)
    assert text.endswith("}\n")
    assert text.encode("utf-8")
    assert text == render(REPORTS[name]())


def test_the_incident_in_figures():
    content = json.loads(render(incident()))
    assert (content["verdict"], content["exit_code"]) == ("fail", 1)
    assert content["headline"] == "28,610 of 110,478 nodes (25.9 %) will never be trained."
    rules = {rule["id"]: rule for rule in content["results"]}
    caused_by = rules["TREE005"]["caused_by"]
    assert (caused_by[0], caused_by[-1]) == ("index_range_as_taxids", "TREE007")
    assert rules["PAIR003"]["share"] == pytest.approx(28610 / 110478)
    assert rules["PAIR003"]["samples"][0]["idx"] == 2
    assert rules["MAP006"]["reason"] == "no taxonomy given"
    assert rules["MAP006"]["count"] is None
    histogram = content["statistics"]["pairs"]["depth"]["histogram"]
    assert sum(bar["pairs"] for bar in histogram) == 975413
    assert sum(bar["pairs"] for bar in histogram if bar["depth"] > 5) == 721349


def test_the_code_of_a_fix_stands_between_backticks():
    results = {one["id"]: one for one in json.loads(render(incident()))["results"]}
    assert results["PAIR014"]["fix"].startswith("read the mapping with ``pd.read_csv(")
    inputs = "--mapping data/mapping.tsv --pairs data/pairs.parquet --taxonomy taxdump/"
    assert f" ``taxcheck fix {inputs} --out fixed/`` " in results["PAIR014"]["fix"]


def test_a_taxonomy_names_what_a_sample_holds():
    (noise,) = (r for r in json.loads(render(healthy()))["results"] if r["id"] == "MAP008")
    first = noise["samples"][0]
    assert (first["taxid"], first["name"]) == (7642, "Arbacia sp."), "as names.dmp has it"
    assert first["lineage"].endswith("Echinoidea > Arbacioida > Arbaciidae > Arbacia")


def test_a_reproducible_report_holds_no_clock():
    assert json.loads(render(healthy()))["timings"] is None
    assert json.loads(render(incident()))["timings"]["read"] == 0.7


def test_an_audited_table_in_figures():
    content = json.loads(render(audited_incident()))
    assert content["schema_version"] == "2.0"
    table = content["statistics"]["embeddings"]
    rows, _ = incident_table()
    never = int(np.count_nonzero(lost()))
    assert (table["rows"], table["dim"], table["geometry"]) == (*rows.shape, "ball")
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    for at in (25, 90):
        expected = pytest.approx(np.percentile(norms, at), abs=1e-5)
        assert table["norms"]["percentiles"][str(at)] == expected
    assert table["never_trained"]["total"] == never
    assert table["never_trained"]["by_explanation"]["beyond the table"] == BEYOND
    assert table["never_trained"]["by_both"] == {
        "beyond the table": {"no row in the table": BEYOND},
        "in no pair": {"recorded updates": never - BEYOND},
    }
    # Brisingida, by taxid: of the nodes below it, those that were left out.
    taxid, ancestor, descendant, _ = clade()
    below = np.unique(descendant[taxid[ancestor] == BRISINGIDA])
    without = int(lost()[below].sum() + lost()[taxid == BRISINGIDA].sum())
    assert table["never_trained"]["by_clade"][0] == {
        "clade": "Brisingida",
        "never_trained": without,
        "nodes": len(below) + 1,
    }
    scores = {name: one for name, one in table["quality"].items() if isinstance(one, dict)}
    beaten = {name for name, one in scores.items() if one.get("beats_every_null")}
    assert {"map", "mean_rank"} & beaten == set()
    assert beaten
    low, high = table["quality"]["map"]["ci"]
    assert low < table["quality"]["map"]["value"] < high


def test_a_report_without_a_table_says_nothing_of_one():
    assert json.loads(render(incident()))["statistics"]["embeddings"] is None


def test_what_json_cannot_hold_becomes_null_or_plain():
    odd = {
        "a": float("nan"),
        "b": [np.float32("inf"), np.int64(7), np.bool_(True)],
        "c": np.arange(3),
        "d": "\ud800",
        "e": {"deep": {"er": 1}},
    }
    held = plain_observed(odd)
    assert held == {"a": None, "b": [None, 7, True], "c": [0, 1, 2], "d": "\ufffd"} | {
        "e": {"deep": "{'er': 1}"}
    }
    first, *others = incident().results
    results = (replace(first, observed=odd, message="\ud800"), *others)
    content = json.loads(render(replace(incident(), results=results)))
    assert content["results"][0]["message"] == "\ufffd"
    assert content["results"][0]["observed"]["b"] == [None, 7, True]
