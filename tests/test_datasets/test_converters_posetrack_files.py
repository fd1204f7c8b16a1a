# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of PoseTrack and of estimators: their forms, and what is refused."""

import copy
import pickle

import numpy as np
import pytest
from posetrack import convert_posetrack
from posetrack_detections import read_detections
from posetrack_files import VIDEO, convert, make_script
from posetrack_scenes import (
    NAMES,
    NAMES_17,
    Script,
    annotation_17,
    annotation_18,
    results,
    stand,
    write,
)

from hanet_mm.apis.annotations.posetrack import (
    read_annotations,
)
from hanet_mm.core.data.sequences import load_pose_sequences


@pytest.fixture
def script():
    return make_script()


def test_image_numbers_are_those_of_the_toolkit(tmp_path, script):
    # as in PoseTrack's own 012834_mpii_test.json
    assert annotation_18(script)['images'][0]['id'] == 10128340000
    bonn = Script('000028_bonn', 1, (0,), {0: {0: (200, 200)}})
    new = Script('000001_mpiinew_test', 1, (0,), {0: {0: (200, 200)}})
    paths = [
        write(tmp_path / f'{one.name}.json', annotation_17(one))
        for one in (bonn, new)
    ]
    videos = read_annotations(paths)
    # frames of 2017 count from 1
    assert videos['000028_bonn'].images[20000280001] == 1
    assert videos['000001_mpiinew_test'].images[30000010001] == 1


def dump(path, entries, script):
    """As ``tools/test.py --dump`` of a top-down model: a person a sample."""
    names = {script.image_id(i): script.image(i) for i in range(2)}
    samples = []
    for place, entry in enumerate(entries):
        points = np.reshape(entry['keypoints'], (1, -1, 3))
        image = f'data/posetrack18/{names[entry["image_id"]]}'
        samples.append(
            dict(
                # Datasets of several frames name them all, this one first.
                img_path=[image, 'data/other.jpg'] if place else image,
                img_id=entry['image_id'],
                pred_instances=dict(
                    keypoints=points[..., :2].astype(np.float32),
                    keypoint_scores=points[..., 2].astype(np.float32),
                    bboxes=np.array([[1, 2, 11, 22.0]], np.float32),
                ),
            )
        )
    path.write_bytes(pickle.dumps(samples))
    return path


def test_dump_of_mmpose(tmp_path, script):
    annotation = write(tmp_path / 'a.json', annotation_18(script))
    found = dump(tmp_path / 'found.pkl', results(script), script)
    out = tmp_path / 'dump.npz'
    with pytest.raises(ValueError, match=r'found\.pkl is a pickle.*--trust'):
        convert_posetrack(annotation, found, out, 'posetrack18')
    convert_posetrack(annotation, found, out, 'posetrack18', trust_pickle=True)
    expected = convert(tmp_path, annotation, results(script))
    seqs = load_pose_sequences(out)
    np.testing.assert_array_equal(seqs.keypoints_est, expected.keypoints_est)
    np.testing.assert_array_equal(seqs.scores, expected.scores)


def test_boxes_without_keypoints_are_told(tmp_path, script):
    """MMPose's posetrack18_val_human_detections.json."""
    boxes = [
        dict(
            bbox=[1.0, 2.0, 3.0, 4.0],
            category_id=1,
            image_id=script.image_id(0),
            score=0.9,
        )
    ]
    with pytest.raises(ValueError, match='these are boxes of a detector'):
        convert(tmp_path, annotation_18(script), boxes)


def test_images_by_name(tmp_path, script):
    found = results(script)
    found[0]['image_id'] = script.image(0)
    found[1]['image_id'] = f'/data/{VIDEO}/000001.png'
    by_name = convert(tmp_path, annotation_18(script), found)
    by_number = convert(tmp_path, annotation_18(script), results(script))
    np.testing.assert_array_equal(
        by_name.keypoints_est, by_number.keypoints_est
    )


def test_a_video_whose_images_have_no_number(tmp_path):
    odd = Script('0_street', 1, (0,), {0: {0: (200, 200)}})
    odd.follow({0: (200, 200)}, image_id='street/0001.jpg')
    content = annotation_17(odd)
    content['annolist'][0]['image'][0]['name'] = 'somewhere/street/0001.jpg'
    seqs = convert(tmp_path, content, results(odd), dataset='posetrack17')
    assert seqs.seq_name.tolist() == ['street']
    assert seqs.extras['frame_number'].tolist() == [1]
    assert seqs.valid.all()


def test_many_videos_in_one_file(tmp_path, script):
    other = Script('000001_mpii_test', 1, (0,), {0: {0: (90, 100)}})
    other.follow({0: (90, 100)})
    seqs = convert(
        tmp_path, annotation_18(script, other), results(other, script)
    )
    assert seqs.seq_name.tolist() == ['000001_mpii_test', VIDEO]
    assert seqs.seq_len.tolist() == [1, 2]
    np.testing.assert_array_equal(seqs.keypoints_est[0], stand(90, 100))


