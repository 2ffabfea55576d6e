"""What the model may call: read tools, write tools that make proposals, the catalog, and the words people use."""
