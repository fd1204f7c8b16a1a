# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseSequences: what it accepts, names in its errors, and keeps on disk."""

import dataclasses
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)

ARRAYS = [f.name for f in dataclasses.fields(PoseSequences)][:-2]


def make(lengths=(2, 3, 1), keypoints=4, **changes):
    """Sequences whose every value tells its place."""
    frames = sum(lengths)
    est = np.arange(frames * keypoints * 2.0).reshape(frames, keypoints, 2)
    fields = {
        'keypoints_est': est,
        'scores': np.full((frames, keypoints), 0.5),
        'seq_len': np.array(lengths),
        'seq_name': [f'clip{i}' for i in range(len(lengths))],
        'keypoints_gt': est + 0.25,
        'visible': np.ones((frames, keypoints)),
        'bboxes': np.tile([1.0, 2.0, 30.0, 40.0], (frames, 1)),
        'image_size': np.tile([320, 240], (len(lengths), 1)),
        'fps': np.full(len(lengths), 25.0),
        'meta': {'units': 'px', 'dataset': 'made up'},
    }
    fields.update(changes)
    return PoseSequences(**fields)


def changed(name, index, value):
    """Sequences with one value of one array replaced."""
    array = np.array(getattr(make(), name))
    array[index] = value
    return make(**{name: array})


def assert_same(first, second):
    for name in ARRAYS:
        a, b = getattr(first, name), getattr(second, name)
        if b is None:
            assert a is None
        else:
            np.testing.assert_array_equal(a, b)
            assert a.dtype.kind == b.dtype.kind
    assert first.meta == second.meta


def write(path, **changes):
    """Write the arrays of ``make()`` with changes, bypassing our checks."""
    seqs = make()
    arrays = {name: getattr(seqs, name) for name in ARRAYS}
    arrays['meta'] = np.array(json.dumps(seqs.meta))
    arrays.update(changes)
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def one_line(error):
    text = str(error.value)
    assert '\n' not in text
    return text


def test_types_and_starts():
    seqs = make()
    assert len(seqs) == 3
    assert seqs.starts.tolist() == [0, 2, 5]
    assert seqs.starts.dtype == seqs.seq_len.dtype == np.int64
    assert seqs.seq_name.dtype.kind == 'U'
    for name in set(ARRAYS) - {'seq_len', 'seq_name'}:
        assert getattr(seqs, name).dtype == np.float32
    assert 'keypoints_est=(6, 4, 2)' in repr(seqs)


def test_arrays_of_the_right_type_are_not_copied():
    est = np.zeros((6, 4, 2), np.float32)
    assert np.shares_memory(make(keypoints_est=est).keypoints_est, est)


def test_valid_is_false_for_nan_and_for_score_zero():
    est = np.zeros((6, 4, 2))
    est[0, 1, 1] = np.nan
    scores = np.ones((6, 4))
    scores[5, 3] = 0
    valid = make(keypoints_est=est, scores=scores).valid
    assert np.argwhere(~valid).tolist() == [[0, 1], [5, 3]]


