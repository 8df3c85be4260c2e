"""The policy beside a repaired dataset: its declared intent, and the rules' settings as given."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from taxcheck.build.write import write_policy
from taxcheck.config import Dataset
from taxcheck.policy_inputs import Inputs

REPEATED = "PAIR006"  # the rule that has to know of repetition that is meant


def write_intent(
    path: Path,
    dataset: Dataset,
    source: str | None,
    comments: Sequence[str],
    *,
    inputs: Inputs,
    repeated: bool,
    done: Collection[int] = (),
) -> None:
    """Write what the data means to be and where it is, then what else the given policy says.

    Rows that are ``repeated`` on purpose are declared by the severity of their rule. Waivers that
    are ``done``, by number, have nothing left to waive and stay behind.
    """
    write_policy(path, dataset, comments, inputs=inputs)
    rest = _others(source)
    if done:
        waivers = list(rest.pop("waiver"))
        rest |= {"waiver": [w for k, w in enumerate(waivers) if k not in done]}  # type: ignore[dict-item]
    if repeated:
        rules = dict(rest.get("rules") or {})
        rules[REPEATED] = {**(rules.get(REPEATED) or {}), "severity": "info"}
        rest["rules"] = rules
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _tables(rest, ()))


def _others(source: str | None) -> dict[str, dict[str, dict[str, object]]]:
    if source is None:
        return {}
    raw = tomllib.loads(Path(source).read_text(encoding="utf-8"))
    if Path(source).name == "pyproject.toml":
        raw = raw["tool"]["taxcheck"]
    return {key: value for key, value in raw.items() if key not in ("dataset", "inputs")}


def _tables(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[str]:
    """TOML of plain values, tables, and arrays of tables; plain values come first."""
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping) or _of_tables(v)}
    plain = {k: v for k, v in table.items() if k not in inner}
    if above and (plain or not inner):
        yield from ("", f"[{'.'.join(above)}]")
    yield from (f"{_key(key)} = {_value(value)}" for key, value in plain.items())
    for key, value in inner.items():
        path = (*above, _key(key))
        if isinstance(value, Mapping):
            yield from _tables(value, path)
            continue
        assert isinstance(value, list)
        for one in value:
            yield from ("", f"[[{'.'.join(path)}]]")
            yield from (f"{_key(k)} = {_value(v)}" for k, v in one.items())


def _of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return str(value)  # dates and times are written as they are read
