"""docs/asyncapi.yaml is AsyncAPI 3.0, says the schema of those who made that format.

By `make test-faces` alone, since the schema comes from the npm registry.
"""

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from jsonschema_rs import Draft7Validator

from palaver.tests.docs.asyncapi import FILE

SPECS = "@asyncapi/specs@6.11.1"
SCHEMA = "package/schemas/3.0.0-without-$id.json"

pytestmark = [pytest.mark.faces, pytest.mark.timeout(900)]


def test_it_is_valid(tmp_path: Path):
    command = ["npm", "pack", SPECS, "--json"]
    packed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (named,) = json.loads(packed.stdout)
    archive = tmp_path / named["filename"]
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as package:
        file = package.extractfile(SCHEMA)
        assert file is not None
        schema = json.load(file)
    document = yaml.safe_load(FILE.read_text())
    validator = Draft7Validator(schema)
    assert [
        f"{each.instance_path}: {each.message}" for each in validator.iter_errors(document)
    ] == []
