# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack AP of persons whose hits are known."""

import numpy as np
import pytest

from hanet_mm.core.metrics.posetrack_ap import (
    assign_persons,
    average_precision,
    pair_persons,
    posetrack_ap,
)

NAN = float('nan')
HEAD = 10.0


def person(*rows, joints=4):
    """Joint k at (100 k, y): hits the person with the same y there.

    One y for all joints, or one of each; None is no joint.
    """
    rows = rows * joints if len(rows) == 1 else rows
    return [
        [100.0 * k, y] if y is not None else [NAN, NAN]
        for k, y in enumerate(rows)
    ]


def ap_of(pred, gt, assignment='poseval', thr=0.5):
    """AP of lists of (frame, person, score or scores) and (frame, person)."""
    pred_frames, pred, scores = zip(*pred) if pred else ([], [], [])
    gt_frames, gt = zip(*gt) if gt else ([], [])
    joints = len((*gt, *pred)[0])
    scores = [np.broadcast_to(score, joints) for score in scores]
    return posetrack_ap(
        np.reshape(pred, (-1, joints, 2)),
        np.reshape(scores, (-1, joints)),
        np.array(pred_frames, int),
        np.reshape(gt, (-1, joints, 2)),
        np.array(gt_frames, int),
        np.full(len(gt), HEAD),
        thr,
        assignment,
    ).tolist()


BOTH = pytest.mark.parametrize('assignment', ['poseval', 'score'])


# Closed forms


