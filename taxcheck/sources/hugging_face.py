"""A folder that Hugging Face ``datasets`` saved (``save_to_disk``): which files, in which order."""

from __future__ import annotations

import json
from collections.abc import Mapping

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.places import Place

STATE, SPLITS = "state.json", "dataset_dict.json"
_BESIDE = (STATE, "dataset_info.json")


def files_of(place: Place, inside: Mapping[str, str]) -> tuple[list[str], list[str]] | None:
    """The files of the dataset in their order, and what lies beside them; None for other folders.

    ``inside`` are the paths of all files by their names seen from the folder. Raises InputError
    where the folder holds several splits, or is not whole.
    """
    if SPLITS in inside:
        splits = _json(place, inside[SPLITS]).get("splits")
        names = [str(s) for s in splits] if isinstance(splits, list) else []
        which = f"the splits {', '.join(names)}" if names else "several splits"
        example = f"{place.shown.rstrip('/')}/{names[0] if names else 'train'}"
        raise InputError(
            f"{place.shown}: holds {which} of a dataset; give the one that is meant, such as "
            f"{example}"
        )
    if STATE not in inside or "dataset_info.json" not in inside:
        return None
    state = _json(place, inside[STATE])
    if state.get("_indices_data_files"):
        raise InputError(
            f"{place.shown}: its rows are chosen by indices; call flatten_indices() and save it "
            "again"
        )
    stored = state.get("_data_files")
    files = [str(one.get("filename")) for one in stored] if isinstance(stored, list) else []
    if not files:
        raise InputError(f"{place.shown}: {STATE} lists no file; save the dataset again")
    missing = [name for name in files if name not in inside]
    if missing:
        raise InputError(
            f"{place.shown}: {STATE} lists {missing[0]}, which is missing; copy or save the "
            "dataset again"
        )
    return files, sorted(n for n in inside if n not in files and n not in _BESIDE)


def _json(place: Place, path: str) -> dict[str, object]:
    try:
        read = json.loads(place.at(path).read())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place.at(path).shown}: is no JSON ({one_line(error)})") from None
    if not isinstance(read, dict):
        raise InputError(f"{place.at(path).shown}: is not what datasets writes")
    return read
