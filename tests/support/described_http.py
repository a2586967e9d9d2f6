"""What is answered by HTTP in the tests is what docs/openapi.json describes."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from jsonschema_rs import Draft202012Validator

FILE = Path(__file__).parents[2] / "docs/openapi.json"


class Described(NamedTuple):
    method: str
    path: re.Pattern[str]
    answers: dict[int, Draft202012Validator]
    """By status; of JSON only."""


def check_described(method: str, path: str, response: httpx.Response) -> None:
    """AssertionError if `response`, to a request that was carried out, is described otherwise."""
    if response.headers.get("content-type") != "application/json":
        return
    for each in _described():
        if each.method == method and each.path.fullmatch(path.partition("?")[0]):
            answer = each.answers.get(response.status_code)
            assert answer is not None, f"{method} {path} is not said to be {response.status_code}"
            problems = [
                f"{no.instance_path}: {no.message}" for no in answer.iter_errors(response.json())
            ]
            assert not problems, f"{method} {path} is described otherwise: {problems[:3]}"
            return
    raise AssertionError(f"{method} {path} is not described")


@cache
def _described() -> list[Described]:
    """Those with fewer names in their paths first: `/v1/x/me` is not `/v1/x/{user}`."""
    whole = json.loads(FILE.read_text())
    shapes: dict[str, Draft202012Validator] = {}

    def answers(responses: dict[str, Any]) -> dict[int, Draft202012Validator]:
        made = {}
        for status, response in responses.items():
            if (content := response.get("content", {}).get("application/json")) is not None:
                key = json.dumps(content["schema"])
                if key not in shapes:
                    schema = {**content["schema"], "components": whole["components"]}
                    shapes[key] = Draft202012Validator(schema)
                made[int(status)] = shapes[key]
        return made

    return [
        Described(
            method.upper(), re.compile(re.sub(r"{\w+}", "[^/]+", path)), answers(told["responses"])
        )
        for path, operations in sorted(whole["paths"].items(), key=lambda each: each[0].count("{"))
        for method, told in operations.items()
    ]
