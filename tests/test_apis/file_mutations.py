# Copyright (c) hanet_mm contributors. All rights reserved.
"""What may happen to files.

``mutate`` damages bytes, or puts values where nobody expects them: in parsed
JSON, in the arrays of archives, in the cells of tables, in pickles.
"""

import copy
import io
import json
import pickle
import shutil

import numpy as np

WEIRD = [
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**400, 0.5, -0.5),
    *(1e38, 1e308, float('inf'), float('nan'), '', 'x', 'nan', '1e400'),
    *('\x00', '٣', '²', '9' * 5000, [], {}, [[]], [None], [1, [2]], {'': 0}),
    *([1, 2, 3], {'x': 1, 'y': 2}, [{}], 'frame_99999999999', -1.0, 1e18),
]


def arrays_of(rng):
    """An array that an archive may hold."""
    shape = [
        *((), (0,), (1,), (3,), (17, 2), (12, 17, 2), (12, 17, 3)),
        *((0, 17, 2), (12, 0, 2), (12, 17, 0), (12, 2, 17, 2), (12, 17)),
        *((12, 51), (1, 1, 1, 1, 1), (12, 3, 3), (12, 24, 3, 3), (2,), (7, 5)),
    ][rng.integers(18)]
    kinds = [
        *('f4', 'f8', 'f2', 'i1', 'u8', 'i8', '?', 'c8', 'U5', 'S5', 'M8[s]'),
        *('m8[s]', 'V3', '>f4', [('a', 'f4')], 'g'),
    ]
    kind = np.dtype(kinds[rng.integers(len(kinds))])
    value = np.zeros(shape, kind)
    if kind.kind in 'fiu':
        with np.errstate(all='ignore'):
            numbers = rng.choice([1, 300, 1e30, np.nan, np.inf, -5])
            value = (numbers * rng.random(shape)).astype(kind)
    return value


def change_json(content, rng):
    """Replace, remove or double one value somewhere."""
    content = copy.deepcopy(content)
    holder, key = None, None
    value = content
    for _ in range(rng.integers(1, 7)):
        if not isinstance(value, (list, dict)) or not value:
            break
        holder = value
        keys = [*value] if isinstance(value, dict) else range(len(value))
        # The first ones tell the format.
        key = keys[min(rng.integers(len(keys)), rng.integers(len(keys)))]
        value = value[key]
    if holder is None:
        return WEIRD[rng.integers(len(WEIRD))]
    action = rng.integers(6)
    if action == 0:
        del holder[key]
    elif action == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(value))
    elif action == 2 and isinstance(holder, dict):
        name = WEIRD[rng.integers(len(WEIRD))]
        holder[str(name)] = holder.pop(key)
    elif action == 3 and isinstance(value, (list, dict)):
        holder[key] = value[:1] if isinstance(value, list) else [*value]
    else:
        holder[key] = WEIRD[rng.integers(len(WEIRD))]
    return content


def change_npz(data, rng):
    with np.load(io.BytesIO(data), allow_pickle=True) as archive:
        arrays = dict(archive)
    key = [*arrays][rng.integers(len(arrays))]
    action = rng.integers(5)
    if action == 0:
        del arrays[key]
    elif action == 1:
        arrays[[*arrays][rng.integers(len(arrays))]] = arrays[key]
    elif action == 2 and arrays[key].dtype.kind == 'O':
        content = arrays[key].item()
        arrays[key] = np.array(change_json(content, rng), dtype=object)
    elif action == 3:
        keys = [
            *('keypoints', 'data', 'ids', 'scores', 'fps', 'image_size'),
            *('keypoint_names', 'meta', 'poses', 'seq_len', 'extras/a'),
        ]
        arrays[keys[rng.integers(len(keys))]] = arrays_of(rng)
    else:
        arrays[key] = arrays_of(rng)
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def change_text(text, rng):
    """Change a line or a cell of a table."""
    lines = text.split('\n')
    mark = next((x for x in '\t,' if x in lines[0]), ' ')
    row = min(rng.integers(len(lines)), rng.integers(len(lines)))
    cells = lines[row].split(mark)
    column = rng.integers(len(cells))
    action = rng.integers(8)
    if action == 0:
        del lines[row]
    elif action == 1:
        lines.insert(row, lines[rng.integers(len(lines))])
    elif action == 2:
        del cells[column]
        lines[row] = mark.join(cells)
    elif action == 3:
        lines = [mark.join(x.split(mark)[:column]) for x in lines]
    elif action == 4:
        cells[column] = cells[rng.integers(len(cells))]
        lines[row] = mark.join(cells)
    else:
        cells[column] = str(WEIRD[rng.integers(len(WEIRD))])[:6000]
        lines[row] = mark.join(cells)
    return '\n'.join(lines)


