"""Identifies the database that was seen last: a copy of it, or an older one, is something else."""

from __future__ import annotations

from django.db import models


class Incarnation(models.Model):
    """One row. `identity` is that of the mark beside the file, or of the tables (rooms/restored.py)."""

    identity = models.CharField(max_length=64)

    def __str__(self):
        return self.identity
