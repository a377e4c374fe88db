"""What the forms of a route take, said for openapi.json, by which tests try every form with bad content."""

from __future__ import annotations

from typing import Any


def form_fields(
    required: tuple[str, ...] = (), *, files: str = "", **fields: type[str] | type[int] | tuple[str, ...]
) -> dict[str, Any]:
    """`openapi_extra` of a route that takes a form: its fields with their type or their choices.

    `files` names the field that takes files; the form is then sent as multipart. The token is added.
    """
    properties: dict[str, Any] = {"csrf_token": {"type": "string"}}
    for name, kind in fields.items():
        if isinstance(kind, tuple):
            properties[name] = {"type": "string", "enum": list(kind)}
        else:
            properties[name] = {"type": "integer" if kind is int else "string"}
    media_type = "application/x-www-form-urlencoded"
    if files:
        media_type = "multipart/form-data"
        properties[files] = {"type": "array", "items": {"type": "string", "format": "binary"}}
    schema = {"type": "object", "properties": properties, "required": ["csrf_token", *required]}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
