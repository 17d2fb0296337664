// Images below the drawing. Nothing is fetched before somebody clicks, and then by a document of its own: see `api::media`.

import { el } from './dom.js';

// Puts the image below each picture that may be of it; gives the frames back.
function below(delivery, at, one, stages) {
  const fits = (stage) => one.item === null || stage.dataset.item === undefined || Number(stage.dataset.item) === one.item;
  return stages.filter(fits).map((stage) => {
    const frame = el('iframe', { sandbox: '', tabindex: '-1', title: `Image ${one.name}, from ${one.origin}` });
    // An address of ours, made of a name of ours and a number.
    frame.src = `/media/${encodeURIComponent(delivery.summary.name)}/${at}`;
    stage.querySelector('iframe')?.remove();
    stage.prepend(frame);
    return frame;
  });
}

export function media(delivery, drawings) {
  const stages = drawings.flatMap((drawing) => [...drawing.querySelectorAll('.stage')]);
  if (stages.length === 0 || delivery.media.length === 0) return null;
  const said = el('p', { class: 'words', role: 'status' });
  const buttons = delivery.media.map((one, at) => {
    let frames = [];
    const button = el('button', { type: 'button', 'data-media': at, 'aria-pressed': 'false' }, `Load ${one.name} from ${one.origin}`);
    button.addEventListener('click', () => {
      const isShown = frames.some((frame) => frame.isConnected);
      for (const frame of frames) frame.remove();
      frames = isShown ? [] : below(delivery, at, one, stages);
      button.setAttribute('aria-pressed', String(!isShown));
      said.textContent = isShown ? '' : `Your browser asks ${one.origin} for it, without cookies. If no image appears, it wants a login, sends you elsewhere, or its address is too old.`;
    });
    return button;
  });
  return el('div', { class: 'media' }, el('div', { class: 'bar' }, ...buttons), said);
}
