"""Reading an NCBI taxdump folder, and every way in which it can be unsound."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.taxdump import cycle_of, open_taxonomy

HEALTHY = Path(__file__).parents[3] / "fixtures" / "healthy" / "taxdump"

# 1 root - 33208 Metazoa - 7586 Echinodermata - 7588 Asteroidea, 7624 Echinoidea
NODES = """\
1\t|\t1\t|\tno rank\t|\t\t|\t8\t|
7624\t|\t7586\t|\tclass\t|\t\t|\t1\t|
7586\t|\t33208\t|\tphylum\t|\t\t|\t1\t|
7588\t|\t7586\t|\tclass\t|\t\t|\t1\t|
33208\t|\t1\t|\tkingdom\t|\t\t|\t1\t|
"""
NAMES = """\
1\t|\tall\t|\t\t|\tsynonym\t|
1\t|\troot\t|\t\t|\tscientific name\t|
7586\t|\tEchinodermata\t|\t\t|\tscientific name\t|
7588\t|\tAsteroidea\t|\tAsteroidea <starfish>\t|\tscientific name\t|
7624\t|\tEchinoidea "sensu lato"\t|\t\t|\tscientific name\t|
7588\t|\tstarfish\t|\t\t|\tgenbank common name\t|
33208\t|\tMetazoa\t|\t\t|\tscientific name\t|
"""


@pytest.fixture
def dump(tmp_path):
    def write(nodes: str | bytes | None = NODES, **files: str | bytes) -> str:
        folder = tmp_path / "taxdump"
        folder.mkdir()
        if nodes is not None:
            files["nodes"] = nodes
        for name, text in files.items():
            content = text if isinstance(text, bytes) else text.encode()
            (folder / f"{name}.dmp").write_bytes(content)
        return str(folder)

    return write


def _refused(path: str) -> str:
    with pytest.raises(InputError) as caught:
        open_taxonomy(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_taxa_are_sorted_and_know_their_parents(dump):
    taxonomy = open_taxonomy(dump(names=NAMES))
    assert taxonomy.taxids.tolist() == [1, 7586, 7588, 7624, 33208]
    assert taxonomy.parents.tolist() == [-1, 4, 1, 1, 0]
    assert [taxonomy.rank_of(t) for t in (1, 7586, 7624)] == ["no rank", "phylum", "class"]
    assert taxonomy.rank_of(2) is None
    assert taxonomy.positions(np.array([33208, 5, -1, 1, 99999])).tolist() == [4, -1, -1, 0, -1]
    with pytest.raises(ValueError, match="read-only"):
        taxonomy.taxids[0] = 3


def test_names_are_the_scientific_ones(dump):
    taxonomy = open_taxonomy(dump(names=NAMES))
    assert taxonomy.name_of(1) == "root"
    assert taxonomy.name_of(7588) == "Asteroidea"
    assert taxonomy.name_of(7624) == 'Echinoidea "sensu lato"'
    assert taxonomy.name_of(12) is None
    assert open_taxonomy(str(HEALTHY)).name_of(7586) == "Echinodermata"


def test_without_names(dump):
    taxonomy = open_taxonomy(dump())
    assert taxonomy.names is None
    assert taxonomy.name_of(1) is None
    assert taxonomy.lineage(7588) == "33208 > 7586"


def test_lineage(dump):
    taxonomy = open_taxonomy(dump(names=NAMES))
    assert taxonomy.lineage(7588) == "Metazoa > Echinodermata"
    assert taxonomy.lineage(1) == ""
    assert taxonomy.lineage(2) is None
    healthy = open_taxonomy(str(HEALTHY))
    # Asterias rubens
    assert healthy.lineage(7604) == (
        "Eukaryota > Metazoa > Echinodermata > Asteroidea > Forcipulatida > Asteriidae > Asterias"
    )
    assert healthy.lineage(7604, limit=3) == "Eukaryota > … > Asteriidae > Asterias"


def test_a_lineage_of_ten_thousand_taxa_is_bounded(dump):
    rows = "".join(f"{k}\t|\t{max(k - 1, 1)}\t|\tno rank\t|\n" for k in range(1, 10_001))
    shown = open_taxonomy(dump(rows)).lineage(10_000)
    assert shown.split(" > ")[-2:] == ["9998", "9999"]
    assert len(shown.split(" > ")) == 9


def test_several_roots(dump):
    taxonomy = open_taxonomy(
        dump("5\t|\t5\t|\tclass\t|\n3\t|\t3\t|\tclass\t|\n4\t|\t3\t|\torder\t|\n")
    )
    assert taxonomy.parents.tolist() == [-1, 0, -1]


def test_merged_and_deleted(dump):
    taxonomy = open_taxonomy(
        dump(merged="30\t|\t7586\t|\n12\t|\t1\t|\n", delnodes="44\t|\n40\t|\n")
    )
    assert taxonomy.successor(30) == 7586
    assert taxonomy.successor(7586) is None
    assert taxonomy.is_merged(np.array([12, 30, 40, 1])).tolist() == [True, True, False, False]
    assert taxonomy.is_deleted(np.array([12, 44, 40, 1])).tolist() == [False, True, True, False]


def test_empty_merged_and_deleted_files(dump):
    taxonomy = open_taxonomy(dump(merged="", delnodes=""))
    assert not taxonomy.is_merged(np.array([1, 2])).any()
    assert not taxonomy.is_deleted(np.array([1, 2])).any()


def test_summary(dump):
    folder = dump(names=NAMES, merged="", delnodes="44\t|\n")
    summary = open_taxonomy(folder).summary()
    assert (summary.role, summary.format, summary.path) == ("taxonomy", "taxdump", folder)
    assert summary.rows == 5
    assert summary.bytes == len(NODES) + len(NAMES) + 5
    whole = (NODES + NAMES + "44\t|\n").encode()
    assert summary.fingerprint == f"blake3:{blake3(whole).hexdigest()}"
    assert summary.notes == ("nothing tells its date; its largest taxid is 33,208",)


def test_a_version_is_what_a_file_or_the_name_says_else_the_largest_taxid_that_is_known(dump):
    folder = Path(dump(delnodes="39999\t|\n"))
    taxonomy = open_taxonomy(str(folder))
    assert taxonomy.version == "largest taxid 39,999"
    for name in ("taxdmp_2023-02-28", "taxdmp_20230228", "new_2023_02_28"):
        folder = folder.rename(folder.with_name(name))
        taxonomy = open_taxonomy(str(folder))
        assert (taxonomy.version, taxonomy.notes[0]) == (
            "2023-02-28", "dated 2023-02-28 by the folder's name",
        )  # fmt: skip
    (folder / "version.txt").write_text("r\x1b226\n2023\n")
    taxonomy = open_taxonomy(str(folder))
    assert (taxonomy.version, taxonomy.notes[0]) == ("r?226", "version r?226 by its version.txt")


def test_the_time_of_a_file_is_no_version(dump):
    folder = dump()
    before = open_taxonomy(folder)
    os.utime(Path(folder) / "nodes.dmp", (1725667200, 1725667200))
    after = open_taxonomy(folder)
    assert (after.version, after.notes) == (before.version, before.notes)


def test_lines_as_other_tools_write_them(dump):
    rows = "1 | 1 | no rank |\r\n\r\n2 | 1 | class |\r\n"
    taxonomy = open_taxonomy(dump(rows))
    assert taxonomy.taxids.tolist() == [1, 2]
    assert taxonomy.rank_of(2) == "class"


def test_a_pipe_inside_a_name(dump):
    names = "1\t|\tsynthetic a|b\t|\t\t|\tscientific name\t|\n"
    assert open_taxonomy(dump("1\t|\t1\t|\tx\t|\n", names=NAMES + names)).name_of(1) == "root"


def test_a_name_with_a_pipe_is_kept(dump):
    names = NAMES.replace("Metazoa", "Meta|zoa")
    assert open_taxonomy(dump(names=names)).name_of(33208) == "Meta|zoa"


def test_no_folder(tmp_path):
    message = _refused(str(tmp_path / "none"))
    assert "no such folder" in message
    assert "nodes.dmp" in message
    _refused("a\0b")


def test_a_file_that_is_no_dump(tmp_path):
    other = tmp_path / "taxonomy.tsv"
    other.write_text("taxid\tparent\n")
    assert "is a file; give the folder" in _refused(str(other))
    (path := tmp_path / "taxdump.tar.gz").write_bytes(b"\x1f\x8b")  # cut off
    assert "is a file; give the folder" in _refused(str(path))


def test_a_dump_wherever_its_files_are(dump, tmp_path):
    folder = Path(dump(names=NAMES.replace("\n", "\r\n"), merged="", delnodes="", division="x"))
    (folder / "readme.txt").write_text("hello")
    (folder / "._nodes.dmp").write_bytes(b"\0")  # as a Mac packs it
    for packed, *options in (("d.tar.gz", "czf"), ("d.tar", "cf"), ("d.tar.bz2", "cjf")):
        subprocess.run(["tar", *options, tmp_path / packed, "-C", tmp_path, "taxdump"], check=True)
    shutil.make_archive(str(tmp_path / "d"), "zip", tmp_path, "taxdump")
    (above := tmp_path / "above").mkdir()
    shutil.copytree(folder, above / "new_taxdump")
    ways = {"taxdump/nodes.dmp": "files beside it", "taxdump/names.dmp": "files beside it"}
    ways |= {"above": "found in its folder new_taxdump", "taxdump": ""}
    for way, told in (
        ways | dict.fromkeys(("d.tar.gz", "d.tar", "d.tar.bz2", "d.zip"), "")
    ).items():
        taxonomy = open_taxonomy(str(tmp_path / way))
        assert taxonomy.parents.tolist() == [-1, 4, 1, 1, 0]
        assert taxonomy.name_of(7588) == "Asteroidea"
        assert told in " ".join(taxonomy.notes)
    shutil.copytree(folder, above / "old")
    assert "its folders new_taxdump and old do" in _refused(str(above))


def test_a_root_may_have_the_parent_zero(dump):
    taxonomy = open_taxonomy(
        dump(NODES.replace("1\t|\t1\t|", "1\t|\t0\t|", 1).replace("\n", "\r\n"))
    )
    assert taxonomy.parents.tolist() == [-1, 4, 1, 1, 0]
    assert "1 roots have the parent 0, which is no taxon" in taxonomy.notes


def test_names_that_are_empty_are_none(dump):
    taxonomy = open_taxonomy(dump(names=""))
    assert taxonomy.names is None
    assert any("no names.dmp, or an empty one" in note for note in taxonomy.notes)


def test_no_nodes(dump):
    assert "holds no nodes.dmp" in _refused(dump(None, names=NAMES))


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ("", "the file is empty"),
        ("\n\n", "its first line has no '|'"),
        (NODES[:-8], "line 5 has 3 cells where the first has 5; the file is truncated"),
        (NODES[:-40], "its last line is cut off"),
        (b"\x1f\x8b\x08\x00rest", "holds binary data"),
        (b"PAR1\x00\x00|\n", "holds binary data"),
        ("1\t1\tno rank\n2\t1\tclass\n", "its first line has no '|'"),
        ("1\t|\t1\t|\n", "its first line has 2 cells where 3 or more belong"),
        (NODES + "8\t|\t1\t|\n", "line 6 has 2 cells where the first has 5"),
        (
            "tax_id\t|\tparent\t|\trank\t|\n" + NODES,
            "line 1: the taxid 'tax_id' is no whole number",
        ),
        (NODES.replace("7588\t|\t7586", "7588\t|\t7586.0"), "line 4: the parent '7586.0' is no"),
        (NODES.replace("7588\t|\t7586", "7588\t|\t"), "line 4: the parent '' is no whole number"),
        (NODES.replace("7588", "9" * 30), "is beyond 64 bits"),
        (NODES.replace("7588", "-7588"), "taxid -7588 is negative"),
        (NODES.replace("7624", "7588"), "taxid 7588 is there more than once (1 such taxids)"),
        (NODES.replace("1\t|\t1\t|", "1\t|\t77\t|", 1), "taxid 1 has the parent 77, which is not"),
        (NODES.encode().replace(b"kingdom", b"k\xffngdom"), "line 5 is not UTF-8 (byte 0xff)"),
    ],
)
def test_unsound_nodes(dump, nodes, words):
    message = _refused(dump(nodes))
    assert words in message
    assert "nodes.dmp" in message


def test_a_cycle_is_told_with_its_taxids(dump):
    rows = "".join(f"{a}\t|\t{b}\t|\tx\t|\t\t|\t1\t|\n" for a, b in ((50, 52), (51, 50), (52, 51)))
    assert "the parents form a cycle: 50 -> 52 -> 51 -> 50" in _refused(dump(NODES + rows))


def test_no_root_is_acycle_of(dump):
    rows = "1\t|\t2\t|\tx\t|\n2\t|\t1\t|\tx\t|\n3\t|\t1\t|\tx\t|\n"
    assert "cycle: 1 -> 2 -> 1" in _refused(dump(rows))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (NAMES.replace("scientific name", "synonym"), "names no taxon"),
        ("99\t|\tother\t|\t\t|\tscientific name\t|\n", "names no taxon"),
        (NAMES.encode().replace(b"Metazoa", b"M\xe9tazoa"), "line 7 is not UTF-8 (byte 0xe9)"),
        (NAMES[:-3], "its last line is cut off"),
    ],
)
def test_unsound_names(dump, names, words):
    message = _refused(dump(names=names))
    assert words in message
    assert "names.dmp" in message


def test_unsound_merged(dump):
    message = _refused(dump(merged="12\t|\tx\t|\n"))
    assert "merged.dmp: line 1: the successor 'x' is no whole number" in message


def test_names_of_a_part_of_the_taxa_are_noted(dump):
    taxonomy = open_taxonomy(dump(names="1\t|\troot\t|\t\t|\tscientific name\t|\n"))
    assert taxonomy.name_of(7586) is None
    assert taxonomy.lineage(7588) == "33208 > 7586"
    assert "4 taxa have no scientific name" in taxonomy.notes


@given(st.lists(st.integers(0, 30), min_size=1, max_size=31))
def test_cycles_law(drawn):
    """Doubling finds a cycle exactly when walking up from some taxon never ends at a root."""
    parents = np.array([p % len(drawn) for p in drawn], dtype=np.int64)
    ends = []
    for start in range(len(parents)):
        at = start
        for _ in range(len(parents)):
            at = parents[at]
        ends.append(parents[at] == at)
    cycle = cycle_of(parents)
    assert bool(cycle) == (not all(ends))
    for k, at in enumerate(cycle):
        assert parents[at] == cycle[(k + 1) % len(cycle)]
    assert not cycle or (cycle[0] == min(cycle) and len(set(cycle)) == len(cycle) > 1)
