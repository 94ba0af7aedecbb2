// SPDX-License-Identifier: Apache-2.0
// Requests the camera's latest result periodically and shows it.
const PERIOD_MS = 150;         // between two requests
const WINDOW_MS = 60_000;      // time span of the plots
const find = id => document.getElementById(id);
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

/** Runs `step` while the page is visible. Continues after a failure, because the device may come back. */
async function repeat(step, period) {
  for (;;) {
    if (!document.hidden) await step().catch(() => pause(1000));
    await pause(period);
  }
}

async function ask(path) {
  const answer = await fetch(path, {signal: AbortSignal.timeout(8000)});
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

// ---- the state of the camera

const messages = {
  waiting: 'Waiting for the first frame',
  stalled: 'No frame has come for a while',
  lost: 'The camera is gone; waiting for it',
  offline: 'No connection to the device',
};

function showState(state) {
  find('camera').dataset.state = state;
  find('camera').querySelector('b').textContent = state;
  find('stage').classList.toggle('still', state in messages);
  find('message').hidden = !(state in messages);
  if (state in messages) find('message').textContent = messages[state];
}

// ---- classes

const percent = share => `${(100 * share).toFixed(1)} %`;

function makeBar() {
  const item = document.createElement('li');
  for (const [tag, name] of [['span', 'name'], ['span', 'share'], ['span', 'bar']]) {
    const part = document.createElement(tag);
    part.className = name;
    item.append(part);
  }
  item.querySelector('.bar').append(document.createElement('i'));
  return item;
}

function showClasses(top) {
  const bars = find('bars');
  while (bars.children.length < top.length) bars.append(makeBar());
  while (bars.children.length > top.length) bars.lastChild.remove();
  top.forEach((guess, i) => {
    const item = bars.children[i];
    item.querySelector('.name').textContent = guess.label;
    item.querySelector('.share').textContent = percent(guess.probability);
    item.querySelector('i').style.width = `${100 * guess.probability}%`;
  });
  find('label').textContent = top[0].label;
  find('probability').textContent = percent(top[0].probability);
}

// ---- the two plots

const readable = number => number.toFixed(number < 10 ? 1 : 0);

/** Returns the smallest of 1, 2, 5, 10, 20, ... that is at least `number`. */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 0.1)));
  return [1, 2, 5, 10].find(step => step * power >= number * 0.999) * power;
}

class Plot {
  constructor(id) {
    this.card = find(id);
    this.canvas = this.card.querySelector('canvas');
    this.scale = this.card.querySelector('small span:nth-child(2)');
    this.samples = [];
  }

  add(value) {
    const now = performance.now();
    this.samples.push({time: now, value});
    while (this.samples[0].time < now - WINDOW_MS - 2000) this.samples.shift();
    this.canvas.dataset.samples = Number(this.canvas.dataset.samples ?? 0) + 1;
    this.card.querySelector('b').textContent = readable(value);
  }

  draw() {
    const {canvas, samples} = this;
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = devicePixelRatio;
    if (samples.length < 2 || width === 0) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const style = getComputedStyle(this.card);
    const top = roundUp(Math.max(...samples.map(sample => sample.value)));
    this.scale.textContent = `0 – ${top >= 1 ? top : top.toFixed(1)}`;
    const now = performance.now();
    const x = sample => width * (1 - (now - sample.time) / WINDOW_MS);
    const y = sample => height - 1 - (height - 4) * sample.value / top;
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.strokeStyle = style.getPropertyValue('--line');
    context.lineWidth = 1;
    context.beginPath();
    for (const line of [1.5, height / 2, height - 0.5]) {
      context.moveTo(0, line);
      context.lineTo(width, line);
    }
    context.stroke();
    const path = new Path2D();
    samples.forEach((sample, i) => (i === 0 ? path.moveTo(x(sample), y(sample)) : path.lineTo(x(sample), y(sample))));
    const last = samples[samples.length - 1];
    path.lineTo(width, y(last));
    const area = new Path2D(path);
    area.lineTo(width, height);
    area.lineTo(x(samples[0]), height);
    context.fillStyle = context.strokeStyle = style.getPropertyValue('--series');
    context.globalAlpha = 0.14;
    context.fill(area);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.stroke(path);
  }
}

const latency = new Plot('latency'), fps = new Plot('fps');

// ---- the picture

const picture = find('picture');
let shown = -1, newest = -1;

async function showPicture() {
  if (newest === shown) return;
  const asked = newest;
  const url = URL.createObjectURL(await (await ask('snapshot.jpg')).blob());
  const before = picture.src;
  picture.src = url;
  await picture.decode().catch(() => {});
  if (before.startsWith('blob:')) URL.revokeObjectURL(before);
  picture.classList.add('there');
  shown = asked;
  placeHeatmap();
}

// ---- the attention map

const heatmap = find('heatmap'), attention = find('attention');
const CELL = 12;  // pixels of the heatmap per side of a patch
const COLOURS = [[10, 10, 24], [38, 18, 74], [120, 28, 109], [205, 68, 70], [242, 123, 24], [252, 196, 55], [252, 240, 150]];

