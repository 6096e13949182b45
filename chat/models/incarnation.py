"""What the database was when it was last prepared: a copy of it is something else."""

from __future__ import annotations

from django.db import models


class Incarnation(models.Model):
    """One row. `identity` is that of the file, or of the tables, which a backup that is put back does not have."""

    identity = models.CharField(max_length=64)

    def __str__(self):
        return self.identity