def change_pickle(data, rng):
    content = pickle.loads(data)
    if rng.random() < 0.3:
        content[next(iter(content))] = arrays_of(rng)
    return pickle.dumps(change_json(content, rng))


def change_bytes(data, rng):
    data = bytearray(data)
    action = rng.integers(7)
    if action <= 2 and data:
        near = rng.random() < 0.5  # the header
        places = rng.integers(min(len(data), 200 if near else 10**9), size=8)
        for place in places[: rng.integers(1, 9)]:
            data[place] = rng.integers(256)
    elif action == 3:
        data = data[: rng.integers(len(data) + 1)]
    elif action == 4:
        data = data + data
    elif action == 5 and len(data) > 20:
        first, second = np.sort(rng.integers(len(data), size=2))
        data[first:second] = data[second : 2 * second - first]
    else:
        place = rng.integers(len(data) + 1)
        extra = [b'\xef\xbb\xbf', b'\xff\xfe', b'\x00' * 9, b'[' * 100_000]
        data[place:place] = extra[rng.integers(4)]
    return bytes(data)


def change_encoding(data, rng):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return change_bytes(data, rng)
    kinds = ['utf-8-sig', 'utf-16', 'utf-32', 'utf-16-le']
    return (text + 'é' * rng.integers(2)).encode(kinds[rng.integers(4)])


def change_file(path, others, rng):
    """Damage a file, or replace it by the content of another type."""
    data = path.read_bytes()
    action = rng.random()
    if action < 0.05:
        data = others[rng.integers(len(others))].read_bytes()
    elif action < 0.12:
        data = change_encoding(data, rng)
    elif path.suffix == '.pkl' and action < 0.2:
        # No other bytes: they could run anything.
        data = data[: rng.integers(len(data))]
    elif path.suffix != '.pkl' and action < 0.35:
        data = change_bytes(data, rng)
    else:
        for _ in range(rng.integers(1, 4)):
            data = change_content(path.suffix, data, rng)
    path.write_bytes(data)


def change_content(suffix, data, rng):
    try:
        if suffix == '.json':
            return json.dumps(change_json(json.loads(data), rng)).encode()
        if suffix == '.npz':
            return change_npz(data, rng)
        if suffix == '.npy':
            file = io.BytesIO()
            np.save(file, arrays_of(rng))
            return file.getvalue()
        if suffix == '.pkl':
            return change_pickle(data, rng)
        return change_text(data.decode(), rng).encode()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return data  # changed beyond recognition before


def mutate(kind, others, target, rng):
    """A changed copy of a file, or of a folder with some files changed."""
    if kind.path.is_file():
        path = target / kind.path.name
        shutil.copy(kind.path, path)
        change_file(path, others, rng)
        return path
    path = target / kind.path.name
    shutil.copytree(kind.path, path)
    files = sorted(path.iterdir())
    action = rng.random()
    if action < 0.1:
        (path / 'sub.json').mkdir()
        (path / 'sub.txt').mkdir()
    elif action < 0.2:
        file = files[rng.integers(len(files))]
        file.rename(file.with_name(f'x{file.suffix}'))
    else:
        for _ in range(rng.integers(1, 3)):
            change_file(files[rng.integers(len(files))], others, rng)
    return path
