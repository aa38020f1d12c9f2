"""`/openapi.json`: the interface as OpenAPI 3.1, made from the very tables that serve it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from pydantic_core import to_json

from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request, Socket
from intermute.http.shapes import REFUSALS, WORDS, Refusal

REF = "#/components/schemas/{model}"

_PARAMETER = re.compile(r"\{(\w+)[^}]*\}")
_Key = tuple[str, str]


class Document:
    """Built when it is first asked for, off the loop, and kept."""

    def __init__(self) -> None:
        self._rows: Sequence[AnyEndpoint] = ()
        self._sockets: Sequence[Socket] = ()
        self._bytes = b""
        self._building = asyncio.Lock()

    def describe(self, endpoints: Sequence[AnyEndpoint], sockets: Sequence[Socket]) -> None:
        """What the document is to be about."""
        self._rows, self._sockets = endpoints, sockets

    async def bytes(self) -> bytes:
        async with self._building:
            if not self._bytes:
                built = await asyncio.to_thread(build, self._rows, self._sockets)
                self._bytes = to_json(built) + b"\n"
            return self._bytes

    def endpoints(self) -> Sequence[AnyEndpoint]:
        async def read(_request: Request[Any, Any]) -> Reply:
            return Reply(body=await self.bytes())

        return [
            Endpoint(
                method="GET",
                path="/openapi.json",
                summary="This document",
                tag="service",
                run=read,
                query=Nothing,
                body=Nothing,
                replies={200: dict[str, Any]},
                open=True,
            )
        ]


def build(endpoints: Sequence[AnyEndpoint], sockets: Sequence[Socket]) -> dict[str, Any]:
    """The document as a JSON value."""
    schemas, definitions = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas, definitions)
        paths.setdefault(_plain(endpoint.path), {})[endpoint.method.lower()] = operation
    for socket in sockets:
        paths.setdefault(_plain(socket.path), {})["get"] = _socket(socket)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "intermute",
            "version": "1",
            "description": "Coordination of agents that work on the same project.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A project's key."},
            },
        },
        # A program on the same machine needs no key.
        "security": [{"key": []}, {}],
    }


def _schemas(endpoints: Sequence[AnyEndpoint]) -> tuple[Mapping[Any, Any], dict[str, Any]]:
    """Every type once: references by type and direction, and what they refer to."""
    answers = _distinct([Refusal, *(reply for row in endpoints for reply in row.replies.values())])
    bodies = _distinct([row.body for row in endpoints])
    inputs: list[tuple[_Key, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((_key(kind), "serialization", TypeAdapter(kind)) for kind in answers),
        *((_key(kind), "validation", TypeAdapter(kind)) for kind in bodies),
    ]
    schemas, rest = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return schemas, rest.get("$defs", {})


def _distinct(kinds: Sequence[Any]) -> list[Any]:
    return list({_key(kind): kind for kind in kinds if kind not in (None, Nothing)}.values())


def _key(kind: Any) -> _Key:
    return getattr(kind, "__module__", ""), getattr(kind, "__qualname__", "") + repr(kind)


def _operation(
    endpoint: AnyEndpoint, schemas: Mapping[Any, Any], definitions: Mapping[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.body is not Nothing:
        content = {
            "application/json": {"schema": _nullable(schemas[_key(endpoint.body), "validation"], definitions)}
        }
        operation["requestBody"] = {"required": not endpoint.body_optional, "content": content}
    if endpoint.open:
        operation["security"] = []
    else:
        operation["parameters"] += [_AGENT, _TOKEN]
    return operation


_AGENT = {
    "name": "X-Agent-ID",
    "in": "header",
    "required": False,
    "description": "The agent that asks.",
    "schema": {"type": "string", "maxLength": 200},
}
_TOKEN = {
    "name": "X-Agent-Token",
    "in": "header",
    "required": False,
    "description": "Proves that the caller is that agent.",
    "schema": {"type": "string", "maxLength": 200},
}


def _responses(endpoint: AnyEndpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for number in (*REFUSALS, *endpoint.errors):
        responses[str(number)] = _response(WORDS[number], schemas[_key(Refusal), "serialization"])
    for number, shape in endpoint.replies.items():
        words = WORDS.get(number, "Done")
        schema = None if shape is None else schemas[_key(shape), "serialization"]
        responses[str(number)] = _response(words, schema, endpoint.media)
        if endpoint.stream:
            responses[str(number)]["content"][endpoint.stream] = {"schema": {"type": "string"}}
    return dict(sorted(responses.items()))


def _response(words: str, schema: Any, media: str = "application/json") -> dict[str, Any]:
    return (
        {"description": words}
        if schema is None
        else {
            "description": words,
            "content": {media.partition(";")[0]: {"schema": schema}},
        }
    )


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 1000}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema} for name in _PARAMETER.findall(path)
    ]


def _query_parameters(query: type[Given]) -> list[dict[str, Any]]:
    if query is Nothing:
        return []
    # Parameters are written out one by one, so the model's own schema is needed and not a reference to it.
    schema = query.model_json_schema(mode="validation", ref_template=REF)
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _untitled(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _nullable(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A body as it is read: a member that may be left out may be null as well."""
    found = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    required = found.get("required", ())
    members = {
        name: member if name in required else {"anyOf": [member, {"type": "null"}]}
        for name, member in found.get("properties", {}).items()
    }
    return {**found, "properties": members}


def _untitled(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}


def _socket(socket: Socket) -> dict[str, Any]:
    return {
        "operationId": _words("get", socket.path),
        "summary": socket.summary,
        "tags": ["live"],
        "parameters": [*_path_parameters(socket.path), *_query_parameters(socket.query), _AGENT, _TOKEN],
        "responses": {
            "101": {"description": "The connection becomes a WebSocket."},
            **{
                str(number): {"description": WORDS[number], "content": {"application/json": {"schema": {}}}}
                for number in (400, 401, 403, 429, 503)
            },
        },
    }


def _plain(path: str) -> str:
    return _PARAMETER.sub(r"{\1}", path)


def _operation_id(endpoint: AnyEndpoint) -> str:
    return _words(endpoint.method.lower(), endpoint.path)


def _words(method: str, path: str) -> str:
    return "_".join([method, *re.findall(r"\w+", _plain(path).removeprefix("/api"))])
