"""Both APIs, fuzzed from their own descriptions: never a 5xx that nobody meant, never an answer that is not described."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import Service

# What the descriptions cannot say, and the endpoints that wait for the model.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def fuzz(url: str, examples: int, *more: str) -> str:
    command = [Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json", "--checks", CHECKS, *more]
    command += ["--max-examples", str(examples), "--phases", "examples,coverage,fuzzing", "--generation-database", "none"]
    command += ["--seed", "1", "--request-timeout", "60", "--workers", "1", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("which", ["runtime", "server"])
def test_fuzz(which: str, a_farm: Service):
    url = a_farm.runtime_url if which == "runtime" else a_farm.url
    print(fuzz(url, 20)[-600:])
