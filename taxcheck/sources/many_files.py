"""The files of one table together: watched for change, and fingerprinted as one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from blake3 import blake3

from taxcheck.sources.files import InputFile

One = TypeVar("One")
Made = TypeVar("Made")
AT_ONCE = min(4 * (os.cpu_count() or 1), 16)  # files opened: each waits for its disk or its network
_HASHED_AT_ONCE = 2


class ManyFiles:
    """Files in their order, by their names seen from the folder that they are in."""

    def __init__(self, shown: str, files: Sequence[tuple[str, InputFile]]) -> None:
        self.shown, self._files = shown, tuple(files)
        self.bytes = sum(file.bytes for _, file in self._files)
        self._digests: list[Future[str]] | None = None

    def check_unchanged(self) -> None:
        """Raise InputError where one is no longer the file that was opened."""
        at_once(lambda file: file.check_unchanged(), (file for _, file in self._files))

    def start_fingerprint(self) -> None:
        """Begin to hash all of them in threads of their own, once."""
        if self._digests is None:
            pool = ThreadPoolExecutor(_HASHED_AT_ONCE)
            self._digests = [pool.submit(file.digest) for _, file in self._files]
            pool.shutdown(wait=False)

    def digests(self) -> list[str]:
        """``blake3:<hex>`` of each file."""
        self.start_fingerprint()
        assert self._digests is not None
        return [digest.result() for digest in self._digests]

    def fingerprint(self) -> str:
        """``blake3:<hex>`` over name, size and digest of all files, in their order."""
        digests = self.digests()
        self.check_unchanged()
        files = zip(self._files, digests, strict=True)
        return together((name, file.bytes, digest) for (name, file), digest in files)


def together(files: Iterable[tuple[str, int, str]]) -> str:
    """``blake3:<hex>`` over (name, size, digest) of all files, in their order."""
    hasher = blake3()
    for name, size, digest in files:
        hasher.update(f"{name}\0{size}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return f"blake3:{hasher.hexdigest()}"


def at_once(make: Callable[[One], Made], of: Iterable[One]) -> list[Made]:
    """What is made of each, several under way; the first failure in their order is raised."""
    ones = list(of)
    if len(ones) < 2:
        return [make(one) for one in ones]
    with ThreadPoolExecutor(min(AT_ONCE, len(ones))) as pool:
        made = [pool.submit(make, one) for one in ones]
        try:
            return [one.result() for one in made]
        finally:
            for one in made:
                one.cancel()
