#!/usr/bin/env python3
"""Has the writer make databases, and asks the real SQLite what it thinks of them.

    cargo build --release --example sqlite_write
    python3 tests/differential/sqlite_writer.py --cases 1000 target/release/examples/sqlite_write

A case is a seed. SQLite has to find the database sound, read every row that was written, find rows
by their indexes, and go on writing: rows come and go, then VACUUM, and it has to be sound still.
--many ROWS measures a large table against SQLite's own insert; --lock-page makes a file of over a
gigabyte, whose lock-byte page has to stay unused. Only Python's standard library is needed.
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
import time

BATCH = 50
TYPES = ["", "integer", "INT", "text", "real", "blob", "numeric", "varchar(20)", "timestamp"]
NUMERIC = {"integer", "INT", "real", "numeric", "timestamp"}
TEXT = {"text", "varchar(20)"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Case:
    """One database, all choices made from its seed."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.seed = seed
        self.path = os.path.join(folder, f"{seed}.db")
        r = self.random
        self.page_size = r.choice([512, 512, 512, 1024, 1024, 2048, 4096, 4096, 8192, 16384, 32768, 65536])
        self.user_version = r.choice([0, 7, -1, 2**31 - 1])
        self.application_id = r.choice([0, 1, -(2**31)])
        self.tables = [self.table(number) for number in range(r.choice([0, 1, 1, 2, 3, 8]))]
        self.extra = []
        for number, table in enumerate(self.tables):
            if r.random() < 0.3:
                self.extra.append((None, f"CREATE VIEW v{number} AS SELECT * FROM {quoted(table['name'])}"))
            if r.random() < 0.3:
                name = quoted(table["name"])
                when = f"AFTER DELETE ON {name} BEGIN SELECT {r.choice(['1', 'count(*)'])} FROM {name}; END"
                self.extra.append((table["name"], f"CREATE TRIGGER g{number} {when}"))

    def name(self, base):
        odd = self.random.choice(["", "", "", " x", "'", '"', "é", "(", ",", "y" * 300, "z" * self.random.randint(1, 2000)])
        return base + odd

    def table(self, number):
        r = self.random
        name = self.name(f"t{number}")
        types = [r.choice(TYPES) for _ in range(r.choice([1, 2, 3, 6, 6, 130]))]
        names = [f"c{at}" if r.random() < 0.9 else self.name(f"c{at}") for at in range(len(types))]
        defs = [f"{quoted(name)} {kind}" for name, kind in zip(names, types)]
        alias = r.choice([None, 0, len(types) - 1])
        indexes, tail = [], []
        if alias is not None:
            types[alias] = "integer"
            defs[alias] = f"{quoted(names[alias])} INTEGER PRIMARY KEY"
        wanted = r.choice([0, 0, 0, 1, 2])
        unique = []
        for _ in range(wanted):
            columns = r.sample(range(len(types)), min(len(types), r.choice([1, 1, 2, 3])))
            if columns not in unique and columns != [alias]:
                unique.append(columns)
                listed = ", ".join(quoted(names[at]) for at in columns)
                rowid = len(columns) == 1 and types[columns[0]] == "integer"
                primary = alias is None and not tail and not rowid
                tail.append(f"{'PRIMARY KEY' if primary else 'UNIQUE'} ({listed})")
        indexes += [(None, columns) for columns in unique]
        for at in range(r.choice([0, 0, 1, 2, 4])):
            columns = [r.randrange(len(types)) for _ in range(r.choice([1, 1, 2, 3]))]
            columns = list(dict.fromkeys(columns))
            listed = ", ".join(quoted(names[column]) for column in columns)
            own = self.name(f"i{number}_{at}")
            kind = "UNIQUE INDEX" if r.random() < 0.2 else "INDEX"
            indexes.append((f"CREATE {kind} {quoted(own)} ON {quoted(name)} ({listed})", columns))
        sql = f"CREATE TABLE {quoted(name)} ({', '.join(defs + tail)})"
        count = r.choice([0, 0, 1, 2, 5, 30, 100, 100, 400, 2000 if len(types) < 10 else 30])
        table = {"name": name, "sql": sql, "names": names, "types": types, "alias": alias, "indexes": indexes}
        table["rows"] = self.rows(table, count)
        return table

    def rows(self, table, count):
        """Rows in order, those left out that a unique index forbids."""
        r = self.random
        rowid = r.choice([0, 0, 1, -5, -(2**63), 2**40])
        step = r.choice([1, 1, 10, 2**35])
        unique = [columns for sql, columns in table["indexes"] if sql is None or sql.startswith("CREATE UNIQUE")]
        seen = [set() for _ in unique]
        rows = []
        for _ in range(count):
            rowid += r.randint(1, step)
            row = [self.value(kind) for kind in table["types"]]
            if table["alias"] is not None:
                row[table["alias"]] = rowid
            keys = [tuple(stored(row[at], table["types"][at]) for at in columns) for columns in unique]
            if all(None in key or key not in old for key, old in zip(keys, seen)):
                [old.add(key) for key, old in zip(keys, seen)]
                rows.append((rowid, row))
        return rows

    def value(self, kind):
        r = self.random
        of = r.choice("niiirtttb")
        if kind in TEXT and of in "ir":
            of = "t"
        if of == "n":
            return None
        if of == "i":
            bits = r.choice([0, 1, 7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 63])
            return max(-(2**63), min(2**63 - 1, r.choice([-1, 1]) * (2**bits + r.randint(-2, 2))))
        if of == "r":
            return r.choice([0.0, -0.0, 1.0, 0.5, 1e300, -1e-300, 9.3e18, float("inf"), -9223372036854775808.0, r.random()])
        size = r.choice([0, 1, 3, 20, 20])
        if r.random() < 0.04:
            size = r.choice([100, 480, 1000, self.page_size, 3 * self.page_size, 9000])
        if of == "b":
            return r.randbytes(size)
        text = "".join(r.choice("abcXYZ0189 .-é中\U0001f600\n") for _ in range(min(size, 200))) * max(1, size // 200)
        return "t" + text if kind in NUMERIC else text

    def lines(self):
        yield f"db {self.path} {self.page_size} {self.user_version} {self.application_id}"
        for table in self.tables:
            yield "table " + word(table["sql"])
            for sql, columns in table["indexes"]:
                yield " ".join((["automatic"] if sql is None else ["index", word(sql)]) + list(map(str, columns)))
            for rowid, row in table["rows"]:
                yield " ".join(["row", str(rowid), *map(word, row)])
        for on, sql in self.extra:
            yield f"view {word(sql)}" if on is None else f"trigger {word(on)} {word(sql)}"
        yield "end"

    def check(self):
        db = connect(self.path)
        header = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "user_version", "application_id")]
        expect(header == [self.page_size, self.user_version, self.application_id], "header", header)
        expect(db.execute("PRAGMA freelist_count").fetchone()[0] == 0, "free pages")
        expect(db.execute("PRAGMA page_count").fetchone()[0] * self.page_size == os.path.getsize(self.path), "page count")
        sound(db)
        self.check_schema(db)
        for table in self.tables:
            self.check_table(db, table)
            self.change(db, table)
        sound(db)
        db.execute("VACUUM")
        sound(db)
        db.close()

    def check_schema(self, db):
        expected = []
        for table in self.tables:
            expected.append(("table", table["name"], table["sql"]))
            for number, (sql, _) in enumerate(table["indexes"], 1):
                expected.append(("index", f"sqlite_autoindex_{table['name']}_{number}" if sql is None else None, sql))
        expected += [("view" if on is None else "trigger", None, sql) for on, sql in self.extra]
        found = db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY rowid").fetchall()
        same = len(found) == len(expected) and all(
            (a[0], a[2]) == (b[0], b[2]) and b[1] in (None, a[1]) for a, b in zip(found, expected))
        expect(same, "schema", found[:3])

    def check_table(self, db, table):
        name, names = quoted(table["name"]), list(map(quoted, table["names"]))
        found = db.execute(f"SELECT rowid, {', '.join(names)} FROM {name} NOT INDEXED").fetchall()
        expected = [(rowid, *(stored(v, kind) for v, kind in zip(row, table["types"]))) for rowid, row in table["rows"]]
        expect(list(map(exact, found)) == list(map(exact, expected)), "rows of", name)
        if not expected:
            return
        for own, columns in ((row[1], row) for row in db.execute(f"PRAGMA index_list({name})").fetchall()):
            cids = [row[1] for row in db.execute(f"PRAGMA index_info({quoted(own)})")]
            where = " AND ".join(f"{names[cid]} IS ?" for cid in cids)
            sql = f"SELECT rowid FROM {name} INDEXED BY {quoted(own)} WHERE {where}"
            for row in self.random.sample(expected, min(8, len(expected))):
                values = [row[1 + cid] for cid in cids]
                plan = " ".join(str(part[3]) for part in db.execute("EXPLAIN QUERY PLAN " + sql, values))
                expect(f"INDEX {own} (" in plan, "plan", plan[:200])
                by_index = sorted(db.execute(sql, values).fetchall())
                scan = sql.replace(f"INDEXED BY {quoted(own)}", "NOT INDEXED")
                expect(by_index == sorted(db.execute(scan, values).fetchall()), "lookup in", own[:80])
                expect((row[0],) in by_index, "own row in", own[:80])

    def change(self, db, table):
        r = self.random
        name, holes = quoted(table["name"]), ", ".join("?" * len(table["types"]))
        for _ in range(r.choice([0, 3, 40])):
            row = [self.value(kind) for kind in table["types"]]
            if table["alias"] is not None:
                row[table["alias"]] = r.choice([None, r.randint(-(2**40), 2**40)])
            try:
                db.execute(f"INSERT OR REPLACE INTO {name} VALUES ({holes})", row)
            except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
                expect("full" in str(error) or "constraint" in str(error), "insert", error)
        db.execute(f"DELETE FROM {name} WHERE abs(random() % 3) = 0")
        r.random() < 0.2 and db.execute(f"DELETE FROM {name}")


