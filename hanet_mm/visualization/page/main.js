// State, controls and playing.

const $ = (id) => document.getElementById(id);
const scene = new Scene($('scene'));
const plots = new Plots($('plots'));
const video = $('video');
const state = {
  person: 0, joint: 0, frame: 0, place: 0, low: 0, high: 0, window: 0,
  before: HAS_BEFORE, after: true, others: true, playing: false,
};
let stripFrame = () => 0;
let waiting = false;

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawAll();
  });
}

function drawAll() {
  scene.draw(state, video.hidden ? null : video);
  plots.draw(state);
  stripFrame = drawStrip($('strip'), state);
  $('slider').value = state.frame;
  $('time').textContent = timeText(state.frame);
  $('readout').textContent = readout();
  showEvents();
}

function timeText(frame) {
  const time = content.fps ? `, ${(frame / content.fps).toFixed(2)} s` : '';
  return `frame ${frame} of ${state.low}–${state.high}${time}`;
}

// Words for the marks of a keypoint.
function words(bits) {
  return KINDS.filter(([bit]) => bits & bit).map(([, name]) => name);
}

function readout() {
  const person = people[state.person];
  const t = state.frame - person.first;
  const place = (poses) => poses ?
    poses.point(t, state.joint).map(format).join(', ') : '–';
  const parts = [NAMES[state.joint]];
  if (person.before) {
    parts.push(`before ${place(person.before)}`);
    parts.push(`after ${place(person.after)}`);
    let sum = 0;
    for (let d = 0; d < D; d++) {
      sum += (person.after ? person.after.get(t, state.joint, d) -
        person.before.get(t, state.joint, d) : NaN) ** 2;
    }
    parts.push(`moved ${format(Math.sqrt(sum))} ${UNIT}`);
  } else {
    parts.push(`at ${place(person.after)} ${UNIT}`);
  }
  const bits = marksOf(person, t, state.joint);
  return [...parts, ...words(bits)].join(' · ');
}

function showEvents() {
  const person = people[state.person];
  const t = state.frame - person.first;
  const box = $('events');
  box.replaceChildren();
  if (t < 0 || t >= person.frames) {
    box.textContent = `${person.name} is not in this frame`;
    return;
  }
  for (const [bit, name] of KINDS) {
    const names = NAMES.filter((_, k) => marksOf(person, t, k) & bit);
    if (!names.length) continue;
    const title = document.createElement('b');
    title.textContent = `${name}: `;
    title.style.color = `var(--${name})`;
    const all = names.length === K ? 'all keypoints' : names.join(', ');
    box.append(title, `${all}  `);
  }
}

function seek(frame) {
  const inside = Math.min(Math.max(Math.round(frame), state.low), state.high);
  if (inside === state.frame) return;
  state.frame = state.place = inside;
  if (!video.hidden) showVideoFrame();
  remember();
  redraw();
}

// To the next frame in which keypoints begin to be filled, swapped or empty.
function seekEvent(step) {
  const person = people[state.person];
  const at = (frame) => {
    const t = frame - person.first;
    if (t < 0 || t >= person.frames) return 0;
    const {filled, swapped, empty} = person.counts;
    return Number(filled[t] > 0) + 2 * (swapped[t] > 0) + 4 * (empty[t] > 0);
  };
  for (let f = state.frame + step; f >= state.low && f <= state.high;
    f += step) {
    if (at(f) & ~at(f - 1)) return seek(f);
  }
}

function choosePerson(index) {
  state.person = index;
  const shared = content.one_clock ? people : [people[index]];
  state.low = Math.min(...shared.map((x) => x.first));
  state.high = Math.max(...shared.map((x) => x.first + x.frames - 1));
  state.frame = Math.min(Math.max(state.frame, state.low), state.high);
  $('slider').min = state.low;
  $('slider').max = state.high;
  $('person').value = index;
  scene.choose(people[index], content.one_clock && D === 2);
  remember();
  redraw();
}

