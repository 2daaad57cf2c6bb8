"""A real `TelegramClient` on a store, without a network: see `fake_telethon`."""

import pytest

pytest.importorskip("telethon")

from lives import killed, live

from tgsession_store import Store

LIFE = "telethon_life.py"


def test_everything_is_there_after_a_restart_of_the_process(path):
    live(LIFE, path, "first")
    with Store.read_only(path) as store:
        session = store.session("anon", create=False)
        assert (session.login.user_id, session.login.home_dc) == (777, 2)
        assert session.by_username("user_1").kind == "user"
        assert session.by_username("the_channel").kind == "channel"
        assert session.update_state.pts == 102
        assert session.channel_states() == {-1001234567890: 12}
    live(LIFE, path, "second")
    live(LIFE, path, "move")


def test_no_entity_that_was_a_second_old_is_lost_to_kill_9(path):
    old = killed(LIFE, path)
    with Store.open(path) as store:
        session = store.session("anon", create=False)
        assert session.auth_key is not None
        assert [number for number in old if session.by_username(f"user_{number}") is None] == []
        assert store.check().problems == ()
    live(LIFE, path, "again")
