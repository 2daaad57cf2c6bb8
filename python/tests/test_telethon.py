"""`StoreSession` by itself: what Telethon's own sessions cannot do, bad input, and its life."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("telethon")

from telethon.crypto import AuthKey
from telethon.sessions import MemorySession, SQLiteSession
from telethon.tl import types as T

import tgsession_store as t
from tgsession_store import Store
from tgsession_store.telethon import StoreSession

HERE = Path(__file__).parent
LOOKUPS = json.loads((HERE.parents[1] / "tests/fixtures/telethon/lookups.json").read_text())
KEY, OTHER_KEY = bytes(range(256)), bytes(256)[:-1] + b"\x01"


@pytest.fixture
def session(tmp_path):
    session = StoreSession(tmp_path / "accounts", "anon")
    yield session
    session.close()


def reopened(session, tmp_path):
    session.close()
    return StoreSession(tmp_path / "accounts", "anon")


def user(id, **more):
    return T.User(id, **{"access_hash": id * 10, **more})


def test_every_recorded_look_up_is_answered_as_by_telethon(tmp_path, fixture):
    session = StoreSession(
        tmp_path / "accounts", "anon", import_from=fixture("telethon/username_conflict.session")
    )
    assert len(LOOKUPS) > 100
    for key, kind, fields in LOOKUPS:
        if kind == "error":
            with pytest.raises(ValueError, match="Could not find input entity with key"):
                session.get_input_entity(key)
        else:
            found = session.get_input_entity(key).to_dict()
            assert found == {"_": kind, **fields}, key


def test_all_active_usernames_find_an_entity(session, tmp_path):
    names = [T.Username("First", active=True), T.Username("second", active=True), T.Username("asleep")]
    session.process_entities([user(1, usernames=names), user(2, username="main", usernames=None)])
    session = reopened(session, tmp_path)
    for name in ("first", "@SECOND", "t.me/second"):
        assert session.get_input_entity(name).user_id == 1
    assert session.get_input_entity("main").user_id == 2
    with pytest.raises(ValueError):
        session.get_input_entity("asleep")
    session.close()


def test_kinds_and_bots_are_kept(session, tmp_path):
    photo = T.ChatPhotoEmpty()
    channel = {"access_hash": 5, "photo": photo, "date": None, "title": "x"}
    session.process_entities([
        user(1), user(2, bot=True), T.Chat(3, "g", photo, 1, None, 1), T.Channel(4, broadcast=True, **channel),
        T.Channel(5, megagroup=True, **channel), T.Channel(6, megagroup=True, forum=True, **channel),
        T.Channel(7, megagroup=True, monoforum=True, **channel), T.Channel(8, gigagroup=True, **channel),
        T.Community(9, "c", photo, None, access_hash=1), T.ChannelForbidden(10, 1, "f", megagroup=True),
    ])
    session.close()
    with Store.read_only(tmp_path / "accounts") as store:
        kinds = {abs(e.id) % 10**12: e.kind for e in store.session("anon", create=False).entities()}
    assert kinds == {1: "user", 2: "bot", 3: "group", 4: "channel", 5: "supergroup", 6: "forum", 7: "direct",
                     8: "gigagroup", 9: "community", 10: "supergroup"}


def test_a_dc_move_loads_the_key_of_that_dc(session, tmp_path):
    session.set_dc(2, "149.154.167.51", 443)
    session.auth_key = AuthKey(KEY)
    session.set_dc(4, "149.154.167.91", 443)
    assert session.auth_key is None, "the key of DC 2 is no key of DC 4"
    session.auth_key = AuthKey(OTHER_KEY)
    session.set_dc(2, "149.154.167.51", 443)
    assert session.auth_key.key == KEY
    session = reopened(session, tmp_path)
    assert (session.dc_id, session.auth_key.key) == (2, KEY)
    session.set_dc(4, "149.154.167.91", 443)
    session.auth_key = None
    session = reopened(session, tmp_path)
    assert (session.dc_id, session.auth_key) == (4, None)
    session.close()


def test_the_own_user_is_known_to_other_clients_too(session, tmp_path):
    session.process_entities([user(777, is_self=True, bot=True)])
    session.process_entities(T.contacts.ResolvedPeer(None, [T.InputPeerUser(0, 777)], []))
    assert session.get_input_entity(0).access_hash == 777
    session.close()
    with Store.read_only(tmp_path / "accounts") as store:
        login = store.session("anon", create=False).login
    assert (login.user_id, login.bot) == (777, True)


def test_sent_files_are_kept(session, tmp_path):
    class Named(T.InputDocument):
        """Telethon 1.45 makes the object from two values, and it has three."""

    session.cache_file(b"m" * 16, 10, T.InputDocument(1, -2, b""))
    session.cache_file(b"m" * 16, 10, T.InputPhoto(3, 4, b""))
    session = reopened(session, tmp_path)
    assert session._native.sent_file(b"m" * 16, 10, False) == (1, -2)
    assert session._native.sent_file(b"m" * 16, 10, True) == (3, 4)
    assert session.get_file(b"n" * 16, 10, T.InputDocument) is None
    with pytest.raises(TypeError, match="Cannot cache"):
        session.cache_file(b"m" * 16, 10, T.InputPeerSelf())
    with pytest.raises(ValueError, match="must be either"):
        session.get_file(b"m" * 16, 10, Named)
    session.close()


def test_a_clone_is_a_session_in_memory(session):
    session.set_dc(2, "149.154.167.51", 443)
    session.save_entities = False
    clone = session.clone()
    assert isinstance(clone, MemorySession) and not isinstance(clone, StoreSession)
    clone.set_dc(203, "91.105.192.100", 443)
    clone.auth_key = AuthKey(OTHER_KEY)
    assert clone.save_entities is False
    assert (session.dc_id, session.auth_key) == (2, None)
    assert session._native.dc(203) is None


def test_sessions_of_one_path_share_one_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = StoreSession("accounts", "a")
    second = StoreSession(tmp_path / "accounts.tgsession", "b")
    assert first.list_sessions() == second.list_sessions() == ["a", "b"]
    first.close()
    second.process_entities([user(1)])
    assert StoreSession.list_sessions("accounts") == ["a", "b"]
    assert StoreSession.list_sessions() == []
    second.close()
    # With the last one the lock of the store goes.
    with Store.open("accounts", create=False) as store:
        third = StoreSession(store, "b")
        assert third.get_input_entity(1).user_id == 1
        assert third.list_sessions() == StoreSession.list_sessions(store)
        third.close()
        assert not store.closed


def test_a_session_that_is_never_closed_is_saved_when_the_program_ends(tmp_path):
    code = f"""
