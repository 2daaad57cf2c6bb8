"""A real `Client` of Kurigram on a store, without a network: see `kurigram_life`."""

import pytest

storage = pytest.importorskip("pyrogram.storage")
if not hasattr(storage, "UpdateState"):
    pytest.skip("this is not Kurigram", allow_module_level=True)

from lives import killed, live

from tgsession_store import Store

LIFE = "kurigram_life.py"


def test_everything_is_there_after_a_restart_of_the_process(path):
    live(LIFE, path, "first")
    with Store.read_only(path) as store:
        session = store.session("anon", create=False)
        login = session.login
        assert (login.user_id, login.bot, login.home_dc, login.api_id) == (777, True, 2, 1)
        assert session.by_username("also_2").usernames == ("user_2", "also_2")
        assert session.update_state.pts == 102
        assert session.channel_states() == {-1001234567890: 12}
    live(LIFE, path, "second")


def test_no_peer_that_was_a_second_old_is_lost_to_kill_9(path):
    old = killed(LIFE, path)
    with Store.open(path) as store:
        session = store.session("anon", create=False)
        assert [number for number in old if session.by_username(f"also_{number}") is None] == []
        assert session.auth_key is not None and session.login.user_id == 777
        assert store.check().problems == ()
