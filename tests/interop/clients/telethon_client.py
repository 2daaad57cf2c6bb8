"""Telethon's own session classes: what they make of a session, and a session as they write it.

    telethon_client.py read FILE WORLD    prints what SQLiteSession gives back, as JSON
    telethon_client.py write FILE WORLD   writes FILE with SQLiteSession
    telethon_client.py read-string TEXT -
    telethon_client.py write-string - WORLD
"""
import datetime
import json
import sys

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession
from telethon.tl import types

action, what, world = sys.argv[1:]
world = json.load(open(world)) if world != "-" else None


def login(session):
    return {
        "dc": session.dc_id,
        "host": session.server_address,
        "port": session.port,
        "key": session.auth_key.key.hex(),
    }


def fill(session):
    session.set_dc(world["dc"], world["host"], world["port"])
    session.auth_key = AuthKey(bytes.fromhex(world["key"]))


def read():
    session = SQLiteSession(what)
    found = login(session)
    state = session.get_update_state(0)
    found["state"] = [state.pts, state.qts, int(state.date.timestamp()), state.seq]
    found["channels"] = {i: s.pts for i, s in session.get_update_states() if i}
    found["user"] = session.get_input_entity(0).access_hash
    found["by_id"] = {}
    found["by_username"] = {}
    found["by_phone"] = {}
    for peer in world["peers"]:
        row = session.get_entity_rows_by_id(peer["id"])
        found["by_id"][peer["id"]] = row and row[1]
        if peer["username"]:
            found["by_username"][peer["username"]] = session.get_entity_rows_by_username(peer["username"])[0]
        if peer["phone"]:
            found["by_phone"][peer["phone"]] = session.get_entity_rows_by_phone(peer["phone"])[0]
    session.close()
    return found


def write():
    session = SQLiteSession(what)
    fill(session)
    session.takeout_id = 77
    when = datetime.datetime.fromtimestamp(world["state"][2], datetime.timezone.utc)
    pts, qts, _, seq = world["state"]
    session.set_update_state(0, types.updates.State(pts, qts, when, seq, 0))
    for channel, pts in world["channels"].items():
        session.set_update_state(int(channel), types.updates.State(pts, 0, when, 0, 0))
    seen = []
    for peer in world["peers"]:
        if peer["kind"] == "user":
            seen.append(types.User(id=peer["id"], access_hash=peer["hash"], username=peer["username"],
                                   phone=peer["phone"], first_name=peer["name"]))
        elif peer["kind"] == "channel":
            seen.append(types.Channel(id=-(10**12) - peer["id"], title=peer["name"], photo=types.ChatPhotoEmpty(),
                                      date=when, access_hash=peer["hash"], username=peer["username"]))
        else:
            seen.append(types.Chat(id=-peer["id"], title=peer["name"], photo=types.ChatPhotoEmpty(),
                                   participants_count=1, date=when, version=1))
    session.process_entities(seen)
    session.save()
    session.close()
    return {}


if action == "read":
    result = read()
elif action == "write":
    result = write()
elif action == "read-string":
    result = login(StringSession(what))
else:
    session = StringSession()
    fill(session)
    result = {"string": session.save()}
print(json.dumps(result))
