# Copyright (c) hanet_mm contributors. All rights reserved.
"""Make a checkpoint to train on with toes and heels from one without.

python tools/misc/add_keypoints.py coco17-2d coco_wholebody_body \\
    data/initial/body23-2d.pth

The network keeps what it knows of its own keypoints. A toe or heel begins as a
second ankle of its side: outputs are copies of the ankle's, inputs count for
nothing yet. For load_from of a config.
"""

from typing import Dict, Sequence

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import argparse
    import sys

    import torch
    from torch import Tensor

    from hanet_mm import load_refiner
    from hanet_mm.core.data.atomic import atomic_path
    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.poses.skeleton import plain_name
    from hanet_mm.core.poses.skeleton_data import find_skeleton

# Inputs of these layers: numbers before the keypoints, and what there is of
# the keypoints, all coordinates ('C') or one number each ('K'), in order.
_INPUTS = {
    'backbone.embed.weight': 'CCCCCK',
    'head.embed.weight': 'CCK',
    'head.memory.weight': 'CCC',
}
# Outputs: by the end of their names.
_OUTPUTS = {
    'C': ('head.refine', 'head.output', '_velocity', 'acceleration'),
    'K': ('smoother', 'precision', 'swap', 'head.error'),
}


def add_keypoints(
    weights: Dict[str, Tensor],
    coord_dims: int,
    source: Sequence[str],
    target: Sequence[str],
) -> Dict[str, Tensor]:
    """Weights of a network with the keypoints ``target``.

    Args:
        weights (Dict[str, Tensor]): Of a :class:`HANetNetwork` with scores,
            flow and neighbours.
        coord_dims (int): D.
        source (Sequence[str]): Names of its keypoints.
        target (Sequence[str]): Names wanted: those of the source, and toes
            and heels.

    Returns:
        Dict[str, Tensor]: Weights by the same names.

    Raises:
        ValueError: If a keypoint is neither known nor part of a foot.
    """
    known = [plain_name(name) for name in source]
    lead, new = [], []
    for name in map(plain_name, target):
        leader = name
        if name not in known and name.endswith(('_toe', '_heel')):
            leader = f'{name.partition("_")[0]}_ankle'
        if leader not in known:
            raise ValueError(
                f'target: expected keypoints of the refiner, toes and heels, '
                f'found {name!r}'
            )
        lead.append(known.index(leader))
        new.append(name not in known)
    rows = {
        'K': torch.tensor(lead),
        'C': (
            torch.tensor(lead)[:, None] * coord_dims + torch.arange(coord_dims)
        ).flatten(),
    }
    unused = {
        'K': torch.tensor(new),
        'C': torch.tensor(new).repeat_interleave(coord_dims),
    }
    sizes = {'K': len(source), 'C': len(source) * coord_dims}
    result = {}
    for name, value in weights.items():
        for kind, ends in _OUTPUTS.items():
            if any(end in name for end in ends) and len(value) == sizes[kind]:
                value = value[rows[kind]]
        if name in _INPUTS:
            kinds = _INPUTS[name]
            before = value.shape[1] - sum(sizes[kind] for kind in kinds)
            parts = list(
                value.split([before, *(sizes[kind] for kind in kinds)], 1)
            )
            for i, kind in enumerate(kinds, start=1):
                parts[i] = parts[i][:, rows[kind]]
                parts[i][:, unused[kind]] = 0
            value = torch.cat(parts, 1)
        result[name] = value
    return result


def convert(refiner: PathLike, skeleton: str, out: PathLike) -> str:
    """Write the checkpoint; returns what was done."""
    loaded = load_refiner(refiner)
    names = find_skeleton(skeleton).keypoint_names
    network = loaded.config['network']
    weights = add_keypoints(
        loaded.network.state_dict(),
        network['head']['coord_dims'],
        loaded.config['keypoint_names'],
        names,
    )
    with atomic_path(out) as temporary:
        torch.save(dict(state_dict=weights), temporary)
    return f'{out}: {len(names)} keypoints\n'


def main() -> None:
    """Run the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('refiner', help='name or file of a refiner')
    parser.add_argument('skeleton', help='name of the skeleton, or JSON')
    parser.add_argument('out', help='the .pth to write')
    args = parser.parse_args()
    try:
        note = convert(args.refiner, args.skeleton, args.out)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    sys.stdout.write(note)


if __name__ == '__main__':
    with one_line_interrupts():
        main()
