"""The reference of the JSON API, written from the same OpenAPI description that the server gives."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from broadsheet.web import api, coverage_api


def _type(schema: dict[str, Any]) -> str:
    """``schema`` as a word or two: ``text``, ``list of Item``, ``number 1-100``."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case "integer":
            low, high = schema.get("minimum"), schema.get("maximum")
            return "number" if low is None else f"number {low:,} to {high:,}"
        case "string":
            longest = schema.get("maxLength")
            return f"text of at most {longest:,} characters" if longest else "text"
    return {"boolean": "true or false", "null": "null", "object": "object"}.get(
        schema.get("type", ""), "anything"
    )


def _first_line(text: str) -> str:
    return text.replace("``", "`").replace("\n", " ").strip()


def _operation(path: str, operation: dict[str, Any]) -> list[str]:
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    lines = [f"## GET {path}", "", f"{operation['summary']}. {operation['description']}", ""]
    if parameters := operation.get("parameters"):
        lines += ["| parameter | value | default | meaning |", "|---|---|---|---|"]
        for parameter in parameters:
            schema = parameter["schema"]
            default = schema.get("default")
            shown = (
                f"`{default}`" if default not in (None, "") else "required" if parameter["required"] else ""
            )
            meaning = parameter.get("description", "")
            lines.append(f"| `{parameter['name']}` | {_type(schema)} | {shown} | {meaning} |")
        lines.append("")
    return [*lines, f"Answer: {_type(answer)}.", ""]


def _shape(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", "", _first_line(schema.get("description", "")), ""]
    lines += ["| field | value | always there |", "|---|---|---|"]
    required = set(schema.get("required", ()))
    for field, value in schema.get("properties", {}).items():
        lines.append(f"| `{field}` | {_type(value)} | {'yes' if field in required else 'where known'} |")
    return [*lines, ""]


def api_page() -> str:
    """Every address of the API with its parameters, and the shape of every answer."""
    app = FastAPI()
    app.include_router(coverage_api.router)
    app.include_router(api.router)
    described = app.openapi()
    lines = [
        "A description for programs is served at `/api/openapi.json`. How to use the API is told in",
        "[api.md](api.md).",
        "",
    ]
    for path, operations in described["paths"].items():
        lines += _operation(path, operations["get"])
    lines += ["## Shapes", ""]
    for name, schema in described["components"]["schemas"].items():
        lines += _shape(name, schema)
    return "\n".join(lines).rstrip() + "\n"
