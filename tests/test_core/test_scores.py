# Copyright (c) hanet_mm contributors. All rights reserved.
"""Which numbers are scores: of sequences, filters and streams alike."""

import numpy as np
import pytest
from scored_refiners import K, T, make_scored_refiner, make_track
from small_refiners import run_stream, stack

from hanet_mm import StreamingRefiner
from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.data.scores import ignored_scores, usual_scores
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.filters import KalmanFilter


def refine(poses, scores):
    return make_scored_refiner().refine(poses, scores).keypoints


def smooth(poses, scores):
    return KalmanFilter(0.1).refine(poses, scores).keypoints


def stream(poses, scores):
    refiner = StreamingRefiner(make_scored_refiner(), T - 1)
    return stack(run_stream(refiner, poses, scores))


@pytest.mark.parametrize('use', [refine, smooth, stream])
def test_peaks_above_one_are_certain_and_those_below_zero_missing(use):
    """OpenPose writes up to 1.4, RTMW and Detectron2 several."""
    poses, scores = make_track(12)
    scores = np.where(scores > 0.5, 1, scores)
    peaks = np.where(scores == 1, 1.02, scores)
    peaks[3:5, 1], peaks[6, 2], peaks[7, 0] = 1.4, 8.5, -0.01
    scores[3:5, 1], scores[6, 2], scores[7, 0] = 1, 1, 0
    np.testing.assert_array_equal(use(poses, peaks), use(poses, scores))


@pytest.mark.parametrize('use', [refine, smooth, stream])
@pytest.mark.parametrize('wrong', [np.inf, -np.inf, 87.5, -2.5])
def test_other_quantities_are_refused(use, wrong):
    poses, scores = make_track(12)
    scores[7, 2] = wrong
    with pytest.raises(ValueError, match=r'\A[^\n]+\Z') as error:
        use(poses, scores)
    message = f'frame 7, keypoint 2: expected a score in 0..1, found {wrong:g}'
    assert message in str(error.value)
    assert ('track 0: ' if use is stream else 'keypoints: ') in str(error)


def test_percent_and_logits_are_refused():
    poses, scores = make_track(12)
    confidence = np.clip(scores, 0.05, 0.95)
    for wrong in (
        100 * confidence,
        np.log(confidence / (1 - confidence)),
    ):
        with pytest.raises(ValueError, match='rescale percent and logits'):
            refine(poses, wrong)


def test_the_sequence_is_named_among_several():
    poses, scores = make_track(12)
    wrong = scores.copy()
    wrong[5, 3] = np.inf
    with pytest.raises(ValueError, match='sequence 1: frame 5, keypoint 3:'):
        refine([poses, poses], [scores, wrong])


def test_a_stream_is_unchanged_by_a_refused_frame():
    refiner = make_scored_refiner()
    poses, scores = make_track(9)
    with_fault, without = (StreamingRefiner(refiner, 2) for _ in range(2))
    wrong = scores[4].copy()
    wrong[1] = 60
    for frame in range(9):
        if frame == 4:
            with pytest.raises(ValueError, match='track 5: frame 4, keyp'):
                with_fault.push(poses[frame], wrong, track_id=5)
            people = {5: (poses[frame], wrong), 6: (poses[frame], None)}
            with pytest.raises(ValueError, match='track 5: frame 21, keyp'):
                with_fault.push_many(people, index=21)
        done, expected = (
            x.push(poses[frame], scores[frame], track_id=5)
            for x in (with_fault, without)
        )
        assert [x.index for x in done] == [x.index for x in expected]
        for pair in zip(done, expected):
            np.testing.assert_array_equal(*[x.keypoints for x in pair])
    assert with_fault.track_ids == [5]


@pytest.mark.parametrize('use', [refine, smooth])
def test_ignored_scores_are_those_of_no_scores(use):
    poses, scores = make_track(12)
    scores[scores == 0] = 0.3
    expected = use(poses, None)
    np.testing.assert_array_equal(use(poses, ignored_scores(scores)), expected)
    np.testing.assert_array_equal(
        use(poses, ignored_scores(100 * scores)), expected
    )
    scores[5, 2], scores[6, 1] = 0, np.nan
    poses_with_gaps = poses.copy()
    poses_with_gaps[[5, 6], [2, 1]] = np.nan
    np.testing.assert_array_equal(
        use(poses, ignored_scores(scores)), use(poses_with_gaps, None)
    )


def test_which_ignored_scores_are_missing():
    given = np.array([[0, np.nan, -0.01, 0.1, 1, 87, -3, np.inf]])
    found = ignored_scores(given)
    missing = [True, True, True, False, False, False, False, False]
    np.testing.assert_array_equal(found == 0, [missing])
    np.testing.assert_array_equal(found[0, 3:], np.float32(UNKNOWN_SCORE))


def test_usual_scores_are_not_copied():
    scores = np.array([[0, 0.5, 1, np.nan]])
    assert usual_scores(scores, str) is scores


def sequences_of(scores):
    return PoseSequences(
        keypoints_est=np.ones((5, K, 2)),
        scores=scores,
        seq_len=[2, 3],
        seq_name=['a', 'b'],
    )


def test_scores_of_pose_sequences():
    scores = np.full((5, K), 0.5)
    assert sequences_of(scores).limit_scores().scores[3, 1] == 0.5
    scores[3, 1] = 1.3
    assert sequences_of(scores).limit_scores().scores[3, 1] == 1
    scores[3, 1] = 30
    found = sequences_of(scores).limit_scores(ignore=True).scores
    np.testing.assert_array_equal(found, np.float32(UNKNOWN_SCORE))
    place = r"sequence 'b' \(index 1\), frame 1, keypoint 1: expected a score"
    with pytest.raises(ValueError, match=place):
        sequences_of(scores).limit_scores()
