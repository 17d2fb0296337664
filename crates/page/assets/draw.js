// Draws what the relay has made of an annotation: shapes, lines of time, and words.

import { el, svg } from './dom.js';

// Told apart on white and on black, and by most colour-blind people.
const COLOURS = ['#1f77d0', '#d9731a', '#2a9d4a', '#c9398f', '#8358d6', '#b8860b', '#11999e', '#d0453c', '#6b8e23', '#7f7f8f'];
const BEFORE = '#808890';
const STATES = { plain: '', same: 'as before', new: 'new', changed: 'changed', was: 'before the change', gone: 'gone' };

// Rows of a table, and sides of a canvas, that a browser takes in good time.
const MAX_ROWS = 500;
// From here on, a table is laid out when somebody scrolls to it.
const LONG_TABLE = 50;
const MAX_PIXELS = 16_000_000;
const MAX_LANES = 60;
const MAX_NAMES = 200;

const isBefore = (tag) => tag.state === 'was' || tag.state === 'gone';

function colour(tag) {
  if (isBefore(tag)) return BEFORE;
  let hash = 7;
  for (const sign of tag.labels[0] ?? tag.name ?? '') hash = (hash * 31 + sign.codePointAt(0)) >>> 0;
  return COLOURS[hash % COLOURS.length];
}

const title = (tag) => [tag.labels.join(', ') || tag.name || 'no label', STATES[tag.state]].filter(Boolean).join(', ');

function swatch(tag) {
  return svg('svg', { class: 'swatch', viewBox: '0 0 8 8', 'aria-hidden': 'true' },
    svg('rect', { width: 8, height: 8, fill: colour(tag) }));
}

function shapeOf(shape, dot) {
  switch (shape.form) {
    case 'box':
      return svg('rect', {
        x: shape.x, y: shape.y, width: shape.width, height: shape.height,
        transform: shape.rotation ? `rotate(${shape.rotation} ${shape.x} ${shape.y})` : null,
      });
    case 'polygon':
      return svg(shape.closed ? 'polygon' : 'polyline', { points: shape.points });
    case 'ellipse':
      return svg('ellipse', {
        cx: shape.cx, cy: shape.cy, rx: shape.rx, ry: shape.ry,
        transform: shape.rotation ? `rotate(${shape.rotation} ${shape.cx} ${shape.cy})` : null,
      });
    case 'point':
      return svg('circle', { cx: shape.x, cy: shape.y, r: dot });
    default:
      return null;
  }
}

// Marked pixels, each where it is in the image.
function masks(picture, shapes, kind) {
  if (shapes.length === 0) return null;
  const scale = Math.ceil(Math.sqrt((picture.width * picture.height) / MAX_PIXELS)) || 1;
  const canvas = el('canvas', {
    width: Math.max(1, Math.floor(picture.width / scale)), height: Math.max(1, Math.floor(picture.height / scale)),
    class: kind, 'data-masks': shapes.length, 'data-scale': scale, 'aria-hidden': 'true',
  });
  const context = canvas.getContext('2d');
  context.scale(1 / scale, 1 / scale);
  context.globalAlpha = 0.6;
  for (const shape of shapes) {
    context.fillStyle = colour(shape);
    const { runs } = shape;
    for (let at = 0; at + 2 < runs.length; at += 3) context.fillRect(runs[at + 1], runs[at], runs[at + 2], 1);
  }
  return canvas;
}

// Where a name stands: at the first corner, or the upper left.
function corner(shape) {
  if (shape.form === 'polygon') return shape.points.split(' ', 1)[0].split(',').map(Number);
  if (shape.form === 'ellipse') return [shape.cx, shape.cy - shape.ry];
  return [shape.x, shape.y];
}

