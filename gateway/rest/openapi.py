"""The table of endpoints as OpenAPI 3.1, at /openapi.json."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ...protocol.commands import Command
from ...protocol.ids import CLIENT_ID_CHARS
from . import times
from .answers import ANSWERS, CONVERSATION_ID, MESSAGE_ID, example, schema
from .bodies import JSON, MSGPACK
from .endpoint import CONVERSATION, MESSAGE, Endpoint
from .examples import EXAMPLES
from .export import MEDIA_TYPE as NDJSON
from .files import NewUpload
from .problems import MEDIA_TYPE as PROBLEM
from .routes import ENDPOINTS
from .sync import SyncQuery

SCHEMAS: Final = "#/components/schemas/{model}"
_ISO: Final = {"type": "string", "format": "date-time"}
_UUID: Final = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_PATH: Final[dict[str, dict[str, Any]]] = {
    CONVERSATION: {**_UUID, "examples": [CONVERSATION_ID]},
    MESSAGE: {**_UUID, "examples": [MESSAGE_ID]},
}

More = Callable[[dict[str, Any], dict[str, Any]], None]
"""Adds to the whole, and to the definitions of its schemas."""

_ABOUT: Final = """\
Everything that a socket can do, by HTTP, through the same commands; in words: docs/rest.md.

