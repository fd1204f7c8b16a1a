# Copyright (c) hanet_mm contributors. All rights reserved.
"""How ``setup_env.py`` makes the environment; standard library only."""