@BOTH
class TestClosedForms:
    def test_perfect_is_one(self, assignment):
        gt = [(0, person(0)), (0, person(50)), (3, person(7))]
        pred = [(f, p, 0.1 * n) for n, (f, p) in enumerate(gt)]
        assert ap_of(pred, gt, assignment) == [1.0] * 4

    def test_all_missed_is_zero(self, assignment):
        gt = [(0, person(0)), (1, person(0))]
        assert ap_of([], gt, assignment) == [0.0] * 4
        far = [(0, person(300), 0.9)]
        assert ap_of(far, gt, assignment) == [0.0] * 4

    def test_one_of_two_found_is_a_half(self, assignment):
        gt = [(0, person(0)), (1, person(0))]
        assert ap_of([(1, person(0), 0.9)], gt, assignment) == [0.5] * 4

    def test_the_threshold_itself_is_a_hit(self, assignment):
        """A head of 10 px: hits up to 5 px, or up to 2 px with thr 0.2."""
        gt = [(0, person(0))]
        pred = [(0, person(5, 5.001, 2, 2.001), 0.9)]
        assert ap_of(pred, gt, assignment) == [1, 0, 1, 1]
        assert ap_of(pred, gt, assignment, thr=0.2) == [0, 0, 1, 0]

    def test_a_false_person_lowers_what_is_ranked_below(self, assignment):
        gt = [(0, person(0))]
        hit = (0, person(0), 0.5)
        above, below = (0, person(300), 0.9), (0, person(300), 0.1)
        assert ap_of([hit, below], gt, assignment) == [1.0] * 4
        assert ap_of([hit, above], gt, assignment) == [0.5] * 4
        assert (
            ap_of([hit, above, above], gt, assignment)
            == [pytest.approx(1 / 3)] * 4
        )

    def test_precision_is_made_monotone(self, assignment):
        """By score true, false, true, true: precision 1, 1/2, 2/3, 3/4.

        Recall 1/3 has precision 1; the other two thirds the best to come.
        """
        gt = [(f, person(0)) for f in range(3)]
        pred = [(f, person(0), s) for f, s in enumerate([0.9, 0.7, 0.6])]
        pred.append((0, person(300), 0.8))
        expected = 1 / 3 + 2 / 3 * 3 / 4
        assert ap_of(pred, gt, assignment) == [pytest.approx(expected)] * 4

    def test_joints_have_scores_of_their_own(self, assignment):
        gt = [(0, person(0))]
        pred = [
            (0, person(0), [0.9, 0.1, 0.9, 0.1]),
            (0, person(300), 0.5),
        ]
        assert ap_of(pred, gt, assignment) == [1, 0.5, 1, 0.5]

    def test_joints_not_predicted_are_missed_not_false(self, assignment):
        gt = [(0, person(0)), (1, person(0))]
        pred = [
            (0, person(None, 0, 0, 0), 0.9),
            (1, person(0, 300, 0, 0), 0.8),
        ]
        assert ap_of(pred, gt, assignment) == [0.5, 0.5, 1, 1]
        pred = [
            (0, person(None, 300, 0, 0), 0.9),
            (1, person(0, 0, 0, 0), 0.8),
        ]
        assert ap_of(pred, gt, assignment) == [0.5, 0.25, 1, 1]

    def test_joints_predicted_but_not_annotated_are_false(self, assignment):
        """As in the toolkit, though the person may well be right."""
        gt = [(0, person(None, 0, 0, 0)), (1, person(0))]
        pred = [(0, person(0), 0.9), (1, person(0), 0.8)]
        assert ap_of(pred, gt, assignment) == [0.5, 1, 1, 1]

    def test_a_joint_never_annotated_is_nan(self, assignment):
        gt = [(0, person(None, 0, 0, 0))]
        pred = [(0, person(0), 0.9)]
        np.testing.assert_equal(ap_of(pred, gt, assignment), [NAN, 1, 1, 1])
        np.testing.assert_equal(ap_of([], gt, assignment), [NAN, 0, 0, 0])

    def test_a_frame_without_a_person_is_left_out(self, assignment):
        gt = [(0, person(0))]
        pred = [(0, person(0), 0.5), (1, person(0), 0.9)]
        assert ap_of(pred, gt, assignment) == [1.0] * 4
        # A person without a single joint keeps the frame.
        gt.append((1, person(None)))
        assert ap_of(pred, gt, assignment) == [0.5] * 4

    def test_equal_scores_come_in_at_once(self, assignment):
        gt = [(0, person(0)), (1, person(0))]
        pred = [
            (0, person(0), 0.9),
            (0, person(300), 0.5),
            (1, person(0), 0.5),
        ]
        expected = [pytest.approx(1 / 2 + 1 / 2 * 2 / 3)] * 4
        assert ap_of(pred, gt, assignment) == expected
        assert ap_of(pred[::-1], gt, assignment) == expected

    def test_two_people_crossing(self, assignment):
        """In the middle frame each is within the reach of the other."""
        gt = [(f, person(y)) for f in range(3) for y in (6 * f - 5, 5 - 6 * f)]
        pred = [(f, p, 0.9 - 0.1 * n) for n, (f, p) in enumerate(gt)]
        # Their last joints are each on that of the other: both are false.
        pred[2] = (1, person(1, 1, 1, -1), 0.7)
        pred[3] = (1, person(-1, -1, -1, 1), 0.6)
        last = pytest.approx(2 / 6 + 2 / 6 * 4 / 6)
        assert ap_of(pred, gt, assignment, thr=0.15) == [1, 1, 1, last]


# Assignment


def chosen_pairs(pred, gt, assignment, scores):
    pred, gt = np.array(pred), np.array(gt)
    frames = np.zeros(len(pred), int), np.zeros(len(gt), int)
    heads = np.full(len(gt), HEAD)
    pairs = pair_persons(pred, frames[0], gt, frames[1], heads)
    chosen = assign_persons(pairs, frames[0], np.array(scores), assignment)
    return list(zip(pairs.pred[chosen], pairs.gt[chosen]))


@pytest.mark.parametrize(
    ('assignment', 'expected'),
    [('poseval', [(0, 0)]), ('score', [(0, 0), (1, 1)])],
)
def test_who_loses_a_truth_gets_the_second_best_by_score_only(
    assignment, expected
):
    pred = [person(0), person(0, 0, 0, 50)]
    gt = [person(0), person(50)]
    assert chosen_pairs(pred, gt, assignment, [0.9, 0.8]) == expected


