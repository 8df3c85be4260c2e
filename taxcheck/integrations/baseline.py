"""The baseline of a run from a service: a dataset's newest run, its newest pass, or the set one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

import msgspec

from taxcheck.integrations.exchange import Answer, AwayError, exchange
from taxcheck.integrations.target import TO, split_url, token_for
from taxcheck.model.errors import InputError, UsageError

WHICH = ("baseline", "latest-pass", "latest")
_MOST = 64 << 20  # bytes of a report
_PATIENCE = 30.0  # seconds


class _Run(msgspec.Struct):
    id: str


def fetch(url: str, environment: Mapping[str, str] = os.environ) -> bytes | str:
    """The report, as JSON, that stands at ``http://host/project/dataset#latest-pass``.

    A text says why there is none: the dataset has no such run yet. Raises InputError where the
    service does not answer, for then nobody knows, and UsageError where the address is no such one.
    """
    parts = split_url(url)
    names = [unquote(name) for name in parts.path.split("/") if name]
    which = parts.fragment or WHICH[0]
    if len(names) < 2 or which not in WHICH or parts.query:
        raise UsageError(
            f"baseline {url}: reads http://HOST/PROJECT/DATASET#WHICH, which is one of "
            f"{', '.join(WHICH)}"
        )
    project, dataset = names[-2:]
    base = f"{parts.scheme}://{'/'.join([parts.netloc, *map(quote, names[:-2])])}/api/v1"
    token = token_for(url, environment=environment) if _same_host(url, environment) else None
    place = f"projects/{quote(project, '')}/datasets/{quote(dataset, '')}/baseline?which={which}"
    answer = _asked(url, f"{base}/{place}", token)
    if answer.status == 404 and "problem+json" in answer.headers.get("content-type", ""):
        return answer.sentence
    try:
        id = msgspec.json.decode(answer.body, type=_Run).id
    except msgspec.MsgspecError:
        raise InputError(f"baseline {url}: no taxcheck service answers there") from None
    return _asked(url, f"{base}/runs/{quote(id, '')}/report.json", token).body


def _same_host(url: str, environment: Mapping[str, str]) -> bool:
    """Whether the token of the environment is for this host: no other is named there."""
    to = environment.get(TO)
    return not to or urlsplit(to)[:2] == urlsplit(url)[:2]


def _asked(shown: str, url: str, token: str | None) -> Answer:
    try:
        answer = exchange("GET", url, token=token, patience=_PATIENCE, most=_MOST)
    except AwayError as error:
        raise InputError(f"baseline {shown}: no answer: {error}") from None
    if answer.status not in (200, 404):
        raise InputError(f"baseline {shown}: {answer.sentence}")
    return answer
