#!/usr/bin/env python3
"""Makes random databases with the real SQLite and compares every row with what the reader gives.

    cargo build --release --example sqlite_rows
    python3 tests/differential/sqlite_rows.py --cases 20000 target/release/examples/sqlite_rows

A case is a seed. What differs is kept in the folder that is printed, and can be made again with
--seed N --cases 1. Only Python's standard library is needed.
"""

import argparse
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

BATCH = 100
KINDS = ["clean"] * 6 + ["wal"] * 4 + ["hot"] * 4 + ["flip"] * 4 + ["cut", "wal_flip", "hot_flip"]
TYPES = ["", "integer", "int", "text", "real", "blob", "numeric", "varchar(20)", "double", "datetime", "any"]
DEFAULTS = [
    "1", "-5", "+7", "1.5", "-2.50", "'text'", "''", "'12'", "'1.0'", "x'00ff'", "null", "true", "(3)", "(-4)",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "0x1F", "1e3", "'3.5e2'", "007", "bare",
    '"quoted"', "(('p'))", "1e400", "' 8 '",
]
QUOTES = ['"{}"', "[{}]", "`{}`", "{}"]


class Case:
    """One database, all choices made from its seed."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.seed = seed
        self.kind = self.random.choice(KINDS)
        self.path = os.path.join(folder, f"{seed}.db")
        self.tables = []

    def value(self, long=True):
        r = self.random
        kind = r.randrange(12)
        if kind == 0:
            return None
        if kind <= 3:
            bits = r.choice([0, 1, 7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 63])
            return max(-(2**63), min(2**63 - 1, r.choice([-1, 1]) * (2**bits + r.randint(-2, 2))))
        if kind <= 5:
            return r.choice([0.0, 1.0, -2.0, 0.5, 1e300, -1e-300, 3.0e15, r.random(), float(r.randint(-9, 9)), 9.3e18])
        size = r.choice([0, 1, 3, 20, 40])
        if long and r.random() < 0.07:
            size = r.choice([100, 480, 1000, 3000, 9000, 40000])
        if kind <= 8:
            return "".join(r.choice("abcXYZ0189 .-'\u00e9\u4e2d\U0001f600\n") for _ in range(size))
        if kind == 9:
            return r.choice(["12", "-3.0", "1e5", "abc", "0x10", "9999999999999999999", " 4 "])
        return bytes(r.randrange(256) for _ in range(size))

    def name(self, base):
        quote = self.random.choice(QUOTES)
        odd = self.random.choice(["", "", "", " x", "'", "-", "\u00e9", "(", ","]) if quote != "{}" else ""
        return quote.format(base + odd)

    def column(self, number):
        r = self.random
        parts = [self.name(f"c{number}"), r.choice(TYPES)]
        if r.random() < 0.1:
            parts.append("collate nocase")
        if r.random() < 0.2:
            parts.append("default " + r.choice(DEFAULTS))
        if r.random() < 0.05:
            parts.append("check (1 or 'a,)' is null) /* , */")
        if r.random() < 0.05:
            parts.append("references other(x) on delete set null")
        r.random() < 0.5 and parts.insert(1, r.choice(["", "/* c */", "-- c,\n", "\n"]))
        return " ".join(parts)

    def create(self, db, number):
        """A random table; those that SQLite does not want are left out."""
        r = self.random
        columns = r.randint(1, r.choice([3, 6, 12, 70]))
        defs = [self.column(i) for i in range(columns)]
        names = [d.split()[0] for d in defs]
        without = r.random() < 0.35
        style = r.randrange(6)
        tail = []
        if style == 0:
            defs[0] = f"id {r.choice(['integer', 'INTEGER', 'int'])} primary key {r.choice(['', 'asc', 'desc', 'autoincrement'])}"
        elif style == 1 and columns > 1:
            defs[-1] = f"id integer primary key {r.choice(['', 'desc', 'on conflict replace'])}"
        elif style == 2 or without:
            plain = [f"k{i} {r.choice(TYPES)}" for i in range(r.randint(1, 3))]
            order = list(range(len(plain)))
            r.shuffle(order)
            for spec in plain:
                defs.insert(r.randint(0, len(defs)), spec)
            keys = [f"k{i} {r.choice(['', 'desc', 'collate nocase', 'asc'])}" for i in order]
            if r.random() < 0.2:
                keys.append(keys[0].split()[0] + r.choice(["", " collate rtrim"]))
            tail.append(f"constraint pk primary key ({', '.join(keys)})")
        if r.random() < 0.15:
            kind = r.choice(["", "stored", "virtual"])
            always = r.choice(["generated always ", ""])
            defs.insert(r.randint(0, len(defs)), f"g {r.choice(TYPES[1:])} {always}as (abs(1) + {number}) {kind}")
        if r.random() < 0.15 and " " not in names[-1]:
            tail.append(f"unique ({defs[0].split()[0]})")
        options = []
        without and options.append("without rowid")
        sql = f"create table {self.name(f't{number}')} ({', '.join(defs + tail)}) {', '.join(options)}"
        try:
            db.execute(sql)
        except sqlite3.Error:
            return
        self.tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]

    def columns(self, db, table):
        """Columns that can be written."""
        return [row[1] for row in db.execute(f"pragma table_xinfo({quoted(table)})") if row[6] == 0]

    def insert(self, db, rows):
        r = self.random
        table = r.choice(self.tables)
        columns = self.columns(db, table)
        holes = ", ".join("?" * len(columns))
        names = ", ".join(map(quoted, columns))
        sql = f"insert or replace into {quoted(table)} ({names}) values ({holes})"
        long = len(columns) < 8
        for _ in range(rows):
            try:
                db.execute(sql, [self.value(long) for _ in columns])
            except sqlite3.Error:
                values = [r.randint(-(2**40), 2**40) for _ in columns]
                try:
                    db.execute(sql, values)
                except sqlite3.Error:
                    pass

    def change(self, db):
        r = self.random
        what = r.randrange(10)
        table = r.choice(self.tables)
        try:
            if what <= 4:
                self.insert(db, r.choice([1, 5, 30, 120]))
            elif what == 5:
                db.execute(f"delete from {quoted(table)} where random() % {r.randint(1, 4)} = 0")
            elif what == 6:
                add = self.column(100 + r.randrange(900)).replace("check (1 or 'a,)' is null) /* , */", "")
                db.execute(f"alter table {quoted(table)} add column {add}")
            elif what == 7:
                column = r.choice(self.columns(db, table))
                db.execute(f"update {quoted(table)} set {quoted(column)} = ? where random() % 3 = 0", [self.value()])
            elif what == 8:
                db.execute(f"alter table {quoted(table)} rename to {self.name(f'r{r.randrange(99)}')}")
                self.tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
            else:
                column = r.choice(self.columns(db, table))
                db.execute(r.choice([f"create index i{r.randrange(99)} on {quoted(table)} ({quoted(column)})",
                                     f"create view v{r.randrange(99)} as select * from {quoted(table)}",
                                     f"alter table {quoted(table)} drop column {quoted(column)}",
                                     f"create trigger g{r.randrange(99)} after insert on {quoted(table)} begin select 1; end"]))
        except (sqlite3.Error, IndexError):
            pass  # not everything goes, and a table may have no column that can be written

    def make(self):
        r = self.random
        db = connect(self.path)
        db.execute(f"pragma page_size = {r.choice([512, 512, 512, 1024, 1024, 2048, 4096, 8192, 65536])}")
        db.execute(f"pragma encoding = '{r.choice(['UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'] if self.kind in ('clean', 'wal', 'hot') else ['UTF-8'])}'")
        db.execute(f"pragma auto_vacuum = {r.choice([0, 0, 0, 1, 2])}")
        db.execute("pragma synchronous = off")
        db.execute("pragma legacy_file_format = " + r.choice(["on", "off"]))
        journal = "wal" if self.kind.startswith("wal") else r.choice(["delete", "truncate", "persist", "memory"])
        hot = self.kind.startswith("hot")
        db.execute(f"pragma journal_mode = {'delete' if hot else journal}")
        wal_limit = r.choice([0, 0, 3, 20])
        db.execute(f"pragma wal_autocheckpoint = {wal_limit}")
        for number in range(r.randint(1, 4)):
            self.create(db, number)
        if not self.tables:
            db.execute("create table t (a)")
            self.tables = ["t"]
        for _ in range(r.randint(1, 12)):
            several = r.random() < 0.3
            several and db.execute("begin")
            self.change(db)
            several and self.change(db)
            several and db.in_transaction and db.execute(r.choice(["commit", "commit", "rollback"]))
            self.tables = self.tables if not several else [
                row[0] for row in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
        r.random() < 0.1 and db.execute("vacuum")
        r.random() < 0.1 and db.execute(f"pragma user_version = {r.randint(-5, 5)}")
        if hot or (self.kind.startswith("wal") and r.random() < 0.5):
            self.leave_open(db)
        elif self.kind.startswith("wal"):
            self.take(["-wal"])
        db.close()
        if os.path.exists(self.path + ".taken"):
            self.put_back()
        self.damage()

    def leave_open(self, db):
        """Copies the files in the middle of a transaction whose pages spill into the file."""
        r = self.random
        db.execute(f"pragma cache_size = {r.choice([1, 2, 5])}")
        db.execute("pragma cache_spill = 1")
        r.random() < 0.5 and db.execute("pragma synchronous = full")
        db.execute("begin")
        for _ in range(r.randint(1, 6)):
            self.change(db)
        self.take(["-wal", "-journal"])
        db.in_transaction and db.execute("rollback")

    def take(self, suffixes):
        for suffix in ["", *suffixes]:
            if os.path.exists(self.path + suffix):
                shutil.copyfile(self.path + suffix, self.path + suffix + ".taken")

    def put_back(self):
        for suffix in ["", "-wal", "-journal", "-shm"]:
            if os.path.exists(self.path + suffix):
                os.remove(self.path + suffix)
            if os.path.exists(self.path + suffix + ".taken"):
                os.rename(self.path + suffix + ".taken", self.path + suffix)

    def damage(self):
        r = self.random
        suffix = {"flip": "", "cut": r.choice(["", "", "-wal"]), "wal_flip": "-wal", "hot_flip": "-journal"}.get(self.kind)
        path = self.path + (suffix or "")
        if suffix is None or not os.path.exists(path):
            return
        with open(path, "rb") as file:
            data = bytearray(file.read())
        if not data:
            return
        if self.kind == "cut":
            del data[r.randrange(len(data)):]
        for _ in range(0 if self.kind == "cut" else r.choice([1, 1, 1, 3, 20])):
            at = r.randrange(len(data))
            if r.random() < 0.5 and suffix == "":
                # where it hurts: headers of pages
                page = struct.unpack(">H", data[16:18])[0]
                page = 65536 if page == 1 else max(page, 512)
                at = min(len(data) - 1, r.randrange(max(1, len(data) // page)) * page + r.randrange(24))
            data[at] = r.choice([data[at] ^ (1 << r.randrange(8)), 0, 0xFF, r.randrange(256)])
        with open(path, "wb") as file:
            file.write(data)


def connect(path):
    return sqlite3.connect(path, isolation_level=None)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def line_of(value):
    if value is None:
        return "n"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "r" + struct.pack(">d", value).hex()
    if isinstance(value, Text):
        return "t" + bytes(value).hex()
    return "b" + value.hex()


class Text(bytes):
    """A text as SQLite gives it, without asking whether it is valid."""


def expected(path, kind):
    """What SQLite reads: an error, or tables with rows or an error each.

    What it reads from an index instead of the table proves nothing about a damaged file.
    """
    db = connect(path)
    db.text_factory = Text
    try:
        tables = [bytes(row[0]) for row in db.execute(
            "select name from sqlite_master where type = 'table' and sql not like 'create virtual%' order by rowid")]
        found = {}
        for raw in tables:
            name = quoted(raw.decode("utf-8", "surrogateescape"))
            try:
                info = db.execute(f"pragma table_xinfo({name})").fetchall()
                columns = [bytes(row[1]) for row in info if row[6] != 2]
                if not columns:
                    continue
                wanted = ", ".join(quoted(c.decode("utf-8", "surrogateescape")) for c in columns)
                query = f"select {wanted} from {name} not indexed"
                # SQLite may read a table without rowid through an index all the same.
                plan = db.execute(f"explain query plan {query}").fetchall()
                order = sorted if b"INDEX" in bytes(plan[0][3]) else list
                if order is sorted and kind not in ("clean", "wal", "hot"):
                    found[raw.hex()] = "skip"
                    continue
                rows = [[line_of(v) for v in row] for row in db.execute(query)]
                found[raw.hex()] = ([c.hex() for c in columns], order(rows), order)
            except sqlite3.Error as error:
                found[raw.hex()] = (None, str(error))
            except UnicodeError:
                found[raw.hex()] = "skip"
        return found
    except (sqlite3.Error, UnicodeError) as error:
        return str(error)  # Python cannot show every message
    finally:
        db.close()


def ours(program, paths):
    """The same from the reader, for many files at once."""
    run = subprocess.run([program, *paths], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"the reader failed: {run.stderr}\non one of {paths}")
    found, path, table, lost = {}, None, None, set()
    for line in run.stdout.splitlines():
        item = eval(line, {})  # lists of strings, which JSON and Python write alike
        if item[:1] == ["file"]:
            path, table = item[1], None
            found[path] = {}
        elif item[:1] == ["table"]:
            table = item[1]
            found[path][table] = (item[2], [])
        elif item[:1] == ["seek"]:
            lost.add(path)
        elif item[:1] == ["error"] and table is None:
            found[path] = item[1]
        elif item[:1] == ["error"]:
            found[path][table] = (None, item[1])
        else:
            found[path][table][1].append(item)
    return found, lost


def differ(theirs, mine):
    """In words what differs, or nothing."""
    if isinstance(theirs, str) or isinstance(mine, str):
        same = isinstance(theirs, str) and isinstance(mine, str)
        return None if same else f"SQLite: {short(theirs)}; reader: {short(mine)}"
    if theirs.keys() != mine.keys():
        return f"tables {sorted(theirs)} and {sorted(mine)}"
    for name, rows in theirs.items():
        if rows == "skip" or (rows[0] is None and mine[name][0] is None):
            continue
        mine_rows = mine[name]
        if rows[0] is None or mine_rows[0] is None or rows[:2] != (mine_rows[0], rows[2](mine_rows[1])):
            return f"table {bytes.fromhex(name)}: SQLite {short(rows)}; reader {short(mine_rows)}"
    return None


def lenient(difference, data):
    """Differences that a damaged file may have.

    SQLite reads on past the end of a page, into its own memory; and it parses the expressions and
    the triggers in the schema, in which a damaged letter does no harm to rows. With auto-vacuum
    it steps over overflow pages by the pointer map, and does not see that their chain is broken.
    """
    beyond = "is not within the page" in difference
    expression = "SQLite: malformed database schema" in difference or "SQLite: 'utf-8' codec" in difference
    pointer_map = data[52:56] not in (b"", bytes(4)) and "rows" in difference
    return beyond or expression or pointer_map


def short(found):
    if isinstance(found, tuple) and found[0] is not None:
        return f"{len(found[1])} rows {str(found)[:300]}"
    return str(found)[:300]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--stop", type=int, default=20, help="stop after so many differences")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.cases} cases, SQLite {sqlite3.sqlite_version}")
    keep = tempfile.mkdtemp(prefix="sqlite-differences-")
    bad, kinds, tolerated = 0, {}, []
    for start in range(0, options.cases, BATCH):
        with tempfile.TemporaryDirectory() as folder:
            cases = []
            for seed in range(start, min(start + BATCH, options.cases)):
                case = Case(options.seed + seed, folder)
                case.make()
                cases.append(case)
            mine, lost = ours(options.program, [case.path for case in cases])
            print(f"{start} done, {bad} differ", end="\r", file=sys.stderr)
            for case in cases:
                files = [case.path + s for s in ["", "-wal", "-journal"] if os.path.exists(case.path + s)]
                original = {file: open(file, "rb").read() for file in files}
                difference = differ(expected(case.path, case.kind), mine[case.path])
                if case.path in lost and case.kind in ("clean", "wal", "hot"):
                    difference = "a row is not found by its rowid"
                kinds[case.kind] = kinds.get(case.kind, 0) + 1
                if difference and case.kind not in ("clean", "wal", "hot") and lenient(difference, original[case.path]):
                    tolerated.append(case.seed)
                elif difference:
                    bad += 1
                    print(f"seed {case.seed} ({case.kind}): {difference}")
                    for file, data in original.items():
                        with open(os.path.join(keep, os.path.basename(file)), "wb") as out:
                            out.write(data)
        if bad >= options.stop:
            break
    print(f"{sum(kinds.values())} cases, {bad} differ; {kinds}")
    if bad:
        print(f"the files that differ are kept in {keep}")
    else:
        os.rmdir(keep)
    print(f"{len(tolerated)} damaged files tolerated, seeds {tolerated}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
