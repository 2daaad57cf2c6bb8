"""check_book.py BOOK: every link within a built mdBook leads to a file of it. Links that leave it (`../`) are those
of the repository, which check_docs.py follows. Prints one line of numbers."""

import html.parser
import pathlib
import sys
import urllib.parse


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets = []

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.targets += [value for name, value in attributes if name == "href" and value]


def main():
    book = pathlib.Path(sys.argv[1])
    pages = sorted(book.glob("*.html"))
    broken, links = [], 0
    for page in pages:
        parser = Links()
        parser.feed(page.read_text(encoding="utf-8"))
        for target in parser.targets:
            url = urllib.parse.urlsplit(target)
            # The page for wrong addresses has the address of the site in it.
            if url.scheme or not url.path or url.path.startswith(("../", "/")):
                continue
            links += 1
            if not (book / urllib.parse.unquote(url.path)).exists():
                broken.append(f"{page.name}: {target} is not in the book")
    if not pages:
        broken.append(f"{book} has no page")
    if broken:
        sys.exit("\n".join(broken))
    print(f"the book has {len(pages)} pages, and its {links} links lead to files of it")


main()
