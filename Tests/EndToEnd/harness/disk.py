"""Disks that can be filled."""

import pathlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

TMPFS_BYTE_COUNT = 24 << 20


@contextmanager
def small_tmpfs(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file system of 24 MiB, mounted at the folder. Skips the test where mounting is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTE_COUNT}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: pathlib.Path) -> None:
    """Takes all space there is."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
