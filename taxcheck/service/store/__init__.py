"""The database and the files of the service; nothing here knows of HTTP."""
