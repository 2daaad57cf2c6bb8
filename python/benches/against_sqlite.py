"""`StoreSession` beside Telethon's own `SQLiteSession`, in one run: prints a table in Markdown.

    python benches/against_sqlite.py [--people 1000 100000 1000000] [--folder ON_A_REAL_DISK]

Both sessions are measured in turn, several times. Each call is timed by itself, and the median is taken, which
other work of the machine moves least.
"""

import argparse
import datetime
import itertools
import random
import statistics
import tempfile
import time
from pathlib import Path

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession
from telethon.tl import types as T

from tgsession_store.telethon import StoreSession

ROUNDS = 5
BATCH = 20
NOW = datetime.datetime.now(datetime.timezone.utc)


def person(id):
    return T.User(id, access_hash=id * 7919, first_name="Person", last_name=str(id),
                  username=f"person_{id}", phone=str(15_550_000_000 + id))


class Side:
    """One kind of session, filled."""

    def __init__(self, name, make, people):
        self.name, self.make, self.people = name, make, people
        self.session = make()
        self.session.set_dc(2, "149.154.167.51", 443)
        self.session.auth_key = AuthKey(bytes(range(256)))
        for first in range(1, people + 1, 1000):
            self.session.process_entities([person(id) for id in range(first, min(first + 1000, people + 1))])
        self.session.save()
        self.fresh = itertools.count(people + 1)
        self.pts = itertools.count(1)

    def ids(self, count):
        return random.Random(1).choices(range(1, self.people + 1), k=count)

    # Each gives the calls to be timed; the work in front of them is not.

    def by_id(self, count):
        return [lambda id=id: self.session.get_input_entity(id) for id in self.ids(count)]

    def by_peer(self, count):
        return [lambda peer=T.PeerUser(id): self.session.get_input_entity(peer) for id in self.ids(count)]

    def by_username(self, count):
        return [lambda name=f"person_{id}": self.session.get_input_entity(name) for id in self.ids(count)]

    def by_phone(self, count):
        return [lambda phone=f"+{15_550_000_000 + id}": self.session.get_input_entity(phone) for id in self.ids(count)]

    def state_and_save(self, count):
        def call():
            self.session.set_update_state(0, T.updates.State(next(self.pts), 1, NOW, 1, 0))
            self.session.save()

        return [call] * count

    def open_and_key(self, count):
        self.session.close()

        def call():
            session = self.make()
            assert session.auth_key.key
            session.close()

        return [call] * count

    def new_people(self, count):
        batches = [[person(next(self.fresh)) for _ in range(BATCH)] for _ in range(count)]
        return [lambda batch=batch: self.session.process_entities(batch) for batch in batches]

    def known_people(self, count):
        batches = [[person(id) for id in self.ids(BATCH)] for _ in range(count)]
        return [lambda batch=batch: self.session.process_entities(batch) for batch in batches]


# What is measured, how often in a round, and for how many each call counts. A look-up that scans
# a table is made less often.
QUESTIONS = [
    ("get_input_entity(int)", "by_id", lambda people: 1000, 1),
    ("get_input_entity(PeerUser)", "by_peer", lambda people: 1000, 1),
    ("get_input_entity(username)", "by_username", lambda people: max(10, 300_000 // people), 1),
    ("get_input_entity(phone)", "by_phone", lambda people: max(10, 300_000 // people), 1),
    ("set_update_state + save", "state_and_save", lambda people: 50, 1),
    ("process_entities, known, each", "known_people", lambda people: 50, BATCH),
    ("process_entities, new, each", "new_people", lambda people: 50, BATCH),
    ("open, read the key, close", "open_and_key", lambda people: 20, 1),
]


def measured(calls, each):
    """The time of each call in microseconds."""
    for call in calls:
        began = time.perf_counter()
        call()
        yield (time.perf_counter() - began) / each * 1e6


def compare(people, folder):
    sides = [
        Side("SQLiteSession", lambda: SQLiteSession(str(folder / "theirs")), people),
        Side("StoreSession", lambda: StoreSession(folder / "ours", "anon"), people),
    ]
    for question, method, count, each in QUESTIONS:
        times = {side.name: [] for side in sides}
        for _ in range(ROUNDS):
            for side in sides:
                times[side.name] += measured(getattr(side, method)(count(people)), each)
        theirs, ours = (statistics.median(found) for found in times.values())
        yield question, theirs, ours
    for side in sides:
        side.session.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    print("| people | us each | SQLiteSession | StoreSession | ratio |")
    print("|---|---|---|---|---|")
    for people in args.people:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for question, theirs, ours in compare(people, Path(folder)):
                print(f"| {people:,} | {question} | {theirs:,.1f} | {ours:,.1f} | {ours / theirs:.3f} |", flush=True)


if __name__ == "__main__":
    main()
