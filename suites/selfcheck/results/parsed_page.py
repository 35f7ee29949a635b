"""A page of the report, parsed for its tests."""

from html.parser import HTMLParser

from fixtures.results.report.cells import ReportContext
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages


class Page(HTMLParser):
    """A parsed page: its text, elements, links and the marks in its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.elements: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []
        self.cells: list[str] = []
        self.silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append(tag)
        self.silent = tag in ("style", "script")
        self.handlers += [name for name in attributes if name.startswith("on") or name == "style"]
        self.links += [attributes["href"]] if tag == "a" else []
        self.sources += [attributes["src"]] if "src" in attributes else []
        self.ids += [attributes["id"]] if "id" in attributes else []
        if tag == "td" and attributes.get("class", "").startswith("cell"):
            self.cells.append(attributes["class"].removeprefix("cell "))

    def handle_endtag(self, tag: str) -> None:
        self.silent = self.silent and tag not in ("style", "script")

    def handle_data(self, data: str) -> None:
        self.words += "" if self.silent else f" {' '.join(data.split())} "


def render_page(*runs: ReportRun, about: ReportContext | None = None) -> Page:
    return Page(build_pages(runs, about or ReportContext())["index.html"])


def page_text(page: Page) -> str:
    return " ".join(page.words.split())
