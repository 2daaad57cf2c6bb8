"""readme_command.py README N: prints the N-th fenced shell block of the README, counted from 1."""

import re
import sys

path, number = sys.argv[1], int(sys.argv[2])
with open(path, encoding="utf-8") as file:
    blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
if len(blocks) < number or not blocks[number - 1].strip():
    sys.exit(f"{path}: block {number} of those fenced with ```sh is wanted, and there are {len(blocks)}")
print(blocks[number - 1].strip())
