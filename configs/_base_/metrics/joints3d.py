# Of 3D joints, in mm, by the published protocol: prediction and truth each
# relative to its own root; tests measure the input, too. Under names of their
# own: one of the configs that take them has another base with metrics.
joint_metrics = [
    dict(type='SequenceMPJPE', alignment='root', unit_scale=1000),
    dict(type='SequenceMPJPE', alignment='similarity', unit_scale=1000),
    dict(type='AccelError', alignment='root', unit_scale=1000),
]
joint_metrics_of_test = [
    *joint_metrics,
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