from telethon.tl import types as T
from tgsession_store.telethon import StoreSession
kept = StoreSession({str(tmp_path / "accounts")!r}, "kept")
kept.process_entities([T.User(1, access_hash=5)])
StoreSession({str(tmp_path / "accounts")!r}, "dropped").process_entities([T.User(2, access_hash=6)])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    with Store.open(tmp_path / "accounts") as store:
        assert store.session("kept").entity(1).access_hash == 5
        assert store.session("dropped").entity(2).access_hash == 6


def test_channel_ids_with_and_without_mark(session):
    state = T.updates.State(7, 0, datetime.datetime.now(), 0, unread_count=0)
    session.set_update_state(1234567890, state)
    assert session.get_update_state(1234567890).pts == session.get_update_state(-1001234567890).pts == 7
    assert [id for id, _ in session.get_update_states()] == [1234567890]
    session.process_entities([T.ChannelForbidden(1234567890, 5, "c")])
    for id in (1234567890, -1001234567890, 1001234567890):
        assert session.get_input_entity(id).channel_id == 1234567890


# Migration.

VERSIONS = sorted((HERE.parents[1] / "tests/fixtures/telethon").glob("plain_*.session"))


@pytest.mark.parametrize("version", [path.name for path in VERSIONS])
def test_a_file_of_each_telethon_version_is_imported_once(version, tmp_path, fixture):
    source = fixture(f"telethon/{version}")
    content = source.read_bytes()
    session = StoreSession(tmp_path / "accounts", "anon", import_from=source)
    assert len(session.auth_key.key) == 256 and session.server_address
    count = session._native.entity_count()
    assert count > 50
    session.process_entities([user(2**40)])
    session.close()
    assert source.read_bytes() == content
    source.unlink()
    # The argument stays in the program when the file is long gone.
    session = StoreSession(tmp_path / "accounts", "anon", import_from=source)
    assert session._native.entity_count() == count + 1
    session.close()


