"""/openapi.json: whole, and true to the table. What it says is tried out by `make test-faces`."""

import re
from typing import Any

from palaver.gateway.rest.routes import ENDPOINTS
from palaver.tests.support.web import web


def operations(whole: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in whole["paths"].items()
        for method, operation in methods.items()
    ]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [ref for each in value for ref in references(each)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [ref for each in value.values() for ref in references(each)]


async def test_REST_01_every_endpoint_is_described():
    async with web() as here:
        response = await here.http.get("/openapi.json")  # without a token
        whole = response.json()
        assert whole["openapi"] == "3.1.0"
        there = operations(whole)
        assert {(e.method, e.shown_path) for e in ENDPOINTS} <= {(m, p) for m, p, _ in there}
        ids = [operation["operationId"] for *_, operation in there]
        assert len(set(ids)) == len(ids)
        for method, path, operation in there:
            assert operation["summary"], path
            named = set(re.findall(r"{(\w+)}", path))
            given = operation.get("parameters", [])
            assert {each["name"] for each in given if each["in"] == "path"} == named, path
            if operation.get("security") == []:
                continue
            for status in ("4XX", "5XX"):
                problem = {"$ref": "#/components/responses/Problem"}
                assert operation["responses"][status] == problem, (method, path)


async def test_REST_01_what_it_refers_to_is_there_and_has_an_example():
    async with web() as here:
        whole = (await here.http.get("/openapi.json")).json()
        for reference in set(references(whole)):
            place = whole
            for name in reference.removeprefix("#/").split("/"):
                place = place[name]
            assert place
        for *_, operation in operations(whole):
            if operation.get("security") == []:
                continue
            for response in operation["responses"].values():
                content = response.get("content", {}).get("application/json", {})
                for reference in references(content):
                    assert whole["components"]["schemas"][reference.split("/")[-1]]["examples"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None and operation["requestBody"]["required"]:
                assert "example" in body, operation["operationId"]


async def test_there_are_no_pages_that_load_scripts_from_elsewhere():
    async with web() as here:
        for path in ("/docs", "/redoc"):
            assert (await here.http.get(path)).status_code == 404
