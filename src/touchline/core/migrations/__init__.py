"""The steps from one shape of the database to the next, run by `core.db` when it opens."""
