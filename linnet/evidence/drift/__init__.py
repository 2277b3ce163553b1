"""Has something changed? Alarms on a stream, with a stated time to a false one; with and without labels."""
