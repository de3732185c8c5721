"""A lock file: one process at a time uses a database, and a killed one leaves no lock behind.

The operating system holds the lock on an open file and drops it when the process ends, however it
ends. The file itself says only which process has it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        # Windows denies reading a locked range, so the range lies behind the text.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockedError(Exception):
    """Another holder has the lock.

    Args:
        holder: What the lock file says about it, such as `process 17`.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class LockFile:
    """A held lock.

    Args:
        path: File to lock, created if it does not exist.

    Raises:
        LockedError: If another process, or another object of this process, holds it.
        OSError: If the file cannot be created.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = self._acquire()
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with suppress(OSError):  # A full disk; the text is a courtesy, the lock is what counts.
            os.write(self._descriptor, f"process {os.getpid()}".encode())

    def release(self) -> None:
        """Remove the file and give the lock back."""
        if sys.platform == "win32":
            # Windows does not remove open files. If another process opens it first, it stays.
            os.close(self._descriptor)
            with suppress(OSError):
                os.unlink(self._path)
        else:
            # Remove first: after the lock is given back, the file may be that of another holder.
            with suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)

    def _acquire(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(descriptor)
            except (BlockingIOError, PermissionError) as cause:
                holder = os.pread(descriptor, 80, 0) if hasattr(os, "pread") else b""
                os.close(descriptor)
                raise LockedError(holder.decode(errors="replace")) from cause
            except OSError:
                # Some network file systems have no locks. A sandbox there is better than none.
                return descriptor
            if self._still_names(descriptor):
                return descriptor
            # The former holder removed the file between our opening and locking it.
            os.close(descriptor)

    def _still_names(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False
