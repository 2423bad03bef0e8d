// Ctrl+K: records, pages and commands in one field.
//
//   <button data-palette-open>Search…</button>      opens it, as Ctrl+K and / do
//   GET <dialog id="palette" data-url="/palette/">?q=ac → {"groups": [{"label": "Deals", "hits": [{"title", "subtitle", "url", "icon"}]}]}
import { icon, isTyping, make, word } from './dom.js';

const WAIT = 120;
let hits = [];
let chosen = 0;
let timer = null;
let request = null;

const box = () => document.getElementById('palette');

function open() {
  const dialog = box();
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const field = dialog.querySelector('input');
  field.select();
  if (!hits.length) look(field.value);
}

async function look(text) {
  request?.abort();
  request = new AbortController();
  try {
    const answer = await fetch(`${box().dataset.url}?q=${encodeURIComponent(text)}`, { signal: request.signal, headers: { Accept: 'application/json' } });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    show((await answer.json()).groups ?? []);
  } catch (error) {
    if (error.name !== 'AbortError') show([], word('noNetwork', 'No connection. Please try again.'));
  }
}

function show(groups, problem = '') {
  const list = box().querySelector('[role=listbox]');
  hits = groups.flatMap((group) => group.hits);
  chosen = 0;
  let number = 0;
  list.replaceChildren(...groups.filter((group) => group.hits.length).flatMap((group) => [
    make('div', { class: 't-palette-group', role: 'presentation' }, group.label),
    ...group.hits.map((hit) => {
      const option = make('a', { class: 't-palette-item', role: 'option', id: `palette-${number}`, href: hit.url, tabindex: '-1' }, icon(hit.icon || 'arrow-right'), make('span', { class: 't-clip' }, hit.title), hit.subtitle ? make('small', {}, hit.subtitle) : null);
      option.dataset.number = number;
      number += 1;
      return option;
    }),
  ]));
  if (!hits.length) list.append(make('div', { class: 't-palette-empty' }, problem || word('nothing', 'Nothing found')));
  mark();
}

function mark() {
  const field = box().querySelector('input');
  for (const option of box().querySelectorAll('[role=option]')) {
    const on = Number(option.dataset.number) === chosen;
    option.setAttribute('aria-selected', on);
    if (on) option.scrollIntoView({ block: 'nearest' });
  }
  field.setAttribute('aria-activedescendant', hits.length ? `palette-${chosen}` : '');
}

document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    open();
  } else if (event.key === '/' && !isTyping(event.target) && !document.querySelector('dialog[open]')) {
    event.preventDefault();
    open();
  }
});
document.addEventListener('click', (event) => { if (event.target.closest('[data-palette-open]')) open(); });
document.addEventListener('input', (event) => {
  if (!event.target.closest('#palette')) return;
  clearTimeout(timer);
  timer = setTimeout(() => look(event.target.value.trim()), WAIT);
});
document.addEventListener('keydown', (event) => {
  if (!event.target.closest?.('#palette')) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    chosen = (chosen + step + hits.length) % Math.max(1, hits.length);
    mark();
  }
  if (event.key === 'Enter' && hits[chosen]) {
    event.preventDefault();
    location.href = hits[chosen].url;
  }
});
