"""The agent: the graph, the models it may use, the run that turns the graph's stream into events, and its runner."""
