"""How ``setup_env.py`` makes the environment; standard library only."""
