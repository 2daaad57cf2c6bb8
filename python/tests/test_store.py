"""The plain face: `Store` and `Session`."""

import dataclasses
import gc
import json
import subprocess
import sys

import pytest

import tgsession_store as t
from tgsession_store import Entity, Store

KEY = bytes(range(256))
DUROV = Entity(1, "user", -42, usernames=("durov", "pavel"), phone="15550001", name="Pavel Durov")
CHANNEL = Entity(-1000000000007, "channel", 9, name="News")


@pytest.fixture
def session(store):
    return store.session("alice")


def test_an_entity_is_found_by_everything_that_it_shows(session):
    assert session.process_entities([DUROV, CHANNEL]) == 2
    for found in (
        session.entity(1),
        session.by_bare_id(1),
        session.by_username("@Pavel"),
        session.by_phone("+1 555-0001"),
        session.by_name("Pavel Durov"),
        session.find("https://t.me/Durov"),
    ):
        assert dataclasses.replace(found, date=None) == DUROV
    assert session.by_bare_id(7).name == "News"
    assert [entity.id for entity in session.entities()] == [CHANNEL.id, 1]
    assert session.entity_count() == 2


def test_what_is_not_there_is_none(session):
    assert session.entity(5) is None and session.entity(0) is None
    assert session.by_username("nobody") is None and session.find("nobody") is None
    assert session.update_state is None and session.auth_key is None
    session.remove_entity(5)


def test_entities_are_immutable_and_hashable(session):
    with pytest.raises(dataclasses.FrozenInstanceError):
        DUROV.id = 2
    assert len({DUROV, dataclasses.replace(DUROV)}) == 1


def test_the_login_is_there_after_opening_again(path):
    with Store.open(path) as store:
        session = store.session("alice")
        assert session.set_home_dc(4, "149.154.167.91", 443) is None
        session.set_auth_key(4, KEY)
        session.set_user(777, bot=False)
        session.set_api_id(12345)
        session.set_update_state(t.UpdateState(1, 2, 1_700_000_000, 4))
        session.set_channel_states({CHANNEL.id: 5})
    with Store.read_only(path) as store:
        session = store.session("alice", create=False)
        assert session.login == t.Login(home_dc=4, user_id=777, bot=False, api_id=12345)
        assert session.auth_key == KEY
        assert session.dc(4) == t.Dc(4, ("149.154.167.91", 443), None, KEY)
        assert session.update_state == t.UpdateState(1, 2, 1_700_000_000, 4)
        assert session.channel_states() == {CHANNEL.id: 5}
        assert session.dcs() == [session.dc(4)] and session.dc(1) is None


def test_a_dc_keeps_its_key_while_the_account_is_elsewhere(session):
    session.set_home_dc(2, "149.154.167.51", 443)
    session.set_auth_key(2, KEY)
    assert session.set_home_dc(4, "149.154.167.91", 443) is None
    assert session.auth_key is None
    assert session.set_home_dc(2, "149.154.167.51", 443) == KEY


def test_no_secret_is_printed(session):
    session.set_home_dc(2, "h", 1)
    session.set_auth_key(2, KEY)
    assert "auth_key" not in repr(session.dc(2))
    with pytest.raises(ValueError, match="256 bytes, and this has 3") as error:
        session.set_auth_key(2, b"\x01\x02\x03")
    assert "x01" not in str(error.value)


def test_sessions_are_listed_renamed_and_removed(store):
    for name in ("b", "a"):
        store.session(name)
    assert store.sessions() == list(store) == ["a", "b"] and "a" in store
    store.rename("a", "c")
    store.remove("b")
    assert store.sessions() == ["c"]
    store.session("c").delete()
    assert store.sessions() == []
    with pytest.raises(t.NoSessionError):
        store.session("c", create=False)


def test_a_telethon_file_goes_through_the_store_into_other_forms(store, fixture, tmp_path):
    source = fixture("telethon/plain_1.45.0.session")
    before = source.read_bytes()
    (report,) = store.import_(source, name="anon")
    assert (report.name, report.entities) == ("anon", 119)
    assert source.read_bytes() == before
    with pytest.raises(t.ExistsError):
        store.import_(source, name="anon")
    store.import_(source, name="anon", replace=True)

    out = tmp_path / "pyro.session"
    written = store.export("anon", to="pyrogram", path=out, api_id=12345)
    assert written.entities == 119 and out.read_bytes().startswith(b"SQLite format 3")
    assert {loss.what for loss in written.lost} >= {"entities.name"}
    text = store.export("anon", to="telethon-string").text
    assert len(text) == 353
    (tmp_path / "string").write_text(text)
    store.import_(tmp_path / "string", name="string")
    assert store.session("string").auth_key == store.session("anon").auth_key
    with pytest.raises(t.RefusedError, match="no place for"):
        store.export("anon", to="telethon-string", strict=True)
    with pytest.raises(ValueError, match="no-such-format"):
        store.export("anon", to="no-such-format")
    assert "telethon" in t.formats()


