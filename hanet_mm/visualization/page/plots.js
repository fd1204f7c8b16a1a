// Curves of a joint over time, and the strip of what happened when.

const LEFT = 58, RIGHT = 10, GAP = 14;
const KINDS = [
  [FILLED, 'filled'], [SWAPPED, 'swapped'], [OUTLIER, 'outlier'],
];

// Ticks at round numbers between two values.
function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const result = [];
  for (let x = Math.ceil(low / step) * step; x <= high; x += step) {
    result.push(Math.abs(x) < step / 1e6 ? 0 : x);
  }
  return result;
}

function seconds(frame) {
  return content.fps ? frame / content.fps : frame;
}

class Plots {
  constructor(canvas) {
    this.canvas = canvas;
  }

  // First and last frame in sight.
  span(state) {
    if (!state.window) return [state.low, Math.max(state.high, state.low + 1)];
    const half = state.window * RATE / 2;
    let low = state.frame - half;
    low = Math.min(low, state.high - 2 * half);
    low = Math.max(low, state.low);
    return [low, low + 2 * half];
  }

  draw(state) {
    const [context, width, height] = prepare(this.canvas);
    const person = people[state.person];
    const [first, last] = this.span(state);
    const rows = D + 1;
    const tall = (height - 24 - GAP * (rows - 1) - 6) / rows;
    this.x = (frame) =>
      LEFT + (frame - first) / (last - first) * (width - LEFT - RIGHT);
    this.frame = (x) =>
      first + (x - LEFT) / (width - LEFT - RIGHT) * (last - first);
    context.font = '11px system-ui, sans-serif';
    for (let row = 0; row < rows; row++) {
      const top = 6 + row * (tall + GAP);
      const value = (poses, t) => row < D ?
        poses.get(t, state.joint, row) : speedOf(poses, t, state.joint);
      const name = row < D ? 'xyz'[row] : 'speed';
      let unit = UNIT && `(${UNIT})`;
      if (row === D) unit = `(${UNIT}${content.fps ? '/s' : '/frame'})`;
      this.drawRow(context, state, person, value, {
        top, tall, width, first, last, title: `${name} ${unit}`,
      });
    }
    context.fillStyle = color('muted');
    context.textAlign = 'center';
    for (const x of ticks(seconds(first), seconds(last), width / 90)) {
      const frame = content.fps ? x * content.fps : x;
      context.fillText(`${+x.toFixed(3)}`, this.x(frame), height - 6);
    }
    context.textAlign = 'right';
    context.fillText(content.fps ? 's' : 'frame', LEFT - 8, height - 6);
    context.strokeStyle = color('text');
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(this.x(state.frame), 4);
    context.lineTo(this.x(state.frame), height - 20);
    context.stroke();
  }

  drawRow(context, state, person, value, row) {
    const from = Math.max(0, Math.floor(row.first) - person.first);
    const to = Math.min(person.frames - 1, Math.ceil(row.last) - person.first);
    const series = [];
    if (person.before && state.before) series.push([person.before, 'before']);
    if (person.after && (state.after || !person.before)) {
      series.push([person.after, 'after']);
    }
    const kept = series.map(([poses]) => {
      const found = [];
      for (let t = from; t <= to; t++) {
        const x = value(poses, t);
        if (Number.isFinite(x)) found.push(x);
      }
      return Float32Array.from(found).sort();
    });
    let [low, high] = [Infinity, -Infinity];
    for (const [i, sorted] of kept.entries()) {
      if (!sorted.length) continue;
      // Single outliers of the input do not flatten everything.
      const cut = series[i][1] === 'before' ?
        Math.floor(sorted.length * 0.005) : 0;
      low = Math.min(low, sorted[cut]);
      high = Math.max(high, sorted[sorted.length - 1 - cut]);
    }
    if (low > high) [low, high] = [0, 1];
    const margin = (high - low) * 0.06 || 0.5;
    [low, high] = [low - margin, high + margin];
    const y = (v) => row.top + row.tall * (1 - (v - low) / (high - low));
    const right = row.width - RIGHT;
    this.drawMarks(context, state, person, row, from, to);
    context.lineWidth = 1;
    context.textAlign = 'right';
    for (const tick of ticks(low, high, row.tall / 34)) {
      context.strokeStyle = color('grid');
      context.beginPath();
      context.moveTo(LEFT, y(tick));
      context.lineTo(right, y(tick));
      context.stroke();
      context.fillStyle = color('muted');
      context.fillText(`${+tick.toPrecision(6)}`, LEFT - 6, y(tick) + 4);
    }
    context.save();
    context.beginPath();
    context.rect(LEFT, row.top, right - LEFT, row.tall);
    context.clip();
    for (const [poses, name] of series) {
      context.strokeStyle = color(name);
      context.lineWidth = name === 'after' ? 1.8 : 1.2;
      this.drawCurve(context, (t) => value(poses, t), person, from, to, y);
    }
    context.restore();
    context.textAlign = 'left';
    // Legible over the curves.
    const wide = context.measureText(row.title).width;
    context.fillStyle = color('panel');
    context.globalAlpha = 0.8;
    context.fillRect(LEFT + 3, row.top + 1, wide + 6, 15);
    context.globalAlpha = 1;
    context.fillStyle = color('text');
    context.fillText(row.title, LEFT + 6, row.top + 12);
  }

