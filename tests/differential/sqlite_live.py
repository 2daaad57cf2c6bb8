#!/usr/bin/env python3
"""Reads a database again and again while the real SQLite writes to it.

    python3 tests/differential/sqlite_live.py --reads 300 target/release/examples/sqlite_rows

Each transaction writes one number into every row and some rows more or less. A reader has to see
the same number in all rows, and as many rows as that number says, or to be told that the file is
in use. The writer is killed now and then, so that it leaves a hot journal or a log behind.
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time


def rows_of(number):
    return 200 + number * 37 % 300


def write(path, mode):
    """Writes until killed."""
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.execute(f"pragma journal_mode = {mode}")
    db.execute("pragma wal_autocheckpoint = 5")
    db.execute("pragma cache_size = 5")
    db.execute("pragma synchronous = " + random.choice(["off", "full"]))
    number = db.execute("select coalesce(max(number), 0) from t").fetchone()[0]
    while True:
        number += 1
        db.execute("begin immediate")
        db.execute("update t set number = ?, name = hex(randomblob(40))", (number,))
        have, want = db.execute("select count(*) from t").fetchone()[0], rows_of(number)
        db.execute("delete from t where id > ?", (want,))
        db.executemany("insert into t values (?, ?, hex(randomblob(30)))", [(i, number) for i in range(have + 1, want + 1)])
        db.execute("commit")
        if random.random() < 0.02 and mode == "wal":
            db.execute("pragma wal_checkpoint(truncate)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--reads", type=int, default=300)
    options = parser.parse_args()
    for mode in ["delete", "truncate", "persist", "wal"]:
        with tempfile.TemporaryDirectory() as folder:
            torn, busy, seen = read(options, mode, os.path.join(folder, "live.db"))
        print(f"{mode}: {options.reads} reads, {seen} states seen, {busy} told to wait, {torn} torn")
        if torn or not seen:
            sys.exit(1)


def read(options, mode, path):
    db = sqlite3.connect(path)
    db.execute("pragma page_size = 512")
    db.execute("create table t (id integer primary key, number, name)")
    db.execute("insert into t values (1, 0, '')")
    db.commit()
    db.close()
    torn, busy, seen, child = 0, 0, set(), None
    for turn in range(options.reads):
        if child is None:
            child = os.fork()
            if child == 0:
                try:
                    write(path, mode)
                finally:
                    os._exit(1)
            time.sleep(0.2)
        if turn % 10 == 9:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = None
        run = subprocess.run([options.program, path], capture_output=True, text=True, check=True)
        lines = [eval(line, {}) for line in run.stdout.splitlines()]
        rows = [line for line in lines if line[0].startswith("i")]
        numbers = {row[1] for row in rows}
        if any("another process" in line[1] for line in lines if line[0] == "error"):
            busy += 1
        elif len(numbers) != 1 or (numbers != {"i0"} and len(rows) != rows_of(int(numbers.copy().pop()[1:]))):
            torn += 1
            print(f"torn: {len(rows)} rows, numbers {sorted(numbers)[:5]}, {[l for l in lines if l[0] == 'error']}")
        else:
            seen |= numbers
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return torn, busy, len(seen)


if __name__ == "__main__":
    main()
