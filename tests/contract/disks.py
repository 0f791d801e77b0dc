"""Disks to protect: file systems of real files, and what happens to a disk in use."""

import os
import random
import subprocess
from pathlib import Path

from strongroom import GIB, run

BLOCK = 4096
# Real files lie here on every Debian machine: texts, tables, programs, pictures, archives.
SOURCES = ("/usr/share", "/usr/lib", "/usr/include", "/usr/bin")


def copy_real_files(target, most_bytes, most_files):
    """Copies regular files of this machine below `target`, up to the given amounts."""
    copied_bytes = copied_files = 0
    for source in SOURCES:
        for folder, folders, names in os.walk(source):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
                    continue
                size = path.stat().st_size
                if copied_bytes + size > most_bytes:
                    continue
                if copied_files >= most_files:
                    return copied_files
                goal = target / path.relative_to("/")
                goal.parent.mkdir(parents=True, exist_ok=True)
                goal.write_bytes(path.read_bytes())
                copied_bytes += size
                copied_files += 1
    return copied_files


def make_file_system(image, tree, size=GIB):
    """Makes an ext4 file system of `size` bytes with the files below `tree`."""
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, image, f"{size // 1024}k"], timeout=600)
    assert Path(image).stat().st_size == size


def check_file_system(image):
    """Lets e2fsck read every structure of a file system; it finds any that is broken."""
    run(["e2fsck", "-f", "-n", image])


def use_disk(image, seed, blocks=400):
    """Does to a file system what a day of use does: files come and go, and blocks are rewritten.

    The rewritten blocks lie all over the image, each of 4 KiB, and are drawn from `seed`. They may
    hit the file system's own structures: a backup keeps bytes and asks nothing of them.
    """
    commands = [f"mkdir /day-{seed}"]
    for path in ("/etc/os-release", "/etc/services", "/etc/passwd", "/bin/ls"):
        if os.path.exists(path):
            commands.append(f"write {os.path.realpath(path)} /day-{seed}/{Path(path).name}")
    subprocess.run(
        ["debugfs", "-w", "-f", "/dev/stdin", image],
        input="\n".join(commands),
        text=True,
        capture_output=True,
        check=True,
    )
    scribble(image, seed, blocks)


def scribble(image, seed, blocks):
    """Rewrites `blocks` blocks of 4 KiB at places and with bytes drawn from `seed`."""
    chance = random.Random(seed)
    count = os.path.getsize(image) // BLOCK
    with open(image, "r+b") as disk:
        for _ in range(blocks):
            disk.seek(chance.randrange(count) * BLOCK)
            disk.write(chance.randbytes(BLOCK))


def write_random(image, seed, size_bytes, offset=0):
    """Writes bytes drawn from `seed`, which neither compress nor repeat."""
    chance = random.Random(seed)
    piece = 4 << 20
    with open(image, "r+b") as disk:
        disk.seek(offset)
        for start in range(0, size_bytes, piece):
            disk.write(chance.randbytes(min(piece, size_bytes - start)))


def copy(image, target):
    """Copies an image, holes and all, and gives the copy."""
    run(["cp", "--sparse=always", image, target])
    return Path(target)
