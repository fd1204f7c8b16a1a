"""From other people's pose files to the flat pickle-free layout."""
