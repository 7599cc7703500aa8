"""Ideas for ranking that were tried on the judged sets and dropped; docs/search.md has their figures.

Each program measures one idea on the sets, none of which it learns from:

    .venv/bin/python -m bench.ideas.NAME --among HOME

HOME holds the real papers, all encoded (bench.import_speed leaves one); it is read and not written to. What
is made on the way, homes and vectors, is kept in bench/out/ideas and used again.
"""
