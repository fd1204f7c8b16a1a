"""From the frames of a video to refined poses."""
