"""The endpoints, put on the HTTP side."""

from __future__ import annotations

from fastapi import FastAPI

from ..desk import Desk
from ..handler import Handler
from .calls import ALL, Call
from .routes import ENDPOINTS
from .service import Respond, Service


def add_service(api: FastAPI, desk: Desk) -> bool:
    """Nothing without `auth.service_keys`: nobody could prove who they are. Whether there are."""
    if not desk.gateway.settings.auth.service_keys:
        return False
    service = Service(desk)

    def add(method: str, path: str, respond: Respond) -> None:
        api.add_route(path, service.handling(respond, method, path), methods=[method])

    for endpoint in ENDPOINTS:
        add(endpoint.method, f"/v1{endpoint.path}", Handler(desk, endpoint).respond)
    for call in ALL:
        add("POST", f"/v1/service/{call.path}", Call(desk.gateway, call).respond)
    return True
