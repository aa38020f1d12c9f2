"""Schemathesis asks every path of `/openapi.json` for good and bad things: no fault, no lie in it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.intermute.conftest import elsewhere

PROGRAM = str(Path(sys.executable).with_name("schemathesis"))
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method,allow_header_conformance,negative_data_rejection"
)
LONGEST = 300  #: seconds


async def schemathesis(url: str, folder: Path, *options: str) -> tuple[int | None, str]:
    """How it ended, and the end of what it said."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "run",
        f"{url}/openapi.json",
        f"--checks={CHECKS}",
        "--workers=1",
        "--continue-on-failure",
        *options,
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(LONGEST):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    return process.returncode, said.decode(errors="replace")[-8000:]


async def test_every_path_keeps_to_the_document_for_a_program_here(url: str, tmp_path: Path) -> None:
    ended, said = await schemathesis(url, tmp_path, "--phases=coverage")
    assert ended == 0, said


@pytest.mark.full
async def test_every_path_keeps_to_the_document_for_who_has_a_key(url: str, tmp_path: Path) -> None:
    headers = [f"--header={name}: {value}" for name, value in elsewhere("key-of-alpha").items()]
    ended, said = await schemathesis(url, tmp_path, "--phases=fuzzing", "--max-examples=6", *headers)
    assert ended == 0, said