function chooseJoint(index) {
  state.joint = index;
  $('joint').value = index;
  remember();
  redraw();
}

function play(on) {
  state.playing = on;
  $('play').textContent = on ? 'pause' : 'play';
  if (!video.hidden) {
    video.playbackRate = Math.max(0.1, Number($('speed').value));
    if (on) video.play();
    else video.pause();
  }
  if (!on) return remember();
  if (state.frame >= state.high) state.frame = state.low;
  let last = null;
  state.place = state.frame;
  const step = () => {
    const now = performance.now();
    if (!state.playing) return;
    if (video.hidden) {
      const passed = last === null ? 0 : Math.min(now - last, 500) / 1000;
      state.place += passed * RATE * Number($('speed').value);
    } else if (!video.seeking) {
      state.place = video.currentTime * RATE;
    }
    last = now;
    const frame = Math.floor(state.place + 1e-6);
    state.frame = Math.min(Math.max(frame, state.low), state.high);
    drawAll();
    if (state.frame >= state.high) return play(false);
    setTimeout(step, 15);
  };
  step();
}

function showVideoFrame() {
  video.currentTime = (state.frame + 0.5) / RATE;
}

// The address keeps what is shown, to come back or to point others at it.
function remember() {
  if (state.playing) return;
  const parts = [`frame=${state.frame}`, `joint=${state.joint}`];
  if (people.length > 1) parts.push(`person=${state.person}`);
  if (state.window) parts.push(`window=${state.window}`);
  history.replaceState(null, '', `#${parts.join('&')}`);
}

function recall() {
  const found = new URLSearchParams(location.hash.slice(1));
  const number = (key, usual, end) => {
    const value = Number(found.get(key) ?? usual);
    return value >= 0 && value < end ? Math.floor(value) : usual;
  };
  const joint = NAMES.indexOf(found.get('joint'));
  state.joint = joint >= 0 ? joint : number('joint', firstJoint(), K);
  state.window = Number(found.get('window')) || 0;
  state.frame = number('frame', 0, Infinity);
  $('window').value = state.window;
  choosePerson(number('person', 0, people.length));
  chooseJoint(state.joint);
  if (found.get('play')) play(true);
}

// A joint that moves much, for a start.
function firstJoint() {
  const found = NAMES.findIndex((x) => /wrist|hand/i.test(x));
  return Math.max(found, 0);
}

function fill(select, names) {
  names.forEach((name, i) => {
    const option = document.createElement('option');
    option.value = i;
    option.textContent = name;
    select.append(option);
  });
}

function describe() {
  const frames = state.high - state.low + 1;
  const kinds = [[FILLED, 'filled'], [SWAPPED, 'swapped'], [OUTLIER, 'outliers']];
  const counts = kinds.map(([bit, name]) => {
    let sum = 0;
    for (const x of people) for (const m of x.marks) if (m & bit) sum += 1;
    return sum ? `${sum} ${name}` : '';
  }).filter(Boolean);
  const who = content.one_clock ? 'people' : 'sequences';
  return [
    people.length > 1 ? `${people.length} ${who}` : '1 person',
    `${frames} frames`, `${K} keypoints`,
    content.fps ? `${+content.fps.toFixed(3)} fps` : 'frame rate not known',
    ...counts,
  ].join(' · ');
}

function drag(canvas, begin, move) {
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    begin(event);
    const end = () => canvas.removeEventListener('pointermove', move);
    canvas.addEventListener('pointermove', move);
    canvas.addEventListener('pointerup', end, {once: true});
    canvas.addEventListener('pointercancel', end, {once: true});
  });
}

