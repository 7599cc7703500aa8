"""The site: pages, JSON API, templates, static files."""
