"""Writes what the page takes from the Python side; a test compares both.

- studio/src/client.ts: the JavaScript client, from the server's OpenAPI document
- signloom/web/static/holistic.header: what a `.pose` file of the page begins with

`python studio/generate.py`, then `npm run build` in studio/.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC
from signloom.pose.files import write_pose
from signloom.pose.header import check_header
from signloom.web.models import Models
from signloom.web.server import build

STUDIO = Path(__file__).parent
STATIC = STUDIO.parent / "signloom" / "web" / "static"
RATE_FRAMES_PEOPLE = 10
"""Bytes between the header and the points."""
WIDTH = 110

OPENING = """\
// A client of the HTTP API of `signloom serve`. Written by studio/generate.py from the server's OpenAPI
// document; do not edit. The studio page uses it, and so can a program, in a browser or in Node.

/** A request that was not served: its status (0: no answer), one word for programs, and the reason. */
export class Refused extends Error {
  constructor(readonly status: number, readonly kind: string, detail: string) { super(detail); }
}
"""
CLASS = """\
/** A name as a part of an address; that of a model may have slashes. */
function within(name: string): string { return name.split("/").map(encodeURIComponent).join("/"); }

export class Client {
  /** base: the server's address with a slash behind it; "" for the server of this page. */
  constructor(readonly base = "", readonly token: string | null = null) {}

  /** Any request; throws Refused. */
  async request(method: string, path: string, form?: object, query?: object): Promise<Response> {
    const url = new URLSearchParams(), body = new FormData();
    for (const [into, values] of [[url, query], [body, form]] as const) {
      for (const [name, value] of Object.entries(values ?? {})) {
        if (value === null || value === undefined) continue;
        if (value instanceof Blob && into instanceof FormData) into.set(name, value);
        else into.set(name, String(value));
      }
    }
    const keepalive = method === "DELETE"; // a page forgets its job while it is being closed
    const headers: HeadersInit = this.token ? { authorization: `Bearer ${this.token}` } : {};
    const asked = this.base + path + (url.size ? `?${url}` : "");
    let answer: Response;
    try { answer = await fetch(asked, { method, headers, keepalive, body: form ? body : undefined }); } catch {
      throw new Refused(0, "gone", "the server cannot be reached; is it still running?");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({ kind: "failed", detail: answer.statusText }));
    throw new Refused(answer.status, String(said.kind), String(said.detail));
  }
"""


def client(document: Mapping[str, Any]) -> str:
    """The client in TypeScript: an interface for each schema, a method for each operation."""
    schemas = document["components"]["schemas"]
    told = {name: s for name, s in schemas.items() if _used(name)}
    interfaces = [_interface(name, schema) for name, schema in sorted(told.items())]
    methods = [
        _method(path, verb, operation, schemas)
        for path, operations in document["paths"].items()
        for verb, operation in operations.items()
    ]
    return "\n".join([OPENING, *interfaces, CLASS, *methods]).rstrip() + "\n}\n"


def _used(name: str) -> bool:
    """Whether an answer is made of it; forms are written where they are asked for."""
    return not name.startswith("Body_") and name not in ("HTTPValidationError", "ValidationError")


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    lines = [_comment(schema.get("description"), ""), f"export interface {name} {{"]
    for field, of in schema.get("properties", {}).items():
        lines.append(_comment(of.get("description"), "  "))
        lines.append(f"  {field}{_mark(field, schema)}: {_type(of)};")
    return "\n".join(line for line in (*lines, "}") if line) + "\n"


def _method(path: str, verb: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    name = operation["operationId"].removesuffix(re.sub(r"\W", "_", path) + f"_{verb}")
    asked = operation.get("parameters", [])
    inside = [p for p in asked if p["in"] == "path"]
    arguments = [f"{p['name']}: {_type(p['schema'])}" for p in inside]
    given = ["form", "query"]
    form = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data")
    if form is not None:
        schema = schemas[form["schema"]["$ref"].rpartition("/")[2]]
        fields = [f"{f}{_mark(f, schema)}: {_type(s)}" for f, s in schema["properties"].items()]
        arguments.append(f"form: {_record(fields)}")
    else:
        given[0] = "undefined"
    query = [p for p in asked if p["in"] == "query"]
    if query:
        fields = [f"{p['name']}{'' if p['required'] else '?'}: {_type(p['schema'])}" for p in query]
        every = any(p["required"] for p in query)
        arguments.append(f"query: {_record(fields)}" + ("" if every else " = {}"))
    else:
        given.pop()
    while given and given[-1] == "undefined":
        given.pop()
    of = {p["name"] for p in inside}
    where = re.sub(
        r"\{(\w+)\}",
        lambda m: f"${{within({m[1]})}}" if m[1] in of else m[0],
        path.removeprefix("/"),
    )
    where = f"`{where}`" if of else json.dumps(where)
    call = f"this.request({', '.join([json.dumps(verb.upper()), where, *given])})"
    returns, body = "Response", f"    return {call};"
    for status in ("200", "202"):
        content = operation["responses"].get(status, {}).get("content", {})
        if "application/json" in content:
            returns = _type(content["application/json"].get("schema", {}))
            body = f"    return (await {call}).json();"
            break
    if returns in ("unknown", "Response"):
        returns, body = "Response", f"    return {call};"
    comment = _comment(operation.get("summary"), "  ")
    signature = f"  async {name}({', '.join(arguments)}): Promise<{returns}> {{"
    return "\n".join([comment, signature, body, "  }\n"])


def _record(fields: list[str]) -> str:
    one = f"{{ {'; '.join(fields)} }}"
    if len(one) < WIDTH // 2:
        return one
    return "{\n" + "".join(f"    {field};\n" for field in fields) + "  }"


def _mark(field: str, schema: Mapping[str, Any]) -> str:
    return "" if field in schema.get("required", []) else "?"


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema as a TypeScript type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(json.dumps(value) for value in values)
    kind = schema.get("type")
    if kind == "string":
        binary = schema.get("format") == "binary" or "contentMediaType" in schema
        return "File" if binary else "string"
    if kind == "array" and "prefixItems" in schema:
        return f"[{', '.join(_type(each) for each in schema['prefixItems'])}]"
    if kind == "array":
        item = _type(schema["items"])
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    plain = {"integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
    return plain.get(str(kind), "unknown")


def _comment(text: str | None, indent: str) -> str:
    return f"{indent}/** {' '.join(text.split())} */" if text else ""


def header() -> bytes:
    """The header of a `.pose` file of layout `holistic`, for a picture of 1 × 1."""
    shape = (1, len(HOLISTIC))
    clip = PoseClip(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), 25.0, HOLISTIC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.pose"
        write_pose(clip, path)
        with path.open("rb") as file:
            body = check_header(file, path).body
        return path.read_bytes()[: body - RATE_FRAMES_PEOPLE]


def written() -> dict[Path, bytes]:
    """Each file and what stands in it."""
    source = client(build(Models([])).openapi())
    return {
        STUDIO / "src" / "client.ts": source.encode(),
        STATIC / "holistic.header": header(),
    }


if __name__ == "__main__":
    for path, data in written().items():
        path.write_bytes(data)
