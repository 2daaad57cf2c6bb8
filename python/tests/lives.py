"""Clients in processes of their own, which end by themselves or by kill -9."""

import subprocess
import sys
import time
from pathlib import Path


def live(script, path, life):
    """Runs a life to its end."""
    command = [sys.executable, Path(__file__).with_name(script), path, life]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-3000:]


def killed(script, path):
    """Kills a life that says whom it has seen; gives whom it had seen a second before that or earlier."""
    command = [sys.executable, Path(__file__).with_name(script), path, "busy"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = []
    for line in process.stdout:
        seen.append((int(line), time.monotonic()))
        if len(seen) > 30 and seen[-1][1] - seen[0][1] > 4:
            break
    at = time.monotonic()
    process.kill()
    process.wait()
    old = [number for number, when in seen if at - when > 1]
    assert len(old) > 5, process.stderr.read()[-2000:]
    return old
