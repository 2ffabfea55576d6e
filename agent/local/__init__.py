"""The embedded language model: its file, the warm process that runs it, and the Model that speaks through it."""
