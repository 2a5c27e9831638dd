"""SQLite and the files on disk: everything that the server keeps."""
