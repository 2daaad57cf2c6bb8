"""maturin as the build backend, with the zip level that makes the smallest wheel."""

import os

from maturin import *  # noqa: F403

_LEVEL = "--compression-level 9"
_given = os.environ.get("MATURIN_PEP517_ARGS", "")
if "--compression-level" not in _given:
    os.environ["MATURIN_PEP517_ARGS"] = f"{_given} {_LEVEL}".strip()
