"""Errors in the product's own words: of the message alone, by every way in (ERR-07)."""

import pytest
from pydantic import ValidationError

from palaver.engine import Settings
from palaver.protocol.policy import Policy
from palaver.tests.support.web import web

WORDS = {
    "AUTH_REQUIRED": "Authentication error",
    "SESSION_EXPIRED": "Session expired",
    "AUTH_FAILED": "Authentication failed",
    "CONVERSATION_NOT_FOUND": "Chat not found",
    "PERMISSION_DENIED": "Unauthorized access to chat",
    "PERSIST_FAILED": "Failed to save message",
}
"""Those of the chats of seed 3."""


def test_ERR_07_the_chat_product_has_its_own_sentences():
    assert Settings(profile="stayeasy").policy.error_messages == WORDS


async def test_ERR_07_they_are_told_by_socket_and_by_REST():
    async with web(policy={"error_messages": {**WORDS, "BAD_FRAME": "What is it?"}}) as here:
        room = await here.room("bob")
        path = f"/conversations/{room}/messages"
        no = await here.no("POST", path, {"text": "x"}, user="eve")
        assert (no["code"], no["detail"]) == ("PERMISSION_DENIED", "Unauthorized access to chat")
        no = await here.no("POST", path, {"text": 1})  # which has none of its own
        assert no["detail"].startswith("text: ")
        response = await here.http.get("/v1/conversations")
        assert response.json()["detail"] == "Authentication error"
        eve = await here.here.client("eve")
        await eve.send({"t": "message.send", "id": 2, "c": room, "d": {"text": "x"}})
        error = (await eve.item())["error"]
        assert (error["code"], error["message"]) == (
            "PERMISSION_DENIED",
            "Unauthorized access to chat",
        )
        await eve.frame(b"?")
        error = (await eve.item())["error"]
        assert (error["code"], error["message"]) == ("BAD_FRAME", "What is it?")


def test_ERR_07_an_error_that_there_is_not_is_no_setting():
    with pytest.raises(ValidationError, match=r"there is no error 'CHAT_NOT_FOUND'"):
        Policy(error_messages={"CHAT_NOT_FOUND": "Chat not found"})
