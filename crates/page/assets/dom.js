// Elements, requests and texts for people. What comes from a payload becomes text here, and nothing else.

const FORBIDDEN = /^(on|style$|src|xlink)/i;

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (FORBIDDEN.test(name)) throw new Error(`no attribute ${name} here`);
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  // A string becomes a text node.
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const el = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);

const SVG = 'http://www.w3.org/2000/svg';

export const svg = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

async function answered(path, signal, method = 'GET') {
  let response;
  try {
    response = await fetch(`/api/${path}`, { method, signal, credentials: 'same-origin', cache: 'no-store', redirect: 'error' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refused(0, 'The relay does not answer. Is `labelrelay serve` running?');
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Refused(response.status, answer.error ?? `The relay answers ${response.status}.`);
}

export async function ask(path, signal, method) {
  const response = await answered(path, signal, method);
  return response.json().catch(() => ({}));
}

export async function askBytes(path) {
  const response = await answered(path);
  return response.blob();
}

// Saves what the page put together. The address is the browser's own for these bytes: nothing of a payload is in it.
export function save(parts, type, name) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  el('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

export function when(ms) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '?';
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

export function took(us) {
  if (us < 10_000) return `${(us / 1000).toFixed(2)} ms`;
  if (us < 10_000_000) return `${Math.round(us / 1000)} ms`;
  return `${Math.round(us / 1e6)} s`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export async function copy(text, button) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'The browser does not allow it';
  }
  setTimeout(() => { button.textContent = said; }, 1500);
}
