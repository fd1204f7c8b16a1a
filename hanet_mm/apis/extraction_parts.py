"""Parts of an extraction that are kept until all are finished."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from hanet_mm.core.data.files import atomic_path
from hanet_mm.core.data.sequences import PoseSequences, flat_arrays

from .extraction_video import AnnotatedVideo


def parts_folder(out: Path) -> Path:
    """Where the parts of a file are kept."""
    return out.with_name(out.name + '.parts')


def claim_parts(
    out: Path, seqs: PoseSequences, request: Dict[str, Any]
) -> None:
    """Note what the parts are made of.

    Args:
        out: The file that they are for.
        seqs: The annotations.
        request: What else decides on the estimates, of what JSON can hold.

    Raises:
        ValueError: If there are parts of another run.
    """
    digest = hashlib.sha256()
    for key, value in sorted(flat_arrays(seqs).items()):
        if key not in ('keypoints_est', 'scores'):
            digest.update(f'{key} {value.dtype} {value.shape}'.encode())
            digest.update(np.ascontiguousarray(value).tobytes())
    text = json.dumps(
        dict(request, annotations=digest.hexdigest()), sort_keys=True
    )
    path = parts_folder(out) / 'request.json'
    if path.is_file():
        if path.read_text(encoding='utf-8') != text:
            raise ValueError(
                f'{parts_folder(out)}: made with other annotations or models; '
                'expected those of this run: remove the folder to start anew'
            )
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def remove_parts(out: Path, jobs: List[AnnotatedVideo]) -> None:
    """Remove them, and the folder unless others put files there."""
    for path in (*(x.part for x in jobs), parts_folder(out) / 'request.json'):
        path.unlink(missing_ok=True)
    if not any(parts_folder(out).iterdir()):
        parts_folder(out).rmdir()


def save_part(path: Path, arrays: Dict[str, np.ndarray]) -> None:
    """Write a part, whole or not at all."""
    with atomic_path(path) as temporary, open(temporary, 'wb') as file:
        np.savez(file, **arrays)
