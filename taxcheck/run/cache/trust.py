"""Whose entries are believed: one's own, or those that carry the seal of a group.

Whoever can write to a folder can put a report of any verdict there under the key of any inputs, for
keys are no secret. So an entry is believed only where its file belongs to the user who reads it,
and nobody else may write it. A group that shares a folder, in which files have several owners, has
a secret in common instead: it keys the seal (BLAKE3's keyed mode), without which no entry counts.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from blake3 import blake3

from taxcheck.model.errors import UsageError

VARIABLE = "TAXCHECK_CACHE_KEY"
SEAL = 32  # bytes
_SHORTEST = 16  # characters of a secret: as of `openssl rand -hex 8`
_CONTEXT = "taxcheck 2026 seal of a kept result"


class DistrustError(Exception):
    """An entry that anybody may have written; the text says why, as a clause."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Believes what this user wrote, or, with a secret, whoever knows that."""

    secret: str | None = None

    def __post_init__(self) -> None:
        if self.secret is not None and len(self.secret) < _SHORTEST:
            raise UsageError(
                f"{VARIABLE} has fewer than {_SHORTEST} characters, which can be guessed; make one "
                "with `openssl rand -hex 32`"
            )

    @classmethod
    def of_environment(cls) -> Trust:
        """By the secret of the environment, where there is one; UsageError for a short one."""
        return cls(os.environ.get(VARIABLE) or None)

    def seal(self, key: str, body: bytes) -> bytes:
        """(SEAL bytes) what only those can make who know the secret; without one, a digest."""
        sealed = key.encode() + b"\n" + body
        if self.secret is None:
            return blake3(sealed).digest()
        secret = self.secret.encode("utf-8", "surrogateescape")
        own = blake3(secret, derive_key_context=_CONTEXT).digest()
        return blake3(sealed, key=own).digest()

    def expect_writer(self, file: os.stat_result) -> None:
        """DistrustError where no seal tells who wrote an open file, and another may have."""
        if self.secret is not None:
            return
        if file.st_uid != os.geteuid():
            raise DistrustError(f"another user wrote the entry; {VARIABLE} shares a folder")
        if file.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DistrustError("others may write the entry")
