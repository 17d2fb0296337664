// The live list: what came, without reload.

import { ask, byId, el, took, when } from './dom.js';

// Lines that stay in the document: thousands a second may come.
const MAX_LINES = 500;

export class List {
  constructor(onOpen, onPick) {
    this.box = byId('list');
    this.onPick = onPick;
    // Names of the selected deliveries, with the ids of their events.
    this.picked = new Map();
    this.lastPicked = null;
    this.older = byId('older');
    this.onOpen = onOpen;
    this.newest = 0;
    this.chosen = null;
    this.round = 0;
    this.isStale = false;
    this.box.addEventListener('click', (event) => {
      const line = event.target.closest('[role=option]');
      if (!line) return;
      if (event.target.closest('.pick')) this.pickFrom(line, event.shiftKey);
      else this.choose(line.dataset.name);
    });
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.older.addEventListener('click', () => this.loadOlder());
    this.box.addEventListener('scroll', () => {
      if (this.isStale && this.box.scrollTop === 0) this.load(this.filters).catch(() => {});
    });
  }

  // From the start, with these filters.
  async load(filters) {
    // What somebody selected among other deliveries is out of sight: nothing shall be done with it by accident.
    if (filters !== this.filters) this.unpick([...this.picked.keys()]);
    this.filters = filters;
    this.isStale = false;
    const round = ++this.round;
    this.box.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask(`deliveries?${filters}`);
      if (round !== this.round) return null;
      this.newest = answer.newest;
      this.box.replaceChildren(...answer.deliveries.map((delivery) => this.line(delivery)));
      this.older.hidden = !answer.more;
      this.mark();
      return answer;
    } finally {
      if (round === this.round) this.box.removeAttribute('aria-busy');
    }
  }

  // What came since.
  async poll() {
    if (this.filters === undefined) return null;
    const round = this.round;
    const parameters = new URLSearchParams(this.filters);
    parameters.set('after', this.newest);
    const answer = await ask(`deliveries?${parameters}`);
    if (round !== this.round) return null;
    // The record was begun anew, and counts from 1: the same names are those of other deliveries.
    if (answer.newest < this.newest) {
      this.unpick([...this.picked.keys()]);
      return this.load(this.filters);
    }
    this.newest = answer.newest;
    if (answer.deliveries.length === 0) return answer;
    const top = this.box.scrollTop;
    // More came than an answer holds, and somebody reads further down: nothing moves until they come back.
    this.isStale ||= answer.more && top > 0;
    if (this.isStale) return answer;
    const height = this.box.scrollHeight;
    const lines = answer.deliveries.map((delivery) => this.line(delivery, 'fresh'));
    if (answer.more) {
      // More came than an answer holds: what is below would not follow upon it.
      this.box.replaceChildren(...lines);
      this.older.hidden = false;
    } else {
      this.box.prepend(...lines);
    }
    this.cut();
    if (top > 0 && !answer.more) this.box.scrollTop = top + this.box.scrollHeight - height;
    this.mark();
    return answer;
  }

  async loadOlder() {
    const last = this.box.lastElementChild;
    if (!last) return;
    const round = this.round;
    const parameters = new URLSearchParams(this.filters);
    parameters.set('before', last.dataset.number);
    this.older.disabled = true;
    try {
      const answer = await ask(`deliveries?${parameters}`);
      if (round !== this.round) return;
      this.box.append(...answer.deliveries.map((delivery) => this.line(delivery)));
      this.older.hidden = !answer.more;
      while (this.box.childElementCount > MAX_LINES * 4) this.box.firstElementChild.remove();
    } finally {
      this.older.disabled = false;
    }
  }

  cut() {
    const most = this.box.scrollTop > this.box.clientHeight * 3 ? MAX_LINES * 4 : MAX_LINES;
    while (this.box.childElementCount > most) {
      this.box.lastElementChild.remove();
      this.older.hidden = false;
    }
  }

  line(delivery, freshness = '') {
    const type = delivery.type ?? (delivery.reason ? '' : 'no event');
    const about = [delivery.source, delivery.subject, delivery.project && `project ${delivery.project}`];
    return el('div', {
      role: 'option', id: `line-${delivery.name}`, class: freshness, 'aria-selected': 'false',
      'aria-checked': String(this.picked.has(delivery.name)),
      'data-name': delivery.name, 'data-number': delivery.number, 'data-event': delivery.event_id,
      'data-delivery': delivery.delivery_id,
    },
    el('span', { class: 'pick', 'aria-hidden': 'true', title: 'Select (Space)' }),
    el('time', { datetime: new Date(delivery.arrived_ms).toJSON?.() ?? '' }, when(delivery.arrived_ms)),
    el('span', { class: delivery.tone }, delivery.outcome),
    el('span', { class: 'what' }, type),
    el('span', { class: 'took' }, delivery.status === 0 ? '' : took(delivery.elapsed_us)),
    el('span', { class: 'about' }, about.filter(Boolean).join(' · ')),
    delivery.reason ? el('span', { class: 'why' }, `${delivery.status}: ${delivery.reason}`) : null);
  }

  choose(name, how = 'click') {
    this.chosen = name;
    this.mark();
    this.onOpen(name, how);
  }

  pick(line, isPicked = true) {
    const { name, event } = line.dataset;
    if (isPicked) this.picked.set(name, event ?? '');
    else this.picked.delete(name);
    line.setAttribute('aria-checked', String(isPicked));
  }

  // One line, or with Shift all of them from the last one on.
  pickFrom(line, isRange = false) {
    const last = isRange && this.lastPicked ? byId(`line-${this.lastPicked}`) : null;
    if (last) {
      const lines = [...this.box.children];
      const [from, to] = [lines.indexOf(last), lines.indexOf(line)].sort((a, b) => a - b);
      for (const each of lines.slice(from, to + 1)) this.pick(each);
    } else {
      this.pick(line, !this.picked.has(line.dataset.name));
    }
    this.lastPicked = line.dataset.name;
    this.onPick();
  }

  unpick(names) {
    for (const name of names) {
      this.picked.delete(name);
      byId(`line-${name}`)?.setAttribute('aria-checked', 'false');
    }
    this.onPick();
  }

  mark() {
    for (const line of this.box.querySelectorAll('[aria-selected=true]')) line.setAttribute('aria-selected', 'false');
    const line = this.chosen && byId(`line-${this.chosen}`);
    if (line) {
      line.setAttribute('aria-selected', 'true');
      this.box.setAttribute('aria-activedescendant', line.id);
    } else {
      this.box.removeAttribute('aria-activedescendant');
    }
  }

  key(event) {
    const lines = [...this.box.children];
    if (lines.length === 0) return;
    const at = lines.findIndex((line) => line.dataset.name === this.chosen);
    const places = {
      ArrowDown: Math.min(at + 1, lines.length - 1), ArrowUp: Math.max(at - 1, 0), Home: 0, End: lines.length - 1,
      PageDown: Math.min(at + 10, lines.length - 1), PageUp: Math.max(at - 10, 0),
    };
    const place = places[event.key];
    if (place !== undefined) {
      event.preventDefault();
      lines[place].scrollIntoView({ block: 'nearest' });
      this.choose(lines[place].dataset.name, 'key');
    } else if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      this.choose(this.chosen, 'enter');
    } else if (event.key === ' ' && at >= 0) {
      event.preventDefault();
      this.pickFrom(lines[at], event.shiftKey);
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      for (const line of lines) this.pick(line);
      this.onPick();
    }
  }
}
