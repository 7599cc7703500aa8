"""One Broadsheet home, opened: its settings, its store and its search engine."""

from __future__ import annotations

from pathlib import Path

from .config import Settings, load_settings
from .search import Engine
from .store import Store, StoreError


class Workspace:
    """The parts that the command line, the site and the background jobs work with."""

    def __init__(self, settings: Settings, store: Store, engine: Engine):
        self.home = settings.home
        self.settings = settings
        self.store = store
        self.engine = engine

    @classmethod
    def open(cls, home: Path | None = None) -> Workspace:
        """Opens ``home`` (default: see `config.load_settings`), making it as needed.

        Raises:
            StoreError: if the folder or the database cannot be used.
        """
        settings = load_settings(home)
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the home folder {settings.home} cannot be made: {error.strerror}; choose another"
            ) from error
        store = Store.open(settings.store_url)
        engine = Engine.open(settings.home, store, settings.encoder, settings.encoder_threads)
        return cls(settings, store, engine)

    def close(self) -> None:
        self.engine.close()
        self.store.close()
