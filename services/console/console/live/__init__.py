"""Pictures as they are recorded, and as they were: playlists over the recorder's own files."""
