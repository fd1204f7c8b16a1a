"""The core of HANet: needs torch, numpy and safetensors, nothing else."""