function picture(one, number) {
  const dot = Math.max(one.width, one.height) / 150;
  const drawn = [];
  const names = [];
  for (const [at, shape] of one.shapes.entries()) {
    const element = shapeOf(shape, dot);
    if (!element) continue;
    const paint = colour(shape);
    const isLine = shape.form === 'polygon' && !shape.closed;
    for (const [name, value] of Object.entries({
      class: 'region', stroke: paint, fill: isLine ? 'none' : paint,
      'data-region': shape.id ?? '', 'data-state': shape.state, 'data-key': `${number}-${at}`,
    })) element.setAttribute(name, value);
    drawn.push(element);
    if (shape.labels.length > 0 && !isBefore(shape) && names.length < MAX_NAMES) {
      const place = corner(shape);
      names.push(svg('text', { x: place[0], y: place[1] - dot / 2, fill: paint, 'font-size': dot * 3.4 }, shape.labels[0]));
    }
  }
  const masked = one.shapes.filter((shape) => shape.form === 'mask');
  const unit = one.unit === 'px' ? `${Math.round(one.width)} × ${Math.round(one.height)} pixels` : 'in percent';
  const name = [one.item === null ? 'Image' : `Image ${one.item + 1}`, unit].join(', ');
  const image = svg('svg', {
    viewBox: `0 0 ${one.width} ${one.height}`, preserveAspectRatio: 'none', role: 'img', 'data-picture': number,
    'aria-label': `${name}, with ${one.shapes.length} regions`,
  }, ...drawn, svg('g', { class: 'names', 'aria-hidden': 'true' }, ...names));
  // A region is named when somebody points at it: names for all of them would be half of what is in the picture.
  image.addEventListener('pointerover', ({ target }) => {
    const at = target.dataset.key?.split('-')[1];
    if (at !== undefined && !target.firstElementChild) target.append(svg('title', null, title(one.shapes[at])));
  });
  const stage = el('div', { class: 'stage', 'data-item': one.item }, masks(one, masked.filter(isBefore), 'before'),
    masks(one, masked.filter((shape) => !isBefore(shape)), 'now'), image);
  stage.style.setProperty('aspect-ratio', `${one.width} / ${one.height}`);
  stage.style.setProperty('max-width', `calc(70vh * ${one.width / one.height})`);
  const legend = table(['Label', 'Form', 'Id', ''], one.shapes, (shape, at) => [
    [swatch(shape), shape.labels.join(', ') || shape.name || '—'], shape.form, shape.id ?? '—', STATES[shape.state], shape.state, `${number}-${at}`,
  ]);
  const mark = (event, isMarked) => {
    const key = event.target.closest?.('[data-key]')?.dataset.key;
    const region = key && image.querySelector(`.region[data-key="${key}"]`);
    if (region) region.classList.toggle('marked', isMarked);
  };
  legend.addEventListener('pointerover', (event) => mark(event, true));
  legend.addEventListener('pointerout', (event) => mark(event, false));
  const hide = one.shapes.some(isBefore) ? el('button', { type: 'button', 'aria-pressed': 'false' }, 'Hide the version before') : null;
  hide?.addEventListener('click', () => {
    hide.setAttribute('aria-pressed', String(stage.classList.toggle('only-now')));
  });
  return [el('h3', null, name), one.words ? el('p', { class: 'words' }, one.words) : null, hide, stage, legend];
}

// A row is its cells, then a state, then a key. It is made of those that are listed, and of no others.
function table(heads, list, rowOf) {
  const columns = heads.length;
  const lines = list.slice(0, MAX_ROWS).map(rowOf).map((row) => el('tr', { class: `state-${row[columns] ?? 'plain'}`, 'data-key': row[columns + 1] ?? null },
    ...row.slice(0, columns).map((cell) => el('td', null, ...(Array.isArray(cell) ? cell : [cell])))));
  const head = el('tr', null, ...heads.map((text) => (text ? el('th', { scope: 'col' }, text) : el('td'))));
  const rest = list.length - lines.length;
  const box = el('div', lines.length >= LONG_TABLE ? { class: 'long' } : null,
    el('table', null, el('thead', null, head), el('tbody', null, ...lines)),
    rest > 0 ? el('p', { class: 'cut' }, `${rest} further rows are not listed here.`) : null);
  box.style.setProperty('--rows', lines.length);
  return box;
}

const UNITS = { seconds: 's', frames: 'frame', own: '' };

function moment(value, unit) {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(3);
  return unit === 'frames' ? `frame ${text}` : `${text} ${UNITS[unit]}`.trim();
}