@pytest.mark.parametrize(
    ('indices', 'order'),
    [
        ([2, 0], [2, 0]),
        (np.array([False, True, True]), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        ([1, 1], [1, 1]),
        ([-1], [2]),
    ],
)
def test_select_takes_whole_sequences_in_order(indices, order):
    seqs = make()
    chosen = seqs.select(indices)
    parts = [
        seqs.keypoints_est[seqs.starts[i] : seqs.starts[i] + seqs.seq_len[i]]
        for i in order
    ]
    np.testing.assert_array_equal(chosen.keypoints_est, np.concatenate(parts))
    assert chosen.seq_name.tolist() == [f'clip{i}' for i in order]
    assert chosen.seq_len.tolist() == [seqs.seq_len[i] for i in order]
    assert chosen.meta == seqs.meta


@pytest.mark.parametrize('indices', [[], np.zeros(3, bool), slice(0)])
def test_select_nothing_is_an_error(indices):
    with pytest.raises(ValueError, match='at least 1 sequence, found 0'):
        make().select(indices)


@given(st.permutations(range(5)), st.integers(1, 4))
def test_concatenate_undoes_select(order, cut):
    seqs = make(lengths=(1, 4, 2, 3, 1)).select(order)
    parts = [seqs.select(range(cut)), seqs.select(range(cut, 5))]
    assert_same(PoseSequences.concatenate(parts), seqs)


def test_concatenate_fills_visible_and_keeps_agreeing_meta():
    joined = PoseSequences.concatenate(
        [
            make(visible=None, meta={'units': 'px', 'split': 'a'}),
            make(visible=np.zeros((6, 4)), meta={'units': 'px', 'split': 'b'}),
        ]
    )
    assert joined.visible.mean() == 0.5
    assert joined.visible[:6].min() == 1
    assert joined.meta == {'units': 'px'}


@pytest.mark.parametrize(
    ('other', 'message'),
    [
        ({'fps': None}, 'fps is missing from part 1 of 2'),
        ({'keypoints': 5}, r'keypoints_est.*\(4, 2\) and \(5, 2\)'),
        ({'meta': {'units': 'm'}}, r"meta\['units'\] differs.*\"m\".*\"px\""),
    ],
)
def test_concatenate_refuses_what_does_not_fit(other, message):
    with pytest.raises(ValueError, match=message) as error:
        PoseSequences.concatenate([make(), make(**other)])
    one_line(error)


@pytest.mark.parametrize(
    ('build', 'parts'),
    [
        (
            lambda: changed('keypoints_est', (3, 2, 1), np.inf),
            [
                'keypoints_est',
                'inf',
                "'clip1' (index 1)",
                'frame 1',
                'point 2',
            ],
        ),
        (
            lambda: changed('keypoints_gt', (5, 0, 0), -np.inf),
            ['keypoints_gt', '-inf', "'clip2' (index 2)", 'frame 0'],
        ),
        (
            lambda: changed('bboxes', (1, 3), np.inf),
            ['bboxes', 'inf', "'clip0'", 'frame 1'],
        ),
        (
            lambda: changed('scores', (4, 1), np.inf),
            ['scores', 'inf', "'clip1'", 'frame 2', 'keypoint 1'],
        ),
        (lambda: changed('scores', (4, 1), np.nan), ['scores', 'nan']),
        (lambda: changed('scores', (4, 1), -0.5), ['scores', '-0.5', '>= 0']),
        (lambda: changed('visible', (0, 0), -1), ['visible', '-1.0']),
        (lambda: changed('fps', 1, np.inf), ['fps', 'inf', "'clip1'"]),
        (lambda: changed('fps', 1, 0), ['fps', '0.0', '> 0']),
        (
            lambda: changed('image_size', (2, 0), -3),
            ['image_size', '-3.0', "'clip2'"],
        ),
        (
            lambda: changed('bboxes', (5, 0), 31),
            ['bboxes', "'clip2'", 'frame 0', 'x1 <= x2'],
        ),
        (
            lambda: changed('keypoints_gt', (2, 3, 0), np.nan),
            ['keypoints_gt', "'clip1'", 'frame 0', 'visible 0', '1.0'],
        ),
        (
            lambda: changed('bboxes', (2, 0), np.nan),
            ['bboxes', "'clip1'", 'frame 0', 'expected a box'],
        ),
    ],
)
def test_a_wrong_value_is_named_by_field_sequence_and_frame(build, parts):
    with pytest.raises(ValueError, match=parts[0]) as error:
        build()
    text = one_line(error)
    for part in parts:
        assert part in text


def test_what_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match='keypoints_est: found inf'):
        make(keypoints_est=np.full((6, 4, 2), 1e300))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'keypoints_est': np.zeros((6, 8))}, r'keypoints_est.*\(6, 8\)'),
        (
            {'keypoints_est': np.zeros((5, 4, 2))},
            'seq_len: expected a sum of 5.*found 6',
        ),
        ({'scores': np.zeros((6, 3))}, r'scores.*\(6, 4\).*\(6, 3\)'),
        ({'keypoints_gt': np.zeros((6, 4, 3))}, r'keypoints_gt.*\(6, 4, 3\)'),
        ({'visible': np.zeros(6)}, r'visible.*\(6,\)'),
        ({'bboxes': np.zeros((6, 5))}, r'bboxes.*\(6, 4\).*\(6, 5\)'),
        ({'image_size': [320, 240]}, r'image_size.*\(3, 2\).*\(2,\)'),
        ({'fps': [25.0]}, r'fps.*\(3,\).*\(1,\)'),
        ({'seq_name': ['a', 'b']}, 'seq_name: expected 3 names'),
        ({'seq_len': [2.0, 3.0, 1.0]}, 'seq_len: expected integers'),
        ({'seq_len': [5, 0, 1]}, r"seq_len.*'clip1' \(index 1\) is empty"),
        ({'seq_len': np.zeros(0, int), 'seq_name': []}, r'S >= 1.*\(0,\)'),
        ({'scores': 'abc'}, 'scores: expected numbers'),
        ({'meta': {'keypoint_names': ['a']}}, 'expected 4 names.*found 1'),
    ],
)
def test_a_wrong_shape_is_named_with_expected_and_found(changes, message):
    with pytest.raises(ValueError, match=message) as error:
        make(**changes)
    one_line(error)


