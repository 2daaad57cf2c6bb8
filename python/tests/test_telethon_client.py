"""A real `TelegramClient` on a store, without a network: see `fake_telethon`."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("telethon")

from tgsession_store import Store

LIFE = Path(__file__).with_name("telethon_life.py")


def live(path, life):
    ran = subprocess.run([sys.executable, LIFE, path, life], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-3000:]


def test_everything_is_there_after_a_restart_of_the_process(path):
    live(path, "first")
    with Store.read_only(path) as store:
        session = store.session("anon", create=False)
        assert (session.login.user_id, session.login.home_dc) == (777, 2)
        assert session.by_username("user_1").kind == "user"
        assert session.by_username("the_channel").kind == "channel"
        assert session.update_state.pts == 102
        assert session.channel_states() == {-1001234567890: 12}
    live(path, "second")
    live(path, "move")


def test_no_entity_that_was_a_second_old_is_lost_to_kill_9(path):
    process = subprocess.Popen(
        [sys.executable, LIFE, path, "busy"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    seen = []
    for line in process.stdout:
        seen.append((int(line), time.monotonic()))
        if len(seen) > 30 and seen[-1][1] - seen[0][1] > 4:
            break
    killed = time.monotonic()
    process.kill()
    process.wait()
    # The store writes once a second; a second more is for a machine with other work to do.
    old = [number for number, at in seen if killed - at > 2]
    assert len(old) > 5, process.stderr.read()[-2000:]
    with Store.open(path) as store:
        session = store.session("anon", create=False)
        assert session.auth_key is not None
        assert [number for number in old if session.by_username(f"user_{number}") is None] == []
        assert store.check().problems == ()
    live(path, "again")
