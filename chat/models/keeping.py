"""How a row is saved without putting back what moves under it."""

from __future__ import annotations

from typing import Any

from django.db import models


def leaving_alone(row: models.Model, kwargs: dict[str, Any], *moving: str) -> dict[str, Any]:
    """Arguments of save() that never put back what moves under it: numbers that others have moved on since."""
    if row._state.adding or kwargs.get("update_fields") is not None:
        return kwargs
    fields = {field.name for field in row._meta.concrete_fields if not field.primary_key}
    return {**kwargs, "update_fields": fields - set(moving)}