def test_an_imported_session_answers_as_the_file_does(tmp_path, fixture):
    source = fixture("telethon/plain_1.45.0.session")
    session = StoreSession(tmp_path / "accounts", "anon", import_from=source)
    theirs = SQLiteSession(str(source))
    for name in ("dc_id", "server_address", "port", "takeout_id"):
        assert getattr(session, name) == getattr(theirs, name)
    assert session.auth_key.key == theirs.auth_key.key
    for id, *_ in theirs._cursor().execute("select id from entities where id != 0"):
        assert session.get_input_entity(id).to_dict() == theirs.get_input_entity(id).to_dict()
    session.close()


def test_a_missing_file_to_import_is_an_error_and_a_session_without_a_login_is_replaced(tmp_path, fixture):
    with pytest.raises(t.NotFoundError, match="gone.session"):
        StoreSession(tmp_path / "accounts", "anon", import_from=tmp_path / "gone.session")
    StoreSession(tmp_path / "accounts", "anon").close()
    session = StoreSession(tmp_path / "accounts", "anon", import_from=fixture("telethon/plain_1.45.0.session"))
    assert session.auth_key
    session.close()


# Bad input.


def test_none_where_telethon_passes_none(session, tmp_path):
    session.set_dc(None, None, None)
    session.auth_key = None
    session.takeout_id = None
    session.process_entities(None)
    session.process_entities([None])
    session.process_entities(T.contacts.ResolvedPeer(None, None, None))
    with pytest.raises(ValueError):
        session.get_input_entity(None)
    session = reopened(session, tmp_path)
    assert (session.dc_id, session.server_address, session.port, session.auth_key) == (0, None, None, None)
    session.close()


def test_what_telethon_cannot_address_is_not_stored(session):
    session.process_entities([T.User(1), T.User(2, access_hash=5, min=True), T.UserEmpty(3)])
    for id in (1, 2, 3):
        with pytest.raises(ValueError):
            session.get_input_entity(T.PeerUser(id))
    assert session._native.entity_count() == 0


@pytest.mark.parametrize("key", [b"", b"short", bytes(257)])
def test_a_key_of_a_wrong_length(session, key):
    session.set_dc(2, "h", 1)
    wrong = AuthKey(KEY)
    wrong._key = key
    if not key:
        session.auth_key = wrong
        assert session._native.dc(2)[3] is None
        return
    with pytest.raises(ValueError, match=f"256 bytes, and this has {len(key)}"):
        session.auth_key = wrong
    assert session.auth_key is None


def test_ids_out_of_range(session):
    for key in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            session.get_input_entity(key)
    with pytest.raises(OverflowError):
        session.process_entities([T.InputPeerUser(2**64, 1)])
    with pytest.raises(OverflowError):
        session.set_dc(2**40, "h", 1)
    with pytest.raises(OverflowError):
        session.set_dc(2, "h", 2**20)


def test_closing_twice_and_using_the_session_after_that(session):
    session.set_dc(2, "149.154.167.51", 443)
    session.process_entities([user(1)])
    session.close()
    session.close()
    session.save()
    assert session.get_input_entity(1).user_id == 1
    session.close()


def test_using_a_session_that_was_deleted(session, tmp_path):
    session.process_entities([user(1)])
    assert session.delete() is True
    assert session.delete() is False
    session.save()
    session.close()
    with pytest.raises(t.NoSessionError, match='no session named "anon"'):
        session.get_input_entity(1)
    assert StoreSession.list_sessions(tmp_path / "accounts") == []


def test_a_missing_folder_a_busy_store_and_a_damaged_one(tmp_path):
    with pytest.raises(t.NotFoundError):
        StoreSession(tmp_path / "none" / "accounts", "anon")
    other = StoreSession(tmp_path / "accounts", "anon")
    code = f"from tgsession_store.telethon import StoreSession\nStoreSession({str(tmp_path / 'accounts')!r}, 'b')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"process {os.getpid()}" in ran.stderr and "has it open for writing" in ran.stderr
    other.close()
    (tmp_path / "text").write_text("not a store")
    with pytest.raises(t.RefusedError, match="a tgsession store is expected here"):
        StoreSession(tmp_path / "text", "anon")
    file = tmp_path / "accounts.tgsession"
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192)
    before = file.read_bytes()
    with pytest.raises(t.DamagedError, match="accounts.tgsession"):
        StoreSession(tmp_path / "accounts", "anon")
    assert file.read_bytes() == before


def test_without_telethon_the_import_says_what_to_install():
    code = "import sys; sys.modules['telethon'] = None\nimport tgsession_store.telethon"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install Telethon" in ran.stderr