  // A line; where there are many frames to a pixel, from least to greatest.
  drawCurve(context, value, person, from, to, y) {
    const each = 1 / (this.x(1) - this.x(0));
    const step = Math.max(1, Math.floor(each));
    context.beginPath();
    let open = false;
    for (let t = from; t <= to; t += step) {
      let [low, high] = [Infinity, -Infinity];
      for (let s = t; s < t + step && s <= to; s++) {
        const x = value(s);
        if (Number.isFinite(x)) [low, high] = [Math.min(low, x), Math.max(high, x)];
      }
      if (low > high) {
        open = false;
        continue;
      }
      const x = this.x(person.first + t);
      if (open) context.lineTo(x, y(low));
      else context.moveTo(x, y(low));
      // A point alone is seen too.
      context.lineTo(x + (open || low < high ? 0 : 1), y(high));
      open = true;
    }
    context.stroke();
  }

  drawMarks(context, state, person, row, from, to) {
    const half = Math.max(1, this.x(1) - this.x(0)) / 2;
    context.globalAlpha = 0.28;
    for (const [bit, name] of KINDS) {
      context.fillStyle = color(name);
      const has = (t) => t <= to && marksOf(person, t, state.joint) & bit;
      for (let t = from; t <= to; t++) {
        if (!has(t)) continue;
        const start = this.x(person.first + t) - half;
        while (has(t + 1)) t++;
        const end = this.x(person.first + t) + half;
        context.fillRect(start, row.top, end - start, row.tall);
      }
    }
    context.globalAlpha = 1;
  }
}

// Rows of what happened to the chosen person, as high as the share of its
// keypoints that it happened to.
function drawStrip(canvas, state) {
  const [context, width, height] = prepare(canvas);
  const person = people[state.person];
  const rows = ['filled', 'swapped', 'outlier', 'empty'];
  const tall = height / rows.length;
  const length = Math.max(1, state.high - state.low);
  // Above the way of the slider's thumb, 16 pixels wide; names are left of it.
  const left = 62 + 8, room = width - left - 8;
  const x = (frame) => left + (frame - state.low) / length * room;
  context.font = `${Math.min(11, tall)}px system-ui, sans-serif`;
  for (const [i, name] of rows.entries()) {
    context.fillStyle = color('panel');
    context.fillRect(left, i * tall + 1, room, tall - 2);
    context.fillStyle = color(name);
    let any = false;
    for (let t = 0; t < person.frames; t++) {
      const share = person.counts[name][t] / K;
      if (!share) continue;
      any = true;
      const wide = Math.max(1.5, room / length);
      const high = (tall - 2) * (0.35 + 0.65 * share);
      context.fillRect(
        x(person.first + t) - wide / 2, (i + 1) * tall - 1 - high, wide, high);
    }
    context.textAlign = 'right';
    if (!any) context.fillStyle = color('muted');
    context.fillText(name, left - 12, (i + 0.5) * tall + 4);
  }
  context.fillStyle = color('text');
  context.fillRect(x(state.frame) - 0.75, 0, 1.5, height);
  return (place) => state.low + (place - left) / room * length;
}
