#!/usr/bin/env python3
"""The real clients open what the tool wrote, and the tool reads what they wrote.

    tests/interop/run.py TOOL [--packages FOLDER] [CLIENT...]

Each client is installed under FOLDER, pinned. Nothing talks to Telegram; all keys and people are invented.
"""
import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path

from account import CHANNELS, accounts, answers, as_dump, kept
from circle import full_circle
from clients import CLIENTS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", type=Path)
    parser.add_argument("--packages", type=Path, default=Path("target/interop"))
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help="only those whose names contain one of these")
    args = parser.parse_args()
    asked = [word.lower() for word in args.clients]
    chosen = [client for client in CLIENTS if not asked or any(word in client.name.lower() for word in asked)]
    if not chosen:
        parser.error(f"there are {', '.join(client.name for client in CLIENTS)}")
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.tool.resolve(), Path(folder), args.packages.resolve())
        for client in chosen:
            print(client.name, flush=True)
            try:
                bench.ask(client)
            except Exception as error:
                print(f"  FAILED: {error}", flush=True)
                failed.append(client.name)
        if not asked:
            print("full circle: Telethon -> store -> Pyrogram -> store -> Telethon", flush=True)
            for name in bench.accounts:
                try:
                    full_circle(bench, name)
                except Exception as error:
                    print(f"  {name}: FAILED: {error}", flush=True)
                    failed.append(f"full circle of {name}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print(f"{len(chosen)} clients and the tool agree")


class Bench:
    """A folder to work in, with each account in it as the clients' scripts and as the tool read it."""

    def __init__(self, tool, folder, packages):
        self.tool, self.folder, self.packages = tool, folder, packages
        self.accounts = accounts()
        self.now = int(time.time())
        for name, account in self.accounts.items():
            self.account_file(name).write_text(json.dumps(account))
            self.source(name).write_text(json.dumps(as_dump(account, self.now)))

    def account_file(self, name):
        return self.folder / f"{name}.account.json"

    def source(self, name):
        return self.folder / f"{name}.dump.json"

    def run_tool(self, *arguments, stdin=""):
        ran = subprocess.run([self.tool, *map(str, arguments)], input=stdin, capture_output=True, text=True)
        if ran.returncode:
            raise RuntimeError(f"{' '.join(map(str, arguments))}: {ran.stderr.strip()}")
        return ran.stdout

    def dump(self, path, stdin=""):
        """What the tool reads, without the name, which is the file's."""
        session = json.loads(self.run_tool("dump", path, "--secrets", stdin=stdin))["sessions"][0]
        del session["name"]
        return session

    def client(self, client, action, what, name):
        command = [*client.install(self.packages), action, what, self.account_file(name)]
        ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=self.folder)
        if ran.returncode:
            raise RuntimeError(f"{action}: {ran.stderr.strip()[-2000:]}")
        return json.loads(ran.stdout.strip().splitlines()[-1])

    def ask(self, client):
        """Every check that goes for this client, with every account."""
        for name in self.accounts:
            stem = f"{client.name.replace(' ', '_')}-{name}"
            # All of them open a file of this name, and GramJS a folder.
            ours, theirs = (self.folder / f"{stem}-{whose}.session" for whose in ("ours", "theirs"))
            if client.people_only and (self.accounts[name]["user"]["bot"] or self.accounts[name]["test"]):
                continue
            self.they_read(client, name, ours)
            done = ["they read"]
            if client.writes:
                self.they_write(client, name, theirs)
                done.append("they write")
            else:
                self.they_rewrite(client, name, ours)
                done.append("they rewrite")
            if "peers" in client.file.keeps.split():
                self.they_go_on(client, name, ours)
                done.append("they go on")
            if theirs.is_file() and theirs.read_bytes()[:6] == b"SQLite":
                self.same_database(ours, theirs)
            if client.string:
                self.strings(client, name)
                done.append("strings")
            print(f"  {name}: {', '.join(done)}", flush=True)

    def they_read(self, client, name, path):
        """What we export, they open, and give back through their own calls."""
        self.run_tool("export", self.source(name), "--to", client.file.name, "-o", path)
        found = self.client(client, "read", path, name)
        same(found, answers(self.accounts[name], client.file), f"{client.file.name} of ours, read by the client")

    def they_write(self, client, name, path):
        """What they write is dumped value by value."""
        self.client(client, "write", path, name)
        format, account = client.file, self.accounts[name]
        self.holds(client, path, kept(account, f"{format.keeps} {format.more}".split(), self.now), "theirs")

    def they_rewrite(self, client, name, path):
        """They open a file of ours and write it anew, and all is in it."""
        self.client(client, "rewrite", path, name)
        self.holds(client, path, kept(self.accounts[name], client.file.keeps.split(), self.now), "ours, rewritten")

    def they_go_on(self, client, name, path):
        """They add to a file of ours, and all is in it."""
        self.client(client, "meet", path, name)
        format, account = client.file, self.accounts[name]
        wanted = kept(account, format.keeps.split(), self.now)
        met = kept({**account, "peers": account["met"]}, f"{format.keeps} {format.more}".split(), self.now)
        rows = {row["id"]: row for row in met["entities"] + wanted["entities"]}
        wanted["entities"] = [rows[number] for number in sorted(rows)]
        self.holds(client, path, wanted, "ours, gone on with")

    def holds(self, client, path, wanted, whose):
        found = self.dated_now(self.dump(path))
        for entity in found["entities"]:
            if -CHANNELS < entity["id"] < 0:
                # A group's hash means nothing: some clients have 0, some none.
                entity["access_hash"] = entity["access_hash"] or 0
        same(found, wanted, f"{client.file.name} of {whose}, dumped")

    def dated_now(self, session):
        """The clients date what they write by their clocks: here all of this run is one moment."""
        for entity in session["entities"]:
            if entity["date"] is not None and self.now - 1 <= entity["date"] <= time.time() + 1:
                entity["date"] = self.now
        return session

    def same_database(self, ours, theirs):
        """Our tables are theirs to the letter, and SQLite finds the file sound."""
        with sqlite3.connect(ours) as db:
            same(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
        same(schema(ours), schema(theirs), "CREATE statements")

    def strings(self, client, name):
        """The string that the client writes is the string that we write, and each reads it."""
        format = client.string
        ours = self.run_tool("export", self.source(name), "--to", format.name).strip()
        found = self.client(client, "read-string", ours, name)
        same(found, answers(self.accounts[name], format), f"{format.name} of ours, read by the client")
        theirs = self.client(client, "write-string", "-", name)["string"]
        same(self.dump("-", stdin=theirs), kept(self.accounts[name], format.keeps.split(), self.now),
             f"{format.name} of theirs, dumped")
        same(theirs, ours, f"the {format.name} itself")


def schema(path):
    with sqlite3.connect(path) as db:
        version = db.execute("PRAGMA user_version").fetchone()
        rows = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {"user_version": version[0], **{f"{row[0]} {row[1]} on {row[2]}": row[3] for row in rows}}


def same(found, wanted, what):
    """Refuses a difference, and names the places of the first few."""
    places = list(differences(comparable(found), comparable(wanted), ""))
    if places:
        raise AssertionError(f"{what}: " + "; ".join(places[:5]) + (" ..." if len(places) > 5 else ""))


def comparable(value):
    """Numbers as text: JavaScript has none of 64 bits, and JSON has none as keys."""
    if isinstance(value, dict):
        return {str(key): comparable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def differences(found, wanted, place):
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key in sorted(found.keys() | wanted.keys()):
            yield from differences(found.get(key, "nothing"), wanted.get(key, "nothing"), f"{place}.{key}")
    elif isinstance(found, list) and isinstance(wanted, list):
        for at, (one, other) in enumerate(zip_longest(found, wanted, fillvalue="nothing")):
            yield from differences(one, other, f"{place}[{at}]")
    elif found != wanted:
        yield f"{place.lstrip('.')} is {str(found)[:100]} and not {str(wanted)[:100]}"


if __name__ == "__main__":
    main()
