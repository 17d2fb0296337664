// Images below the drawing, sound and video above its lines of time. Nothing is fetched before somebody clicks, and then by a
// document of its own: see `api::media`.

import { el } from './dom.js';

// What it is shown as: what its address says, or what was drawn of it. A text or a table is not shown.
function formOf(one, stages, lines) {
  if (one.kind === 'other') return null;
  if (one.kind === 'audio' || one.kind === 'video') return one.kind;
  if (stages.length > 0) return 'image';
  return one.kind === null && lines.length > 0 ? 'video' : null;
}

function frameOf(delivery, at, one, form, part = '') {
  const title = `${{ image: 'Image', audio: 'Sound', video: 'Video' }[form]} from ${one.origin}`;
  const frame = el('iframe', { sandbox: '', class: form, title, 'data-at': at });
  // An address of ours, made of a name of ours, a number, and numbers of the drawing.
  frame.src = `/media/${encodeURIComponent(delivery.summary.name)}/${at}/${form}${part}`;
  return frame;
}

// Puts the image below each picture that may be of it.
function below(delivery, at, one, stages) {
  const fits = (stage) => one.item === null || stage.dataset.item === undefined || Number(stage.dataset.item) === one.item;
  for (const stage of stages.filter(fits)) {
    const frame = frameOf(delivery, at, one, 'image');
    frame.tabIndex = -1;
    stage.querySelector('iframe')?.remove();
    stage.prepend(frame);
  }
}

export function media(delivery, drawings) {
  const all = (selector) => drawings.flatMap((drawing) => [...drawing.querySelectorAll(selector)]);
  const [stages, lines] = [all('.stage'), all('[data-axis]')];
  const shown = delivery.media.map((one, at) => ({ one, at, form: formOf(one, stages, lines) })).filter(({ form }) => form);
  if (shown.length === 0) return null;
  const player = el('div', { class: 'player' });
  const frames = (at) => [...stages, player].flatMap((place) => [...place.querySelectorAll(`iframe[data-at="${at}"]`)]);
  const said = el('p', { class: 'words', role: 'status' });
  const buttons = shown.map(({ one, at, form }) => {
    // The name is a payload's, and turns around no sign of the host behind it.
    const name = el('bdi', null, one.name);
    const item = one.item === null ? '' : ` ${one.item + 1}`;
    const button = el('button', { type: 'button', 'data-media': at, 'aria-pressed': 'false' }, 'Load ', name, `${item} from ${one.origin}`);
    button.addEventListener('click', () => {
      const before = frames(at);
      for (const frame of before) frame.remove();
      const isShown = before.length === 0;
      if (isShown && form === 'image') below(delivery, at, one, stages);
      else if (isShown) player.replaceChildren(frameOf(delivery, at, one, form));
      const none = form === 'image' ? 'no image appears' : 'it does not play';
      const parts = form !== 'image' && lines.some((line) => line.dataset.axis === 'seconds') ? ' Click a part of the line to play that part.' : '';
      said.textContent = isShown ? `Your browser asks ${one.origin} for it, without this page's cookie. If ${none}, it wants a login, sends you elsewhere, or its address is too old.${parts}` : '';
      // One takes the place of another.
      for (const each of buttons) each.setAttribute('aria-pressed', String(frames(each.dataset.media).length > 0));
    });
    return button;
  });
  for (const line of lines.filter((each) => each.dataset.axis === 'seconds')) {
    line.addEventListener('click', (event) => {
      const part = event.target.closest('[data-from]')?.dataset;
      const at = Number(player.firstElementChild?.dataset.at ?? -1);
      const played = shown.find((each) => each.at === at);
      if (part && played) player.replaceChildren(frameOf(delivery, at, played.one, played.form, `?t=${part.from},${part.to}`));
    });
  }
  return el('div', { class: 'media' }, el('div', { class: 'bar' }, ...buttons), said, player);
}
