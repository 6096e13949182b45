"""The promises as figures: what `python -m bench.measures` measures, and the table in docs/guarantees.md."""