def test_a_dump_shows_secrets_only_when_asked(store, fixture):
    store.import_(fixture("telethon/plain_1.45.0.session"), name="anon")
    hidden = json.loads(store.dump("anon"))["sessions"][0]
    shown = json.loads(store.dump(secrets=True))["sessions"][0]
    assert all("auth_key" not in dc for dc in hidden["dcs"])
    assert any(len(dc["auth_key"]) == 512 for dc in shown["dcs"] if dc.get("auth_key"))
    assert len(hidden["entities"]) == len(shown["entities"]) == 119


def test_small_values_of_a_client_stay_with_the_session(path, tmp_path):
    with Store.open(path) as store:
        session = store.session("a")
        session.set_home_dc(2, "149.154.167.51", 443)
        session.set_auth_key(2, KEY)
        assert session.extra("mine.a") is None and session.extras() == {}
        session.set_extra("mine.a", b"\x00\xff")
        session.set_extra("mine.b", b"")
        session.set_extra("mine.c", b"gone")
        session.set_extra("mine.c", None)
        session.set_extra("mine.c", None)
    with Store.open(path) as store:
        assert store.session("a").extra("mine.a") == b"\x00\xff"
        # A portable session and a dump are whole.
        store.export("a", to="portable", path=tmp_path / "portable", strict=True)
        (tmp_path / "dump.json").write_text(store.dump("a", secrets=True))
        for name, source in (("portable", "portable"), ("dump", "dump.json")):
            store.import_(tmp_path / source, name=name)
            assert store.session(name).extras() == {"mine.a": b"\x00\xff", "mine.b": b""}
        assert "00ff" in store.dump("a", secrets=True) and "00ff" not in store.dump("a")
        lost = store.export("a", to="json").lost
        assert "extras" not in {loss.what for loss in lost}
        assert "extras" in {loss.what for loss in store.export("a", to="telethon-string").lost}


def test_small_values_have_bounds(session):
    for name, value in (("", b""), ("a" * 65, b""), ("a\n", b""), ("a", bytes(4097))):
        with pytest.raises(t.RefusedError):
            session.set_extra(name, value)
    for number in range(64):
        session.set_extra(f"n{number}", bytes(4096))
    with pytest.raises(t.RefusedError, match="at most 64"):
        session.set_extra("one more", b"")
    assert len(session.extras()) == 64


def test_check_backup_and_compact(store, tmp_path):
    store.session("a").process_entities([DUROV])
    assert store.check() == t.CheckReport(1, 1, store.check().records, ())
    store.backup(tmp_path / "copy")
    store.compact()
    store.flush()
    with Store.read_only(tmp_path / "copy") as copy:
        assert copy.session("a", create=False).entity(1).name == "Pavel Durov"


def test_a_session_keeps_its_store_open(path):
    session = Store.open(path).session("a")
    gc.collect()
    session.process_entities([DUROV])
    assert session.entity(1).name == "Pavel Durov"
    del session
    gc.collect()
    with Store.open(path) as store:
        assert store.session("a").entity_count() == 1


# Bad input: a clear exception each.


def test_a_missing_folder_and_a_missing_file(tmp_path):
    with pytest.raises(t.NotFoundError, match="no such file or folder"):
        Store.open(tmp_path / "none" / "store")
    with pytest.raises(t.NotFoundError):
        Store.open(tmp_path / "store", create=False)
    with pytest.raises(t.NotFoundError):
        Store.read_only(tmp_path / "store")


def test_a_file_in_the_way_and_a_file_of_another_kind(tmp_path):
    (tmp_path / "text").write_text("not a store")
    with pytest.raises(t.ExistsError, match="nothing was written"):
        Store.create(tmp_path / "text")
    with pytest.raises(t.Error, match="a tgsession store is expected here"):
        Store.open(tmp_path / "text")
    assert (tmp_path / "text").read_text() == "not a store"


def test_a_store_in_use_says_who_uses_it(store):
    code = f"import tgsession_store as t\ntry: t.Store.open({str(store.path)!r})\nexcept t.BusyError as e: print(e)"
    store.session("a")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "has it open for writing; stop that process, or wait and try again" in ran.stdout, ran
    with pytest.raises(t.BusyError, match="this process has it open for writing already"):
        Store.open(store.path)


def test_a_damaged_store(path):
    with Store.open(path) as store:
        store.session("a").process_entities([DUROV])
    content = bytearray(path.read_bytes())
    content[0:12288] = bytes(12288)
    path.write_bytes(content)
    with pytest.raises(t.Error) as error:
        Store.open(path)
    assert str(path) in str(error.value)


def test_reading_only_refuses_to_write(path):
    Store.create(path).close()
    with Store.read_only(path) as store, pytest.raises(t.ReadOnlyError, match="open it for writing"):
        store.session("new")