/** Returns the weights of four neighbours at `t` between the inner two: a cubic B-spline, which does not overshoot. */
const cubic = t => [(1 - t) ** 3, 4 + t * t * (3 * t - 6), 1 + 3 * t * (1 + t - t * t), t ** 3].map(weight => weight / 6);

/** Returns `map` [height, width], enlarged by CELL in both directions. Interpolates between the centres of the patches. */
function enlarge(map, height, width) {
  const line = (length, read, write) => {
    for (let i = 0; i < length * CELL; ++i) {
      const place = (i + 0.5) / CELL - 0.5, first = Math.floor(place);
      const weights = cubic(place - first);
      let sum = 0;
      for (let k = 0; k < 4; ++k) sum += weights[k] * read(Math.min(Math.max(first - 1 + k, 0), length - 1));
      write(i, sum);
    }
  };
  const wide = new Float32Array(height * width * CELL), large = new Float32Array(height * width * CELL * CELL);
  for (let y = 0; y < height; ++y) line(width, x => map[y * width + x], (x, value) => (wide[y * width * CELL + x] = value));
  for (let x = 0; x < width * CELL; ++x) {
    line(height, y => wide[y * width * CELL + x], (y, value) => (large[y * width * CELL + x] = value));
  }
  return large;
}

function colour(share) {
  const place = share * (COLOURS.length - 1), first = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[first].map((value, i) => value + (COLOURS[first + 1][i] - value) * (place - first));
}

/** Returns the map as a translucent image: dark for low attention, bright and more opaque for high attention. */
function colourMap(map, [height, width]) {
  const sorted = Float32Array.from(map).sort();
  const low = sorted[Math.floor(0.25 * sorted.length)], high = sorted[Math.floor(0.98 * (sorted.length - 1))];
  const image = new ImageData(width * CELL, height * CELL);
  enlarge(map, height, width).forEach((value, i) => {
    const share = Math.min(Math.max((value - low) / Math.max(high - low, 1e-9), 0), 1);
    image.data.set([...colour(share), 255 * (0.4 + 0.3 * share)], 4 * i);
  });
  return image;
}

/** Places the canvas exactly over the picture, which may be smaller than its element. */
function placeHeatmap() {
  if (picture.naturalWidth === 0) return;
  const scale = Math.min(picture.clientWidth / picture.naturalWidth, picture.clientHeight / picture.naturalHeight);
  const width = picture.naturalWidth * scale, height = picture.naturalHeight * scale;
  heatmap.style.width = `${width}px`;
  heatmap.style.height = `${height}px`;
  heatmap.style.left = `${picture.offsetLeft + (picture.clientWidth - width) / 2}px`;
  heatmap.style.top = `${picture.offsetTop + (picture.clientHeight - height) / 2}px`;
}

function drawHeatmap({grid, map, crop}) {
  const small = new OffscreenCanvas(grid[1] * CELL, grid[0] * CELL);
  small.getContext('2d').putImageData(colourMap(map, grid), 0, 0);
  const width = heatmap.width = heatmap.clientWidth * devicePixelRatio;
  const height = heatmap.height = heatmap.clientHeight * devicePixelRatio;
  const [x, y, w, h] = [crop[0] * width, crop[1] * height, crop[2] * width, crop[3] * height];
  const context = heatmap.getContext('2d');
  context.fillStyle = 'rgb(8 10 14 / .62)';  // outside of the model's input
  context.fillRect(0, 0, width, height);
  context.clearRect(x, y, w, h);
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, x, y, w, h);
  heatmap.dataset.drawn = Number(heatmap.dataset.drawn ?? 0) + 1;
}

async function showHeatmap() {
  if (heatmap.hidden) return;
  const answer = await (await ask('api/heatmap')).json();
  if (!heatmap.hidden && answer.map.length > 0) drawHeatmap(answer);
}

attention.addEventListener('click', () => {
  const on = attention.getAttribute('aria-checked') !== 'true';
  attention.setAttribute('aria-checked', on);
  heatmap.hidden = !on;
});
new ResizeObserver(placeHeatmap).observe(picture);

// ---- the periodic updates

async function showLast() {
  let last;
  try {
    last = await (await ask('api/last')).json();
  } catch (error) {
    showState('offline');
    throw error;
  }
  showState(last.camera);
  attention.hidden = !last.heatmap;
  if (last.frame < 0) return;
  find('temperature').textContent = last.temperature_celsius === null ? '–' : `${last.temperature_celsius.toFixed(0)} °C`;
  find('time').textContent = duration(last.time);
  find('level').textContent = last.level;
  find('frames').textContent = (last.frame + 1).toLocaleString();
  find('dropped').textContent = last.dropped.toLocaleString();
  find('damaged').textContent = last.damaged.toLocaleString();
  if (last.frame === newest) return;
  newest = last.frame;
  showClasses(last.top);
  latency.add(last.latency_ms);
  fps.add(last.fps);
}

function duration(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes} min`;
}

function draw() {
  latency.draw();
  fps.draw();
}

// Removes the token from the address bar: a cookie contains it now.
if (location.search.includes('token=')) history.replaceState(null, '', location.pathname);
repeat(showLast, PERIOD_MS);
repeat(showPicture, PERIOD_MS / 2);
repeat(showHeatmap, PERIOD_MS);
setInterval(draw, 100);  // the plots move about three pixels per second