Times are ISO 8601 in UTC, and may be given so or in milliseconds since 1970. Bodies and answers
are JSON, or msgpack by `Content-Type` and `Accept: application/msgpack`. A refusal is
`application/problem+json` (RFC 9457), whose `code` says which. A POST with an `Idempotency-Key` can
be repeated.
"""


def describe(api: FastAPI, *more: More) -> dict[str, Any]:
    """Made once; `more` add theirs."""
    if api.openapi_schema is None:
        api.openapi_schema = _describe(api, more)
    return api.openapi_schema


def _describe(api: FastAPI, more: Iterable[More]) -> dict[str, Any]:
    whole = get_openapi(title=api.title, version=api.version, description=_ABOUT, routes=api.routes)
    for operations in whole["paths"].values():
        for operation in operations.values():
            operation["security"] = []  # monitors ask without a token
            operation["tags"] = ["server"]
    definitions: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        path = whole["paths"].setdefault(endpoint.shown_path, {})
        path[endpoint.method.lower()] = operation_of(endpoint, definitions)
    for path, operations in [
        *((path, {"get": each}) for path, each in SINGLE.items()),
        *FILES.items(),
    ]:
        tags = [path.split("/")[2]]
        told = {method: {**each, "tags": tags} for method, each in operations.items()}
        whole["paths"].setdefault(path, {}).update(told)
    components = whole.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for add in more:
        add(whole, definitions)
    schemas = components.setdefault("schemas", {})
    schemas.update(definitions)
    for name, like in ANSWERS.items():
        schemas[name] = {**schema(like), "examples": [example(like)]}
    components["responses"] = {
        "Problem": {
            "description": "Refused; `code` says why (docs/protocol.md, «Error codes»)",
            "headers": {
                "Retry-After": {
                    "description": "Seconds to wait, where known (429, 503)",
                    "schema": {"type": "integer"},
                }
            },
            "content": {PROBLEM: {"schema": {"$ref": SCHEMAS.format(model="Problem")}}},
        }
    }
    whole["security"] = [{"bearer": []}]
    return whole


def operation_of(endpoint: Endpoint, definitions: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "description": "\n\n".join(
            f"`{each.name}`: {inspect.cleandoc(each.__doc__ or '')}" for each in endpoint.commands
        ),
        "tags": [endpoint.path.split("/")[1]],
        "parameters": [_in_path(name) for name in endpoint.placeholders],
        "responses": responses_of(endpoint.status, endpoint.answers, makes=endpoint.makes),
    }
    properties, required = _fields(endpoint, definitions)
    if endpoint.in_query:
        operation["parameters"] += [
            _in_query(name, each, name in required) for name, each in properties.items()
        ]
    else:
        told = {"type": "object", "properties": properties, "additionalProperties": False}
        if len(endpoint.commands) > 1 and not endpoint.choice:
            told = {"oneOf": [_object(endpoint, each, definitions) for each in endpoint.commands]}
        elif required:
            told["required"] = required
        given: dict[str, Any] = {"schema": told}
        if endpoint.id in EXAMPLES:
            given["example"] = EXAMPLES[endpoint.id]
        content = {JSON: given, MSGPACK: {"schema": told}}
        operation["requestBody"] = {"required": bool(required), "content": content}
    if endpoint.takes_key:
        operation["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Is the `client_id`: repeated under it, it is done once (SEND-06)",
                "schema": {"type": "string", "minLength": 1, "maxLength": CLIENT_ID_CHARS},
            }
        )
    return operation


def _object(
    endpoint: Endpoint, command: type[Command], definitions: dict[str, Any]
) -> dict[str, Any]:
    properties, required = _of(endpoint, command, definitions)
    told: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }
    own = [name for name in properties if name not in ("client_id", "attempt")]
    told["anyOf"] = [{"required": [name]} for name in own]
    return {**told, "required": required} if required else told


def _fields(endpoint: Endpoint, definitions: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Of all its commands together."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    if endpoint.needs:
        properties[CONVERSATION] = _UUID
        required.append(CONVERSATION)
    if endpoint.choice:
        name, *values = endpoint.choice
        properties[name] = {"type": "string", "enum": values, "default": values[0]}
    for command in endpoint.commands:
        more, needed = _of(endpoint, command, definitions)
        properties.update(more)
        required += needed
    return properties, required


def _of(
    endpoint: Endpoint, command: type[Command], definitions: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    whole = command.model_json_schema(ref_template=SCHEMAS)
    definitions.update(whole.get("$defs", {}))
    names = endpoint.fields(command)
    properties = {name: whole["properties"][name] for name in names}
    for name in names:
        if times.is_time(command.name, name):
            properties[name] = _also_iso(properties[name])
    return properties, [name for name in whole.get("required", ()) if name in names]


def _also_iso(field: dict[str, Any]) -> dict[str, Any]:
    kinds = field.get("anyOf")
    if kinds is not None:
        return {**field, "anyOf": [*kinds, _ISO]}
    around: dict[str, Any] = {name: field[name] for name in ("title", "default") if name in field}
    inner = {name: value for name, value in field.items() if name not in around}
    return {**around, "anyOf": [inner, _ISO]}


def _in_path(name: str) -> dict[str, Any]:
    kind = _PATH.get(name, {"type": "string", "minLength": 1})
    return {"name": name, "in": "path", "required": True, "schema": kind}


def _in_query(name: str, field: dict[str, Any], required: bool) -> dict[str, Any]:
    """Null cannot be written in a query string."""
    field = {key: value for key, value in field.items() if key != "default" or value is not None}
    kinds = [each for each in field.get("anyOf", ()) if each.get("type") != "null"]
    if len(kinds) == 1:
        field = {**{k: v for k, v in field.items() if k != "anyOf"}, **kinds[0]}
    elif kinds:
        field = {**field, "anyOf": kinds}
    told = {"name": name, "in": "query", "required": required, "schema": field}
    if field.get("type") == "object":
        told |= {"style": "deepObject", "explode": True}
    return told


def responses_of(status: int, name: str, *, makes: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "4XX": {"$ref": "#/components/responses/Problem"},
        "5XX": {"$ref": "#/components/responses/Problem"},
    }
    if status == 204:
        return {"204": {"description": "Done"}, **told}
    content = _content((JSON, MSGPACK), name)
    done = {"description": "Done" if status == 200 else "Made", "content": content}
    if makes is not None:
        place = {"schema": {"type": "string"}, "description": "Where it is to be had"}
        done["headers"] = {"Location": place}
    if makes == "conversation":
        told["200"] = {**done, "description": "It was there already"}
    return {str(status): done, **told}


def _content(types: Iterable[str], name: str) -> dict[str, Any]:
    return {each: {"schema": {"$ref": SCHEMAS.format(model=name)}} for each in types}


def _single(id: str, summary: str, name: str, *path: str, **more: Any) -> dict[str, Any]:
    return {
        "operationId": id,
        "summary": summary,
        "parameters": [_in_path(each) for each in path],
        "responses": responses_of(200, name),
        **more,
    }


def _sync() -> dict[str, Any]:
    fields = SyncQuery.model_json_schema()["properties"]
    told = _single("sync", "What happened since a cursor; waits for it if that is nothing", "Sync")
    told["parameters"] = [_in_query(name, field, False) for name, field in fields.items()]
    return told


def _export(id: str, summary: str, *path: str) -> dict[str, Any]:
    told = _single(id, summary, "Line", *path)
    told["responses"]["200"]["content"] = {
        NDJSON: {"schema": {"type": "string", "description": "A line of JSON for each thing"}}
    }
    return told


SINGLE: Final[dict[str, dict[str, Any]]] = {
    "/v1/messages/{message_id}": _single("getMessage", "One message as it is", "Message", MESSAGE),
    "/v1/drafts/{conversation}": _single(
        "getDraft", "What one has begun to write there", "Draft", CONVERSATION
    ),
    "/v1/sync": _sync(),
    "/v1/export": _export("exportAll", "All of one's conversations"),
    "/v1/conversations/{conversation}/export": _export(
        "exportConversation", "One conversation", CONVERSATION
    ),
}


def _binary(type: str = "*/*") -> dict[str, Any]:
    return {type: {"schema": {"type": "string", "format": "binary"}}}


def _upload() -> dict[str, Any]:
    announced = NewUpload.model_json_schema()
    example = {"name": "cat.jpg", "mime": "image/jpeg", "size": 123_456}
    body = {"required": True, "content": {JSON: {"schema": announced, "example": example}}}
    told = _single("announceUpload", "Announce a file", "Upload", requestBody=body)
    told["responses"] = responses_of(201, "Upload")
    return told


def _file(id: str, summary: str, *path: str) -> dict[str, Any]:
    told = _single(id, summary, "Upload", *path, security=[])
    told["parameters"] += [
        _in_query("expires", {"type": "integer"}, True),
        _in_query("signature", {"type": "string"}, True),
    ]
    told["responses"]["200"]["content"] = _binary()
    return told


_BYTES: Final = {"required": True, "content": _binary("application/octet-stream")}
FILES: Final[dict[str, dict[str, Any]]] = {
    "/v1/attachments": {"post": _upload()},
    "/v1/attachments/{upload}": {
        "get": _single("getAttachment", "An address to load it from", "Loadable", "upload"),
        "put": _single("fillUpload", "Its bytes", "Filled", "upload", requestBody=_BYTES),
    },
    "/v1/attachments/{upload}/complete": {
        "post": _single("completeUpload", "It is ready to be sent", "Completed", "upload")
    },
    "/v1/files/{upload}": {"get": _file("loadFile", "A file, by its signed address", "upload")},
    "/v1/files/{upload}/{thumbnail}": {
        "get": _file("loadThumbnail", "A small picture of it, the same way", "upload", "thumbnail")
    },
}
