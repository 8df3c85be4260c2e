"""A module under mutation, and how one of its mutants is put into a process."""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from benchmarks.mutants import Mutant, mutants
from taxcheck.model.rule import Rule

NAMES = {"rules": "taxcheck_rules", "reports": "taxcheck_reports"}
IMPORT_FACTS = ("__file__", "__package__", "__spec__", "__loader__")


def module_name(path: Path) -> str:
    parts = list(path.with_suffix("").parts)
    parts[0] = NAMES.get(parts[0], parts[0])
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_of(folder: Path) -> list[Path]:
    return [folder] if folder.is_file() else sorted(folder.rglob("*.py"))


class Subject:
    """A module under mutation: its tree, its functions as they are in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text())
        self.mutants: list[Mutant] = list(mutants(self.tree))
        self.name = module_name(path)

    def code(self, mutant: Mutant | None) -> CodeType:
        undo = mutant.apply() if mutant else lambda: None
        try:
            tree = ast.fix_missing_locations(self.tree)
            return compile(tree, str(self.path.resolve()), "exec")
        finally:
            undo()

    def find(self) -> None:
        """Look up what has been made of the sound module in this process."""
        file = str(self.path.resolve())
        self.functions = [
            f
            for f in gc.get_objects()
            if type(f) is FunctionType and f.__code__.co_filename == file
        ]

    def install(self, mutant: Mutant | None) -> None:
        """Put the changed code into everything that was made of the sound one."""
        code = self.code(mutant)
        made = {inner.co_qualname: inner for inner in _within(code)}
        for function in self.functions:
            function.__code__ = made[function.__code__.co_qualname]
        if mutant is None or mutant.function is None:
            self.run_import(code)

    def run_import(self, code: CodeType) -> None:
        module = sys.modules[self.name]
        new = ModuleType(self.name)
        new.__dict__.update({key: module.__dict__[key] for key in IMPORT_FACTS})
        exec(code, new.__dict__)
        for key, value in new.__dict__.items():
            old = module.__dict__.get(key)
            if isinstance(old, Rule):
                for field in ("id", "severity", "thresholds", "caused_by", "document"):
                    object.__setattr__(old, field, getattr(value, field))
            elif isinstance(old, FunctionType):
                old.__defaults__, old.__kwdefaults__ = value.__defaults__, value.__kwdefaults__
            elif not (key.startswith("__") or callable(value) or isinstance(value, ModuleType)):
                for other in list(sys.modules.values()):
                    if getattr(other, "__dict__", {}).get(key) is old and old is not None:
                        other.__dict__[key] = value


def _within(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _within(inner)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module as its mutant."""

    def __init__(self, subject: Subject, mutant: Mutant) -> None:
        self.subject, self.mutant = subject, mutant

    def find_spec(
        self, fullname: str, _path: object, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.subject.name:
            return None
        file = self.subject.path.resolve()
        package = [str(file.parent)] if file.name == "__init__.py" else None
        spec = importlib.machinery.ModuleSpec(
            fullname, self, origin=str(file), is_package=bool(package)
        )
        spec.submodule_search_locations = package
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(self.subject.code(self.mutant), module.__dict__)
