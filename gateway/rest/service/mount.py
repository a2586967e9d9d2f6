"""The endpoints, put on the HTTP side."""

from __future__ import annotations

from fastapi import FastAPI

from ..desk import Desk
from ..handler import Handler
from .calls import ALL, Call
from .routes import ENDPOINTS
from .service import Service


def add_service(api: FastAPI, desk: Desk) -> bool:
    """Nothing without `auth.service_keys`: nobody could prove who they are. Whether there are."""
    if not desk.gateway.settings.auth.service_keys:
        return False
    service = Service(desk)
    for endpoint in ENDPOINTS:
        work = service.handling(Handler(desk, endpoint).respond)
        api.add_route(f"/v1{endpoint.path}", work, methods=[endpoint.method])
    for call in ALL:
        work = service.handling(Call(desk.gateway, call).respond)
        api.add_route(f"/v1/service/{call.path}", work, methods=["POST"])
    return True