def test_nan_truth_makes_visible_zero_where_it_is_not_given():
    truth = np.zeros((6, 4, 2))
    truth[3, 1, 0] = np.nan
    seqs = make(keypoints_gt=truth, visible=None)
    assert np.argwhere(seqs.visible == 0).tolist() == [[3, 1]]
    assert make(visible=None).visible is None


def test_a_frame_without_annotation_needs_no_box():
    truth, boxes = np.zeros((6, 4, 2)), np.zeros((6, 4))
    truth[3], boxes[3] = np.nan, np.nan
    make(keypoints_gt=truth, visible=None, bboxes=boxes)


@pytest.mark.parametrize('missing', ['nan', 'score'])
def test_a_person_that_is_missing_throughout_is_named(missing):
    seqs = make()
    est, scores = seqs.keypoints_est.copy(), seqs.scores.copy()
    if missing == 'nan':
        est[2:5, :, 1] = np.nan
    else:
        scores[2:5] = 0
    seqs = make(keypoints_est=est, scores=scores)
    with pytest.raises(ValueError, match='keypoints_est') as error:
        seqs.check_estimates()
    assert "'clip1' (index 1)" in one_line(error)
    # one keypoint in one frame is enough
    scores[3, 0] = est[3, 0, 1] = 1
    make(keypoints_est=est, scores=scores).check_estimates()


names = st.text(
    st.characters(exclude_categories=('Cs',), exclude_characters='\0'),
    max_size=8,
)


@st.composite
def pose_sequences(draw):
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    frames, k, d = (
        sum(lengths),
        draw(st.integers(1, 3)),
        draw(st.integers(1, 3)),
    )
    numbers = st.floats(width=32, allow_infinity=False)
    est = draw(hnp.arrays(np.float32, (frames, k, d), elements=numbers))
    est[np.cumsum(lengths) - 1, 0] = 0  # nobody is missing throughout
    scores = draw(
        hnp.arrays(np.float32, (frames, k), elements=st.floats(0, 1, width=32))
    )
    scores[np.cumsum(lengths) - 1, 0] = 1
    truth = draw(
        st.none() | hnp.arrays(np.float32, (frames, k, d), elements=numbers)
    )
    return PoseSequences(
        keypoints_est=est,
        scores=scores,
        seq_len=lengths,
        seq_name=draw(
            st.lists(names, min_size=len(lengths), max_size=len(lengths))
        ),
        keypoints_gt=truth,
        meta=draw(
            st.dictionaries(
                names, st.integers() | names | st.none(), max_size=3
            )
        ),
    )


