"""Tokens that could not be checked, or that leak, are named; secrets are not."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from palaver.engine.sections import Auth, Listen
from palaver.engine.settings import Settings
from palaver.gateway.doctor.auth import check_jwks, check_sources, check_tokens

SECRET = "hush" * 8


@pytest.mark.parametrize(
    ("auth", "listen", "level"),
    [
        ({}, {}, "warning"),
        ({}, {"host": "0.0.0.0"}, "problem"),
        ({"secret": "hush"}, {}, "problem"),
        ({"secret": SECRET}, {}, "ok"),
        ({"algorithms": ["RS256"], "secret": SECRET}, {}, "problem"),
        ({"algorithms": ["RS256"], "public_key": "hush"}, {}, "problem"),
        ({"algorithms": ["RS256"], "jwks": "/no/such/file"}, {}, "problem"),
        ({"algorithms": ["RS256"], "jwks": "https://keys.invalid/set"}, {}, "ok"),
    ],
)
def test_SEC_15_keys_that_cannot_work_are_named_but_not_told(
    auth: dict[str, Any], listen: dict[str, Any], level: str
):
    (finding,) = check_tokens(Settings(auth=Auth(**auth), listen=Listen(**listen)))
    assert finding.level == level
    assert "hush" not in finding.what + finding.advice


def test_tokens_in_urls_are_a_warning():
    assert list(check_sources(Auth())) == []
    (finding,) = check_sources(Auth(token_sources=["hello", "query"]))
    assert finding.level == "warning"


async def test_keys_at_an_address_that_nobody_serves_are_a_problem():
    (finding,) = await check_jwks(Auth(algorithms=["RS256"], jwks="http://127.0.0.1:1/keys"))
    assert finding.level == "problem"


async def test_a_file_is_no_matter_of_the_network(tmp_path: Path):
    key = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{**key, "kid": "1", "alg": "RS256"}]}), "utf-8")
    auth = Auth(algorithms=["RS256"], jwks=str(path))
    assert await check_jwks(auth) == []
    assert [each.level for each in check_tokens(Settings(auth=auth))] == ["ok"]
