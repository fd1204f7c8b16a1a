# Copyright (c) hanet_mm contributors. All rights reserved.
"""Unpack a file of the flat layout into a folder that is read from disk.

python tools/dataset_converters/npz_to_folder.py \\
    data/aist/aist_spin_train.npz data/aist/aist_spin_train

The folder has an ``.npy`` file a key. Data sets do not load it into memory: it
is for splits of millions of frames. A run that was stopped resumes.
"""

from typing import List

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    from common import make_parser, run

    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.data.folders import unpack_npz
    from hanet_mm.core.data.sequences import load_pose_sequences


def convert_to_folder(path: PathLike, out: PathLike) -> List[str]:
    """Unpack a file and check the values in the folder."""
    seqs = load_pose_sequences(unpack_npz(path, out), allow_empty=True)
    return [f'{len(seqs)} sequences, {len(seqs.scores)} frames -> {out}']


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('path', help='flat .npz')
    parser.add_argument('out', help='folder to make')
    run(convert_to_folder, parser)


if __name__ == '__main__':
    main()
