"""What a run needs and MMEngine lacks."""

from .safe_globals import register_safe_globals

register_safe_globals()
