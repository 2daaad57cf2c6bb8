#!/usr/bin/env python3
"""The real clients open what the tool wrote, and the tool reads what they wrote.

    tests/interop/run.py TOOL [--packages FOLDER] [CLIENT...]

Each client is installed from the package index, pinned, into a virtual environment of its own under FOLDER
(their modules have the same names). Nothing talks to Telegram; all keys and people are invented.
"""
import argparse
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Client -> what to install, its script, the form for files (and one to compare the schema with), the form for strings.
CLIENTS = {
    "telethon": (["Telethon==1.45.0"], "telethon_client.py", "telethon", "telethon-string"),
    "telethon-1.42": (["Telethon==1.42.0"], "telethon_client.py", "telethon-v7", "telethon-string"),
    "pyrogram": (["Pyrogram==2.0.106"], "pyrogram_client.py", "pyrogram", "pyrogram-string"),
    "hydrogram": (["hydrogram==0.2.0"], "pyrogram_client.py", "hydrogram", "pyrogram-string"),
    "pyrofork": (["pyrofork==2.3.69"], "pyrogram_client.py", "pyrofork", "pyrogram-string"),
    "kurigram": (["kurigram==2.2.26"], "pyrogram_client.py", "kurigram", "pyrogram-string"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", type=Path)
    parser.add_argument("--packages", type=Path, default=Path("target/interop"))
    parser.add_argument("clients", nargs="*", default=[])
    args = parser.parse_args()
    tool = args.tool.resolve()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tool, Path(folder), args.packages.resolve())
        for name in args.clients or CLIENTS:
            for check in (bench.they_read, bench.they_write, bench.strings):
                print(f"{name}: {check.__name__.replace('_', ' ')}", flush=True)
                try:
                    check(name)
                except Exception as error:
                    print(f"  FAILED: {error}", flush=True)
                    failed.append(name)
        print("full circle: Telethon -> store -> Pyrogram -> store -> Telethon", flush=True)
        bench.full_circle()
    if failed:
        sys.exit(f"failed: {', '.join(sorted(set(failed)))}")
    print("all of them agree")


def world():
    """An invented account, the same in every run."""
    dice = random.Random(20261123)
    number = lambda bits: dice.getrandbits(bits) - (1 << bits - 1)
    peers = []
    for n in range(40):
        bare = 1_000_000_000 + dice.getrandbits(29)
        kind = ("user", "user", "channel", "group")[n % 4]
        marked = {"user": bare, "channel": -(10**12) - bare, "group": -bare}[kind]
        peers.append({
            "id": marked,
            "kind": kind,
            "hash": 0 if kind == "group" else number(64),
            "username": f"somebody_{n}" if n % 3 == 0 and kind != "group" else None,
            "phone": f"1555{n:07}" if kind == "user" and n % 5 == 0 else None,
            "name": f"Name {n} \u00e9",
        })
    peers.sort(key=lambda peer: peer["id"])
    key = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(8))
    return {
        "dc": 2, "host": "149.154.167.51", "port": 443, "key": key.hex(), "api_id": 12345, "user": 5355209889,
        "state": [1001, 22, 1_700_000_000, 33], "channels": {"1234567890": 77, "1987654321": 88}, "peers": peers,
    }


def dump_of(w):
    """The same account as a dump, which is a source."""
    key = bytes.fromhex(w["key"])
    pts, qts, date, seq = w["state"]
    return {
        "format": "tgsession-dump/1", "source": "invented", "notes": [],
        "sessions": [{
            "name": "anon", "home_dc": w["dc"], "test_mode": False, "api_id": w["api_id"],
            "user": {"id": w["user"], "bot": False}, "takeout_id": None,
            "dcs": [{"id": w["dc"], "ipv4": {"host": w["host"], "port": w["port"]}, "ipv6": None,
                     "auth_key": w["key"], "auth_key_id": hashlib.sha1(key).digest()[-8:].hex()}],
            "state": {"pts": pts, "qts": qts, "date": date, "seq": seq},
            "channel_states": [{"id": -(10**12) - int(i), "pts": p} for i, p in w["channels"].items()],
            "entities": [{"id": p["id"], "kind": p["kind"], "access_hash": p["hash"],
                          "usernames": [p["username"]] if p["username"] else [], "phone": p["phone"],
                          "name": p["name"], "date": 1_700_000_000} for p in w["peers"]],
            "files": [],
        }],
    }


