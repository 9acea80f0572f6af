"""What things are: clips, layouts, spans, cues, samples, the lexicon record. Imports nothing above it."""
