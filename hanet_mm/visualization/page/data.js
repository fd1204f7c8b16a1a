// The recording: packed coordinates and marks of each person.

const FILLED = 1, SWAPPED = 2, OUTLIER = 4;

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// Coordinates (T, K, D) of a person; NaN: missing.
class Poses {
  constructor(packed, keypoints, dims) {
    this.keypoints = keypoints;
    this.dims = dims;
    const view = new DataView(bytesOf(packed.data).buffer);
    if (packed.type === 'float32') {
      this.values = new Float32Array(view.byteLength / 4);
      for (let i = 0; i < this.values.length; i++) {
        this.values[i] = view.getFloat32(4 * i, true);
      }
    } else {
      this.values = new Float32Array(view.byteLength / 2);
      for (let i = 0; i < this.values.length; i++) {
        const n = view.getInt16(2 * i, true);
        this.values[i] = n === -32768 ?
          NaN : packed.middle[i % dims] + packed.step * n;
      }
    }
    this.frames = this.values.length / (keypoints * dims);
  }

  get(t, k, d) {
    if (t < 0 || t >= this.frames) return NaN;
    return this.values[(t * this.keypoints + k) * this.dims + d];
  }

  point(t, k) {
    const p = [];
    for (let d = 0; d < this.dims; d++) p.push(this.get(t, k, d));
    return p;
  }

  has(t, k) {
    return Number.isFinite(this.get(t, k, 0));
  }
}

const content = JSON.parse(document.getElementById('content').textContent);
const NAMES = content.keypoint_names;
const K = NAMES.length;
const D = content.dims;
const UNIT = content.unit || '';
const RATE = content.fps || 30;  // of playing, where it is not known

const people = content.people.map((person) => ({
  name: person.name,
  first: person.first_frame,
  frames: person.num_frames,
  after: person.poses && new Poses(person.poses, K, D),
  before: person.before && new Poses(person.before, K, D),
  marks: bytesOf(person.marks),
}));
const HAS_BEFORE = people.some((x) => x.before);

// Bits of the marks of a keypoint in a frame of a person.
function marksOf(person, t, k) {
  return t < 0 || t >= person.frames ? 0 : person.marks[t * K + k];
}

// To how many keypoints of each frame something happened; 'empty' are those
// that other frames have and this one lacks after refinement.
function countEvents(person) {
  const names = ['filled', 'swapped', 'outlier', 'empty'];
  const counts = {};
  for (const name of names) counts[name] = new Uint16Array(person.frames);
  for (let k = 0; k < K; k++) {
    let ever = false;
    for (let t = 0; t < person.frames && !ever; t++) {
      ever = Boolean(person.after) && person.after.has(t, k);
    }
    for (let t = 0; t < person.frames; t++) {
      const bits = person.marks[t * K + k];
      if (bits & FILLED) counts.filled[t]++;
      if (bits & SWAPPED) counts.swapped[t]++;
      if (bits & OUTLIER) counts.outlier[t]++;
      if (ever && !person.after.has(t, k)) counts.empty[t]++;
    }
  }
  return counts;
}

for (const person of people) person.counts = countEvents(person);

// Speed of a keypoint since the frame before, per second or per frame.
function speedOf(poses, t, k) {
  let sum = 0;
  for (let d = 0; d < D; d++) {
    sum += (poses.get(t, k, d) - poses.get(t - 1, k, d)) ** 2;
  }
  return Math.sqrt(sum) * (content.fps || 1);
}

function format(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4);
}
