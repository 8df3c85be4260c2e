"""Writing a policy as TOML. Where there is a text already its comments and layout are kept.

``loads(dumps(policy)) == policy`` for every policy that could be read. tomlkit tells where in a
text a key stands and how a value is written; nothing else in taxcheck writes TOML.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Array, InlineTable, Item, Key, Table, Whitespace

from taxcheck.model.errors import UsageError
from taxcheck.model.paths import Paths, is_address
from taxcheck.model.rule import Rule, find_rule
from taxcheck.policy.model import FILES, Inputs, Policy, RulePolicy, Service
from taxcheck.policy.read import parse_policy, parse_toml

Notes = Mapping[tuple[str, ...], str]  # what is said behind a key or a table's header, by its path
# Between these, which no TOML can hold, lines are made comments.
_OUT, _END = "\0", "\1"


def dumps(policy: Policy, head: Sequence[str] = (), notes: Notes | None = None) -> str:
    """The text of a policy that lies where its ``source`` says; relative paths lead from there.

    ``head`` are lines of comment at its beginning. Standard input has no name that a policy could
    give. Raises UsageError where a value is no text.
    """
    return update("", policy, (), head, notes)


def update(
    text: str,
    policy: Policy,
    rules: Iterable[Rule],
    head: Sequence[str] = (),
    notes: Notes | None = None,
    causes: Collection[str] = (),
) -> str:
    """The text of a policy changed so that it states ``policy``; it says the rest as before.

    What it no longer states becomes a comment. A note is written where there is no comment yet, and
    before it where the value is another now; its further lines go below a table's header.
    ``policy.source`` is where the text will be. Raises UsageError where the text is no policy.
    """
    rules, noted = tuple(rules), dict(notes or {})
    source = policy.source or "the text"
    raw = parse_toml(text, source)
    before = parse_policy(raw, rules, policy.source, causes)
    names = {find_rule(name, rules).id: name for name in raw.get("rules", {})}
    page = _Page(tomlkit.parse(text if text.endswith("\n") or not text else f"{text}\n"))
    folder = Path(policy.source or "").parent
    for of, then in (
        (("dataset",), (asdict(before.dataset), asdict(policy.dataset))),
        (("inputs",), (_inputs(before.inputs, folder), _inputs(policy.inputs, folder))),
        (("service",), (_stated(before.service), _stated(policy.service))),
    ):
        page.table(of, *then, noted)
    for rule in before.rules.keys() - policy.rules.keys():
        page.take_out(("rules", names[rule]))
    # Rules that the text has come first: the tables of others then follow theirs.
    for rule, settings in sorted(policy.rules.items(), key=lambda one: one[0] not in names):
        known = before.rules.get(rule, RulePolicy())
        page.table(("rules", names.get(rule, rule)), _settings(known), _settings(settings), noted)
    page.waivers(before.waivers, policy.waivers)
    said = set(text.splitlines())
    top = "".join(f"{line}\n" for line in comment_lines(head) if line not in said)
    return f"{top}\n{page.text()}".lstrip("\n") if top else page.text()


def own_text(source: Path) -> str:
    """The text of a policy file; of a pyproject.toml its [tool.taxcheck], as a file of its own."""
    text = source.read_text(encoding="utf-8-sig")
    if source.name != "pyproject.toml":
        return text
    own = tomlkit.document()
    for place in _at(tomlkit.parse(text).body, ("tool", "taxcheck")):
        inline = isinstance(place.item, InlineTable)
        table = tomlkit.item(place.item.unwrap()) if inline else place.item
        for key, item in table.value.body:
            own.append(key, item)
    return tomlkit.dumps(own)


def remark(text: str) -> str:
    """One line for a comment, whatever a file's name or a taxon's holds."""
    return _printable(" ".join(text.split()))


def comment_lines(texts: Iterable[str]) -> list[str]:
    """Every line of the texts as a comment."""
    lines = [line for text in texts for line in text.splitlines()]
    return [f"# {_printable(line)}".rstrip() for line in lines]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


@dataclass(frozen=True, slots=True)
class _Place:
    """An item of a document, and what holds it; ``prefix`` is that of dotted keys beside it.

    ``around`` is the outermost inline table that it is in, within which no comment can be.
    """

    holder: Container | InlineTable
    prefix: str
    key: Key
    item: Item
    around: Item | None = None


def _at(
    body: Sequence[tuple[Key | None, Item]],
    path: tuple[str, ...],
    holder: Any = None,
    prefix: str = "",
    around: Item | None = None,
) -> Iterator[_Place]:
    """Everything at a path: a table may be told in pieces, in any order."""
    for key, item in body:
        if key is None or key.key != path[0]:
            continue
        if len(path) == 1:
            yield _Place(holder, prefix, key, item, around)
        elif isinstance(item, Table | InlineTable):
            inside = item if isinstance(item, InlineTable) else item.value
            dotted = f"{prefix}{key.as_string()}." if key.is_dotted() else ""
            outer = around or (item if isinstance(item, InlineTable) else None)
            yield from _at(item.value.body, path[1:], inside, dotted, outer)


class _Page:
    """A document that is being changed: what is new follows the keys or tables that are there."""

    def __init__(self, document: tomlkit.TOMLDocument) -> None:
        self._document = document
        self._new: list[str] = []  # lines of tables that the document lacks

    def text(self) -> str:
        """The changed text."""
        text = tomlkit.dumps(self._document)
        text = re.sub(f"{_OUT}(.*?){_END}", lambda found: _hushed(found[1]), text, flags=re.S)
        return (text + "".join(f"{line}\n" for line in self._new)).lstrip("\n")

    def find(self, *path: str) -> list[_Place]:
        return list(_at(self._document.body, path, self._document))

    def table(
        self,
        path: tuple[str, ...],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        notes: Notes,
    ) -> None:
        """Have a table say what is ``after``; its keys that are as ``before`` are let be."""
        there = self.find(*path)
        note, *below = notes.get(path, "").split("\n")
        lines = comment_lines(below)
        if not there:
            if after or path[0] == "rules":
                lines += [
                    _line(key, value, notes.get((*path, key), "")) for key, value in after.items()
                ]
                self._add(path, lines, note)
            return
        dotted = all(place.key.is_dotted() for place in there)
        if path[0] == "rules" and dotted and before and not after:
            after = {"enabled": True}  # a rule that is told by dotted keys is there by one of them
        for key in {**before, **after}:
            said = notes.get((*path, key), "")
            if (found := self.find(*path, key)) and key in after:
                _replace(found[-1], after[key], before.get(key), said)
            elif found:
                _take_out(found[-1])
            elif before.get(key) != after.get(key):
                _insert(there[-1], key, after[key], said)
        if isinstance(there[0].item, Table) and not there[0].item.is_super_table():
            _comment(there[0].item, note)
            there[0].item.trivia.trail += "".join(f"{line}\n" for line in lines)

    def _add(self, path: tuple[str, ...], lines: list[str], note: str) -> None:
        above = self.find(*path[:-1]) if len(path) > 1 else []
        if above and isinstance(above[-1].item, InlineTable):
            table = tomlkit.inline_table()
            table.update(tomlkit.parse("\n".join(lines)))
            above[-1].item[path[-1]] = table
            return
        header = f"[{'.'.join(tomlkit.key(part).as_string() for part in path)}]"
        lines = ["", f"{header}  # {remark(note)}" if note else header, *lines]
        beside = [
            item
            for place in above
            for _, item in place.item.value.body
            if isinstance(item, Table) and not item.is_super_table()
        ]
        if beside:
            _follow(beside[-1], lines)
        else:
            self._new += lines

    def take_out(self, path: tuple[str, ...]) -> None:
        """Make a table, wherever its pieces are, a comment."""
        for place in self.find(*path):
            _take_out(place)

    def waivers(self, before: Sequence[object], after: Sequence[object]) -> None:
        """Keep what stays in its order, make comments of the rest, and add what is new."""
        kept = 0
        out: set[int] = set()
        for at, waiver in enumerate(before):
            if kept < len(after) and waiver == after[kept]:
                kept += 1
            else:
                out.add(at)
        new = [_waiver(waiver) for waiver in after[kept:]]
        held = self.find("waiver")
        if held and isinstance(array := held[0].item, Array):
            _rewrite(array, out, new)
            return
        tables = [
            table for place in held if isinstance(place.item, AoT) for table in place.item.body
        ]
        for at in out:
            _hush_table(tables[at])
        lines = [
            line
            for one in new
            for line in ("", "[[waiver]]", *(_line(key, value) for key, value in one.items()))
        ]
        if tables:
            _follow(tables[-1], lines)
        else:
            self._new += lines


def _rewrite(array: Array, out: Collection[int], new: Sequence[Mapping[str, Any]]) -> None:
    """Waivers as inline tables, without those that go out: the old array is then a comment."""
    more = [tomlkit.item(one, _parent=array) for one in new]
    if not out:
        array.extend(more)
        return
    stay = [one for at, one in enumerate(array) if at not in out]
    rows = "".join(f"  {one.as_string()},\n" for one in (*stay, *more))
    _hush(array, f"waiver = [\n{rows}]\n" if rows else "")


def _replace(place: _Place, value: Any, before: Any, note: str) -> None:
    item = place.item
    if value != before and isinstance(item, Array) and "#" in item.as_string():
        _hush(item, f"{place.prefix}{_line(place.key.key, value, note)}\n")
        return
    if value != before:
        item = _plain(place.key.key, value)
        place.holder[place.key.key] = item
    if not isinstance(place.holder, InlineTable):
        _comment(item, note, value != before)


def _insert(table: _Place, key: str, value: Any, note: str) -> None:
    """A key behind the last that is there, and before the comments that follow it."""
    if isinstance(table.item, InlineTable):
        table.item[key] = _plain(key, value)
        return
    assert isinstance(table.item, Table)
    prefix = f"{table.prefix}{table.key.as_string()}." if table.key.is_dotted() else ""
    _follow(table.item, [f"{prefix}{_line(key, value, note)}"])


def _follow(table: Table, lines: Sequence[str]) -> None:
    """Put lines behind a table's last key, or behind all of a table that is made a comment."""
    text = "".join(f"{line}\n" for line in lines)
    if table.trivia.indent.startswith(_OUT):
        table.value.body.append((None, Whitespace(text)))
        return
    keys = [item for name, item in table.value.body if name and not isinstance(item, Table)]
    (keys[-1] if keys else table).trivia.trail += text


