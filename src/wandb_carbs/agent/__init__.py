"""The run of this process: its suggestion, and the record of how it went."""
