"""Runs while an agent's image is built: starts the agent once, so that what Node.js compiles is kept.

warm.py prepare    make the folder for it, open to the user of the next step
warm.py            speak as a host would until a session was asked for, and let the agent end by itself

The agent and its environment are in warm.json beside this file. An agent that does not answer is merely not
warmed: whether it works is not decided here.
"""

import json
import pathlib
import subprocess
import sys
import threading
from typing import IO

PATIENCE = 60  #: seconds
CALLS = (
    ("initialize", {"protocolVersion": 1, "clientCapabilities": {}}),
    ("session/new", {"cwd": "/tmp", "mcpServers": []}),  # noqa: S108 - inside
)


def main(arguments: list[str]) -> None:
    plan = json.loads(pathlib.Path(__file__).with_name("warm.json").read_text())
    cache = plan["environment"]["NODE_COMPILE_CACHE"]
    if arguments == ["prepare"]:
        pathlib.Path(cache).mkdir()
        pathlib.Path(cache).chmod(0o777)  # of a layer in the making
        return
    with subprocess.Popen(  # noqa: S603 - the agent of this image
        plan["command"], env=plan["environment"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as agent:
        if agent.stdin is None or agent.stdout is None:  # for the types: both are pipes
            return
        watch = threading.Timer(PATIENCE, agent.kill)
        watch.start()
        try:
            for number, (method, params) in enumerate(CALLS):
                ask(agent.stdin, agent.stdout, number, method, params)
        except OSError as error:
            print(f"warm: {error}")  # noqa: T201 - seen in the build's output
        agent.stdin.close()
        agent.stdout.read()
        agent.wait()
        watch.cancel()
    kept = [path for path in pathlib.Path(cache).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in kept)
    print(f"warm: {len(kept)} files, {size} bytes")  # noqa: T201 - seen in the build's output


def ask(into: IO[bytes], out_of: IO[bytes], number: int, method: str, params: object) -> None:
    call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    into.write(json.dumps(call).encode() + b"\n")
    into.flush()
    for line in out_of:
        answer = json.loads(line)
        if answer.get("id") == number and "method" not in answer:
            how = f"failed: {answer['error']}" if "error" in answer else "answered"
            print(f"warm: {method} {how}")  # noqa: T201 - seen in the build's output
            return
    raise OSError(f"the agent ended before it answered {method}")


if __name__ == "__main__":
    main(sys.argv[1:])
