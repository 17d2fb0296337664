// The page: filters in the address, the strip, the live list, one delivery.

import { ask, byId, el } from './dom.js';
import { Detail } from './detail.js';
import { List } from './list.js';
import { Selection } from './selection.js';

const POLL_MS = 1000;
const STRIP_MS = 2000;
const TYPING_MS = 200;
const FILTERS = ['q', 'show', 'source', 'type', 'project', 'subject', 'from', 'until'];

const filters = byId('filters');
const notice = byId('notice');
let isOver = false;
let openTimer = null;
let missed = 0;

const detail = new Detail(() => close(), (name) => list.choose(name));
const list = new List((name, how) => open(name, how), () => selection.show());
const selection = new Selection(list, (names) => {
  // What can be done with the event that is shown is another thing by now.
  if (names.includes(detail.shown)) detail.open(detail.shown).catch(() => {});
});

// The address of the page keeps what is looked at. The token goes out of it at once: the cookie has it by now.
function remember(changes) {
  const parameters = new URLSearchParams(window.location.search);
  parameters.delete('token');
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const query = parameters.toString();
  window.history.replaceState(null, '', query ? `/?${query}` : '/');
}

const local = (ms) => {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? '' : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
};

function fromAddress() {
  const parameters = new URLSearchParams(window.location.search);
  for (const name of ['q', 'show', 'source', 'type', 'project', 'subject']) filters.elements[name].value = parameters.get(name) ?? '';
  for (const name of ['from', 'until']) byId(name).value = parameters.has(name) ? local(parameters.get(name)) : '';
  byId('more-filters').open = ['source', 'type', 'project', 'subject', 'from', 'until'].some((name) => parameters.has(name));
  return parameters.get('open');
}

function asked() {
  const values = Object.fromEntries(new FormData(filters));
  for (const name of ['from', 'until']) {
    const ms = new Date(byId(name).value).getTime();
    values[name] = Number.isNaN(ms) ? '' : String(ms);
  }
  return Object.fromEntries(FILTERS.map((name) => [name, (values[name] ?? '').trim()]));
}

function say(words, isBad = false) {
  if (notice.textContent !== words) notice.textContent = words;
  notice.classList.toggle('bad', isBad);
}

function tell(error) {
  // Without a token there is nothing to wait for.
  if (error.status === 401 || error.status === 403) isOver = true;
  say(error.message, true);
}

function told(answer) {
  if (!answer) return;
  const words = [];
  if (list.isStale) words.push('More came: it stands at the top of the list.');
  else if (answer.more && missed > 0) words.push('More came than can be listed one by one.');
  if (answer.lost > 0) words.push(`${answer.lost} deliveries are missing here: more came than could be recorded.`);
  if (byId('list').childElementCount === 0) words.push('Nothing passes these filters yet. What comes is shown at once.');
  say(words.join(' '));
}

async function reload() {
  const values = asked();
  remember(values);
  const parameters = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  missed = 0;
  try {
    told(await list.load(parameters.toString()));
  } catch (error) {
    tell(error);
  }
}

async function open(name, how) {
  remember({ open: name });
  document.body.dataset.open = name;
  clearTimeout(openTimer);
  const now = async () => {
    try {
      await detail.open(name);
      if (how === 'enter') byId('detail').focus();
    } catch (error) {
      if (error.status === 401) tell(error);
    }
  };
  // Whoever holds an arrow key down looks at where it stops.
  if (how === 'key') openTimer = setTimeout(now, 80);
  else await now();
}

function close() {
  delete document.body.dataset.open;
  remember({ open: '' });
  byId('list').focus();
}

async function strip() {
  const { parts } = await ask('strip');
  byId('strip').replaceChildren(...parts.map((part) => el('li', { 'data-part': part.part, class: part.ok ? 'good' : 'bad' },
    el('span', null, el('b', null, part.part), part.ok ? ' ✓ ' : ' ✗ ', part.words))));
}

// One question after the other: a slow answer never makes two.
async function forever(ms, task) {
  for (;;) {
    if (isOver) return;
    if (!document.hidden) {
      try {
        await task();
      } catch (error) {
        tell(error);
      }
    }
    await new Promise((resolve) => { setTimeout(resolve, ms); });
  }
}

let typing = null;
filters.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(reload, TYPING_MS);
});
filters.addEventListener('submit', (event) => {
  event.preventDefault();
  reload();
});
byId('show-sources').addEventListener('click', async () => {
  try {
    detail.sources((await ask('sources')).sources);
    document.body.dataset.open = 'sources';
    byId('detail').focus();
  } catch (error) {
    tell(error);
  }
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, select, textarea');
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId('search').focus();
  } else if (event.key === 'Escape') {
    close();
  } else if (event.key === 'ArrowDown' && event.target.id === 'search') {
    event.preventDefault();
    byId('list').focus();
  }
});
window.addEventListener('popstate', () => { fromAddress(); reload(); });

const first = fromAddress();
forever(STRIP_MS, strip);
await reload();
if (first) list.choose(first);
forever(POLL_MS, async () => {
  const answer = await list.poll();
  if (answer?.more) missed += 1;
  told(answer);
});
