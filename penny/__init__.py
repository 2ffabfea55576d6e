"""The shell: settings, the composition root that wires everything once, and the command line."""