@settings(max_examples=60, deadline=None)
@given(seqs=pose_sequences())
def test_save_and_load_give_the_same_back(seqs, tmp_path_factory):
    path = tmp_path_factory.mktemp('round') / 'trip.npz'
    save_pose_sequences(path, seqs)
    assert_same(load_pose_sequences(path), seqs)


def test_file_is_plain_npz_with_the_documented_keys(tmp_path):
    path = tmp_path / 'new folder' / 'out.npz'
    save_pose_sequences(path, make(fps=None))
    with np.load(path, allow_pickle=False) as archive:
        assert {*archive.files} == {*ARRAYS, 'meta'} - {'fps'}
        assert json.loads(str(archive['meta'])) == make().meta
    assert [p.name for p in path.parent.iterdir()] == ['out.npz']


def test_a_failing_save_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch
):
    path = tmp_path / 'out.npz'
    save_pose_sequences(path, make())
    before = path.read_bytes()

    def broken(file, array):
        file.write(b'half a file')
        raise OSError('disk full')

    monkeypatch.setattr(np.lib.format, 'write_array', broken)
    with pytest.raises(OSError, match='disk full'):
        save_pose_sequences(path, make(lengths=(1,)))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ['out.npz']


def test_meta_that_json_cannot_hold_writes_nothing(tmp_path):
    with pytest.raises(TypeError, match='JSON'):
        save_pose_sequences(tmp_path / 'a.npz', make(meta={'a': {1, 2}}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('changes', 'parts'),
    [
        ({'scores': None}, ["key 'scores' is missing", 'found', 'fps']),
        (
            {'keypoints_gt': None},
            ["key 'keypoints_gt' is missing", 'keypoints_est'],
        ),
        (
            {'scores': np.array([[1], [1, 2]], dtype=object)},
            ["key 'scores' is an object array", '--trust-pickle'],
        ),
        (
            # the layout of published files: no key of ours at all
            {
                **dict.fromkeys(ARRAYS),
                'imgname': np.array([['a'], ['b', 'c']], dtype=object),
            },
            ["key 'imgname' is an object array", '--trust-pickle'],
        ),
        ({'meta': np.array('{')}, ['meta', 'JSON']),
        ({'meta': np.array('[1]')}, ['meta', 'JSON object', 'list']),
        ({'scores': np.zeros((2, 2))}, ['scores', '(6, 4)', '(2, 2)']),
        (
            {'scores': np.zeros((6, 4))},
            ['keypoints_est', 'missing', "'clip0' (index 0)"],
        ),
        ({'seq_len': np.array([6, 0, 0])}, ["'clip1'", 'is empty']),
    ],
)
def test_load_names_file_and_key(tmp_path, changes, parts):
    path = write(tmp_path / 'bad.npz', **changes)
    with pytest.raises(ValueError, match=r'bad\.npz') as error:
        load_pose_sequences(path, require=('keypoints_gt',))
    text = one_line(error)
    assert text.startswith(str(path))
    for part in parts:
        assert part in text


def test_unknown_keys_and_missing_meta_are_accepted(tmp_path):
    path = write(tmp_path / 'a.npz', label=np.array(['x']), meta=None)
    assert load_pose_sequences(path).meta == {}


@pytest.mark.parametrize('kept', [0, 1, 4, 30, 200, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_an_error_naming_it(tmp_path, kept):
    path = tmp_path / 'cut.npz'
    save_pose_sequences(path, make())
    data = path.read_bytes()
    path.write_bytes(data[: kept if kept >= 1 else int(kept * len(data))])
    with pytest.raises(ValueError, match=r'cut\.npz.*cannot be') as error:
        load_pose_sequences(path)
    one_line(error)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_file_never_gives_another_kind_of_error(
    data, tmp_path_factory
):
    path = tmp_path_factory.mktemp('damage') / 'bad.npz'
    seqs = make()
    if data.draw(st.booleans(), 'compressed'):
        arrays = {name: getattr(seqs, name) for name in ARRAYS}
        np.savez_compressed(path, **arrays)
    else:
        save_pose_sequences(path, seqs)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3), 'changes')):
        place = data.draw(st.integers(0, len(content) - 1), 'place')
        content[place] = data.draw(st.integers(0, 255), 'byte')
    path.write_bytes(content)
    message = None
    try:
        load_pose_sequences(path)  # a change may hit a byte of no importance
    except ValueError as error:
        message = str(error)
    assert message is None or (str(path) in message and '\n' not in message)


