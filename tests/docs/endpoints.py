"""The table of endpoints in docs/rest.md, made from that in gateway/rest/routes.py.

`make endpoints` writes it; a test says if it is not current.
"""

from __future__ import annotations

from pathlib import Path

from palaver.gateway.rest.endpoint import CONVERSATION, Endpoint
from palaver.gateway.rest.openapi import SINGLE
from palaver.gateway.rest.routes import ENDPOINTS
from palaver.gateway.rest.service import routes as service
from palaver.gateway.rest.service.calls import ALL

PAGE = Path(__file__).parents[2] / "docs/rest.md"
BEGIN, END = "<!-- endpoints -->\n", "<!-- end -->"
SERVICE = "<!-- service endpoints -->\n", "<!-- end of service endpoints -->"
_HEAD = ["| | | command | fields |", "|---|---|---|---|"]


def table() -> str:
    lines = [*_HEAD, *(_row(endpoint) for endpoint in ENDPOINTS)]
    for path, operation in SINGLE.items():
        fields = ", ".join(
            f"*`{each['name']}`*" for each in operation["parameters"] if each["in"] == "query"
        )
        lines.append(f"| `GET {path.removeprefix('/v1')}` | {operation['summary']} | | {fields} |")
    return "\n".join(lines) + "\n"


def service_table() -> str:
    lines = [*_HEAD, *(_row(endpoint) for endpoint in service.ENDPOINTS)]
    for call in ALL:
        told = ", ".join(
            f"`{name}`" if field.is_required() else f"*`{name}`*"
            for name, field in call.model_fields.items()
        )
        lines.append(f"| `POST /service/{call.path}` | {call.summary} | | {told} |")
    return "\n".join(lines) + "\n"


def _row(endpoint: Endpoint) -> str:
    commands = ", ".join(f"`{command.name}`" for command in endpoint.commands)
    fields: dict[str, bool] = {CONVERSATION: True} if endpoint.needs else {}
    if endpoint.choice:
        fields[endpoint.choice[0]] = False
    for command in endpoint.commands:
        for name in endpoint.fields(command):
            if name not in ("client_id", "attempt"):
                required = command.model_fields[name].is_required() and len(endpoint.commands) == 1
                fields[name] = required
    told = ", ".join(f"`{name}`" if needed else f"*`{name}`*" for name, needed in fields.items())
    path = endpoint.shown_path.removeprefix("/v1")
    return f"| `{endpoint.method} {path}` | {endpoint.summary} | {commands} | {told} |"


def page(text: str) -> str:
    """docs/rest.md, current."""
    text = _between(text, BEGIN, END, table())
    return _between(text, *SERVICE, service_table())


def _between(text: str, begin: str, end: str, table: str) -> str:
    before, _, rest = text.partition(begin)
    return before + begin + table + end + rest.partition(end)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
