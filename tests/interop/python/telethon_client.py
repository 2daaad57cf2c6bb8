"""Telethon's own session classes: what they make of a session, and a session as they write it.

    telethon_client.py read FILE ACCOUNT           prints what SQLiteSession gives back, as JSON
    telethon_client.py write FILE ACCOUNT          writes FILE with SQLiteSession
    telethon_client.py meet FILE ACCOUNT           adds the peers that the account has met to FILE
    telethon_client.py read-string TEXT ACCOUNT    the same of StringSession
    telethon_client.py write-string - ACCOUNT
"""
import datetime
import json
import sys

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession
from telethon.tl import types

action, what, account = sys.argv[1:]
account = json.load(open(account))
FILES = {"document": types.InputDocument, "photo": types.InputPhoto}


def login(session):
    home = {"dc": session.dc_id, "host": session.server_address, "port": session.port}
    return {**home, "key": session.auth_key.key.hex()}


def fill(session):
    home = account["dcs"][0]
    session.set_dc(home["id"], home["host"], home["port"])
    session.auth_key = AuthKey(bytes.fromhex(home["key"]))


def read():
    session = SQLiteSession(what)
    state = session.get_update_state(0)
    found = {
        **login(session),
        # The row with id 0 has the account's own id in place of a hash.
        "user": session.get_input_entity(0).access_hash,
        "takeout": session.takeout_id,
        "state": [state.pts, state.qts, int(state.date.timestamp()), state.seq],
        "channels": {bare: state.pts for bare, state in session.get_update_states() if bare},
        "by_id": {}, "by_username": {}, "by_phone": {}, "by_name": {}, "files": [],
    }
    for peer in account["peers"]:
        found["by_id"][peer["id"]] = session.get_entity_rows_by_id(peer["id"])[1]
        found["by_name"][peer["name"]] = session.get_entity_rows_by_name(peer["name"])
        for username in peer["usernames"]:
            row = session.get_entity_rows_by_username(username)
            if row:
                found["by_username"][username] = row
        if peer["phone"]:
            found["by_phone"][peer["phone"]] = session.get_entity_rows_by_phone(peer["phone"])
    for md5, size, kind, *_ in account["files"]:
        # get_file() itself fails: what it makes of the row has had one value more for years.
        row = session._execute("select id, hash from sent_files where md5_digest = ? and file_size = ? and type = ?",
                               bytes.fromhex(md5), size, int(kind == "photo"))
        found["files"].append([md5, size, kind, *row])
    session.close()
    return found


def write():
    session = SQLiteSession(what)
    fill(session)
    session.takeout_id = account["takeout"]
    pts, qts, date, seq = account["state"]
    when = datetime.datetime.fromtimestamp(date, datetime.timezone.utc)
    session.set_update_state(0, types.updates.State(pts, qts, when, seq, 0))
    for bare, pts in account["channels"].items():
        session.set_update_state(int(bare), types.updates.State(pts, 0, when, 0, 0))
    # What Telethon keeps of the login, at the first request.
    own = account["user"]
    session.process_entities([types.InputPeerUser(0, own["id"])])
    session.process_entities([seen(peer) for peer in account["peers"]])
    for md5, size, kind, number, access_hash in account["files"]:
        session.cache_file(bytes.fromhex(md5), size, FILES[kind](number, access_hash, b""))
    session.save()
    session.close()
    return {}


def meet():
    session = SQLiteSession(what)
    session.process_entities([seen(peer) for peer in account["met"]])
    session.save()
    session.close()
    return {}


def seen(peer):
    """The peer as Telegram would send it."""
    when, photo = datetime.datetime.now(), types.ChatPhotoEmpty()
    username = peer["usernames"][0] if peer["usernames"] else None
    if peer["kind"] in ("user", "bot"):
        return types.User(id=peer["id"], access_hash=peer["hash"], username=username, phone=peer["phone"],
                          first_name=peer["name"], bot=peer["kind"] == "bot")
    if peer["kind"] == "group":
        return types.Chat(id=-peer["id"], title=peer["name"], photo=photo, participants_count=1, date=when, version=1)
    return types.Channel(id=-(10**12) - peer["id"], title=peer["name"], photo=photo, date=when,
                         access_hash=peer["hash"], username=username, megagroup=peer["kind"] == "supergroup")


if action == "read":
    result = read()
elif action == "write":
    result = write()
elif action == "meet":
    result = meet()
elif action == "read-string":
    result = login(StringSession(what))
else:
    session = StringSession()
    fill(session)
    result = {"string": session.save()}
print(json.dumps(result))