def stored(value, kind):
    """A real column gives reals; a whole real stays what it is."""
    return float(value) if kind == "real" and isinstance(value, int) else value


def exact(row):
    return [struct.pack(">d", v) if isinstance(v, float) else v for v in row]


def word(value):
    if value is None:
        return "n"
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "r" + struct.pack(">d", value).hex()
    return "t" + value.encode().hex() if isinstance(value, str) else "b" + value.hex()


def connect(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = off")
    db.execute("PRAGMA journal_mode = memory")
    return db


def sound(db):
    found = db.execute("PRAGMA integrity_check").fetchall()
    expect(found == [("ok",)], "integrity", found[:5])
    expect(db.execute("PRAGMA foreign_key_check").fetchall() == [], "foreign keys")


def expect(good, *what):
    if not good:
        raise AssertionError(" ".join(map(str, what)))


def write(program, lines):
    done = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True)
    expect(done.returncode == 0, "writer:", done.stderr[-300:])
    return done.stdout


def run_cases(program, seed, cases, folder):
    bad = 0
    for first in range(seed, seed + cases, BATCH):
        batch = [Case(n, folder) for n in range(first, min(first + BATCH, seed + cases))]
        write(program, [line for case in batch for line in case.lines()])
        for case in batch:
            kept = case.path + ".written"
            shutil.copyfile(case.path, kept)
            try:
                case.check()
                os.remove(kept)
            except (AssertionError, sqlite3.Error) as error:
                bad += 1
                print(f"seed {case.seed}, pages of {case.page_size}: {str(error)[:300]} (kept {kept})")
            os.remove(case.path)
    return bad


