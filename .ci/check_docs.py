"""check_docs.py: every link between the Markdown files leads to a file and a heading that are there,
docs/SUMMARY.md names every page of docs/, and README.md is short. Prints one line of numbers."""

import pathlib
import re
import sys

MOST_LINES, MOST_COLUMNS = 120, 100


def main():
    pages = sorted(pathlib.Path(".").glob("*.md")) + sorted(pathlib.Path("docs").glob("*.md"))
    problems, links = [], 0
    for page in pages:
        for target in targets(page):
            links += 1
            problems += problem(page, target)
    named = {target for target in targets(pathlib.Path("docs/SUMMARY.md"))}
    for page in pathlib.Path("docs").glob("*.md"):
        if page.name != "SUMMARY.md" and page.name not in named:
            problems.append(f"docs/SUMMARY.md does not name {page.name}")
    problems += too_long(pathlib.Path("README.md"))
    if problems:
        sys.exit("\n".join(problems))
    print(f"{links} links of {len(pages)} pages lead somewhere")


def targets(page):
    text = without_code(page.read_text(encoding="utf-8"))
    inline = re.findall(r"\]\(([^)\s]+)\)", text)
    reference = re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    return [target for target in inline + reference if not re.match(r"[a-z]+:", target)]


def without_code(text):
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: code.group().replace("(", " ").replace("]", " "), text)


def problem(page, target):
    path, _, anchor = target.partition("#")
    there = page if not path else page.parent / path
    if not there.exists():
        return [f"{page}: {target}: no such file"]
    if anchor and there.suffix == ".md" and anchor not in anchors(there):
        return [f"{page}: {target}: no such heading"]
    return []


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def too_long(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    wide = [n for n, line in enumerate(lines, 1) if len(line) > MOST_COLUMNS]
    problems = [f"{page}: line {n} has more than {MOST_COLUMNS} characters" for n in wide]
    if len(lines) > MOST_LINES:
        problems.append(f"{page} has {len(lines)} lines, and {MOST_LINES} are the most")
    return problems


main()
