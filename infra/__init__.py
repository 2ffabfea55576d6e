"""Penny on AWS: stacks in CDK, checks before a deployment, sizes and prices. Knows Penny by its image only."""
