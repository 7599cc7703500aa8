"""Editions as mail: rendered, signed, handed to the mail server, and what comes back of them."""
