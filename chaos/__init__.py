"""Breaks a real site at random while people write, and checks that nothing was lost, doubled or reordered."""
