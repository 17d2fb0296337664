// One delivery: what it was, what became of it, and the annotation that it brought.

import { ask, byId, copy, el, size, took, when } from './dom.js';
import { drawing, facts } from './draw.js';
import { media } from './media.js';

const TABS = [['drawing', 'Drawing'], ['head', 'Head'], ['body', 'Body'], ['envelope', 'Envelope'], ['steps', 'Steps']];

const DEEDS = {
  retry: ['Retry', 'Makes the dead letter ready again, as if it had never been received'],
  replay: ['Replay', 'Puts the event onto the queue once more, for whoever consumes it'],
};

const cut = (words) => (words ? el('p', { class: 'cut' }, words) : null);

// A scrolling text that the keyboard reaches.
const text = (label, content) => el('pre', { tabindex: '0', role: 'region', 'aria-label': label }, content);

const panels = {
  drawing(delivery) {
    const words = delivery.drawing_words;
    const none = delivery.drawings.length === 0 && !words ? 'The event names nothing that could be drawn.' : null;
    const drawings = delivery.drawings.map(drawing);
    return [words || none ? el('p', { class: 'words' }, words ?? none) : null, media(delivery, drawings), ...drawings];
  },
  head(delivery) {
    return [facts(delivery.facts), delivery.head ? text('Head', delivery.head) : el('p', { class: 'words' }, 'No head was understood.')];
  },
  body(delivery) {
    const { body } = delivery;
    if (body.state === 'missing') return [el('p', { class: 'words' }, body.words)];
    const rows = body.outline.map(([depth, key, kind, value]) => {
      const isText = kind === 'text';
      const about = { object: `{ ${value} }`, array: `[ ${value} ]` }[kind] ?? (isText ? `"${value}"` : value);
      const row = el('li', null, key === null ? null : el('span', { class: 'key' }, `${key}: `),
        el('span', kind === 'object' || kind === 'array' ? { class: 'kind' } : null, about));
      row.style.setProperty('--depth', depth);
      return row;
    });
    const tree = rows.length > 0
      ? [el('h3', null, 'As a tree'), cut(body.outline_cut), el('ol', { class: 'tree', tabindex: '0', 'aria-label': 'Body as a tree' }, ...rows)]
      : [];
    const save = el('button', { type: 'button' }, `Save all ${size(body.bytes)}`);
    save.addEventListener('click', () => { window.location.assign(`/api/deliveries/${encodeURIComponent(delivery.summary.name)}/body`); });
    return [cut(body.words), el('div', { class: 'bar' }, save), ...tree, el('h3', null, 'As it came'), cut(body.cut), text('Body as it came', body.text)];
  },
  envelope(delivery) {
    if (!delivery.envelope) return [el('p', { class: 'words' }, 'This delivery has no event, or the event is gone from the queue.')];
    return [cut(delivery.envelope.cut), text('Envelope', delivery.envelope.text)];
  },
  steps(delivery) {
    const rows = delivery.steps.map(([duration, words]) => el('tr', null, el('td', null, duration ?? ''), el('td', null, words)));
    const head = el('tr', null, el('th', { scope: 'col' }, 'Took'), el('th', { scope: 'col' }, 'What happened'));
    return [el('table', null, el('thead', null, head), el('tbody', null, ...rows))];
  },
};

export class Detail {
  constructor(onBack, onOpen) {
    this.box = byId('detail');
    this.onBack = onBack;
    this.onOpen = onOpen;
    this.tab = 'drawing';
  }

  async open(name) {
    this.asked?.abort();
    this.asked = new AbortController();
    this.shown = name;
    try {
      const delivery = await ask(`deliveries/${encodeURIComponent(name)}`, this.asked.signal);
      this.show(delivery);
      return delivery;
    } catch (error) {
      if (error.name === 'AbortError') return null;
      this.box.replaceChildren(this.back(), el('p', { class: 'words', role: 'alert' }, error.message));
      throw error;
    }
  }

  back() {
    const button = el('button', { id: 'back', type: 'button' }, '← List');
    button.addEventListener('click', this.onBack);
    return button;
  }

