"use strict";
// Plays the frames of a recording: a small terminal, drawn on a canvas, with its text on top, which
// is transparent and can be selected and copied.
const { columns, rows, frames, seconds, ink, paper, fonts, arms } =
  JSON.parse(document.getElementById("recording").textContent);
const byId = (id) => document.getElementById(id);
const canvas = byId("canvas"), context = canvas.getContext("2d", { alpha: false });
const play = byId("play"), seek = byId("seek"), time = byId("time"), speed = byId("speed");
const BASIC = 0x2500, BLOCKS = 0x2580, BRAILLE = 0x2800;
const DOTS = [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1], [3, 0], [3, 1]];
const QUADRANTS = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14];
const WEIGHT_DOUBLE = 3;

// --- The terminal -------------------------------------------------------------------------------

const PLAIN = { ink: null, paper: null, bold: false, dim: false, italic: false, underline: false,
  reverse: false, strike: false };
const ATTRIBUTES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike" };
let cells, style, shown, position = 0, isPlaying = true;
const dirty = new Set();

function reset() {
  cells = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => [" ", PLAIN]));
  style = PLAIN;
  shown = 0;
  for (let y = 0; y < rows; y++) dirty.add(y);
}

function colour(numbers) {
  const [, red, green, blue] = numbers.splice(0, 4);
  return `rgb(${red},${green},${blue})`;
}

function styled(before, parameters) {
  const numbers = parameters.split(";").map(Number);
  let after = before;
  while (numbers.length) {
    const number = numbers.shift();
    if (number === 0) after = PLAIN;
    else if (number in ATTRIBUTES) after = { ...after, [ATTRIBUTES[number]]: true };
    else if (number === 38) after = { ...after, ink: colour(numbers) };
    else if (number === 48) after = { ...after, paper: colour(numbers) };
    else if (number === 39) after = { ...after, ink: null };
    else if (number === 49) after = { ...after, paper: null };
  }
  return after;
}

const styles = new Map();
function styledOnce(before, parameters) {
  if (!styles.has(before)) styles.set(before, new Map());
  const known = styles.get(before);
  if (!known.has(parameters)) known.set(parameters, styled(before, parameters));
  return known.get(parameters);
}

