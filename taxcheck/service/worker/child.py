"""What the process of a job does before it becomes the command: it limits itself.

Run by its path and without site-packages, so that it costs a few milliseconds:
``python -I -S child.py MEMORY SECONDS NICENESS PARENT COMMAND...``.
"""

import ctypes
import os
import resource
import signal
import sys

_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)


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


if __name__ == "__main__":
    memory, seconds, niceness, parent = map(int, sys.argv[1:5])
    become(memory, seconds, niceness, parent, sys.argv[5:])
