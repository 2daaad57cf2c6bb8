"""Invented accounts, and what of them a client's format keeps.

An account is JSON that every client's script reads: `home`, `test`, `api_id`, `user` {id, bot}, `dcs` (id, host,
ipv6, port, key as hex; the home DC first), `state` [pts, qts, date, seq], `channels` {bare id: pts}, `takeout`, `files`
[md5, size, kind, id, hash], `peers` (id marked, kind, hash, usernames, phone, name) in the order of their ids and, of
the same shape, the `met`, who come later.
"""
import hashlib
import random

KINDS = ("user", "bot", "group", "supergroup", "channel")
CHANNELS = 10**12  # A channel's marked id is below minus this.


def accounts():
    """A person on two DCs, and a bot on a test server; the same in every run."""
    dice = random.Random(20261123)
    person = {
        "home": 2, "test": False, "user": {"id": 5355209889, "bot": False},
        "dcs": [
            dc(dice, 2, "149.154.167.51", "2001:67c:4e8:f002::a", 443),
            dc(dice, 4, "149.154.167.91", "2001:67c:4e8:f004::a", 443),
        ],
        "state": [1001, 22, 1_700_000_000, 33], "peers": peers(dice, 60),
        "channels": {"1234567890": 77, "1987654321": 2**31 - 1}, "takeout": 8_877_665_544_332_211,
        "files": [[dice.randbytes(16).hex(), dice.getrandbits(22), kind, signed(dice), signed(dice)]
                  for kind in ("document", "photo", "document")],
    }
    bot = {
        "home": 1, "test": True, "user": {"id": 777000111, "bot": True},
        "dcs": [dc(dice, 1, "149.154.175.10", "2001:b28:f23d:f001::e", 80)],
        "state": [1, 2, 1_600_000_000, 4], "peers": peers(dice, 9), "channels": {}, "takeout": None, "files": [],
    }
    made = {"person": person, "bot": bot}
    return {name: {"api_id": 12345, "met": peers(dice, 5, 1000), **account} for name, account in made.items()}


def dc(dice, number, host, ipv6, port):
    return {"id": number, "host": host, "ipv6": ipv6, "port": port, "key": dice.randbytes(256).hex()}


def signed(dice):
    return dice.getrandbits(64) - 2**63


