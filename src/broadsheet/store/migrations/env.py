"""Runs the migrations on the connection that `store.connection.migrate` gives."""

from alembic import context

from broadsheet.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
