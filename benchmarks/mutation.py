"""Mutation testing: does a test fail when one small thing in the code is wrong?

    python -m benchmarks.mutation rules --tests tests/rules
    python -m benchmarks.mutation taxcheck/statistics --tests tests/statistics --sample 400

The tests are collected and run once, with coverage, so that it is known which test runs which line.
Then, for each mutant, a fork of that warm process puts the changed code into the functions that
exist and runs the tests that reach the line, cheapest first, until one fails. What runs on import
(thresholds, causes) is executed anew into the modules that exist, and a mutant that survives that
is tried again in a fresh process that has never seen the sound module.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.mutation_forks import Warm
from benchmarks.mutation_subject import Finder, Subject, files_of


def summary(results: list[dict[str, object]]) -> Iterator[str]:
    """The table of docs/quality.md: a line a module."""
    by_file: dict[str, Counter[str]] = {}
    for result in results:
        by_file.setdefault(str(result["file"]), Counter())[str(result["result"])] += 1
    total: Counter[str] = Counter()
    yield "| module | mutants | killed | survived | score |"
    yield "|---|---:|---:|---:|---:|"
    for file, counts in sorted(by_file.items()):
        total += counts
        yield _line(f"`{file}`", counts)
    yield _line("all", total)


def _line(name: str, counts: Counter[str]) -> str:
    dead = counts["killed"] + counts["timeout"]
    every = counts.total()
    return f"| {name} | {every:,} | {dead:,} | {every - dead:,} | {100 * dead / every:.1f} % |"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folders", nargs="*", type=Path)
    words.add_argument("--tests", nargs="+", default=["tests/rules"])
    words.add_argument("--sample", type=int, help="this many mutants, drawn at random")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--jobs", type=int, default=2)
    words.add_argument("--out", type=Path, help="every mutant and its fate, a line of JSON each")
    words.add_argument(
        "--longest", type=float, default=10.0, help="no test that takes more seconds than this"
    )
    words.add_argument("--quick", action="store_true", help="no fresh process for survivors")
    words.add_argument("--fresh", nargs="+", help=argparse.SUPPRESS)
    given = words.parse_args()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:warnings"]
    if given.fresh:
        file, number = given.fresh[0].rsplit(":", 1)
        subject = Subject(Path(file))
        sys.meta_path.insert(0, Finder(subject, subject.mutants[int(number)]))
        # pytest, which rewrites assertions of its plugins, would import the sound module itself
        raise SystemExit(pytest.main([*options, "--assert=plain", "-x", *given.fresh[1:]]))
    subjects = [Subject(path) for folder in given.folders for path in files_of(folder)]
    every = [(subject, k) for subject in subjects for k in range(len(subject.mutants))]
    if given.sample and given.sample < len(every):
        every = sorted(
            random.Random(given.seed).sample(every, given.sample), key=lambda e: (e[0].path, e[1])
        )
    print(f"{len(every)} mutants", flush=True)
    plugin = Warm(
        subjects,
        every,
        jobs=given.jobs,
        confirm=not given.quick,
        longest=given.longest,
        out=given.out,
    )
    pytest.main([*options, "-s", *given.tests], plugins=[plugin])
    print("\n".join(summary(plugin.results)))


if __name__ == "__main__":
    main()
