"""The description of REST: valid, whole, and true of what is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.openapi.models import OpenAPI

from taxcheck.service.store import jobs, tokens, uploads, webhooks
from taxcheck.service.store.asked import Gate
from taxcheck.service.store.store import Store
from tests.service.asking import application, client, token
from tests.service.pushing import push


def described(store: Store) -> dict[str, Any]:
    answer = client(application(store)).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_openapi(store: Store) -> None:
    found = described(store)
    assert found["openapi"].startswith("3.1.")
    OpenAPI(**found)
    schemas = found["components"]["schemas"]
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
    refs = set(references(found))
    assert {ref.removeprefix("#/components/schemas/") for ref in refs} <= schemas.keys()
    ids = [told["operationId"] for _, _, told in operations(found)]
    assert len(set(ids)) == len(ids)


def test_every_operation_says_what_it_takes_what_it_needs_and_how_it_refuses(store: Store) -> None:
    for path, method, told in operations(described(store)):
        named = {one["name"] for one in told.get("parameters", []) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), path
        assert told["summary"], path
        assert told["description"], path
        problems = [told["responses"][code]["content"] for code in ("4XX", "5XX")]
        assert all("application/problem+json" in content for content in problems)
        needs = told.get("security")
        if path in ("/healthz", "/readyz"):
            assert needs is None
        else:
            ((scheme, scopes),) = needs[0].items()
            assert (scheme, set(scopes) < set(tokens.SCOPES)) == ("token", True)
        answers = {c: one for c, one in told["responses"].items() if c.startswith("2")}
        assert answers, (path, method)
        assert "Successful Response" not in str(answers), (path, method)


def test_what_is_asked_is_described_by_its_own_class(store: Store) -> None:
    """And not by a value that happens to have the same name."""
    found = described(store)
    for path, method, told in operations(found):
        content = told.get("requestBody", {}).get("content", {}).get("application/json")
        if content and "$ref" in content["schema"]:
            name = content["schema"]["$ref"].rpartition("/")[2]
            schema = found["components"]["schemas"][name]
            assert schema["type"] == "object", (path, method, name)
            assert schema["additionalProperties"] is False
    (one,) = found["paths"]["/api/v1/runs/{id}"]["patch"]["requestBody"]["content"].values()
    name = one["schema"]["$ref"].rpartition("/")[2]
    assert found["components"]["schemas"][name]["properties"].keys() == {"pinned"}


def test_what_is_answered_is_what_is_described(store: Store) -> None:
    """Of every route that is read and answers with one of our values."""
    runs = [push(store, name, f"run-{name}") for name in ("incident", "healthy")]
    upload = uploads.begin(store, "ncbi", "m.tsv", 1).id
    job = jobs.submit(store, project="ncbi", dataset="animals", asked=Gate(seed=1))
    webhook, _ = webhooks.create(store, "ncbi", "https://hooks.example.org/")
    ids = {"/uploads/": upload, "/jobs/": job, "/webhooks/": str(webhook.id)}
    asked = client(application(store), token(store, "admin"))
    description, checked = described(store), 0
    values = {"id": runs[0], "project": "ncbi", "dataset": "animals", "name": "PAIR001"}
    for path, method, told in operations(description):
        content = told["responses"].get("200", {}).get("content", {}).get("application/json")
        if method != "get" or not content or "$ref" not in content["schema"]:
            continue
        at = values | next(({"id": id} for part, id in ids.items() if part in path), {})
        where = re.sub(r"{(\w+)}", lambda found, at=at: at[found[1]], path)
        extra = {"before": runs[0], "after": runs[1], "metric": "coverage"}
        answer = asked.get(where, params=extra)
        assert answer.status_code == 200, (path, answer.text)
        whole = {"components": description["components"], **content["schema"]}
        jsonschema.Draft202012Validator(whole).validate(answer.json())
        checked += 1
    assert checked >= 14


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_page_of_a_library_is_served(store: Store, path: str) -> None:
    """They load scripts of another host."""
    answer = client(application(store), token(store, "admin")).get(path)
    elsewhere = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""")
    assert not elsewhere.search(answer.text)