def test_keypoints_are_taken_by_name(tmp_path, script):
    """Both files shuffled, and the poses in PoseTrack's form of results."""
    rng = np.random.default_rng(0)
    content, found = annotation_18(script), results(script, count=15)
    for items, names in (
        (content['annotations'], NAMES_17),
        (found, NAMES),
    ):
        order = rng.permutation(len(names))
        for item in items:
            points = np.reshape(item['keypoints'], (-1, 3))[order]
            item['keypoints'] = points.tolist()
        names = [names[index] for index in order]
        if items is not found:
            content['categories'][0]['keypoints'] = names
    folder = tmp_path / 'results'
    for index, item in enumerate(found):
        # scores beside the keypoints, whose third number is visibility
        points = np.reshape(item['keypoints'], (-1, 3))
        item['scores'] = (points[:, 0] / 1000).tolist()
        points[:, 2] = 1
        item['keypoints'] = points.reshape(-1).tolist()
        one = dict(
            annotations=[item],
            categories=[dict(name='person', keypoints=names)],
        )
        write(folder / f'{index}.json', one)
    annotation = write(tmp_path / 'annotation.json', content)
    out = tmp_path / 'out.npz'
    convert_posetrack(annotation, folder, out, 'posetrack18')
    seqs = load_pose_sequences(out)
    np.testing.assert_array_equal(seqs.keypoints_gt[0], stand(200, 200))
    np.testing.assert_array_equal(seqs.keypoints_est[1], stand(204, 200))
    np.testing.assert_allclose(
        seqs.scores, seqs.keypoints_est[..., 0] / 1000, rtol=1e-6
    )
    assert seqs.meta['estimator'] == 'results'


def test_occluded_keypoints_count_and_absent_ones_do_not(tmp_path, script):
    content = annotation_18(script)
    points = np.reshape(content['annotations'][0]['keypoints'], (17, 3))
    points[0, 2] = 0  # nose: annotated, but hidden
    points[16] = 0  # right ankle: not annotated
    content['annotations'][0]['keypoints'] = points.reshape(-1).tolist()
    seqs = convert(tmp_path, content, results(script))
    assert seqs.visible[0].tolist() == [1] * 14 + [0]
    # and of 2017, where a point that is not listed is not annotated
    content = annotation_17(script)
    points = content['annolist'][0]['annorect'][0]['annopoints'][0]['point']
    assert points.pop(0)['id'] == [0]  # right ankle
    seqs = convert(tmp_path, content, [], dataset='posetrack17')
    assert seqs.visible[0].tolist() == [1] * 14 + [0]


def test_frames_without_people_in_the_forms_of_2017(tmp_path, script):
    content = annotation_17(script)
    content['annolist'][1]['annorect'] = {}
    del content['annolist'][1]['is_labeled']
    content['annolist'][0]['image'] = content['annolist'][0]['image'][0]
    content['annolist'][0]['annorect'].append(
        dict(track_id=[8], x1=[1], y1=[1], x2=[9], y2=[9], annopoints=[])
    )
    found = results(script, old=True)
    seqs = convert(tmp_path, content, found, dataset='posetrack17')
    assert seqs.extras['track_id_gt'].tolist() == [4, 4, 8]
    assert seqs.extras['annotated'].tolist() == [1, 0, 1]
    assert seqs.visible.any(1).tolist() == [True, False, False]


def test_two_persons_with_one_id_in_a_frame_are_both_kept(tmp_path, script):
    content = annotation_18(script)
    twin = copy.deepcopy(content['annotations'][0])
    points = np.reshape(twin['keypoints'], (17, 3))
    points[:, 0] += 200 * (points[:, 2] > 0)
    twin['keypoints'] = points.reshape(-1).tolist()
    content['annotations'].append(twin)
    seqs = convert(tmp_path, content, results(script))
    assert seqs.seq_len.tolist() == [2, 1]
    assert seqs.extras['track_id_gt'].tolist() == [4, 4, 4]
    assert seqs.keypoints_gt[[0, 2], 0, 0].tolist() == [203, 403]


def test_frames_that_are_not_listed_keep_their_time(tmp_path, script):
    script.labelled = (0, 1)
    content = annotation_18(script)
    content['images'][1]['file_name'] = f'images/val/{VIDEO}/000003.jpg'
    seqs = convert(tmp_path, content, results(script))
    assert seqs.extras['frame_number'].tolist() == [0, 1, 2, 3]
    assert seqs.extras['annotated'].tolist() == [1, 0, 0, 1]
    assert seqs.valid.any(1).tolist() == [True, False, False, True]


def test_poses_are_grouped_by_frame(tmp_path, script):
    path = write(tmp_path / 'a.json', annotation_18(script))
    found = write(tmp_path / 'b.json', results(script) + results(script)[:1])
    frames, empty = read_detections([found], read_annotations([path]))
    assert {n: len(d.scores) for n, d in frames[VIDEO].items()} == {0: 2, 1: 1}
    assert empty == 0
