"""Measurements, never tests: figures of this machine as ratios or beside a limit measured in the same run."""
