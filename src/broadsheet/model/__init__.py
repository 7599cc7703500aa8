"""The five words as plain data: paper, listing, edition, reader, signal. No I/O, no framework."""
