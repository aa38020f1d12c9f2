"""What is asked of the engine while images are made: build, pull, remove. All of it blocks."""

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from container.context import Entry, pack
from container.recipes import is_ours
from container.sandbox import ImageMissing

if TYPE_CHECKING:
    from docker import APIClient

USUAL_BASE = "python:3.12-slim"
LABEL = "io.intercom.image"  #: "agent", or "layer" for what agents' images stand on
VERSION_LABEL = "io.intercom.version"
RUNTIME_LABEL = "io.intercom.runtime"
NO_TAG = "<none>:<none>"
IN_MEMORY = 8 * 1024 * 1024  #: a larger archive goes to a file

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    tag: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def build(client: "APIClient", order: Order, entries: Iterable[Entry], progress: Progress) -> None:
    """Build without a network. Raises ImageMissing."""
    progress(f"Building the image {order.tag} …")
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as packed:
        pack(entries, packed)
        said = client.build(
            fileobj=packed,
            custom_context=True,
            tag=order.tag,
            buildargs=dict(order.arguments),
            labels=dict(order.labels),
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
        )
        for row in said:
            if "error" in row:
                reason = " ".join(str(row["error"]).split())[:300]
                raise ImageMissing(f"The image could not be built: {reason}")
            step = re.match(r"Step (\d+/\d+) : (\w+)", str(row.get("stream", "")))
            if step:
                progress(f"Image: step {step[1]} ({step[2]}) …")


def ask_registry(client: "APIClient") -> None:
    client.inspect_distribution(USUAL_BASE)  # type: ignore[no-untyped-call]


def pull(client: "APIClient", progress: Progress) -> None:
    """Pull with the layers counted; what the engine says about addresses is left out."""
    layers: dict[str, bool] = {}
    told = -1
    repository, tag = USUAL_BASE.split(":")
    for row in client.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in row:
            raise ImageMissing(f"{USUAL_BASE} could not be pulled.")
        if row.get("id") and "progressDetail" in row:
            layers[row["id"]] = row.get("status") in {"Pull complete", "Already exists"}
        done = sum(layers.values())
        if layers and done != told:
            told = done
            progress(f"Pulling {USUAL_BASE}: {done} of {len(layers)} layers …")


def labelled(client: "APIClient", kind: str) -> list[dict[str, Any]]:
    """Our images of one kind, as the engine lists them."""
    return list(client.images(filters={"label": f"{LABEL}={kind}"}))


def tags(row: Mapping[str, Any]) -> list[str]:
    """Our tags of a listed image; one whose tag another took has none."""
    return [tag for tag in _all_tags(row) if is_ours(tag)]


def names(row: Mapping[str, Any]) -> list[str]:
    """What a listed image can be removed by; nothing when it is somebody's own that stands on ours."""
    return tags(row) if _all_tags(row) else [str(row["Id"])]


def _all_tags(row: Mapping[str, Any]) -> list[str]:
    return [tag for tag in row.get("RepoTags") or () if tag != NO_TAG]


def remove(client: "APIClient", name: str) -> bool:
    from docker import errors

    try:
        client.remove_image(name)
    except errors.APIError:  # a container uses it
        return False
    return True