function axis(one) {
  const length = one.to - one.from || 1;
  const place = (value) => ((value - one.from) / length) * 980 + 10;
  const ends = [];
  const bars = [];
  const sorted = [...one.spans].sort((a, b) => a.start - b.start);
  for (const span of sorted) {
    let lane = ends.findIndex((end) => end < span.start);
    if (lane < 0) lane = ends.length < MAX_LANES ? ends.length : MAX_LANES - 1;
    ends[lane] = span.end;
    const y = lane * 22 + 4;
    const paint = colour(span);
    for (const [from, to] of span.parts.length > 0 ? span.parts : [[span.start, span.end]]) {
      bars.push(svg('rect', {
        class: 'region', x: place(from), y, height: 16, width: Math.max(2, place(to) - place(from)),
        fill: paint, stroke: paint, 'data-region': span.id ?? '', 'data-state': span.state, 'data-from': from, 'data-to': to,
      }, svg('title', null, title(span))));
    }
    for (const mark of span.marks) bars.push(svg('circle', { cx: place(mark), cy: y + 8, r: 4, fill: paint }));
  }
  const height = Math.max(1, ends.length) * 22 + 6;
  const ticks = one.from === one.to ? [0] : [0, 0.25, 0.5, 0.75, 1];
  const round = one.unit === 'frames' ? Math.round : (value) => value;
  const scale = el('div', { class: 'ticks', 'aria-hidden': 'true' },
    ...ticks.map((part) => el('span', null, moment(round(one.from + part * (one.to - one.from)), one.unit))));
  const name = { seconds: 'Sound or video, in seconds', frames: 'Video, in frames', own: 'Series, in its own units' }[one.unit];
  return [
    el('h3', null, name),
    svg('svg', { class: 'axis', viewBox: `0 0 1000 ${height}`, role: 'img', 'data-axis': one.unit, 'aria-label': `${name}: ${one.spans.length} parts from ${one.from} to ${one.to}` }, ...bars),
    scale,
    table(['Label', 'From', 'To', 'Channel', ''], sorted, (span) => [
      [swatch(span), span.labels.join(', ') || span.name || '—'], moment(span.start, one.unit), moment(span.end, one.unit),
      span.channel ?? '—', STATES[span.state], span.state,
    ]),
  ];
}

function texts(list, marked) {
  return list.flatMap((one) => [el('h3', null, `Text “${one.name}”`), el('p', { class: 'text' }, ...one.pieces.map(([piece, marks]) => {
    if (marks.length === 0) return piece;
    const mark = el('mark', { title: marks.map((number) => title(marked[number])).join('; '), 'data-spans': marks.map((number) => marked[number].id).join(' ') }, piece);
    mark.style.setProperty('border-bottom-color', colour(marked[marks[0]]));
    return mark;
  }))]);
}

function spans(list) {
  if (list.length === 0) return [];
  const place = (span) => {
    if (span.start === null) return 'no offsets';
    const paragraph = span.paragraph === null ? '' : `paragraph ${span.paragraph}, `;
    return `${paragraph}${span.start}–${span.end}`;
  };
  const row = (span) => [
    [swatch(span), span.labels.join(', ') || span.name || '—'], span.text === null ? '—' : `“${span.text}”`, place(span),
    span.verified === false ? 'the text has something else there' : '', STATES[span.state], span.state,
  ];
  return [el('h3', null, 'Parts of the text'), table(['Label', 'Text', 'Characters', '', ''], list, row)];
}

function answers(list) {
  if (list.length === 0) return [];
  const about = (answer) => [
    answer.region && `region ${answer.region}`, answer.frame !== null && `frame ${answer.frame}`,
    answer.item !== null && `image ${answer.item + 1}`,
  ].filter(Boolean).join(', ') || 'all';
  const row = (answer) => [
    [...answer.parent, answer.name ?? '—'].join(' › '), answer.values.join(', ') || '—', about(answer),
    answer.was ? `was: ${answer.was.join(', ') || '—'}` : STATES[answer.state], answer.state,
  ];
  return [el('h3', null, 'Answers'), table(['Question', 'Answer', 'About', ''], list, row)];
}

function relations(list) {
  if (list.length === 0) return [];
  const row = (one) => [one.from ?? '—', one.direction ?? '→', one.to ?? '—', one.labels.join(', ') || '—'];
  return [el('h3', null, 'Relations'), table(['From', 'Direction', 'To', 'Labels'], list, row)];
}

function named(list) {
  if (list.length === 0) return [];
  return [el('h3', null, 'Not drawn'), table(['Label', 'Id', 'Why'], list, (one) => [title(one), one.id ?? '—', one.words, one.state])];
}

export function facts(list) {
  return el('dl', { class: 'facts' }, ...list.flatMap(([label, fact]) => [el('dt', null, label), el('dd', null, fact)]));
}

export function drawing(one) {
  const kind = one.gone ? `${one.thing} is gone` : one.thing;
  const compared = one.compared ? 'Dashed and grey: the version before.' : 'There is no version before to compare with.';
  return el('section', { class: 'drawing', 'aria-label': one.thing },
    el('h2', null, kind),
    el('p', { class: 'words' }, compared),
    facts(one.facts),
    ...one.left_out.map((words) => el('p', { class: 'cut' }, words)),
    ...one.pictures.flatMap((each, number) => picture(each, number)),
    ...one.axes.flatMap(axis), ...texts(one.texts, one.spans), ...spans(one.spans), ...answers(one.answers), ...relations(one.relations), ...named(one.named));
}
