// The skeletons of a frame on a canvas, in 2D or 3D.

function color(name) {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(`--${name}`).trim();
}

// A canvas in the pixels of the screen; returns its context and size.
function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  const real = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== real[0] || canvas.height !== real[1]) {
    [canvas.width, canvas.height] = real;
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

function median(values) {
  const sorted = Float32Array.from(values).sort();
  return sorted.length ? sorted[sorted.length >> 1] : NaN;
}

// Low and high quantile of each coordinate of all people, without outliers.
function extentOf(list) {
  const low = [], high = [];
  for (let d = 0; d < D; d++) {
    const found = [];
    for (const person of list) {
      if (!person.after) continue;
      const step = Math.max(1, Math.floor(person.frames / 400));
      for (let t = 0; t < person.frames; t += step) {
        for (let k = 0; k < K; k++) {
          const x = person.after.get(t, k, d);
          if (Number.isFinite(x)) found.push(x);
        }
      }
    }
    const sorted = Float32Array.from(found).sort();
    const cut = Math.floor(sorted.length * 0.002);
    low.push(sorted.length ? sorted[cut] : 0);
    high.push(sorted.length ? sorted[sorted.length - 1 - cut] : 1);
  }
  return [low, high];
}

// The axis that points up, [axis, sign]: from ankles or hips to the head.
function upAxis(person) {
  const find = (words) => NAMES.map((x, i) => [x.toLowerCase(), i])
    .filter(([x]) => words.some((w) => x.includes(w))).map(([, i]) => i);
  const top = find(['nose', 'head', 'neck', 'shoulder', 'thorax']);
  const ankles = find(['ankle', 'foot', 'knee']);
  const down = ankles.length ? ankles : find(['hip', 'pelvis']);
  if (!top.length || !down.length || !person.after) return [1, -1];
  const mean = (list, d) => {
    const values = [];
    const step = Math.max(1, Math.floor(person.frames / 50));
    for (let t = 0; t < person.frames; t += step) {
      for (const k of list) {
        const x = person.after.get(t, k, d);
        if (Number.isFinite(x)) values.push(x);
      }
    }
    return median(values);
  };
  const way = [0, 1, 2].map((d) => mean(top, d) - mean(down, d));
  const sizes = way.map((x) => Math.abs(x) || 0);
  const axis = sizes.indexOf(Math.max(...sizes));
  return [axis, Math.sign(way[axis]) || 1];
}

class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.joints = [];  // where joints of the chosen person are, in pixels
    this.reset();
  }

  reset() {
    [this.zoom, this.shift, this.turn] = [1, [0, 0], [0.5, 0.15]];
  }

  // Sets what a person is shown in: the picture, or the space of the poses.
  choose(person, everybody) {
    const list = everybody ? people : [person];
    [this.low, this.high] = extentOf(list);
    this.up = D === 3 ? upAxis(person) : null;
    if (D === 2 && content.image_size) {
      this.low = [0, 0];
      this.high = content.image_size;
    }
    const spans = this.high.map((x, d) => x - this.low[d]);
    const margin = D === 2 && content.image_size ? 0 : 0.08;
    this.low = this.low.map((x, d) => x - margin * spans[d]);
    this.high = this.high.map((x, d) => x + margin * spans[d]);
    // A box in 3D that holds the person from all sides.
    const own = extentOf([person]);
    this.reach = Math.hypot(...own[1].map((x, d) => x - own[0][d])) || 1;
  }

  // Right and down on the screen, for coordinates relative to the centre.
  flat(p, center) {
    const q = p.map((x, d) => x - center[d]);
    if (D === 2) return q;
    const [axis, sign] = this.up;
    const height = q[axis] * sign;
    const [a, b] = [0, 1, 2].filter((d) => d !== axis);
    const [yaw, pitch] = this.turn;
    const right = q[a] * Math.cos(yaw) + q[b] * Math.sin(yaw);
    const depth = q[b] * Math.cos(yaw) - q[a] * Math.sin(yaw);
    const down = -height * Math.cos(pitch) + depth * Math.sin(pitch);
    return [right, down];
  }

  draw(state, video) {
    const [context, width, height] = prepare(this.canvas);
    const center = this.low.map((x, d) => (x + this.high[d]) / 2);
    let scale = Math.min(
      width / (this.high[0] - this.low[0]),
      height / (this.high[1] - this.low[1]));
    if (D === 3) {
      scale = 0.9 * Math.min(width, height) / this.reach;
    }
    scale *= this.zoom;
    this.map = (p) => {
      const [x, y] = this.flat(p, center);
      return [
        width / 2 + this.shift[0] + scale * x,
        height / 2 + this.shift[1] + scale * y,
      ];
    };
    this.scale = scale;
    this.drawBack(context, video);
    const me = people[state.person];
    if (state.others && content.one_clock) {
      for (const person of people) {
        if (person === me) continue;
        const t = state.frame - person.first;
        context.globalAlpha = 0.55;
        this.drawPose(context, person.after, t, color('muted'), 1.5, false);
        this.drawLabel(context, person, t);
        context.globalAlpha = 1;
      }
    }
    const t = state.frame - me.first;
    if (state.before) {
      this.drawPose(context, me.before, t, color('before'), 2, false);
    }
    this.joints = [];
    if (state.after || !me.before) {
      this.drawPose(context, me.after, t, color('after'), 2.5, true);
    }
    this.drawMarks(context, me, t, state);
    if (people.length > 1 && content.one_clock) {
      this.drawLabel(context, me, t);
    }
  }

  drawBack(context, video) {
    const [a, b] = [this.map(this.low), this.map(this.high)];
    if (D === 3) return this.drawAxes(context);
    if (video && video.readyState >= 2) {
      const size = content.image_size || [video.videoWidth, video.videoHeight];
      const [p, q] = [this.map([0, 0]), this.map(size)];
      context.globalAlpha = 0.6;
      context.drawImage(video, p[0], p[1], q[0] - p[0], q[1] - p[1]);
      context.globalAlpha = 1;
    }
    context.strokeStyle = color('grid');
    context.lineWidth = 1;
    context.strokeRect(a[0], a[1], b[0] - a[0], b[1] - a[1]);
  }

  drawAxes(context) {
    const height = this.canvas.clientHeight;
    context.font = '12px system-ui, sans-serif';
    for (let d = 0; d < 3; d++) {
      const p = [0, 0, 0];
      p[d] = 1;
      const [x, y] = this.flat(p, [0, 0, 0]);
      context.strokeStyle = context.fillStyle = color('muted');
      context.beginPath();
      context.moveTo(46, height - 46);
      context.lineTo(46 + 28 * x, height - 46 + 28 * y);
      context.stroke();
      context.fillText('xyz'[d], 43 + 38 * x, height - 42 + 38 * y);
    }
  }

  drawPose(context, poses, t, paint, line, chosen) {
    if (!poses) return;
    context.strokeStyle = context.fillStyle = paint;
    context.lineWidth = line;
    context.lineCap = 'round';
    context.beginPath();
    for (const [a, b] of content.links) {
      if (!poses.has(t, a) || !poses.has(t, b)) continue;
      context.moveTo(...this.map(poses.point(t, a)));
      context.lineTo(...this.map(poses.point(t, b)));
    }
    context.stroke();
    for (let k = 0; k < K; k++) {
      if (!poses.has(t, k)) continue;
      const [x, y] = this.map(poses.point(t, k));
      if (chosen) this.joints.push([x, y, k]);
      context.beginPath();
      context.arc(x, y, line + 0.8, 0, 2 * Math.PI);
      context.fill();
    }
  }

  // Rings around what was filled, swapped or an outlier, and the joint.
  drawMarks(context, person, t, state) {
    const kinds = [
      [FILLED, 'filled', 6], [SWAPPED, 'swapped', 8], [OUTLIER, 'outlier', 10],
    ];
    context.lineWidth = 1.8;
    for (const [x, y, k] of this.joints) {
      for (const [bit, name, radius] of kinds) {
        if (!(marksOf(person, t, k) & bit)) continue;
        context.strokeStyle = color(name);
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.stroke();
      }
      if (k === state.joint) {
        context.strokeStyle = color('chosen');
        context.strokeRect(x - 8, y - 8, 16, 16);
      }
    }
  }

  drawLabel(context, person, t) {
    if (!person.after) return;
    let [x, y] = [0, Infinity];
    for (let k = 0; k < K; k++) {
      if (!person.after.has(t, k)) continue;
      const p = this.map(person.after.point(t, k));
      if (p[1] < y) [x, y] = p;
    }
    if (y === Infinity) return;
    context.fillStyle = color('text');
    context.font = '12px system-ui, sans-serif';
    context.fillText(person.name, x + 8, Math.max(12, y - 8));
  }

  // The joint next to a place on the canvas, or -1.
  nearest(x, y) {
    let [best, found] = [15, -1];
    for (const [a, b, k] of this.joints) {
      const distance = Math.hypot(a - x, b - y);
      if (distance < best) [best, found] = [distance, k];
    }
    return found;
  }
}
