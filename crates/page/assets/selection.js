// Several deliveries: what is asked for is done with one after the other, each as if it were the only one.

import { ask, askBytes, byId, save } from './dom.js';

// Bytes that are put together in the browser's memory.
const MAX_BYTES = 256 * 1024 * 1024;

// Refusals that are told one by one.
const MAX_TOLD = 5;

const path = (name) => `deliveries/${encodeURIComponent(name)}`;
const number = (name) => Number(name.slice(1));

export class Selection {
  constructor(list, onDone) {
    this.list = list;
    this.onDone = onDone;
    this.box = byId('picked');
    this.count = byId('picked-count');
    this.done = byId('picked-done');
    this.clear = byId('picked-clear');
    this.isRunning = false;
    this.isStopped = false;
    for (const [action, words] of [['retry', 'made ready again'], ['replay', 'put onto the queue once more']]) {
      byId(`picked-${action}`).addEventListener('click', () => this.each(words, (name) => ask(`${path(name)}/${action}`, undefined, 'POST')));
    }
    byId('picked-curl').addEventListener('click', () => this.curl());
    byId('picked-export').addEventListener('click', () => this.export());
    this.clear.addEventListener('click', () => {
      if (this.isRunning) this.isStopped = true;
      else this.list.unpick([...this.list.picked.keys()]);
      this.keepFocus();
    });
  }

  show() {
    const { size } = this.list.picked;
    this.box.hidden = size === 0 && !this.isRunning;
    if (!this.isRunning) this.count.textContent = `${size} selected`;
  }

  // A button that had it may be gone, or asleep.
  keepFocus() {
    if (document.activeElement === document.body || (this.box.hidden && this.box.contains(document.activeElement))) byId('list').focus();
  }

  run(isRunning) {
    this.isRunning = isRunning;
    this.isStopped = false;
    for (const button of this.box.querySelectorAll('button')) button.disabled = isRunning && button !== this.clear;
    this.clear.textContent = isRunning ? 'Stop' : 'Clear';
    this.show();
  }

  say(words, isBad) {
    this.done.textContent = words;
    this.done.classList.toggle('bad', isBad);
  }

  // Has it done with each, in the order in which the deliveries came: once with each event, unless it is about the
  // deliveries themselves. `finish` is what has to come of all of them together. What was not done stays selected.
  async each(words, one, { isOfEvents = true, finish = null } = {}) {
    if (this.isRunning) return;
    const names = [...this.list.picked.keys()].sort((a, b) => number(a) - number(b));
    const events = new Set();
    const done = [];
    const refused = [];
    let repeats = 0;
    let end = '';
    this.say('', false);
    this.run(true);
    for (const [at, name] of names.entries()) {
      // Another filter forgets what was selected.
      if (this.isStopped || !this.list.picked.has(name)) {
        end = ' Stopped.';
        break;
      }
      this.count.textContent = `${at} of ${names.length}`;
      const event = this.list.picked.get(name);
      if (isOfEvents && event && events.has(event)) {
        repeats += 1;
        done.push(name);
        continue;
      }
      try {
        await one(name);
        done.push(name);
        if (event) events.add(event);
      } catch (error) {
        // Neither a relay that is gone nor a token that is old gets better with the next one.
        if ([0, 401, 403].includes(error.status)) {
          end = ` Then: ${error.message}`;
          break;
        }
        refused.push(`${name}: ${error.message}`);
      }
    }
    try {
      if (done.length > 0) await finish?.();
    } catch (error) {
      this.run(false);
      this.say(error.message, true);
      this.keepFocus();
      return;
    }
    this.list.unpick(done);
    this.run(false);
    const rest = refused.length - MAX_TOLD;
    const told = refused.slice(0, MAX_TOLD).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
    this.say([
      `${done.length - repeats} ${words}.`,
      repeats > 0 ? ` ${repeats} brought the same events.` : '',
      refused.length > 0 ? ` ${refused.length} not, and still selected: ${told}.` : '',
      end,
    ].join(''), refused.length > 0 || end !== '');
    this.keepFocus();
    this.onDone(done);
  }

  // Commands for a shell. It waits behind `&&` for the next one, so nothing runs by being pasted.
  async curl() {
    const commands = [];
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(commands.join(' &&\n'));
      } catch {
        throw new Error('Nothing is copied, for the browser does not allow it. All are still selected: try again, or with fewer.');
      }
    };
    await this.each('as curl', async (name) => {
      const { body, curl, summary } = await ask(path(name));
      if (body.state === 'missing' && summary.body_bytes > 0) throw new Error(body.words);
      if (curl.endsWith('@body')) throw new Error('its body has to be a file, so copy it by itself');
      commands.push(curl);
    }, { isOfEvents: false, finish: copy });
  }

  // One file for all of them: an array of events, each of them with the bytes that the queue has.
  async export() {
    const parts = [];
    let bytes = 0;
    await this.each('saved in events.json', async (name) => {
      const event = await askBytes(`${path(name)}/event`);
      if (bytes + event.size > MAX_BYTES) throw new Error('too much for one file of a browser, use `labelrelay events export`');
      bytes += event.size;
      parts.push(parts.length === 0 ? '[' : ',\n', event);
    });
    if (parts.length > 0) save([...parts, ']\n'], 'application/cloudevents-batch+json', 'events.json');
  }
}
