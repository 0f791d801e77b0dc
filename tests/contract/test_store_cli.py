"""`strongroom store`: the engine alone, with no server, and as the way out when all else burns."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from disks import check_file_system, copy, use_disk, write_random
from strongroom import GIB, same_bytes, store

MIB = 1 << 20
DAMAGED = 2


@pytest.fixture(scope="module")
def kept(real_disk, tmp_path_factory):
    """A store with two backups of one disk, `disk` on two days, made by the command."""
    home = tmp_path_factory.mktemp("kept")
    place = {"store": home / "store", "key": home / "key"}
    first = copy(real_disk, home / "first.raw")
    full = store("backup", "--name", "disk", first, **place)
    second = copy(first, home / "second.raw")
    use_disk(second, seed=70)
    increment = store("backup", "--name", "disk", second, **place)
    return SimpleNamespace(
        place=place, home=home, first=first, second=second, full=full, increment=increment
    )


def backups(place):
    """What `store ls` lists, oldest first."""
    listed = store("ls", **place)
    return listed["backups"] if isinstance(listed, dict) else listed


def size_of(folder):
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copied(kept, tmp_path):
    """The same store in another place, to be harmed."""
    shutil.copytree(kept.place["store"], tmp_path / "store")
    return {"store": tmp_path / "store", "key": kept.place["key"]}


def packs(place):
    """The largest objects of a store: those that hold data."""
    files = [path for path in place["store"].rglob("*") if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


def flip(path, offset):
    """Turns over one bit of a file."""
    os.chmod(path, 0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_a_backup_says_what_it_did(kept):
    assert kept.full["id"] != kept.increment["id"]
    full, increment = kept.full["stats"], kept.increment["stats"]
    assert full["size_bytes"] == increment["size_bytes"] == GIB
    assert increment["stored_bytes"] < full["stored_bytes"] / 5
    assert kept.increment["parent"] == kept.full["id"]
    assert kept.full["is_incremental"] is False
    assert kept.increment["is_incremental"] is True


def test_ls(kept):
    listed = backups(kept.place)
    assert [entry["id"] for entry in listed] == [kept.full["id"], kept.increment["id"]]
    assert {entry["name"] for entry in listed} == {"disk"}
    assert {entry["size_bytes"] for entry in listed} == {GIB}
    printed = store("ls", **kept.place, is_json=False)
    assert kept.full["id"] in printed and "disk" in printed


def test_verify(kept):
    store("verify", **kept.place)


def test_restore_by_name_is_the_newest(kept, tmp_path):
    out = tmp_path / "out.raw"
    store("restore", "--name", "disk", out, **kept.place)
    assert same_bytes(out, kept.second)
    assert out.stat().st_blocks * 512 < GIB, "a restored image is sparse"


def test_restore_by_id(kept, tmp_path):
    out = tmp_path / "out.raw"
    store("restore", "--id", kept.full["id"], out, **kept.place)
    assert same_bytes(out, kept.first)
    check_file_system(out)


def test_restore_of_what_is_missing(kept, tmp_path):
    for wanted in (["--name", "nothing"], ["--id", "00000000-0000-4000-8000-000000000000"]):
        said = store("restore", *wanted, tmp_path / "out.raw", **kept.place, expect=1)
        assert wanted[1] in said
        assert not (tmp_path / "out.raw").exists()


def test_export(kept, tmp_path):
    out = tmp_path / "export"
    store("export", "--id", kept.full["id"], out, **kept.place)
    (image,) = out.glob("*.raw")
    assert same_bytes(image, kept.first)
    (description,) = out.glob("*.json")
    described = json.loads(description.read_text())
    assert described["backup_id"] == kept.full["id"]
    assert described["size_bytes"] == GIB

    both = tmp_path / "both"
    store("export", both, **kept.place)
    assert len(list(both.glob("*.raw"))) == 2


def test_an_unchanged_disk_costs_next_to_nothing(kept, tmp_path):
    place = copied(kept, tmp_path)
    before = size_of(place["store"])
    again = store("backup", "--name", "disk", kept.second, **place)
    assert again["stats"]["stored_bytes"] < MIB
    assert size_of(place["store"]) - before < MIB


def test_gc_keeps_what_is_needed(kept, tmp_path):
    place = copied(kept, tmp_path)
    noise = tmp_path / "noise.raw"
    noise.touch()
    os.truncate(noise, 64 * MIB)
    write_random(noise, seed=71, size_bytes=64 * MIB)
    store("backup", "--name", "noise", noise, **place)
    store("gc", **place)
    store("verify", **place)
    for id, image in ((kept.full["id"], kept.first), (kept.increment["id"], kept.second)):
        out = tmp_path / f"{id}.raw"
        store("restore", "--id", id, out, **place)
        assert same_bytes(out, image)
        out.unlink()


def test_gc_gives_back_what_a_removed_backup_needed(kept, tmp_path):
    place = copied(kept, tmp_path)
    before = size_of(place["store"])
    noise = tmp_path / "noise.raw"
    noise.touch()
    write_random(noise, seed=73, size_bytes=64 * MIB)
    store("backup", "--name", "noise", noise, **place)
    assert size_of(place["store"]) > before + 64 * MIB
    store("rm", "--name", "noise", **place)
    assert {entry["name"] for entry in backups(place)} == {"disk"}
    for _ in range(3):  # collection is allowed to take several looks before it removes anything
        store("gc", **place)
    assert size_of(place["store"]) < before + 8 * MIB
    store("verify", **place)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_flipped_bit_is_found_and_named(kept, tmp_path, part):
    place = copied(kept, tmp_path)
    harmed = packs(place)[0]
    flip(harmed, int(harmed.stat().st_size * part))
    said = store("verify", **place, expect=DAMAGED)
    assert harmed.name.split(".")[0] in said, said


def test_a_flipped_bit_is_never_restored(kept, tmp_path):
    place = copied(kept, tmp_path)
    for harmed in packs(place)[:8]:
        for part in (0.05, 0.35, 0.65, 0.95):
            flip(harmed, int(harmed.stat().st_size * part))
    out = tmp_path / "out.raw"
    said = store("restore", "--id", kept.full["id"], out, **place, expect=1)
    assert "panicked" not in said and said.strip()


def test_a_lost_object_is_found(kept, tmp_path):
    place = copied(kept, tmp_path)
    lost = packs(place)[0]
    lost.unlink()
    said = store("verify", **place, expect=DAMAGED)
    assert lost.name.split(".")[0] in said, said


def test_a_truncated_object_is_found(kept, tmp_path):
    place = copied(kept, tmp_path)
    cut = packs(place)[0]
    os.chmod(cut, 0o600)
    os.truncate(cut, cut.stat().st_size // 2)
    said = store("verify", **place, expect=DAMAGED)
    assert cut.name.split(".")[0] in said, said


def test_a_wrong_key_opens_nothing(kept, tmp_path):
    other = {"store": tmp_path / "other", "key": tmp_path / "other.key"}
    small = tmp_path / "small.raw"
    small.write_bytes(b"x" * MIB)
    store("backup", "--name", "small", small, **other)
    wrong = {"store": kept.place["store"], "key": other["key"]}
    for verb, args in (
        ("ls", []),
        ("verify", []),
        ("restore", ["--name", "disk", tmp_path / "out.raw"]),
        ("backup", ["--name", "disk", small]),
    ):
        said = store(verb, *args, **wrong, expect=1)
        assert "key" in said.lower(), (verb, said)
    assert not (tmp_path / "out.raw").exists()


def test_a_missing_store_and_a_missing_key(kept, tmp_path):
    nowhere = tmp_path / "nowhere"
    for verb in ("ls", "verify", "gc"):
        said = store(verb, store=nowhere, key=kept.place["key"], expect=1)
        assert str(nowhere) in said
        assert not nowhere.exists(), "looking makes nothing"
    said = store("ls", store=kept.place["store"], key=tmp_path / "no.key", expect=1)
    assert "no.key" in said


def test_a_missing_image(kept, tmp_path):
    said = store("backup", "--name", "x", tmp_path / "no.raw", **kept.place, expect=1)
    assert "no.raw" in said


def test_a_folder_that_may_not_be_written(kept, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:
        # Root writes where it likes, but nobody makes folders in the kernel's own.
        closed = Path("/sys/kernel")
    said = store(
        "backup", "--name", "x", kept.first, store=closed / "s", key=tmp_path / "k", expect=1
    )
    assert any(word in said for word in ("ermission denied", "not permitted", "Read-only")), said
    assert str(closed) in said


def test_odd_sizes(kept, tmp_path):
    place = {"store": tmp_path / "store", "key": tmp_path / "key"}
    for size in (1, 511, 4096, 262_144, 262_145, 3 * MIB + 17):
        image = tmp_path / f"{size}.raw"
        image.touch()
        write_random(image, seed=size, size_bytes=size)
        store("backup", "--name", f"odd-{size}", image, **place)
        out = tmp_path / f"{size}.out"
        store("restore", "--name", f"odd-{size}", out, **place)
        assert out.stat().st_size == size and same_bytes(out, image)
    empty = tmp_path / "empty.raw"
    empty.touch()
    os.truncate(empty, 256 * MIB)
    store("backup", "--name", "empty", empty, **place)
    store("restore", "--name", "empty", tmp_path / "empty.out", **place)
    assert same_bytes(tmp_path / "empty.out", empty)
    assert (tmp_path / "empty.out").stat().st_blocks * 512 < MIB
    store("verify", **place)


def test_the_way_out_when_the_server_burned(fresh_server, real_disk, tmp_path):
    """The store and the key alone give back what the service saved, while it runs and after."""
    http = fresh_server.admin.http
    volume = http.create_volume(1, name="precious")["id"]
    fresh_server.fill(volume, real_disk)
    image = copy(real_disk, tmp_path / "image.raw")
    backup = http.create_backup(volume, name="precious")["id"]
    use_disk(fresh_server.volume_file(volume), seed=72)
    changed = copy(fresh_server.volume_file(volume), tmp_path / "changed.raw")
    later = http.create_backup(volume, name="later", incremental=True)["id"]

    fresh_server.store_cli("restore", "--id", backup, tmp_path / "running.raw")
    assert same_bytes(tmp_path / "running.raw", image)
    fresh_server.kill()
    for burned in fresh_server.data.iterdir():
        if burned not in (fresh_server.store, fresh_server.key):
            shutil.rmtree(burned) if burned.is_dir() else burned.unlink()
    place = {"store": fresh_server.store, "key": fresh_server.key}
    assert {backup, later} <= {entry["id"] for entry in backups(place)}
    store("verify", **place)
    store("restore", "--id", later, tmp_path / "burned.raw", **place)
    assert same_bytes(tmp_path / "burned.raw", changed)
