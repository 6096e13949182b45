"""What is measured, against whom, and the table: `make bench`."""
