"""`StoreSession` against Telethon's own `SQLiteSession`, call by call."""

import os

import pytest

pytest.importorskip("telethon")

from telethon_model import live

# 10,000 sequences: TGSESSION_SEQUENCES=10000 pytest tests/test_telethon_differential.py
SEQUENCES = int(os.environ.get("TGSESSION_SEQUENCES", "300"))
STEPS = 30


def test_every_answer_and_every_exception_is_that_of_telethons_own_session(tmp_path):
    asked = sum(live(tmp_path, seed, STEPS) for seed in range(SEQUENCES))
    assert asked > SEQUENCES * STEPS