def _take_out(place: _Place) -> None:
    item = place.item
    if place.around is not None:
        lines = comment_lines([f"{place.key.as_string().strip()} = {item.as_string().strip()}"])
        place.around.trivia.trail += "".join(f"{line}\n" for line in lines)
        del place.holder[place.key.key]
    elif isinstance(item, Table) and item.is_super_table():
        for key, part in item.value.body:
            if key is not None:
                _take_out(_Place(item.value, "", key, part))
    elif isinstance(item, Table):
        _hush_table(item)
    else:
        _hush(item)


def _hush(item: Item, instead: str = "") -> None:
    end, line, more = item.trivia.trail.partition("\n")  # more: what was put behind it meanwhile
    item.trivia.indent = _OUT + item.trivia.indent
    item.trivia.trail = f"{end}{line}{_END}{instead}{more}"


def _hush_table(table: Table) -> None:
    table.trivia.indent = _OUT + table.trivia.indent
    table.value.body.append((None, Whitespace(_END)))


def _hushed(text: str) -> str:
    return re.sub(r"^(?![ \t]*(?:#|$))", "# ", text, flags=re.M)


def _comment(item: Item, note: str, changed: bool = False) -> None:
    known = item.trivia.comment.removeprefix("#").strip()
    if note and (changed or not known):
        item.comment(f"{remark(note)}; before: {known}" if known else remark(note))
        item.trivia.comment_ws = "  "


