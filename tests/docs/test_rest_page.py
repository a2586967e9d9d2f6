"""docs/openapi.json and docs/rest-reference.md are current, whole, and true to themselves."""

import re
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from palaver.gateway.rest.routes import ENDPOINTS
from palaver.gateway.rest.service import routes as service
from palaver.gateway.rest.service.calls import ALL
from palaver.tests.docs.openapi import FILE, document, written
from palaver.tests.docs.rest_page import PAGE, page
from palaver.tests.docs.schemas import whole
from palaver.tests.support.described_http import check_described


@pytest.fixture
async def served() -> dict[str, Any]:
    return await document()


async def test_REST_01_the_description_and_its_page_are_what_is_served(served):
    assert FILE.read_text() == written(served), "run `make openapi`"
    assert PAGE.read_text() == page(served), "run `make openapi`"


async def test_REST_01_every_endpoint_has_its_place_on_the_page(served):
    text = PAGE.read_text()
    endpoints = {(each.method, each.shown_path) for each in (*ENDPOINTS, *service.ENDPOINTS)}
    endpoints |= {("POST", f"/v1/service/{call.path}") for call in ALL}
    endpoints |= {
        (method.upper(), path)
        for path, operations in served["paths"].items()
        for method in operations
    }
    for method, path in endpoints:
        assert len(re.findall(f"^### .*`{method} {re.escape(path)}`$", text, re.M)) == 1


async def test_every_example_is_what_is_described(served):
    schemas = served["components"]["schemas"]
    shown = [(each, example) for each in schemas.values() for example in each.get("examples", ())]
    for operations in served["paths"].values():
        for told in operations.values():
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" in body:
                shown.append((body["schema"], body["example"]))
    for schema, example in shown:
        validator = Draft202012Validator(whole(schema, schemas))
        assert [str(each) for each in validator.iter_errors(example)] == []


async def test_an_attachment_that_is_sent_is_not_one_that_was_completed(served):
    sent = served["components"]["schemas"]["Attachment"]
    assert sent["additionalProperties"] is False
    assert "id" not in sent["properties"]


@pytest.mark.parametrize(
    ("path", "status", "answer"),
    [
        ("/v1/settings", 200, {"read_receipts": "yes"}),
        ("/v1/settings", 201, {"read_receipts": True}),
        ("/v1/nothing", 200, {}),
    ],
)
def test_an_answer_that_is_not_described_fails_the_test_that_saw_it(path, status, answer):
    with pytest.raises(AssertionError):
        check_described("GET", path, httpx.Response(status, json=answer))