function connect() {
  $('slider').addEventListener('input', () => seek(Number($('slider').value)));
  $('person').addEventListener('change',
    () => choosePerson(Number($('person').value)));
  $('joint').addEventListener('change',
    () => chooseJoint(Number($('joint').value)));
  $('window').addEventListener('change', () => {
    state.window = Number($('window').value);
    remember();
    redraw();
  });
  for (const name of ['before', 'after', 'others']) {
    $(`show-${name}`).addEventListener('change', (event) => {
      state[name] = event.target.checked;
      redraw();
    });
  }
  $('play').addEventListener('click', () => play(!state.playing));
  $('back').addEventListener('click', () => seek(state.frame - 1));
  $('next').addEventListener('click', () => seek(state.frame + 1));
  $('event-back').addEventListener('click', () => seekEvent(-1));
  $('event-next').addEventListener('click', () => seekEvent(1));
  $('reset').addEventListener('click', () => {
    scene.reset();
    redraw();
  });
  $('video-file').addEventListener('change', (event) => {
    const [file] = event.target.files;
    if (!file) return;
    video.src = URL.createObjectURL(file);
    // Its pictures are drawn on the canvas.
    video.hidden = false;
    video.style.cssText = 'position:absolute;width:1px;height:1px;opacity:0';
    for (const name of ['loadeddata', 'seeked']) {
      video.addEventListener(name, redraw);
    }
    showVideoFrame();
  });
  let last = [0, 0];
  drag(scene.canvas, (event) => {
    last = [event.offsetX, event.offsetY];
    const joint = scene.nearest(...last);
    if (joint >= 0) chooseJoint(joint);
  }, (event) => {
    const step = [event.offsetX - last[0], event.offsetY - last[1]];
    last = [event.offsetX, event.offsetY];
    if (D === 3 && !event.shiftKey) {
      scene.turn[0] -= step[0] / 120;
      scene.turn[1] = Math.min(1.5, Math.max(-1.5,
        scene.turn[1] + step[1] / 120));
    } else {
      scene.shift = scene.shift.map((x, i) => x + step[i]);
    }
    redraw();
  });
  scene.canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    const by = Math.exp(-event.deltaY / 500);
    const place = [event.offsetX, event.offsetY];
    const size = [scene.canvas.clientWidth, scene.canvas.clientHeight];
    // What is under the pointer stays there.
    scene.shift = scene.shift.map((x, i) => {
      const away = place[i] - size[i] / 2;
      return away + by * (x - away);
    });
    scene.zoom *= by;
    redraw();
  }, {passive: false});
  const toPlot = (event) => seek(plots.frame(event.offsetX));
  drag(plots.canvas, toPlot, toPlot);
  const toStrip = (event) => seek(stripFrame(event.offsetX));
  drag($('strip'), toStrip, toStrip);
  document.addEventListener('keydown', (event) => {
    if (['SELECT', 'INPUT', 'BUTTON'].includes(event.target.tagName) &&
        event.key !== 'n' && event.key !== 'p') return;
    const actions = {
      ' ': () => play(!state.playing),
      'ArrowLeft': () => seek(state.frame - 1),
      'ArrowRight': () => seek(state.frame + 1),
      'n': () => seekEvent(1),
      'p': () => seekEvent(-1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  window.addEventListener('hashchange', recall);
  const observer = new ResizeObserver(redraw);
  for (const id of ['scene', 'plots', 'strip']) observer.observe($(id));
}

$('title').textContent = document.title = content.title;
fill($('person'), people.map((x) => x.name));
fill($('joint'), NAMES);
$('person-box').hidden = people.length < 2;
$('others-box').hidden = people.length < 2 || !content.one_clock;
$('video-box').hidden = D !== 2;
document.querySelector('label.before').hidden = !HAS_BEFORE;
if (!HAS_BEFORE) {
  $('after-name').textContent = 'poses';
  document.querySelector('label.after input').hidden = true;
}
connect();
recall();
$('about').textContent = describe();
drawAll();
// Once more where drawing has moved something.
drawAll();
document.body.dataset.ready = 'yes';