@pytest.mark.parametrize("name", ["", "a" * 256, "tab\t", "nul\0"])
def test_names_that_no_session_can_have(store, name):
    with pytest.raises(t.RefusedError, match="cannot name a session"):
        store.session(name)


@pytest.mark.parametrize("key", ["a passphrase", bytes(range(32))])
def test_an_encrypted_store_opens_with_its_key(path, tmp_path, key):
    with Store.create(path, key=key) as store:
        assert store.encrypted
        store.session("anon").set_auth_key(2, b"\xa7" * 256)
        store.backup(tmp_path / "copy.tgsession")
    assert b"\xa7" * 16 not in path.read_bytes()
    for file in (path, tmp_path / "copy.tgsession"):
        with Store.read_only(file, key=key) as store:
            assert store.sessions() == ["anon"]
        for wrong in ("another", bytes(32), None):
            with pytest.raises(t.StoreKeyError) as error:
                Store.open(file, key=wrong)
            assert str(file) in str(error.value)
    with Store.create(tmp_path / "other.tgsession") as store:
        assert not store.encrypted
        if isinstance(key, str):
            assert [report.name for report in store.import_(path, passphrase=key.encode())] == ["anon"]
    with pytest.raises(t.StoreKeyError):
        Store.open(tmp_path / "other.tgsession", key=key)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 33])
def test_a_raw_key_has_32_bytes(path, key):
    with pytest.raises(ValueError, match="32 bytes"):
        Store.create(path, key=key)
    with pytest.raises(t.StoreKeyError):
        Store.create(path, key="")
    assert not path.exists()


def test_closing_twice_and_using_what_is_closed(path):
    store = Store.open(path)
    session, other = store.session("a"), store.session("b")
    other.close()
    other.close()
    with pytest.raises(t.ClosedError, match="the session was closed; open it again"):
        other.entity(1)
    session.process_entities([DUROV])
    store.close()
    store.close()
    assert store.closed and session.closed
    for call in (store.sessions, session.flush, lambda: session.entity(1), store.check):
        with pytest.raises(t.ClosedError):
            call()
    # The lock is free, and what was written is there.
    with Store.open(path) as store:
        assert store.session("a").entity(1).name == "Pavel Durov"


def test_a_session_that_was_deleted(store):
    session = store.session("a")
    session.delete()
    for call in (session.delete, lambda: session.process_entities([DUROV]), lambda: session.login):
        with pytest.raises(t.NoSessionError, match='no session named "a"'):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.entity("text"),
        lambda s: s.entity(None),
        lambda s: s.entity(1 << 70),
        lambda s: s.by_username(None),
        lambda s: s.by_username("\ud800"),
        lambda s: s.by_bare_id(1 << 63),
        lambda s: s.process_entities([Entity(0)]),
        lambda s: s.process_entities([Entity(1 << 64)]),
        lambda s: s.process_entities([Entity(1, kind="dragon")]),
        lambda s: s.process_entities([Entity(1, usernames=(1,))]),
        lambda s: s.process_entities([Entity(1, name=b"bytes")]),
        lambda s: s.set_auth_key(2, b""),
        lambda s: s.set_auth_key(2, "text"),
        lambda s: s.set_auth_key(1 << 40, KEY),
        lambda s: s.set_home_dc(2, "host", 70000),
        lambda s: s.set_home_dc(2, "host", -1),
        lambda s: s.set_update_state(t.UpdateState(1 << 31, 0, 0, 0)),
        lambda s: s.set_channel_states({0: 1}),
        lambda s: s._native.entities(None, -1),
        lambda s: s._native.save_sent_file(b"short", 1, False, 1, 1),
        lambda s: s.process_entities([dataclasses.replace(DUROV, name="x" * (2 << 20))]),
    ],
)
def test_arguments_that_cannot_be_are_refused_and_change_nothing(session, call):
    before = session.login, session.entity_count(), session.dcs()
    with pytest.raises((TypeError, ValueError, OverflowError, t.Error)) as error:
        call(session)
    assert "panic" not in type(error.value).__name__.lower()
    assert (session.login, session.entity_count(), session.dcs()) == before


@pytest.mark.parametrize("interval", [-1.0, float("nan"), float("inf")])
def test_durations_that_cannot_be(path, interval):
    with pytest.raises(ValueError, match="flush_interval"):
        Store.open(path, flush_interval=interval)


def test_extreme_ids_and_texts_come_back(session):
    people = [
        Entity(id, access_hash=hash, name=name)
        for id, hash, name in [
            (2**63 - 1, 2**63 - 1, "max"),
            (-(2**63), -(2**63), "\U0001f600 İ ẞ"),
            (-1, 0, "nul \0 inside"),
        ]
    ]
    session.process_entities(people)
    for entity in people:
        assert dataclasses.replace(session.entity(entity.id), date=None) == entity