class Bench:
    def __init__(self, tool, folder, packages):
        self.tool, self.folder, self.packages = tool, folder, packages
        self.world = world()
        self.world_file = folder / "world.json"
        self.world_file.write_text(json.dumps(self.world))
        self.source = folder / "anon.json"
        self.source.write_text(json.dumps(dump_of(self.world)))

    def run_tool(self, *arguments):
        ran = subprocess.run([self.tool, *map(str, arguments)], capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{' '.join(map(str, arguments))}: {ran.stderr.strip()}")
        return ran.stdout

    def dump(self, path):
        return json.loads(self.run_tool("dump", path, "--secrets"))["sessions"][0]

    def client(self, name, *arguments):
        requirements, script, *_ = CLIENTS[name]
        python = self.installed(name, requirements)
        ran = subprocess.run([python, HERE / "clients" / script, *map(str, arguments)],
                             capture_output=True, text=True, cwd=self.folder)
        if ran.returncode:
            raise RuntimeError(ran.stderr.strip()[-2000:])
        return json.loads(ran.stdout.strip().splitlines()[-1])

    def installed(self, name, requirements):
        home = self.packages / name
        python = home / "bin" / "python"
        if not (home / "installed").exists():
            print(f"  installing {', '.join(requirements)}", flush=True)
            venv.create(home, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements],
                           check=True)
            (home / "installed").write_text("\n".join(requirements))
        return python

    def they_read(self, name):
        """What we export, they open, and give back through their own calls."""
        form = CLIENTS[name][2]
        path = self.folder / f"{name}-ours.session"
        self.run_tool("export", self.source, "--to", form, "-o", path)
        with sqlite3.connect(path) as db:
            same(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
        found = self.client(name, "read", path, self.world_file)
        self.same_login(found)
        telethon = name.startswith("telethon")
        wanted = lambda peer: peer["id"] if telethon else peer["hash"]
        for peer in self.world["peers"]:
            same(found["by_id"][str(peer["id"])], peer["hash"], f"hash of {peer['id']}")
            if peer["username"]:
                same(found["by_username"][peer["username"]], wanted(peer), f"username of {peer['id']}")
            if peer["phone"]:
                same(found["by_phone"][peer["phone"]], wanted(peer), f"phone of {peer['id']}")
        if telethon:
            same(found["state"], self.world["state"], "update state")
            same(found["channels"], self.world["channels"], "channel states")
            same(found["user"], self.world["user"], "own id")

    def they_write(self, name):
        """What they write, we read; and our tables are theirs to the letter."""
        form = CLIENTS[name][2]
        path = self.folder / f"{name}-theirs.session"
        self.client(name, "write", path, self.world_file)
        session = self.dump(path)
        same(session["home_dc"], self.world["dc"], "home DC")
        same(session["dcs"][0]["auth_key"], self.world["key"], "auth key")
        entities = {entity["id"]: entity for entity in session["entities"]}
        same(sorted(entities), [peer["id"] for peer in self.world["peers"]], "ids")
        for peer in self.world["peers"]:
            entity = entities[peer["id"]]
            same(entity["access_hash"], peer["hash"], f"hash of {peer['id']}")
            same(entity["usernames"], [peer["username"]] if peer["username"] else [], f"usernames of {peer['id']}")
            same(entity["phone"], peer["phone"], f"phone of {peer['id']}")
        if name.startswith("telethon"):
            same(list(session["state"].values()), self.world["state"], "update state")
            states = {str(-(10**12) - state["id"]): state["pts"] for state in session["channel_states"]}
            same(states, self.world["channels"], "channel states")
            same(session["takeout_id"], 77, "takeout id")
        else:
            same(session["user"], {"id": self.world["user"], "bot": False}, "own user")
            same(session["api_id"], self.world["api_id"], "api id")
        ours = self.folder / f"{name}-ours.session"
        same(schema(ours), schema(path), "CREATE statements")

    def strings(self, name):
        form = CLIENTS[name][3]
        ours = self.run_tool("export", self.source, "--to", form).strip()
        self.same_login(self.client(name, "read-string", ours, "-"))
        theirs = self.client(name, "write-string", "-", self.world_file)["string"]
        path = self.folder / "string.txt"
        path.write_text(theirs)
        session = self.dump(path)
        same(session["dcs"][0]["auth_key"], self.world["key"], "auth key")
        same(session["home_dc"], self.world["dc"], "home DC")
        same(theirs, ours, "the string itself")

    def same_login(self, found):
        for key, value in found.items():
            wanted = {"dc_id": self.world["dc"], "user_id": self.world["user"], "is_bot": False, "test_mode": False}
            wanted = {**self.world, **wanted}
            if key in ("dc", "dc_id", "key", "host", "port", "api_id", "user_id", "is_bot", "test_mode"):
                same(bool(value) if isinstance(wanted[key], bool) else value, wanted[key], key)

    def full_circle(self):
        """What is missing at the end is what the reports say, and nothing else."""
        at = lambda name: self.folder / name
        lost = {}

        def export(source, form, target):
            report = at("report.json")
            self.run_tool("export", source, "--to", form, "-o", at(target), "--report", report, "--api-id", 12345)
            for loss in json.loads(report.read_text())["exports"][0]["lost"]:
                lost[loss["what"]] = lost.get(loss["what"], 0) + loss["count"]

        export(self.source, "telethon", "one.session")
        begin, lost_before = self.dump(at("one.session")), dict(lost)
        lost.clear()
        self.run_tool("import", at("one.session"), "--into", at("a"), "--as", "anon")
        export(at("a.tgsession"), "pyrogram", "two.session")
        self.run_tool("import", at("two.session"), "--into", at("b"), "--as", "anon")
        export(at("b.tgsession"), "telethon", "three.session")
        end = self.dump(at("three.session"))
        # What Pyrogram's file alone told of the account came in on the way and goes out again.
        for gained in ("api_id", "user.bot", "entities.kind", "test_mode"):
            lost.pop(gained, None)
        gone = {}
        for key in ("state", "takeout_id"):
            if begin[key] is not None and end[key] is None:
                gone[key] = 1
        gone["channel_states"] = len(begin["channel_states"]) - len(end["channel_states"])
        gone["files"] = len(begin["files"]) - len(end["files"])
        after = {entity["id"]: entity for entity in end["entities"]}
        for entity in begin["entities"]:
            kept = after.pop(entity["id"])
            same(kept["access_hash"], entity["access_hash"], f"hash of {entity['id']}")
            for key in ("usernames", "phone", "name", "date"):
                if kept[key] != entity[key]:
                    gone[f"entities.{key}"] = gone.get(f"entities.{key}", 0) + 1
        same(after, {}, "entities from nowhere")
        same(end["dcs"], begin["dcs"], "DCs")
        same({key: count for key, count in gone.items() if count}, lost, "left out: gone and reported")
        print(f"  {lost} and nothing else; before: {lost_before}")


def schema(path):
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return sorted(map(str, rows))


def same(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {str(found)[:300]} and not {str(wanted)[:300]}")


if __name__ == "__main__":
    main()
