"""Rendering an edition or a paper, and sending it: citations, Markdown, mail, feeds, print."""
