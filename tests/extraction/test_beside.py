"""What people, programs and kills leave beside our folders in the landing is not taken for ours, and stops nothing."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from assets.errors import DamagedFile
from assets.extraction.handover import hand_over, handed_over
from assets.extraction.landing import complete_observations, newest_observation, organizations_observed
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, user

Start = Callable[..., Nights]


def clutter(folder: Path) -> None:
    """What a Windows client, a person with a file manager and a backup leave in every folder."""
    for inside in [path for path in folder.rglob("*") if path.is_dir()] + [folder]:
        (inside / "desktop.ini").write_text("[.ShellClassInfo]\n")
        (inside / ".DS_Store").write_bytes(b"\0")
        (inside / "20260602T020000Z-009").write_text("a file where a folder is expected")


def copied(folder: Path, name: str) -> None:
    shutil.copytree(folder, folder.with_name(name))


def test_strange_files_and_copied_folders_are_no_observations(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    observation = made.observe()
    landing = made.data.root / "landing"
    for name in ("20260602T020000Z-001 - Copy", "20260602T030000Z-001", "20260602T020000Z-001.bak"):
        copied(observation.folder, name)
    copied(observation.folder.parent, "2026-06-03")
    for name in ("org_1.bak", "org_2", "Copy of org_1"):
        copied(landing / "org_1", name)
    clutter(landing)
    assert organizations_observed(made.data) == ["org_1"]
    assert list(complete_observations(made.data, "org_1", DAY)) == [observation]
    assert newest_observation(made.data, "org_1", DAY + timedelta(days=2)) is None
    assert newest_observation(made.data, "org_2", DAY) is None
    assert made.night(DAY + timedelta(days=1)).keys() == {"user_0001"}


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"complete": true}', b"\xff\xfe", None])
def test_a_manifest_that_a_kill_or_a_full_disk_has_cut_is_no_manifest(nights: Start, left: bytes | None):
    made = nights(ScriptedApi(users=[user(1)]))
    first = made.observe()
    second = made.observe(at=NEXT_NIGHT + timedelta(hours=1))
    manifest = second.folder / "manifest.json"
    if left is None:
        manifest.unlink()
        manifest.mkdir()
    else:
        manifest.write_bytes(left)
    assert newest_observation(made.data, "org_1", DAY) == first
    assert made.observe(at=NEXT_NIGHT + timedelta(hours=2), again=False).manifest.whole


@pytest.mark.parametrize("left", [0, 40, -9])
def test_pages_that_are_not_what_was_sealed_are_named_with_the_command_that_asks_anew(nights: Start, left: int):
    made = nights(ScriptedApi(users=[user(n) for n in range(50)]))
    observation = made.observe()
    pages = observation.pages("users")
    pages.write_bytes(pages.read_bytes()[:left])
    with pytest.raises(DamagedFile, match="licenses snapshot --day 2026-06-01 --again"):
        made.derive(observation)


def test_a_run_hands_over_the_last_observation_of_each_day(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    staged = made.data.staging("run_1")
    assert handed_over(made.data, staged) is None
    first, second = made.observe(), made.observe(at=NEXT_NIGHT + timedelta(hours=1))
    hand_over(staged, [first])
    hand_over(staged, [second])
    assert [one.manifest for one in handed_over(made.data, staged)] == [second.manifest]
