"""The same as OpenAPI, under a tag and a security scheme of their own."""

from __future__ import annotations

import inspect
from typing import Any, Final

from ...host_calls import HostCall
from ..bodies import JSON, MSGPACK
from ..openapi import SCHEMAS, operation_of, responses_of
from .calls import ALL
from .routes import ENDPOINTS

_OURS: Final = {"tags": ["service"], "security": [{"service": []}]}
_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "One of `auth.service_keys`: for the product's own servers",
}
_ANSWERS: Final = {"tokens": "Token", "events": "Told"}
_USERS: Final = {"users": ["ann", "bob"]}
_EXAMPLES: Final[dict[str, Any]] = {
    "service.createConversation": {
        "kind": "group",
        "title": "Ops",
        "members": ["ann", "bob"],
        "roles": {"ann": "admin"},
        "context": {"listing": "5"},
    },
    "service.postMessage": {"text": "The listing is filled."},
    "service.addMembers": {"users": ["eve"]},
    "service.changeRole": {"role": "admin"},
    "tokens": {"user": "ann", "ttl_s": 3600},
    "revocations": {"user": "ann"},
    "disconnects": {"user": "ann"},
    "users/changed": {"ids": ["ann"]},
    "relations/changed": {"ids": ["ann"]},
    "contexts/changed": {"context": {"booking": "100"}, **_USERS},
    "membership/changed": {"group": "chess club", **_USERS},
    "premium/changed": _USERS,
    "sessions/ended": {"ids": ["s1"]},
    "events": {
        "id": "e7",
        "event": "viewing_scheduled",
        "context": {"listing": "5"},
        "variables": {"time": "noon"},
    },
}


def add_operations(whole: dict[str, Any], definitions: dict[str, Any]) -> None:
    paths = whole["paths"]
    for endpoint in ENDPOINTS:
        told = {**operation_of(endpoint, definitions), **_OURS}
        if endpoint.id in _EXAMPLES:
            told["requestBody"]["content"][JSON]["example"] = _EXAMPLES[endpoint.id]
        paths.setdefault(endpoint.shown_path, {})[endpoint.method.lower()] = told
    for call in ALL:
        paths[f"/v1/service/{call.path}"] = {"post": _call(call, definitions)}
    whole["components"]["securitySchemes"]["service"] = _SCHEME
    whole["tags"] = [{"name": "service", "description": "What the product's own servers ask for"}]


def _call(call: type[HostCall], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = call.model_json_schema(ref_template=SCHEMAS)
    definitions.update(schema.pop("$defs", {}))
    content = {
        JSON: {"schema": schema, "example": _EXAMPLES[call.path]},
        MSGPACK: {"schema": schema},
    }
    name = "".join(part.title() for part in call.path.split("/"))
    return {
        "operationId": f"service.{name}",
        "summary": call.summary,
        "description": inspect.cleandoc(call.__doc__ or ""),
        "requestBody": {"required": bool(schema.get("required")), "content": content},
        "responses": responses_of(call.status, _ANSWERS.get(call.path, "Nothing")),
        **_OURS,
    }
