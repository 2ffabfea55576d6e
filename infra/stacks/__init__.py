"""The stacks, from the ground up: images, network, data, service, observability."""
