"""The database of a sandbox: opened, created, and filled with its seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from talon_one.sandbox.seeds.apply import plant
from talon_one.sandbox.state.opening import DatabaseError, OpenDatabase, explained
from talon_one.sandbox.state.state import State
from talon_one.sandbox.state.tables import VERSION
from talon_one.sandbox.world import World

# Marks the credentials that a sandbox installs when it starts; they replace those of before.
_OWN: Final = {"own": True}


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The keys and the secret that a sandbox accepts for its first Application.

    An empty secret stands for the one of the seed.
    """

    api_key: str
    management_key: str
    application_secret: str


class Database:
    """One SQLite database, used by one thread at a time. A new file gets the seed.

    Args:
        path: File that keeps the state, or `IN_MEMORY`.
        world: Time and chance.
        seed: What is in a new database, as `seeds.prepare` returns it.
        credentials: Secrets that are valid from now on.

    Raises:
        DatabaseError: If the file cannot be used, or another version of the sandbox wrote it.
        SeedError: If no free code can be made for the seed.
    """

    def __init__(
        self, path: str, world: World, seed: Mapping[str, Any], credentials: Credentials
    ) -> None:
        self._file = OpenDatabase(path)
        self._connection = self._file.connection
        try:
            self.state: State = State(self._connection)
            self._world, self._seed, self._credentials = world, seed, credentials
            with explained(path), self.state.transaction():
                self._prepare()
                self._install()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the database; committed changes stay in its file."""
        self._file.close()

    def reset(self) -> None:
        """Have nothing but the seed and the credentials again, inside an open transaction."""
        self.state.clear()
        plant(self.state, self._world, self._seed)
        self._install()

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self.state.create()
            plant(self.state, self._world, self._seed)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise DatabaseError(
                f"the database has version {version} and this sandbox needs {VERSION}: "
                "start with a new file"
            )

    def _install(self) -> None:
        state, credentials = self.state, self._credentials
        state.delete_keys(_OWN)
        first = state.applications.first()
        if first is not None:
            state.add_key("integration", credentials.api_key, first["id"], _OWN)
            if credentials.application_secret:
                state.applications.save({**first, "_secret": credentials.application_secret})
        state.add_key("management", credentials.management_key, None, _OWN)
