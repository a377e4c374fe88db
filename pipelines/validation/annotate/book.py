"""The workbook around its sheets: which there are and where, and how one is put before all others or taken out.

Positions of sheets are counted in several places (names that belong to one sheet, the tab that is open, the list of
titles in the properties); all of them move with a sheet that is put first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.validation.annotate.markup import (
    Edits,
    Element,
    attribute,
    new_parser,
    parse,
    prefixed,
    run,
    with_attribute,
)
from pipelines.validation.annotate.package import (
    CannotAnnotate,
    Package,
    relations_of,
    resolved,
    target_from,
)

MOST_SHEETS = 250
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml."
WORKSHEET_TYPE = _TYPES + "worksheet+xml"
STYLES_TYPE = _TYPES + "styles+xml"
COMMENTS_TYPE = _TYPES + "comments+xml"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_BEFORE_NAMES = ("sheets", "functionGroups", "externalReferences")


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a part: the last word of its kind (worksheet, comments ...) and the part that it points to."""

    id: str
    kind: str
    target: str
    is_external: bool


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook lists it; `part` is empty where its relation leads nowhere."""

    name: str
    sheet_id: int
    relation_id: str
    state: str
    kind: str
    part: str


@dataclass(frozen=True, slots=True)
class View:
    """What was open before: the tab of one window, and the first tab that its bar showed; None if not written."""

    active_tab: str | None
    first_sheet: str | None


class Book:
    """The workbook part of a package and what it relates to. Reads anew after every change."""

    def __init__(self, package: Package) -> None:
        """Raises CannotAnnotate (`structure`) where there is no workbook to be found."""
        self.package = package
        found = [one for one in relations(package, "") if one.kind == "officeDocument"]
        self.part = found[0].target if found else "xl/workbook.xml"
        if not package.has(self.part):
            raise CannotAnnotate("structure", "no workbook")
        self._read()

    def _read(self) -> None:
        self.data = self.package.read(self.part)
        self.root = parse(self.data)
        sheets = self.root.first("sheets")
        if sheets is None:
            raise CannotAnnotate("structure", "no sheets")
        self._sheets = sheets
        known = {one.id: one for one in relations(self.package, self.part)}
        if len(sheets.children) > MOST_SHEETS:
            raise CannotAnnotate("structure", f"more than {MOST_SHEETS} sheets")
        self.sheets: list[SheetEntry] = []
        for element in sheets.all("sheet"):
            relation = known.get(_relation_id(element))
            self.sheets.append(
                SheetEntry(
                    name=element.attributes.get("name", ""),
                    sheet_id=_whole(element.attributes.get("sheetId")),
                    relation_id=_relation_id(element),
                    state=element.attributes.get("state", "visible"),
                    kind=relation.kind if relation is not None else "",
                    part=relation.target
                    if relation is not None and self.package.has(relation.target)
                    else "",
                )
            )

        parts = [one.part for one in self.sheets if one.part]
        if len(set(parts)) < len(parts):
            raise CannotAnnotate("structure", "two sheets in one part")

    @property
    def relations_namespace(self) -> str:
        """Strict workbooks name their relations otherwise."""
        raw = self.data[: self._sheets.end]
        return STRICT if STRICT.encode() in raw else TRANSITIONAL

    @property
    def namespace(self) -> str:
        """Of the elements of spreadsheets, as this workbook has it."""
        strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
        transitional = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        return strict if strict.encode() in self.data[: self.root.inside] else transitional

    def related(self, kind: str) -> str:
        """The part of a kind that the workbook relates to; empty if there is none."""
        return next(
            (
                one.target
                for one in relations(self.package, self.part)
                if one.kind == kind and self.package.has(one.target)
            ),
            "",
        )

    def new_part(self, base: str, pattern: str, data: bytes, kind: str, content_type: str) -> str:
        """Add a part that `base` relates to; gives the id of the relation."""
        name = self.package.unused_name(pattern)
        self.package.write(name, data)
        relation_id = add_relation(
            self.package, base, f"{self.relations_namespace}/{kind}", target_from(base, name)
        )
        declare(self.package, name, content_type)
        return relation_id

    # A sheet before all others --------------------------------------------------------------------------------

    def views(self) -> list[View]:
        """What is open, window by window."""
        return [
            View(view.attributes.get("activeTab"), view.attributes.get("firstSheet"))
            for views in self.root.all("bookViews")
            for view in views.all("workbookView")
        ]

    def put_first(self, name: str, data: bytes, print_titles: str) -> str:
        """Add a sheet before all others and open it; gives its part. `print_titles` is a range such as $5:$5."""
        part = self.package.unused_name("xl/worksheets/sheet{}.xml")
        self.package.write(part, data)
        declare(self.package, part, WORKSHEET_TYPE)
        target = target_from(self.part, part)
        relation_id = add_relation(self.package, self.part, f"{self.relations_namespace}/worksheet", target)
        edits = Edits(self.data)
        tag = self._sheets.prefix.encode()
        next_id = max([one.sheet_id for one in self.sheets], default=0) + 1
        id_name, declared = self._id_attribute()
        made = b'<%ssheet%s name="%s" sheetId="%d" %s="%s"/>' % (
            tag,
            declared,
            attribute(name),
            next_id,
            id_name.encode(),
            relation_id.encode(),
        )
        edits.prepend(self._sheets, made)
        for views in self.root.all("bookViews"):
            for view in views.all("workbookView"):
                moved: dict[str, str | None] = {
                    key: "0" for key in ("activeTab", "firstSheet") if view.attributes.get(key, "0") != "0"
                }
                if moved:
                    edits.set_attributes(view, moved)
        quoted = name.replace("'", "''")
        own_name = b'<definedName name="_xlnm.Print_Titles" localSheetId="0">%s</definedName>' % attribute(
            f"'{quoted}'!{print_titles}"
        )
        names = self.root.first("definedNames")
        if names is not None:
            for defined in names.all("definedName"):
                given = defined.attributes.get("localSheetId", "")
                if given.isdecimal():
                    edits.set_attributes(defined, {"localSheetId": str(int(given) + 1)})
            edits.prepend(names, prefixed(own_name, names.prefix))
        else:
            place = max(
                (child.end for child in self.root.children if child.local in _BEFORE_NAMES),
                default=self._sheets.end,
            )
            edits.insert(place, prefixed(b"<definedNames>%s</definedNames>" % own_name, self._sheets.prefix))
        self.package.write(self.part, edits.result())
        self._list_title(name)
        self._read()
        return part

    def _id_attribute(self) -> tuple[str, bytes]:
        """How sheets of this workbook name their relation, and the namespace if it must be declared for ours."""
        for element in self._sheets.all("sheet"):
            for name in element.attributes:
                if name.endswith(":id"):
                    prefix = name[:-3]
                    own_tag = self.data[element.start : element.inside]
                    is_own = b"xmlns:" + prefix.encode() + b"=" in own_tag
                    declared = b' xmlns:%s="%s"' % (prefix.encode(), self.relations_namespace.encode())
                    return name, declared if is_own else b""
        return "r:id", b' xmlns:r="%s"' % self.relations_namespace.encode()

    def take_out(self, position: int, views: list[View]) -> None:
        """Remove a sheet that was put there, with what belongs to it; open what `views` say if it is open itself."""
        entry = self.sheets[position]
        element = self._sheets.all("sheet")[position]
        edits = Edits(self.data)
        edits.replace(element.start, element.end, b"")
        number = 0
        for holder in self.root.all("bookViews"):
            for view in holder.all("workbookView"):
                before = views[number] if number < len(views) else View(None, None)
                number += 1
                active = _whole(view.attributes.get("activeTab"))
                changed: dict[str, str | None] = {}
                if active == position:
                    changed["activeTab"] = before.active_tab
                elif active > position:
                    changed["activeTab"] = str(active - 1)
                first = _whole(view.attributes.get("firstSheet"))
                if first > position:
                    changed["firstSheet"] = str(first - 1)
                elif before.first_sheet is not None and "firstSheet" in view.attributes:
                    changed["firstSheet"] = before.first_sheet
                changed = {key: value for key, value in changed.items() if view.attributes.get(key) != value}
                if changed:
                    edits.set_attributes(view, changed)
        names = self.root.first("definedNames")
        if names is not None:
            kept = 0
            for defined in names.all("definedName"):
                given = defined.attributes.get("localSheetId", "")
                if given.isdecimal() and int(given) == position:
                    continue
                kept += 1
            for defined in names.all("definedName") if kept else []:
                given = defined.attributes.get("localSheetId", "")
                if given.isdecimal() and int(given) == position:
                    edits.replace(defined.start, defined.end, b"")
                elif given.isdecimal() and int(given) > position:
                    edits.set_attributes(defined, {"localSheetId": str(int(given) - 1)})
            if not kept:
                edits.replace(names.start, names.end, b"")
        self.package.write(self.part, edits.result())
        remove_relation(self.package, self.part, entry.relation_id)
        if entry.part:
            for relation in relations(self.package, entry.part):
                if relation.kind == "printerSettings" and self.package.has(relation.target):
                    self.package.remove(relation.target)
            self.package.remove(relations_of(entry.part))
            self.package.remove(entry.part)
            undeclare(self.package, entry.part)
        self._unlist_title(entry.name)
        self._read()

    # Titles in the properties -----------------------------------------------------------------------------------

    def _list_title(self, name: str) -> None:
        self._edit_titles(lambda edits, titles: edits.insert(titles.inside, self._title(titles, name)), 1)

    @staticmethod
    def _title(titles: Element, name: str) -> bytes:
        prefix = titles.children[0].prefix if titles.children else "vt:"
        return prefixed(b"<lpstr>%s</lpstr>" % attribute(name), prefix)

    def _unlist_title(self, name: str) -> None:
        def remove(edits: Edits, titles: Element) -> None:
            for title in titles.children:
                if self._text(edits.data, title) == name:
                    edits.replace(title.start, title.end, b"")
                    return

        self._edit_titles(remove, -1)

    @staticmethod
    def _text(data: bytes, element: Element) -> str:
        pieces: list[str] = []
        parser = new_parser()
        parser.CharacterDataHandler = pieces.append
        run(parser, b"<t>" + data[element.inside : element.close] + b"</t>")
        return "".join(pieces)

    def _edit_titles(self, change: Callable[[Edits, Element], None], step: int) -> None:
        """Change the list of titles, if it is kept as programs keep it: a count of sheets first, their names first."""
        part = next(
            (one.target for one in relations(self.package, "") if one.kind == "extended-properties"), ""
        )
        if not part or not self.package.has(part):
            return
        data = self.package.read(part)
        root = parse(data)
        pairs, parts = root.first("HeadingPairs"), root.first("TitlesOfParts")
        pair_vector = pairs.children[0] if pairs is not None and pairs.children else None
        titles = parts.children[0] if parts is not None and parts.children else None
        if pair_vector is None or titles is None or titles.is_empty or not titles.children:
            return
        counts = [one for one in pair_vector.walk() if one.local == "i4"]
        size = titles.attributes.get("size", "")
        if not counts or not size.isdecimal() or int(size) != len(titles.children):
            return
        count = _whole(self._text(data, counts[0]))
        names = {one.name for one in self.sheets}  # programs differ in whether hidden ones are listed
        if any(self._text(data, title) not in names for title in titles.children[:count]):
            return
        edits = Edits(data)
        change(edits, titles)
        if not edits:
            return
        edits.replace(counts[0].inside, counts[0].close, str(count + step).encode())
        tag = with_attribute(data[titles.start : titles.inside], "size", str(int(size) + step))
        edits.replace(titles.start, titles.inside, tag)
        self.package.write(part, edits.result())


# Relations and content types ----------------------------------------------------------------------------------------


def relations(package: Package, part: str) -> list[Relation]:
    """The relations of a part; of the package itself for the empty name."""
    name = relations_of(part) if part else "_rels/.rels"
    if not package.has(name):
        return []
    found = []
    for element in parse(package.read(name)).children:
        held = element.attributes
        is_external = held.get("TargetMode", "").lower() == "external"
        target = held.get("Target", "")
        found.append(
            Relation(
                held.get("Id", ""),
                held.get("Type", "").rpartition("/")[2],
                target if is_external else resolved(part, target),
                is_external,
            )
        )
    return found


def add_relation(package: Package, part: str, kind: str, target: str) -> str:
    """Add a relation; gives its id, one that the part has not used."""
    name = relations_of(part)
    data = (
        package.read(name)
        if package.has(name)
        else b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Relationships xmlns="%s"></Relationships>'
        % _PACKAGE_RELATIONS.encode()
    )
    root = parse(data)
    used = {child.attributes.get("Id", "") for child in root.children}
    number = 1
    while f"rId{number}" in used:
        number += 1
    edits = Edits(data)
    made = b'<Relationship Id="rId%d" Type="%s" Target="%s"/>' % (
        number,
        attribute(kind),
        attribute(target),
    )
    edits.append(root, prefixed(made, root.prefix))
    package.write(name, edits.result())
    return f"rId{number}"


def remove_relation(package: Package, part: str, relation_id: str) -> None:
    """Take out a relation, and the part of relations with its last."""
    name = relations_of(part)
    data = package.read(name)
    root = parse(data)
    leaving = [child for child in root.children if child.attributes.get("Id") == relation_id]
    if len(leaving) == len(root.children):
        package.remove(name)
        return
    edits = Edits(data)
    for child in leaving:
        edits.replace(child.start, child.end, b"")
    package.write(name, edits.result())


_CONTENT_TYPES = "[Content_Types].xml"


def declare(package: Package, part: str, content_type: str) -> None:
    """Say what a part is: by its own entry, or for drawings by their suffix as programs do."""
    data = package.read(_CONTENT_TYPES)
    root = parse(data)
    suffix = part.rpartition(".")[2].lower()
    defaults = {
        one.attributes.get("Extension", "").lower(): one.attributes.get("ContentType", "")
        for one in root.all("Default")
    }
    edits = Edits(data)
    if suffix == "vml":
        if defaults.get(suffix, "").lower() == content_type.lower():
            return
        if suffix not in defaults:
            made = b'<Default Extension="vml" ContentType="%s"/>' % content_type.encode()
            edits.append(root, prefixed(made, root.prefix))
            package.write(_CONTENT_TYPES, edits.result())
            return
    made = b'<Override PartName="/%s" ContentType="%s"/>' % (attribute(part), content_type.encode())
    edits.append(root, prefixed(made, root.prefix))
    package.write(_CONTENT_TYPES, edits.result())


def undeclare(package: Package, part: str) -> None:
    """Take out what `declare` said, as far as no other part needs it."""
    data = package.read(_CONTENT_TYPES)
    root = parse(data)
    edits = Edits(data)
    for one in root.all("Override"):
        if one.attributes.get("PartName", "").lstrip("/").lower() == part.lower():
            edits.replace(one.start, one.end, b"")
    if part.lower().endswith(".vml") and not any(name.lower().endswith(".vml") for name in package.names):
        for one in root.all("Default"):
            if one.attributes.get("Extension", "").lower() == "vml":
                edits.replace(one.start, one.end, b"")
    package.write(_CONTENT_TYPES, edits.result())


def _relation_id(element: Element) -> str:
    return next((value for name, value in element.attributes.items() if name.endswith(":id")), "")


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else 0
