# Of 2D keypoints; tests measure the input, too.
val_evaluator = [
    dict(type='PoseSequencePCK'),
    dict(type='SequenceMPJPE'),
    dict(type='AccelError'),
]
test_evaluator = [
    *val_evaluator,
    dict(type='PoseSequencePCK', source='input'),
    dict(type='SequenceMPJPE', source='input'),
    dict(type='AccelError', source='input'),
]
