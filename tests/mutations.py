#!/usr/bin/env python3
"""Takes each rule of mutations.toml out of the code by itself, and says which test notices.

    python3 tests/mutations.py [WORDS]    only rules with these words in them

It works on a copy of the tree in target/mutations, and fails if a rule is noticed by none of its tests or if its
code is not found. All of them take about half an hour on two cores.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutations"
TREE = TARGET / "tree"
# Enough runs for the rarest of the situations.
MORE = {"TGSESSION_SIM_CRASH_RUNS": "120", "TGSESSION_SIM_RUNS": "10"}
BUILD = {
    "CARGO_TARGET_DIR": str(TARGET / "build"),
    "CARGO_INCREMENTAL": "1",
    "CARGO_PROFILE_TEST_OPT_LEVEL": "0",
    "CARGO_PROFILE_TEST_DEBUG": "none",
}


def copy_tree():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    shutil.rmtree(TREE, ignore_errors=True)
    for name in listed.decode().split("\0"):
        if name and (ROOT / name).is_file() and name.split("/")[0] not in ("python", "grammers", "web"):
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            # With its times, so that only what changes is compiled again.
            shutil.copy2(ROOT / name, TREE / name)


def cargo_test(test, *more):
    """The command for a test of a file of `tests`, of a module of the library, or of `store::tests`."""
    file, _, name = test.partition("::")
    is_file = (ROOT / "tests" / f"{file}.rs").exists()
    in_library = test if file in ("engine", "segment") else f"store::tests::{test}"
    which = ["--test", file, *more, "--", name] if is_file else ["--lib", *more, "--", in_library]
    return ["cargo", "test", "--locked", "--all-features", *which]


def run(command):
    environment = {**os.environ, **BUILD, **MORE}
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True)


def noticed(mutation):
    """The first test that fails, or None; an error if the mutated code does not compile."""
    path = TREE / mutation["file"]
    source = path.read_text()
    if source.count(mutation["old"]) != 1:
        return "error: its code is not there, or more than once"
    path.write_text(source.replace(mutation["old"], mutation["new"]))
    try:
        for test in mutation["tests"]:
            built = run(cargo_test(test, "--no-run"))
            if built.returncode != 0:
                return f"error: it does not compile:\n{built.stderr[-2000:]}"
            tried = run(cargo_test(test))
            if "running 0 tests" in tried.stdout and "0 failed" in tried.stdout and " 0 passed" in tried.stdout:
                return f"error: there is no test {test}"
            if tried.returncode != 0:
                return test
        return None
    finally:
        path.write_text(source)


def main():
    copy_tree()
    mutations = tomllib.loads((ROOT / "tests" / "mutations.toml").read_text())["mutation"]
    words = " ".join(sys.argv[1:])
    failed = 0
    for mutation in mutations:
        if words in mutation["rule"]:
            test = noticed(mutation)
            failed += test is None or test.startswith("error")
            print(f"{mutation['rule']:<80} {test or 'NOT NOTICED'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