def peers(dice, count, first=0):
    """Peers of all kinds; the first have the hashes that are hardest to carry."""
    hashes = [-(2**63), 2**63 - 1, -1, 2**32, -(2**32)]
    made = []
    for n in range(first, first + count):
        kind = KINDS[n % len(KINDS)]
        bare = 1_000_000_000 + dice.getrandbits(29)
        usernames = [f"somebody_{n}_{at}" for at in range((2, 1, 0)[n % 3])] if kind != "group" else []
        made.append({
            "id": {"user": bare, "bot": bare, "group": -bare}.get(kind, -CHANNELS - bare),
            "kind": kind,
            "hash": 0 if kind == "group" else hashes[n // 5] if n // 5 < len(hashes) else signed(dice),
            "usernames": usernames,
            "phone": f"1555{n:07}" if kind == "user" and n % 2 == 0 else None,
            "name": f"Name {n} \u00e9\U0001f9ad",
        })
    return sorted(made, key=lambda peer: peer["id"])


def as_dump(account, now):
    """The whole account as a dump, which is a source."""
    return {"format": "tgsession-dump/1", "source": "invented", "notes": [], "sessions": [session(account, now)]}


def session(account, now):
    pts, qts, date, seq = account["state"]
    return {
        "name": "account",
        "home_dc": account["home"],
        "test_mode": account["test"],
        "api_id": account["api_id"],
        "user": dict(account["user"]),
        "takeout_id": account["takeout"],
        "dcs": [dumped_dc(one) for one in account["dcs"]],
        "state": {"pts": pts, "qts": qts, "date": date, "seq": seq},
        "channel_states": sorted(
            ({"id": -CHANNELS - int(bare), "pts": pts} for bare, pts in account["channels"].items()),
            key=lambda state: state["id"]),
        "entities": [{"id": peer["id"], "kind": peer["kind"], "access_hash": peer["hash"],
                      "usernames": peer["usernames"], "phone": peer["phone"], "name": peer["name"], "date": now}
                     for peer in account["peers"]],
        "files": sorted(
            ({"md5": md5, "size": size, "kind": kind, "id": number, "access_hash": access_hash}
             for md5, size, kind, number, access_hash in account["files"]), key=lambda file: file["md5"]),
    }


def dumped_dc(one):
    key = bytes.fromhex(one["key"])
    # The key's id is the end of its SHA-1, as a little-endian number.
    key_id = hashlib.sha1(key).digest()[-8:].hex()
    address = lambda host: {"host": one[host], "port": one["port"]}
    return {"id": one["id"], "ipv4": address("host"), "ipv6": address("ipv6"), "auth_key": one["key"], "auth_key_id": key_id}


def kept(account, keeps, now):
    """The dump of what this account becomes in a format that keeps these things alone."""
    whole = session(account, now)
    only = lambda what, value, nothing=None: value if what in keeps else nothing
    user = only("user", {"id": account["user"]["id"], "bot": only("bot", account["user"]["bot"])})
    dcs = whole["dcs"] if "keys" in keeps else whole["dcs"][:1]
    addressed = {"address": 1, "addresses": len(dcs)}
    with_address = next((count for word, count in addressed.items() if word in keeps), 0)
    usernames = lambda row: row["usernames"][:{"usernames": None, "username": 1}[named]]
    rows = whole["entities"]
    if "own_row" in keeps:
        own = {"kind": ("user", "bot")[user["bot"]], "access_hash": None, "usernames": []}
        rows = sorted([*rows, {"id": user["id"], **own}], key=lambda row: row["id"])
    named = next((word for word in ("usernames", "username") if word in keeps), None)
    return {
        "home_dc": whole["home_dc"],
        "test_mode": only("test", whole["test_mode"]),
        "api_id": only("api_id", whole["api_id"]),
        "user": user,
        "takeout_id": only("takeout", whole["takeout_id"]),
        "dcs": [{**one, "ipv4": one["ipv4"] if at < with_address else None, "ipv6": only("ipv6", one["ipv6"])}
                for at, one in enumerate(dcs)],
        "state": only("state", whole["state"]),
        "channel_states": only("state", whole["channel_states"], []),
        "entities": [
            {**row, "kind": only("kind", row["kind"]), "usernames": usernames(row) if named else [],
             "phone": only("phone", row.get("phone")), "name": only("name", row.get("name")), "date": only("date", now)}
            for row in rows] if "peers" in keeps else [],
        "files": only("files", whole["files"], []),
    }


def answers(account, format):
    """What a client is to say of this account in a format, under the names that all their scripts use."""
    home, peers_of = account["dcs"][0], account["peers"]
    most = None if "usernames" in format.keeps.split() else 1
    pair = lambda peer: [peer["id"], peer["hash"]]
    first = lambda peer: next(iter(peer["usernames"]), None)
    everything = {
        "dc": home["id"], "host": home["host"], "port": home["port"], "key": home["key"],
        "keys": {one["id"]: one["key"] for one in account["dcs"]},
        "accounts": 1, "logged_in": "authorizationStateReady", "test": account["test"], "api_id": account["api_id"], "takeout": account["takeout"],
        "user": account["user"]["id"], "bot": account["user"]["bot"],
        "state": account["state"], "channels": account["channels"], "files": account["files"],
        "by_id": {peer["id"]: peer["hash"] for peer in peers_of},
        "by_username": {name: pair(peer) for peer in peers_of for name in peer["usernames"][:most]},
        "by_phone": {peer["phone"]: pair(peer) for peer in peers_of if peer["phone"]},
        "by_name": {peer["name"]: pair(peer) for peer in peers_of},
        "kinds": {peer["id"]: peer["kind"] for peer in peers_of},
        "rows": {peer["id"]: [peer["hash"], first(peer), peer["phone"], peer["name"]] for peer in peers_of},
    }
    return {key: everything[key] for key in format.gives.split()}