def test_other_files_are_refused(tmp_path):
    np.save(tmp_path / 'one.npy', np.zeros(3))
    with pytest.raises(ValueError, match=r'one\.npy.*found one array'):
        load_pose_sequences(tmp_path / 'one.npy')
    (tmp_path / 'text.npz').write_text('hello')
    with pytest.raises(ValueError, match=r'text\.npz.*cannot be read'):
        load_pose_sequences(tmp_path / 'text.npz')
    with pytest.raises(FileNotFoundError, match=r'none\.npz'):
        load_pose_sequences(tmp_path / 'none.npz')


def test_a_million_frames_are_checked_in_seconds():
    frames, length = 1_000_000, 100
    est = np.zeros((frames, 15, 2), np.float32)
    start = time.perf_counter()
    seqs = PoseSequences(
        keypoints_est=est,
        scores=np.ones((frames, 15), np.float32),
        seq_len=np.full(frames // length, length),
        seq_name=np.arange(frames // length).astype(str),
        keypoints_gt=est,
    )
    seqs.check_estimates()
    # 0.25 s measured on one core; a loop over frames takes far longer.
    assert time.perf_counter() - start < 5


def test_the_real_files_load(shared_dir):
    for name, shape in (
        ('jhmdb_sim_train.npz', (15208, 15, 2)),
        ('jhmdb_sim_test.npz', (5918, 15, 2)),
    ):
        seqs = load_pose_sequences(
            shared_dir / 'data' / name, require=('keypoints_gt', 'bboxes')
        )
        assert seqs.keypoints_est.shape == shape
        assert seqs.meta['units'] == 'px'


def with_extras(**changes):
    frames = np.arange(6)
    extras = {
        'betas_est': frames[:, None] + np.zeros((6, 10)),
        'frame_number': frames + 7,
        'image': np.array([f'{i}.jpg' for i in frames]),
    }
    return make(extras={**extras, **changes})


def test_extras_are_kept_on_disk(tmp_path):
    path = tmp_path / 'a.npz'
    save_pose_sequences(path, with_extras())
    extras = load_pose_sequences(path).extras
    assert sorted(extras) == ['betas_est', 'frame_number', 'image']
    np.testing.assert_array_equal(extras['frame_number'], np.arange(6) + 7)
    assert extras['image'].tolist() == [f'{i}.jpg' for i in range(6)]
    with np.load(path) as archive:
        assert 'extras/betas_est' in archive.files


def test_extras_are_selected_and_joined():
    seqs = with_extras()
    chosen = seqs.select([2, 0])
    assert chosen.extras['frame_number'].tolist() == [12, 7, 8]
    joined = PoseSequences.concatenate([chosen, seqs])
    assert joined.extras['betas_est'][:, 4].tolist() == [5, 0, 1, *range(6)]
    with pytest.raises(ValueError, match=r'extras: part 1 .*\[\]'):
        PoseSequences.concatenate([seqs, make()])


@pytest.mark.parametrize(
    'value', [np.zeros(5), np.array(3), np.array([{}] * 6, dtype=object)]
)
def test_extras_of_other_frames_are_refused(value):
    with pytest.raises(ValueError, match=r"extras\['x_gt'\].*\(6, ...\)"):
        with_extras(x_gt=value)


def test_empty_sequences_are_loaded_on_request(tmp_path):
    path = tmp_path / 'a.npz'
    scores = np.full((6, 4), 0.5)
    scores[2:5] = 0
    save_pose_sequences(path, make(scores=scores))
    with pytest.raises(ValueError, match='clip1'):
        load_pose_sequences(path)
    seqs = load_pose_sequences(path, allow_empty=True)
    assert seqs.valid.any(1).tolist() == [True] * 2 + [False] * 3 + [True]
