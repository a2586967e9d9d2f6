"""Elements of HTML and SVG, escaped by the library that writes them."""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring

SVG = "http://www.w3.org/2000/svg"


def node(tag: str, *children: Element | str | None, **attributes: object) -> Element:
    """An element. `class_` is `class`, other underscores are hyphens, an attribute that is None is
    left out, and so are children that are None."""
    element = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name.rstrip("_").replace("_", "-"), _attribute(value))
    last: Element | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                element.text = (element.text or "") + child
            else:
                last.tail = (last.tail or "") + child
        elif child is not None:
            element.append(child)
            last = child
    return element


def picture(
    title: str, description: str, width: float, height: float, *children: Element | str | None
) -> Element:
    """An SVG that scales with its container and that a screen reader can tell about."""
    svg = node(
        "svg",
        node("title", title),
        node("desc", description),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        class_="chart",
    )
    svg.set("xmlns", SVG)
    return svg


def as_html(page: Element) -> str:
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def as_svg(drawing: Element) -> str:
    return tostring(drawing, encoding="unicode") + "\n"


def _attribute(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
