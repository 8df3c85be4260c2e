"""What the process of a job does before it becomes the command: it limits and confines itself.

Run by its path and without site-packages, so that it costs a few milliseconds:
``python -I -S child.py MEMORY SECONDS NICENESS PARENT READ... -- WRITE... -- COMMAND...``.
"""

import ctypes
import os
import resource
import signal
import stat
import sys

_DEATH, _NO_NEW_RIGHTS = 1, 38  # of prctl(2)
_MAKE, _ADD, _RESTRICT = 444, 445, 446  # Landlock's system calls, the same on all machines
_READ = 0b1101  # run, read files, list folders
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what can be said of a file
_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))  # version of Landlock -> how many rights it knows
_TCP = 0b11  # to listen and to connect
_HANDLE = os.O_PATH | os.O_CLOEXEC if sys.platform == "linux" else 0


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confine(readable: list[str], writable: list[str]) -> bool:
    """Have the kernel refuse this process all other files and all of the network.

    False where it cannot (Linux before 5.13, or without Landlock). Whatever a path turns into after
    it was looked at, by a link or by a rename, does not lead out of what is named here.
    """
    if sys.platform != "linux":
        return False
    kernel = ctypes.CDLL(None)
    version = kernel.syscall(_MAKE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return False
    every = (1 << max(count for since, count in _RIGHTS if version >= since)) - 1
    asked = _Rules(every, _TCP if version >= 4 else 0)
    size = ctypes.sizeof(asked) if version >= 4 else 8
    rules = kernel.syscall(_MAKE, ctypes.byref(asked), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if rules < 0:
        return False
    for paths, rights in ((readable, _READ), (writable, every)):
        for path in paths:
            _allow(kernel, rules, path, rights & every)
    kernel.prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0)
    done: int = kernel.syscall(_RESTRICT, rules, ctypes.c_uint32(0))
    os.close(rules)
    return done == 0


def _allow(kernel: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, _HANDLE)
    except OSError:  # it is not there, and so needs no rights
        return
    rights &= -1 if stat.S_ISDIR(os.fstat(handle).st_mode) else _OF_FILES
    rule = _Beneath(rights, handle)
    kernel.syscall(_ADD, rules, 1, ctypes.byref(rule), ctypes.c_uint32(0))
    os.close(handle)


def become(memory: int, seconds: int, niceness: int, parent: int, command: list[str]) -> None:
    """Run the command in place of this process, with limits in bytes and seconds.

    It ends with its parent, and by itself where nobody is left to end it.
    """
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    os.nice(niceness)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended meanwhile
            os.kill(os.getpid(), signal.SIGKILL)
    signal.alarm(seconds)
    os.execv(command[0], command)


def _split(told: list[str]) -> tuple[list[str], list[str]]:
    at = told.index("--")
    return told[:at], told[at + 1 :]


if __name__ == "__main__":
    memory, seconds, niceness, parent = map(int, sys.argv[1:5])
    readable, rest = _split(sys.argv[5:])
    writable, command = _split(rest)
    if readable:
        confine(readable, writable)
    become(memory, seconds, niceness, parent, command)
