"""Each choice of a training run measured alone: ``python -m benchmarks.ablations``.

Figures are kept in a file, so that a run that was ended goes on and a part can be measured again
(``--only``); docs/ablations.md is written from it after every round of a seed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.ablations_choices import BASE, DEFAULT, choices, large
from benchmarks.ablations_subjects import WORKERS, Subject
from benchmarks.page import table
from fixtures.makers.dag import write_dag
from fixtures.makers.make_clade import make_clade
from fixtures.makers.make_wordnet import NOUNS, read_nouns
from taxcheck.files import write_text

PAGE = Path(__file__).parent.parent / "docs" / "ablations.md"
HEALTHY = Path(__file__).parent.parent / "fixtures" / "healthy"
MOLLUSCA = 6447
COLUMNS = {
    "map": ("MAP", 3),
    "mean_rank": ("mean rank", 2),
    "parent": ("parent hits@1", 3),
    "spearman": ("Spearman of radius and depth", 3),
    "share": ("of its ceiling", 3),
    "pearson": ("Pearson of norm and depth", 2),
    "separation": ("class separation", 2),
    "successors": ("its order-dependent form", 2),
    "seconds": ("seconds of training", 1),
    "cpu": ("seconds of CPU", 1),
}
Store = dict[str, dict[str, list[dict[str, float]]]]  # data set -> row -> one entry a seed


def cells(found: list[dict[str, float]], keys: list[str]) -> list[str]:
    """Mean and, of several seeds, half of the range."""
    out = []
    for key in keys:
        values, digits = [entry.get(key, float("nan")) for entry in found], COLUMNS[key][1]
        mean = statistics.fmean(values)
        if mean != mean:
            out.append("-")
            continue
        spread = (max(values) - min(values)) / 2
        out.append(f"{mean:.{digits}f}" + (f" ± {spread:.{digits}f}" if len(values) > 1 else ""))
    return out


def small(store: Store, file: Path, epochs: int, seeds: int) -> None:
    """Every choice on Echinodermata, seed by seed."""
    subject, base = Subject.read("Echinodermata", HEALTHY), replace(BASE, epochs=epochs)
    subject.trained(replace(base, epochs=2))  # the kernel is compiled
    store["nulls"] = {name: [dict(found)] for name, found in subject.nulls(base).items()}
    kept = store.setdefault(f"Echinodermata, {epochs} epochs", {})
    for seed in range(seeds):
        for choice in choices(epochs):
            found = kept.setdefault(choice.name, [])
            if len(found) <= seed:
                config = replace(choice.config(base), seed=seed)
                found.append(dict(subject.trained(config)))
                save(store, file)
                print(seed, choice.name, found[-1], flush=True)
        write(store)


def larger(store: Store, file: Path, name: str, seconds: float, dim: int, seeds: int) -> None:
    """What matters most, on larger data at a fixed budget."""
    folder = file.parent / name.lower()
    if not (folder / "pairs.parquet").exists():
        if name == "Mollusca":
            make_clade(MOLLUSCA, folder)
        elif NOUNS.exists():
            write_dag(*read_nouns(), folder)
        else:
            print(f"{name}: not measured, {NOUNS} is not there")
            return
    subject = Subject.read(name, folder)
    subject.trained(replace(BASE, dim=dim, epochs=2, max_seconds=1.0))
    kept = store.setdefault(f"{name}, {dim} dimensions, {seconds:g} s", {})
    for seed in range(seeds):
        for choice, config in large(seconds, dim):
            found = kept.setdefault(choice.name, [])
            if len(found) <= seed:
                found.append(dict(subject.trained(replace(config, seed=seed))))
                save(store, file)
                print(seed, name, choice.name, found[-1], flush=True)
    write(store)


def save(store: Store, file: Path) -> None:
    write_text(str(file), json.dumps(store, indent=1))


def measured(found: Mapping[str, list[dict[str, float]]], key: str) -> bool:
    """Whether any row has that figure; a hierarchy without classes has no separation."""
    figures = (entry.get(key, float("nan")) for entries in found.values() for entry in entries)
    return any(figure == figure for figure in figures)


def rows(found: Mapping[str, list[dict[str, float]]], keys: list[str]) -> list[list[str]]:
    return [[f"**{name}**" if name == DEFAULT else name, *cells(entries, keys)]
            for name, entries in found.items()]  # fmt: skip


def write(store: Store) -> None:
    """docs/ablations.md between its markers, from everything that is kept."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "numba"))
    parts = [
        f"Measured by `make bench-ablations`: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {packages}; {WORKERS} workers of the numba kernel, which "
        "update the table without locks; scores of the last table, all sources up to 20,000 nodes, "
        "4,000 beyond. The machine is shared and was busy: seconds of training are noisy, those of "
        "CPU (both cores) less so, and what is reached in a budget of seconds is the least."
    ]
    scored = [key for key in COLUMNS if key not in ("seconds", "cpu")]
    for title, kept in store.items():
        found = {name: entries for name, entries in kept.items() if entries}
        keys = scored if title == "nulls" else list(COLUMNS)
        if title == "nulls":
            heading = "Without training, Echinodermata"
            note = (
                "Radii that are tied as depths are can pass the ceiling, which is of distinct ones."
            )
        else:
            heading, seeds = title, sorted(len(entries) for entries in found.values())
            count = f"{seeds[0]}" if seeds[0] == seeds[-1] else f"{seeds[0]} to {seeds[-1]}"
            note = f"Seeds: {count}; mean ± half of the range."
            if seeds[-1] == 1:
                note = "One seed, so small differences mean nothing."
            if title.endswith(" s"):
                epochs = ", ".join(f"{name} {e[0]['epochs']:g}" for name, e in found.items())
                note += f" Epochs begun in that time: {epochs}."
        keys = [key for key in keys if measured(found, key)]
        header = ["choice", *(COLUMNS[key][0] for key in keys)]
        parts += [f"## {heading}", note, table(header, rows(found, keys))]
    begin, end = "<!-- ablations -->", "<!-- end of ablations -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else f"# Ablations\n\n{begin}\n{end}\n"
    before, rest = page.split(begin)
    text = f"{before}{begin}\n" + "\n\n".join(parts) + f"\n{end}{rest.split(end)[1]}"
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo/ablations"))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=40.0, help="each run on larger data")
    parser.add_argument("--only", choices=["echinodermata", "mollusca", "wordnet"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    file = options.folder / "figures.json"
    store: Store = json.loads(file.read_text()) if file.exists() else {}
    if options.only in (None, "echinodermata"):
        small(store, file, options.epochs, options.seeds)
    if options.only in (None, "mollusca"):
        larger(store, file, "Mollusca", options.seconds, 20, options.seeds)
    if options.only in (None, "wordnet"):
        larger(store, file, "WordNet", 2 * options.seconds, 10, 1)


if __name__ == "__main__":
    main()
