# Copyright (c) hanet_mm contributors. All rights reserved.
"""The subcommands of ``hanet-mm``, one in each module."""