def _line(key: str, value: Any, note: str = "") -> str:
    line = f"{tomlkit.key(key).as_string()} = {_plain(key, value).as_string()}"
    return f"{line}  # {remark(note)}" if note else line


def _plain(key: str, value: Any) -> Item:
    """A value as TOML has it; UsageError where a text holds bytes that are no text."""
    value = list(value) if isinstance(value, tuple) else value
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, str) and not part.isascii():
            try:
                part.encode("utf-8")
            except UnicodeEncodeError:
                raise UsageError(
                    f"policy: {key} = {part!r} is no text, so no policy can name it; rename it"
                ) from None
    item: Item = tomlkit.item(value)
    return item


def _inputs(inputs: Inputs, folder: Path) -> dict[str, Any]:
    """[inputs] for a policy in ``folder``."""
    named = {f.name: getattr(inputs, f.name) for f in fields(Inputs)}
    return {
        key: _seen_from(folder, value) if key in FILES else value
        for key, value in named.items()
        if value is not None and not (key in FILES and value == "-")
    }


def _seen_from(folder: Path, value: Paths) -> str | list[str]:
    if not isinstance(value, str):
        return [str(_seen_from(folder, one)) for one in value]
    if is_address(value):
        return value
    path = Path(value)
    if path.is_relative_to(folder):
        path = path.relative_to(folder)
    elif not path.is_absolute():
        path = Path(os.path.relpath(path, folder))
    return "./-" if str(path) == "-" else path.as_posix()  # a file of that name, no standard input


def _stated(service: Service) -> dict[str, Any]:
    return {key: value for key, value in asdict(service).items() if value is not None}


def _settings(rule: RulePolicy) -> dict[str, Any]:
    enabled = {} if rule.enabled else {"enabled": False}
    severity = {} if rule.severity is None else {"severity": rule.severity.value}
    return {**enabled, **severity, **rule.thresholds}


def _waiver(waiver: Any) -> dict[str, Any]:
    return {
        key: value for key, value in asdict(waiver).items() if value is not None and value != ()
    }