MANY_TABLE = ("CREATE TABLE entities (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, "
              "username TEXT, phone INTEGER, name TEXT, date INTEGER)")
MANY_INDEXES = ["CREATE INDEX by_username ON entities (username)", "CREATE INDEX by_phone ON entities (phone, id)"]


def many_rows(count):
    for number in range(count):
        mixed = (number * 0x5851F42D4C957F2D + 0x14057B7EF767814F) % 2**64
        mixed -= 2**64 if mixed >= 2**63 else 0
        yield (number * 6007 + 1000, mixed,
               None if number % 3 == 0 else f"user_{mixed >> 32 & 0xFFFFFFFF:08x}",
               79_000_000_000 + (mixed >> 20 & 0xFFFFFFF) if number % 5 == 0 else None,
               f"Name {mixed >> 40 & 0xFFFF} of {number}", 1_700_000_000 + number % 1_000_000)


def run_many(program, count, folder):
    """A large table: the same rows as SQLite, and how long both take."""
    ours, theirs = os.path.join(folder, "ours.db"), os.path.join(folder, "theirs.db")
    seconds = float(write(program, [f"many {ours} {count}"]))
    rows = list(many_rows(count))
    db = connect(ours)
    sound(db)
    expect(all(a == b for a, b in zip(db.execute("SELECT * FROM entities"), rows, strict=True)), "rows of many")
    for sql, values in (("username = ?", (rows[1][2],)), ("phone = ?", (rows[0][3],))):
        plan = str(db.execute(f"EXPLAIN QUERY PLAN SELECT id FROM entities WHERE {sql}", values).fetchall())
        expect("USING" in plan and "INDEX by_" in plan, plan)
        expect(db.execute(f"SELECT id FROM entities WHERE {sql}", values).fetchall(), "lookup", sql)
    db.execute("DELETE FROM entities WHERE id % 7 = 0")
    db.executemany("INSERT OR IGNORE INTO entities VALUES (?, ?, ?, ?, ?, ?)", ((r[0] + 1, *r[1:]) for r in rows[::50]))
    sound(db)
    db.close()
    print(f"{count} rows, two indexes: ours {seconds:.2f} s, {count / seconds:.0f} rows a second")
    write(program, [f"many {ours} {count}"])
    for when in ("before", "after"):
        os.path.exists(theirs) and os.remove(theirs)
        db = connect(theirs)
        begun = time.perf_counter()
        db.execute(MANY_TABLE)
        when == "before" and [db.execute(sql) for sql in MANY_INDEXES]
        db.execute("BEGIN")
        db.executemany("INSERT INTO entities VALUES (?, ?, ?, ?, ?, ?)", rows)
        when == "after" and [db.execute(sql) for sql in MANY_INDEXES]
        db.execute("COMMIT")
        seconds = time.perf_counter() - begun
        print(f"SQLite {sqlite3.sqlite_version}, indexes made {when} the rows: {seconds:.2f} s, {count / seconds:.0f} rows a second,"
              f" {os.path.getsize(theirs)} bytes")
        db.execute("VACUUM")
        db.close()
    print(f"bytes: ours {os.path.getsize(ours)}, SQLite after VACUUM {os.path.getsize(theirs)}")


