"""Started as `python -I -S leash.py PARENT PROGRAM [ARGUMENT…]`: becomes PROGRAM, tied to PARENT.

The kernel sends PROGRAM a SIGTERM when PARENT is gone, however it went (prctl(2), PR_SET_PDEATHSIG;
the setting survives execve(2)). A file on its own, as it must not import anything slow; where the
system has no prctl, PROGRAM just runs.
"""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # gone before the tie was made
        sys.exit(0)
    os.execvp(program[0], program)  # noqa: S606 - the supervisor's own table


if __name__ == "__main__":
    main()