  // A button that has something done with the event, and says what became of it.
  deed(action, name) {
    const [label, title] = DEEDS[action];
    const button = el('button', { id: action, type: 'button', title }, label);
    button.addEventListener('click', async () => {
      button.disabled = true;
      const path = `deliveries/${encodeURIComponent(name)}`;
      let said;
      try {
        said = [(await ask(`${path}/${action}`, undefined, 'POST')).words, false];
      } catch (error) {
        said = [error.message, true];
      }
      // Another delivery may be shown by now.
      if (this.shown !== name) return;
      // What can be done with the event is another thing by now.
      await this.open(name).catch(() => {});
      if (this.shown !== name) return;
      // Said also where the delivery is not shown again: whoever does not know that it was done does it twice.
      const done = byId('done') ?? this.box.appendChild(el('p', { id: 'done', role: 'status' }));
      done.replaceChildren(said[0]);
      done.classList.toggle('bad', said[1]);
    });
    return button;
  }

  show(delivery) {
    const { summary } = delivery;
    const curl = el('button', { id: 'curl', type: 'button' }, 'Copy as curl');
    curl.addEventListener('click', () => copy(delivery.curl, curl));
    const bar = el('div', { class: 'bar' }, this.back(), curl);
    // The event as the queue has it: what a consumer's tests read.
    if (delivery.envelope) {
      const fixture = el('button', { id: 'fixture', type: 'button' }, 'Save as a test fixture');
      fixture.addEventListener('click', () => { window.location.assign(`/api/deliveries/${encodeURIComponent(summary.name)}/event`); });
      bar.append(fixture);
    }
    bar.append(...delivery.actions.filter((action) => DEEDS[action]).map((action) => this.deed(action, summary.name)));
    if (delivery.previous) {
      const before = el('button', { id: 'before', type: 'button' }, 'The version before');
      before.addEventListener('click', () => this.onOpen(delivery.previous));
      bar.append(before);
    }
    const bad = summary.tone === 'bad';
    // Of an event in an archive, nobody knows the answer.
    const known = summary.status !== 0;
    const words = [known ? `${summary.status} ${summary.outcome}` : summary.outcome, when(summary.arrived_ms),
      known ? took(summary.elapsed_us) : null, size(summary.body_bytes)].filter(Boolean).join(' · ');
    const tabs = el('div', { role: 'tablist', 'aria-label': 'Views of this delivery' }, ...TABS.map(([tab, label]) => el('button', {
      role: 'tab', type: 'button', id: `tab-${tab}`, 'data-tab': tab, 'aria-controls': 'panel',
    }, label)));
    const panel = el('div', { id: 'panel', role: 'tabpanel' });
    const pick = (tab) => {
      this.tab = tab;
      for (const button of tabs.children) {
        const isPicked = button.dataset.tab === tab;
        button.setAttribute('aria-selected', String(isPicked));
        button.setAttribute('tabindex', isPicked ? '0' : '-1');
      }
      panel.setAttribute('aria-labelledby', `tab-${tab}`);
      panel.replaceChildren(...panels[tab](delivery).filter(Boolean));
    };
    tabs.addEventListener('click', (event) => {
      const tab = event.target.closest('[role=tab]')?.dataset.tab;
      if (tab) pick(tab);
    });
    tabs.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = TABS.findIndex(([tab]) => tab === this.tab);
      const [next] = TABS[(at + step + TABS.length) % TABS.length];
      pick(next);
      byId(`tab-${next}`).focus();
    });
    // Nothing is drawn of what was refused: its reason comes first, then its head.
    const tab = bad && this.tab === 'drawing' && delivery.drawings.length === 0 ? 'head' : this.tab;
    const kept = this.tab;
    this.box.replaceChildren(bar, el('h2', null, el('bdi', null, summary.type ?? summary.outcome), ' ', el('span', { class: 'words' }, summary.subject ?? '')),
      el('p', { class: summary.tone }, words),
      ...(summary.reason ? [el('p', { class: 'cure' }, el('bdi', null, summary.reason), delivery.cure ? ` — ${delivery.cure}` : '')] : []),
      el('p', { id: 'done', role: 'status' }), tabs, panel);
    pick(tab);
    this.tab = kept;
    this.box.scrollTop = 0;
  }

  sources(list) {
    this.asked?.abort();
    this.shown = null;
    const sections = list.map((source) => el('section', { 'aria-label': source.name },
      el('h2', null, `${source.name} (${source.platform})`),
      ...source.findings.map((words) => el('p', { class: 'cure' }, words)),
      facts([...source.enter, ...source.facts])));
    const none = el('p', { class: 'words' }, 'No source is configured.');
    this.box.replaceChildren(this.back(), ...(sections.length > 0 ? sections : [none]));
  }
}