def run_lock_page(program, folder):
    """Rows and an overflow chain across the page of the lock bytes, at a gigabyte."""
    path = os.path.join(folder, "gigabyte.db")
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB)"
    chunk = "b" + "ab" * 60_000
    process = subprocess.Popen([program], stdin=subprocess.PIPE, text=True)
    process.stdin.write(f"db {path} 65536 0 0\ntable {word(sql)}\n")
    for rowid in range(17_000):
        process.stdin.write(f"row {rowid} n {chunk}\n")
    process.stdin.close()
    expect(process.wait() == 0, "writer")
    db = connect(path)
    sound(db)
    expect(db.execute("SELECT count(*), sum(length(a)) FROM t").fetchone() == (17_000, 17_000 * 60_000), "rows")
    print(f"lock-byte page passed over in a file of {os.path.getsize(path)} bytes")
    db.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the example sqlite_write")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--many", type=int, default=0, metavar="ROWS")
    parser.add_argument("--lock-page", action="store_true")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sqlite-writer-")
    print(f"seed {options.seed}, {options.cases} cases in {folder}, SQLite {sqlite3.sqlite_version}")
    bad = run_cases(options.program, options.seed, options.cases, folder)
    options.many and run_many(options.program, options.many, folder)
    options.lock_page and run_lock_page(options.program, folder)
    print(f"{options.cases} cases, {bad} bad")
    bad or shutil.rmtree(folder)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
