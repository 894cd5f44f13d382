"""A small disk of its own, which a test fills; and kills at an exact system call."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from support.harness import BINARY, ENVIRONMENT, Skip, equal, expect, folder, is_root


class Disk:
    """A mounted file system; `path` is its root."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def fill(self, leave=0):
        """Leaves so many bytes, rounded up to whole pages."""
        with open(self.path / "filler", "wb", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(1 << 16 if self.free > 1 << 16 else 4096))
            size = filler.tell() - leave
            filler.truncate(max(0, size))

    def give(self, size):
        """Makes room for so many bytes."""
        with open(self.path / "filler", "r+b") as filler:
            filler.truncate(max(0, filler.seek(0, 2) - size))

    def make_room(self):
        (self.path / "filler").unlink(missing_ok=True)

    @property
    def free(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@contextlib.contextmanager
def small_disk(size, at=None):
    """A tmpfs of that size ("24m") in a new folder, or at a folder that is made."""
    if not is_root():
        raise Skip("mounting a small file system needs root")
    with contextlib.ExitStack() as stack:
        place = pathlib.Path(at) if at else stack.enter_context(folder())
        place.mkdir(parents=True, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True)
        if mounted.returncode != 0:
            raise Skip(f"no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
        try:
            yield Disk(place)
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)


def killed_at(call, number, *arguments, path=None, environment=None, timeout=30):
    """Runs a command that is killed -9 when one of its threads enters its `number`th system call of that kind, with
    `path` only calls that name this very file. True when it was, false when it ended before."""
    tracer = shutil.which("strace")
    if not tracer:
        raise Skip("strace is not installed")
    finished = subprocess.run(
        [tracer, "-f", "-qq", "-o", "/dev/null", *(["-P", str(path)] if path else []), "-e", f"trace={call}",
         "-e", f"inject={call}:signal=SIGKILL:when={number}", BINARY, *map(str, arguments)],
        env=ENVIRONMENT | (environment or {}), capture_output=True, timeout=timeout)
    if b"ptrace" in finished.stderr and b"not permitted" in finished.stderr:
        raise Skip("processes may not be traced here")
    if finished.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return True
    expect(finished.returncode >= 0, f"it died by signal {-finished.returncode}")
    equal(finished.returncode, 0, f"exit code ({finished.stderr.decode()[-300:]})")
    return False
