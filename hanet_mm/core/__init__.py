# Copyright (c) hanet_mm contributors. All rights reserved.
"""The core of HANet: needs torch, numpy and safetensors, nothing else."""
