"""The lab: programs around Penny that are not Penny; here, the Bedrock wire emulator."""