const wide = /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
function feed(sequences) {
  let x = 0, y = 0;
  for (const [, numbers, command, text] of
    sequences.matchAll(/\x1b\[([\d;]*)([Hm])|([^\x1b]+)/g)) {
    if (command === "m") style = styledOnce(style, numbers);
    else if (command === "H") [y, x] = numbers.split(";").map((each) => each - 1);
    else for (const character of text) {
      cells[y][x] = [character, style];
      if (wide.test(character) && x + 1 < columns) cells[y][++x] = ["", style];
      x++;
      dirty.add(y);
    }
  }
}

function goTo(at) {
  position = Math.min(Math.max(at, 0), seconds);
  if (shown > 0 && frames[shown - 1][0] > position) reset();
  while (shown < frames.length && frames[shown][0] <= position) feed(frames[shown++][1]);
  paint();
}

// --- Its picture --------------------------------------------------------------------------------

let width, height, ascent, ratio;
function fit() {
  ratio = window.devicePixelRatio || 1;
  const room = document.documentElement.clientWidth - 24;
  width = Math.max(4, Math.min(Math.floor(room * ratio / columns), Math.round(10 * ratio)));
  height = 2 * width;
  canvas.width = width * columns;
  canvas.height = height * rows;
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  context.font = `100px ${fonts}`;
  const size = 100 * width / context.measureText("M").width;
  context.font = `${size}px ${fonts}`;
  context.textBaseline = "alphabetic";
  const box = context.measureText("Mg|");
  const body = (box.fontBoundingBoxAscent || size * 0.8) + (box.fontBoundingBoxDescent || size * 0.2);
  ascent = Math.round((height - body) / 2 + (box.fontBoundingBoxAscent || size * 0.8));
  const text = byId("text");
  text.style.fontSize = `${size / ratio}px`;
  text.style.lineHeight = `${height / ratio}px`;
  text.replaceChildren(...Array.from({ length: rows }, () => {
    const line = document.createElement("div");
    line.style.height = `${height / ratio}px`;
    return line;
  }));
  for (let y = 0; y < rows; y++) dirty.add(y);
  paint();
}

function fill(left, top, right, bottom) {
  context.fillRect(left, top, right - left, bottom - top);
}

function drawBraille(x, y, bits) {
  const size = Math.max(1, Math.round(width / 2 * 0.62));
  DOTS.forEach(([row, column], bit) => {
    if (!(bits >> bit & 1)) return;
    const left = x + Math.round((column + 0.5) * width / 2 - size / 2);
    const top = y + Math.round((row + 0.5) * height / 4 - size / 2);
    context.fillRect(left, top, size, size);
  });
}

function drawBlock(x, y, place) {
  const right = x + width, bottom = y + height;
  const across = (eighths) => Math.max(1, Math.round(eighths * width / 8));
  const down = (eighths) => Math.max(1, Math.round(eighths * height / 8));
  if (place === 0) fill(x, y, right, y + down(4));
  else if (place <= 8) fill(x, bottom - down(place), right, bottom);
  else if (place <= 15) fill(x, y, x + across(16 - place), bottom);
  else if (place === 16) fill(x + across(4), y, right, bottom);
  else if (place <= 19) {
    context.globalAlpha *= (place - 16) / 4;
    fill(x, y, right, bottom);
  } else if (place === 20) fill(x, y, right, y + down(1));
  else if (place === 21) fill(right - across(1), y, right, bottom);
  else {
    const bits = QUADRANTS[place - 22], middle = x + across(4), half = y + down(4);
    if (bits & 1) fill(x, y, middle, half);
    if (bits & 2) fill(middle, y, right, half);
    if (bits & 4) fill(x, half, middle, bottom);
    if (bits & 8) fill(middle, half, right, bottom);
  }
}

function dashes(place) {
  if (place >= 0x4c && place <= 0x4f) return 2;
  return place >= 4 && place <= 7 ? 3 : place >= 8 && place <= 11 ? 4 : 1;
}

function drawBox(x, y, place) {
  const weights = [...arms.slice(4 * place, 4 * place + 4)].map(Number);
  const line = Math.max(1, Math.round(width / 8));
  const middle = x + Math.floor(width / 2), centre = y + Math.floor(height / 2);
  const extra = weights.includes(WEIGHT_DOUBLE) ? line + 1 : 0, cuts = dashes(place);
  weights.forEach((weight, arm) => {
    if (!weight) return;
    const thick = weight === 2 ? 2 * line + (line === 1 ? 1 : 0) : line;
    for (const offset of weight === WEIGHT_DOUBLE ? [-line, line] : [0]) {
      const shift = offset - Math.floor((thick - line) / 2);
      if (arm === 0) fill(x, centre + shift, middle + line + extra, centre + shift + thick);
      if (arm === 1) fill(middle - extra, centre + shift, x + width, centre + shift + thick);
      if (arm === 2) fill(middle + shift, y, middle + shift + thick, centre + line + extra);
      if (arm === 3) fill(middle + shift, centre - extra, middle + shift + thick, y + height);
    }
  });
  if (cuts > 1) {
    const isVertical = weights[2] > 0, along = isVertical ? height : width;
    context.fillStyle = lastPaper;
    context.globalAlpha = 1;
    for (let cut = 0; cut < cuts; cut++) {
      const start = Math.round((cut + 0.6) * along / cuts), end = Math.round((cut + 1) * along / cuts);
      if (isVertical) fill(x, y + start, x + width, y + end);
      else fill(x + start, y, x + end, y + height);
    }
  }
}

let lastPaper;
function drawCell(x, y, character, { ink: own, paper: under, bold, dim, italic, underline,
  reverse, strike }, span) {
  let front = own || ink, back = under || paper;
  if (reverse) [front, back] = [back, front];
  const left = x * width, top = y * height, code = character.codePointAt(0);
  context.globalAlpha = 1;
  context.fillStyle = lastPaper = back;
  context.fillRect(left, top, span * width, height);
  context.fillStyle = front;
  context.globalAlpha = dim ? 0.5 : 1;
  if (code >= BRAILLE && code < BRAILLE + 256) drawBraille(left, top, code - BRAILLE);
  else if (code >= BLOCKS && code < BLOCKS + 32) drawBlock(left, top, code - BLOCKS);
  else if (code >= BASIC && code < BLOCKS && !(code >= 0x2571 && code <= 0x2573)) {
    drawBox(left, top, code - BASIC);
  } else if (character !== " ") drawLetter(left, top, character, bold, italic);
  if (underline) context.fillRect(left, top + height - 2, span * width, Math.ceil(ratio));
  if (strike) context.fillRect(left, top + height / 2, span * width, Math.ceil(ratio));
}

function drawLetter(left, top, character, bold, italic) {
  const font = context.font;
  if (bold || italic) context.font = `${italic ? "italic " : ""}${bold ? "bold " : ""}${font}`;
  context.fillText(character, left, top + ascent);
  context.font = font;
}

function paint() {
  const lines = byId("text").children;
  for (const y of dirty) {
    const row = cells[y];
    row.forEach(([character, look], x) => {
      const span = x + 1 < columns && row[x + 1][0] === "" ? 2 : 1;
      if (character !== "") drawCell(x, y, character, look, span);
    });
    if (lines[y]) lines[y].textContent = row.map(([character]) => character).join("").trimEnd();
  }
  dirty.clear();
  if (document.activeElement !== seek) seek.value = position;
  const clock = (at) => `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, "0")}`;
  time.textContent = `${clock(position)} / ${clock(seconds)}`;
}

// --- Its controls -------------------------------------------------------------------------------

const STEP_MILLISECONDS = 40;
let since;
function step() {
  const now = performance.now();
  if (isPlaying) {
    goTo(position + (now - since) / 1000 * Number(speed.value));
    if (position >= seconds) setPlaying(false);
  }
  since = now;
  if (isPlaying) setTimeout(step, STEP_MILLISECONDS);
}

function setPlaying(wanted) {
  const begins = wanted && !isPlaying;
  isPlaying = wanted;
  play.textContent = isPlaying ? "Pause" : position >= seconds ? "Replay" : "Play";
  if (begins) {
    if (position >= seconds) goTo(0);
    since = performance.now();
    setTimeout(step, STEP_MILLISECONDS);
  }
}

function jump(at) {
  goTo(at);
  setPlaying(isPlaying && position < seconds);
}

play.addEventListener("click", () => setPlaying(!isPlaying));
seek.addEventListener("input", () => jump(Number(seek.value)));
seek.addEventListener("change", () => seek.blur());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target === speed) return;
  if (event.key === " " && event.target !== play) setPlaying(!isPlaying);
  else if (event.key === "ArrowLeft") jump(position - 5);
  else if (event.key === "ArrowRight") jump(position + 5);
  else if (event.key === "Home") jump(0);
  else if (event.key === "End") jump(seconds);
  else return;
  event.preventDefault();
});
window.addEventListener("resize", fit);
seek.max = seconds;
reset();
fit();
goTo(Number(new URLSearchParams(location.hash.slice(1)).get("t")) || 0); // demo.html#t=12
isPlaying = false;
setPlaying(!window.matchMedia("(prefers-reduced-motion: reduce)").matches);
