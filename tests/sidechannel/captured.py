"""What was captured on the wire from a peer of the original."""

import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "captured.json").read_text())
SECRET = bytes.fromhex(VECTORS["keypair"]["secretKey"])
