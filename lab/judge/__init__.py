"""A model that marks how replies are said, held against examples that people marked. It never judges figures."""
