"""The subcommands of ``hanet-mm``, one in each module."""
