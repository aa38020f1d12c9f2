"""Starts the agent of the runtime `local`: `python3 -I -S local_agent.py`, ACP on stdin and stdout."""

import sys

# Isolated mode leaves the script's own folder out of the search path.
sys.path.insert(0, __file__.rpartition("/")[0])

if __name__ == "__main__":
    # The package lies beside this file; where that is differs between image and checkout.
    __import__("local.serving", fromlist=["main"]).main()
