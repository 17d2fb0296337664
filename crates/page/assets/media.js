// Images below the drawing. Nothing is fetched before somebody clicks, and then by a document of its own: see `api::media`.

import { el } from './dom.js';

// Puts the image below each picture that may be of it.
function below(delivery, at, one, stages) {
  const fits = (stage) => one.item === null || stage.dataset.item === undefined || Number(stage.dataset.item) === one.item;
  for (const stage of stages.filter(fits)) {
    const frame = el('iframe', { sandbox: '', tabindex: '-1', title: `Image from ${one.origin}`, 'data-at': at });
    // An address of ours, made of a name of ours and a number.
    frame.src = `/media/${encodeURIComponent(delivery.summary.name)}/${at}`;
    stage.querySelector('iframe')?.remove();
    stage.prepend(frame);
  }
}

export function media(delivery, drawings) {
  const stages = drawings.flatMap((drawing) => [...drawing.querySelectorAll('.stage')]);
  if (stages.length === 0 || delivery.media.length === 0) return null;
  const frames = (at) => stages.flatMap((stage) => [...stage.querySelectorAll(`iframe[data-at="${at}"]`)]);
  const said = el('p', { class: 'words', role: 'status' });
  const buttons = delivery.media.map((one, at) => {
    // The name is a payload's, and turns around no sign of the host behind it.
    const name = el('bdi', null, one.name);
    const item = one.item === null ? '' : ` ${one.item + 1}`;
    const button = el('button', { type: 'button', 'data-media': at, 'aria-pressed': 'false' }, 'Load ', name, `${item} from ${one.origin}`);
    button.addEventListener('click', () => {
      const shown = frames(at);
      for (const frame of shown) frame.remove();
      const isShown = shown.length === 0;
      if (isShown) below(delivery, at, one, stages);
      said.textContent = isShown ? `Your browser asks ${one.origin} for it, without this page's cookie. If no image appears, it wants a login, sends you elsewhere, or its address is too old.` : '';
      // One image takes the place of another.
      for (const [other, each] of buttons.entries()) each.setAttribute('aria-pressed', String(frames(other).length > 0));
    });
    return button;
  });
  return el('div', { class: 'media' }, el('div', { class: 'bar' }, ...buttons), said);
}
