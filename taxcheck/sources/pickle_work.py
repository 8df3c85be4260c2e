"""How much work a pickle's keys are: its opcodes are followed, and nothing is built.

CPython hashes a tuple by hashing what is in it, each time anew. Tuples that refer to each other
twice, sixty levels deep, are a few hundred bytes and would take centuries as one key of a dict.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

Data = bytes | memoryview | mmap.mmap

_PER_BYTE, _FLOOR = 16, 4_000_000  # of hashing; what a pickle spells out is a step for each byte
_LINE = 1 << 20  # bytes of an argument that a newline ends

_PUSHES = {  # bytes of the argument
    **dict.fromkeys(b"N\x88\x89)]}\x8f\x97", 0),
    **dict.fromkeys(b"K\x82", 1),
    **dict.fromkeys(b"M\x83", 2),
    **dict.fromkeys(b"J\x84", 4),
    b"G"[0]: 8,
}
_COUNTED = {  # bytes of the length before the argument
    **dict.fromkeys(b"UC\x8c\x8a", 1),
    **dict.fromkeys(b"TBX\x8b", 4),
    **dict.fromkeys(b"\x8e\x96\x8d", 8),
}
_LINES = {**dict.fromkeys(b"ILSFVP", 1), b"c"[0]: 2}
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_NOTHING = {0x80: 1, 0x95: 8, 0x98: 0}  # PROTO, FRAME, READONLY_BUFFER


def end_of_pickle(data: Data, start: int, size: int) -> int:
    """Where the pickle at ``start`` ends, in a file of ``size`` bytes.

    DamagedError where it has no end, TooMuchWorkError where hashing its keys is more work than its
    size explains.
    """
    return _Scan(data, start, _FLOOR + _PER_BYTE * size).run()


class TooMuchWorkError(Exception):
    """Keys of a pickle that would take far longer to hash than to read."""


class DamagedError(Exception):
    """What is no pickle any more from a place on."""

    def __init__(self, place: int) -> None:
        super().__init__("a damaged pickle")
        self.place = place


class _Scan:
    """The machine of a pickle, whose stack holds of each value how many steps its hash takes."""

    def __init__(self, data: Data, start: int, limit: int) -> None:
        self.data, self.at, self.left, self.limit = data, start, limit, limit
        self.stack: list[int] = []
        self.marks: list[int] = []
        self.memo: dict[int, int] = {}

    def run(self) -> int:
        data, stack, size = self.data, self.stack, len(self.data)
        handlers, pushes, counted = _HANDLERS, _PUSHES, _COUNTED
        while self.at < size:
            code = data[self.at]
            self.at += 1
            if code in counted:
                width = counted[code]
                length = int.from_bytes(data[self.at : self.at + width], "little")
                self.at += width + length
                stack.append(1)
            elif code in pushes:
                self.at += pushes[code]
                stack.append(1)
            elif code == 0x94:  # MEMOIZE
                self.memo[len(self.memo)] = stack[-1] if stack else 1
            elif code == 0x2E:  # STOP
                return self.at
            elif (handler := handlers.get(code)) is not None:
                handler(self, code)
            else:
                raise DamagedError(self.at)
        raise DamagedError(size)

    def number(self, width: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + width], "little")
        self.at += width
        return value

    def line(self) -> bytes:
        part = bytes(self.data[self.at : self.at + _LINE])
        end = part.find(b"\n")
        if end < 0:
            raise DamagedError(self.at)
        self.at += end + 1
        return part[:end]

    def key(self) -> int:
        text = self.line()
        try:
            return int(text[:20])
        except ValueError as error:
            raise DamagedError(self.at) from error

    def pop(self) -> int:
        if not self.stack or (self.marks and self.marks[-1] >= len(self.stack)):
            raise DamagedError(self.at)
        return self.stack.pop()

    def marked(self) -> list[int]:
        if not self.marks:
            raise DamagedError(self.at)
        mark = self.marks.pop()
        taken = self.stack[mark:]
        del self.stack[mark:]
        return taken

    def hashed(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0:
            raise TooMuchWorkError

    def tuple_of(self, parts: list[int]) -> None:
        cost = 1 + sum(parts)
        if cost > self.limit:
            raise TooMuchWorkError
        self.stack.append(cost)

    def lines(self, code: int) -> None:
        for _ in range(_LINES[code]):
            self.line()
        self.stack.append(1)

    def get(self, code: int) -> None:
        key = self.key() if code == 0x67 else self.number(1 if code == 0x68 else 4)
        self.stack.append(self.memo.get(key, 1))

    def put(self, code: int) -> None:
        key = self.key() if code == 0x70 else self.number(1 if code == 0x71 else 4)
        self.memo[key] = self.stack[-1] if self.stack else 1

    def nothing(self, code: int) -> None:
        self.at += _NOTHING[code]

    def mark(self, _: int) -> None:
        self.marks.append(len(self.stack))

    def small_tuple(self, code: int) -> None:
        self.tuple_of([self.pop() for _ in range(_TUPLES[code])])

    def marked_tuple(self, _: int) -> None:
        self.tuple_of(self.marked())

    def marked_list(self, _: int) -> None:
        self.marked()
        self.stack.append(1)

    def marked_dict(self, _: int) -> None:
        self.hashed(sum(self.marked()[::2]))
        self.stack.append(1)

    def set_items(self, _: int) -> None:
        self.hashed(sum(self.marked()[::2]))

    def set_item(self, _: int) -> None:
        self.pop()
        self.hashed(self.pop())

    def add_items(self, _: int) -> None:
        self.hashed(sum(self.marked()))

    def frozen(self, _: int) -> None:
        self.hashed(sum(self.marked()))
        self.stack.append(1)

    def dropped(self, _: int) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def to_mark(self, _: int) -> None:
        self.marked()

    def taken(self, _: int) -> None:
        self.pop()

    def twice(self, _: int) -> None:
        self.stack.append(self.stack[-1] if self.stack else 1)

    def called(self, code: int) -> None:
        """What a call gives may be what it was given."""
        given = self.pop() + (self.pop() if code == 0x92 else 0)
        self.pop()
        self.hashed(1)
        self.stack.append(given)

    def instance(self, code: int) -> None:
        if code == 0x69:
            self.line()
            self.line()
        self.tuple_of(self.marked())

    def one_of_one(self, _: int) -> None:
        self.pop()
        self.stack.append(1)

    def one_of_two(self, _: int) -> None:
        self.pop()
        self.pop()
        self.stack.append(1)


_HANDLERS: dict[int, Callable[[_Scan, int], None]] = {
    **dict.fromkeys(_LINES, _Scan.lines),
    **dict.fromkeys(b"hjg", _Scan.get),
    **dict.fromkeys(b"qrp", _Scan.put),
    **dict.fromkeys(_NOTHING, _Scan.nothing),
    **dict.fromkeys(_TUPLES, _Scan.small_tuple),
    **dict.fromkeys(b"R\x81\x92", _Scan.called),
    **dict.fromkeys(b"oi", _Scan.instance),
    **dict.fromkeys(b"e1", _Scan.to_mark),
    b"("[0]: _Scan.mark,
    b"t"[0]: _Scan.marked_tuple,
    b"l"[0]: _Scan.marked_list,
    b"d"[0]: _Scan.marked_dict,
    b"u"[0]: _Scan.set_items,
    b"s"[0]: _Scan.set_item,
    0x90: _Scan.add_items,
    0x91: _Scan.frozen,
    b"0"[0]: _Scan.dropped,
    b"2"[0]: _Scan.twice,
    **dict.fromkeys(b"ab", _Scan.taken),
    b"Q"[0]: _Scan.one_of_one,
    0x93: _Scan.one_of_two,
}
