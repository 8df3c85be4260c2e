"""What libraries load unasked and no command needs; only where the process is ours.

pyarrow looks for pandas with the first number that it is handed, and loading pandas is a third of a
second. It is shown none at that time, and the real one as soon as something imports that. A plugin
may hand pyarrow what pandas alone knows, so beside one everything is as usual. pandera takes along
hypothesis, which only tests use, and Spark.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def start_lean() -> None:
    """Spare this process what it does not ask for."""
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]
    # numba unpickles its cache, and a .numba_config.yaml in this folder could say where that is
    os.environ.setdefault("NUMBA_CACHE_DIR", "")
    if not {"pandas", "pyarrow"} & set(sys.modules):
        sys.meta_path.insert(0, _When("pyarrow", _pandas_unknown))
    for name in ("pandera", "pandera.pandas"):
        sys.meta_path.insert(0, _When(name, lambda: _hidden("pyspark", "pyspark.pandas")))


@contextmanager
def _pandas_unknown() -> Iterator[None]:
    """Let pyarrow, once it is there, look for pandas while there is none."""
    yield
    import pyarrow

    asked: Any = getattr(pyarrow.lib, "_pandas_api", None)
    if asked is None or "pandas" in sys.modules or _plugins():
        return
    with _hidden("pandas"):
        asked.have_pandas  # noqa: B018  # what is written in Python looks here
        pyarrow.scalar(0)  # and what is written in C++ here

    @contextmanager
    def known() -> Iterator[None]:
        yield
        asked.compat  # noqa: B018  # looks again

    sys.meta_path.insert(0, _When("pandas", known))


def _plugins() -> bool:
    """Whether anything but our own rules, causes, renderers and readers is installed."""
    from taxcheck.model.installed import GROUPS, plugins

    own = {entry.dist.name for group in GROUPS for entry in plugins(group) if entry.dist}
    return bool(own - {"taxcheck"})


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Modules that are not found, within a block, whatever is installed."""
    finder = _Nowhere(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Nowhere(MetaPathFinder):
    """Finds none of some modules; of a None in sys.modules Cython makes that None."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self,
        name: str,
        _: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        """Raises ModuleNotFoundError for them."""
        if name in self._names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class _When(MetaPathFinder):
    """Loads a module within a block, the first time that it is asked for."""

    def __init__(self, name: str, block: Callable[[], AbstractContextManager[None]]) -> None:
        self._name, self._block = name, block

    def find_spec(
        self,
        name: str,
        _: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module's own spec, with the block around its loader."""
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def loaded(module: ModuleType) -> None:
                with self._block():
                    load(module)

            spec.loader.exec_module = loaded  # type: ignore[method-assign]
        return spec
