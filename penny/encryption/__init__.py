"""What users' keys are wrapped by: a key of AWS KMS, or one in a file."""
