"""Agents that mean harm: they speak ACP as far as they must, and then do as they please."""

from container.agent import Runtime

#: starts like any agent; what it does when it is spoken to is filled in
_AGENT = """
import json, os, socket, sys, time
SOCKETS = "/run/intercom"
def out(text):
    sys.stdout.write(text)
    sys.stdout.flush()
def answer(id, **result):
    out(json.dumps({"jsonrpc": "2.0", "id": id, "result": result}) + "\\n")
def say(text):
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    params = {"sessionId": "s", "update": update}
    out(json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": params}) + "\\n")
def misbehave():
%s
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        answer(message["id"], protocolVersion=1, agentCapabilities={})
    elif message.get("method") == "session/new":
        answer(message["id"], sessionId="s")
    elif message.get("method") == "session/prompt":
        misbehave()
        answer(message["id"], stopReason="end_turn")
"""

GARBAGE = "while True: out('no json\\n')"
SHOUT = "out('x' * 50_000_000)"
SILENCE = "time.sleep(600)"
LEAVE = "sys.exit('I have had enough')"
GREED = "x = [bytearray(1 << 20) for _ in range(4000)]"
FORKS = """
say("here I go")
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
SHORT_LIVED_CHILDREN = """
while True:
    try:
        if not os.fork():
            time.sleep(0.5)
            os._exit(0)
    except OSError:
        try:
            os.waitpid(-1, os.WNOHANG)
        except OSError:
            pass
"""
THREADS = """
import threading
threading.stack_size(65536)
while True:
    try:
        threading.Thread(target=time.sleep, args=(600,)).start()
    except RuntimeError:
        time.sleep(600)
"""
A_CROWD_FOR_A_WHILE = """
children = []
try:
    while True:
        child = os.fork()
        if not child:
            time.sleep(600)
        children.append(child)
except OSError:
    pass
time.sleep(2)
for child in children:
    os.kill(child, 9)
    os.waitpid(child, 0)
time.sleep(2)
say("back to work")
"""
FILL_MEMORY_FOLDERS = """
for folder in ("/tmp", os.environ["HOME"]):
    try:
        with open(folder + "/x", "wb") as file:
            while True:
                file.write(b"x" * (1 << 20))
    except OSError as error:
        say(f"{folder} {error.errno}; ")
"""
FILL_GROUP_FOLDER = """
number = 0
while True:
    number += 1
    with open(f"/workspace/group/{number}", "wb") as file:
        file.write(b"x" * (1 << 20))
    time.sleep(0.005)
"""
FILL_WITHOUT_NAMES = """
import mmap
held, number = [], 0
while True:
    number += 1
    path = f"/workspace/group/{number}"
    file = open(path, "w+b")
    file.write(b"x" * (1 << 20))
    file.flush()
    os.unlink(path)
    held.append(file if number % 2 else mmap.mmap(file.fileno(), 1 << 20))
    time.sleep(0.01)
"""
ONE_LARGE_FILE = """
try:
    with open("/workspace/group/x", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
except OSError as error:
    say(f"{error.errno} {os.path.getsize('/workspace/group/x')}")
os.unlink("/workspace/group/x")
"""
MANY_CALLERS = """
kept, counts = [], {}
for name in sorted(os.listdir(SOCKETS)):
    counts[name] = 0
    for _ in range(1000):
        try:
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            one.connect(SOCKETS + "/" + name)
            kept.append(one)
            counts[name] += 1
        except OSError:
            one.close()
say(json.dumps(counts))
time.sleep(1)
"""
MANY_TOOLS = """
server = socket.socket(socket.AF_UNIX)
server.connect(SOCKETS + "/tools.sock")
file = server.makefile("rwb")
def ask(id, method, **params):
    file.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode() + b"\\n")
ask(0, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "x", "version": "1"})
file.flush()
file.readline()
for id in range(1, 1001):
    ask(id, "tools/call", name="demarch_next_work", arguments={})
refused = 0
try:
    file.flush()
    for _ in range(1000):
        refused += b"Too many calls" in file.readline()
except OSError as error:
    say(str(error))
say(str(refused))
"""


def hostile(image: str, deed: str) -> Runtime:
    indented = "\n".join(f"    {line}" for line in deed.strip().splitlines())
    return Runtime(name="hostile", image=image, command=("python3", "-c", _AGENT % indented))
