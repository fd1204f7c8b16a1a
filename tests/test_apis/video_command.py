# Copyright (c) hanet_mm contributors. All rights reserved.
"""The command with an inferencer that needs no models."""

import argparse
import json

import cv2
from blob_world import (
    BlobInferencer,
    walk,
    write_video,
)

from hanet_mm.apis.commands import video


def make_command(monkeypatch, tmp_path):
    """Run the subcommand in a folder of its own."""
    made = []

    def make_inferencer(args):
        made.append(args)
        return BlobInferencer()

    monkeypatch.setattr(video, 'make_inferencer', make_inferencer)
    monkeypatch.chdir(tmp_path)

    def run(*args, verbose=False):
        parser = argparse.ArgumentParser()
        video.add_parser(parser.add_subparsers())
        words = ['video', *map(str, args), '--no-refine']
        parsed = parser.parse_args(words, argparse.Namespace(verbose=verbose))
        return parsed.run(parsed)

    run.made = made
    return run


def frames_in(path):
    return [x['frame_id'] for x in json.loads(path.read_text())]


def count_frames(path):
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    return count


def names(folder):
    return sorted(x.name for x in folder.iterdir())


def make_folder(tmp_path):
    """Two videos and a file that is none."""
    path = tmp_path / 'clips'
    path.mkdir()
    write_video(path / 'a.avi', walk(5))
    (path / 'b.mp4').write_bytes(b'no video')
    write_video(path / 'c.avi', walk(6))
    return path
