# 3D joints in metres, relative to the root of each frame; errors in mm, by
# the published protocol: prediction and truth each relative to its own root.
_base_ = ['pose_sequence.py']

val_evaluator = [
    dict(type='SequenceMPJPE', alignment='root', unit_scale=1000),
    dict(type='SequenceMPJPE', alignment='similarity', unit_scale=1000),
    dict(type='AccelError', alignment='root', unit_scale=1000),
]
test_evaluator = [
    *val_evaluator,
    dict(
        type='SequenceMPJPE',
        alignment='root',
        unit_scale=1000,
        source='input',
    ),
    dict(
        type='SequenceMPJPE',
        alignment='similarity',
        unit_scale=1000,
        source='input',
    ),
    dict(type='AccelError', alignment='root', unit_scale=1000, source='input'),
]