@pytest.mark.parametrize(
    ('assignment', 'expected'),
    [('poseval', [(0, 0)]), ('score', [(1, 0)])],
)
def test_the_better_share_or_the_better_score_wins(assignment, expected):
    pred = [person(0), person(0, 0, 0, 300)]
    assert chosen_pairs(pred, [person(0)], assignment, [0.1, 0.9]) == expected


@BOTH
def test_shares_are_of_the_annotated_joints(assignment):
    """Three of four hits are less than one of one."""
    pred = [person(0, 0, 0, 50)]
    gt = [person(0), person(None, None, None, 50)]
    assert chosen_pairs(pred, gt, assignment, [0.5]) == [(0, 1)]


@BOTH
def test_of_equal_shares_the_first_wins(assignment):
    pair = [person(0), person(0)]
    equal = [0.5, 0.5]
    assert chosen_pairs(pair, pair[:1], assignment, equal) == [(0, 0)]
    assert chosen_pairs(pair[:1], pair, assignment, equal[:1]) == [(0, 0)]
    # Both keep the first truth, so the second stays alone.
    both = dict(poseval=[(0, 0)], score=[(0, 0), (1, 1)])[assignment]
    assert chosen_pairs(pair, pair, assignment, equal) == both


@BOTH
def test_nobody_is_assigned_without_a_hit(assignment):
    assert chosen_pairs([person(0)], [person(50)], assignment, [0.5]) == []


def test_persons_meet_in_their_own_frame_only():
    pred, gt = np.array([person(0)] * 3), np.array([person(0)] * 4)
    pairs = pair_persons(
        pred, np.array([5, 2, 9]), gt, np.array([2, 5, 2, 4]), np.ones(4)
    )
    found = list(zip(pairs.pred.tolist(), pairs.gt.tolist()))
    assert found == [(0, 1), (1, 0), (1, 2)]


def test_a_head_without_size_is_never_hit():
    pred, frames = np.array([person(0)]), np.zeros(1, int)
    pairs = pair_persons(pred, frames, pred, frames, np.zeros(1))
    assert not pairs.hits.any()


def test_average_precision_of_no_predictions():
    none = np.zeros((0, 2))
    found = average_precision(none, none > 0, none > 0, np.array([3, 0]))
    np.testing.assert_equal(found, [0.0, NAN])


# Errors


@pytest.mark.parametrize(
    ('position', 'value', 'text'),
    [
        (0, np.zeros((2, 4)), r'pred .*\(persons, joints, 2\), got \(2, 4\)'),
        (1, np.zeros((2, 3)), r'scores .*\(2, 4\), got \(2, 3\)'),
        (2, np.zeros(3), r'pred_frames .*\(2,\), got \(3,\)'),
        (3, np.zeros((1, 5, 2)), 'the 5 joints of gt, got 4'),
        (3, np.zeros((1, 4, 3)), r'gt .*\(persons, joints, 2\)'),
        (4, np.zeros(2), r'gt_frames .*\(1,\), got \(2,\)'),
        (5, np.zeros((1, 1)), r'head_sizes .*\(1,\), got \(1, 1\)'),
    ],
)
def test_shapes_that_do_not_fit_are_refused(position, value, text):
    arguments = [
        *(np.zeros((2, 4, 2)), np.zeros((2, 4)), np.zeros(2)),
        *(np.zeros((1, 4, 2)), np.zeros(1), np.ones(1)),
    ]
    arguments[position] = value
    with pytest.raises(ValueError, match=text):
        posetrack_ap(*arguments)


def test_an_unknown_assignment_is_refused():
    with pytest.raises(ValueError, match=r"'poseval', 'score'.* got 'best'"):
        ap_of([(0, person(0), 0.5)], [(0, person(0))], 'best')
