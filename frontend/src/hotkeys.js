// One-key commands where the page offers them; never while somebody types.
//
//   <button data-key="a">Approve</button>        a presses it
//   <a data-key="g i" href="/work/inbox/">         g then i
//   <ul data-rows> <li tabindex="-1"><a href>…</a></li> </ul>    j and k walk, Enter opens, x marks
//   ? shows every key of the page
import { isTyping, make, onElement, word } from './dom.js';

let pending = '';
let forget = null;

const keyed = () => [...document.querySelectorAll('[data-key]')].filter((element) => element.offsetParent || element.closest('.t-side'));

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector('dialog[open]:not(.t-drawer)')) return;
  if (event.key === '?') return showKeys();
  if (walkRows(event)) return;
  const wanted = pending ? `${pending} ${event.key}` : event.key;
  const target = keyed().find((element) => element.dataset.key === wanted);
  clearTimeout(forget);
  pending = '';
  if (target) {
    event.preventDefault();
    target.focus();
    target.click();
  } else if (keyed().some((element) => element.dataset.key.startsWith(`${event.key} `))) {
    pending = event.key;
    forget = setTimeout(() => { pending = ''; }, 1200);
  }
});

function walkRows(event) {
  const box = document.querySelector('[data-rows]');
  if (!box || !'jkx'.includes(event.key)) return false;
  const rows = [...box.querySelectorAll(':scope > li, :scope > tr, [data-row]')].filter((row) => row.offsetParent);
  const here = rows.findIndex((row) => row.contains(document.activeElement) || row.classList.contains('is-selected'));
  if (event.key === 'x') {
    rows[here]?.querySelector('input[type=checkbox]')?.click();
    return true;
  }
  const row = rows[Math.max(0, Math.min(rows.length - 1, here + (event.key === 'j' ? 1 : -1)))];
  for (const other of rows) other.classList.toggle('is-selected', other === row);
  (row?.querySelector('a[href]') ?? row)?.focus();
  row?.scrollIntoView({ block: 'nearest' });
  return true;
}

function showKeys() {
  const list = make('dl', { class: 't-keys' });
  const rows = [['Ctrl K', word('search', 'Search and commands')], ...(document.querySelector('[data-rows]') ? [['j', word('keyNext', 'Next row')], ['k', word('keyBefore', 'Row before')], ['Enter', word('keyOpen', 'Open the row')], ...(document.querySelector('[data-rows] input[type=checkbox]') ? [['x', word('keyMark', 'Mark the row')]] : [])] : []), ...keyed().map((element) => [element.dataset.key, element.getAttribute('aria-label') || element.dataset.keyLabel || element.textContent.trim()])];
  for (const [keys, text] of rows) list.append(make('dt', {}, ...keys.split(' ').map((key) => make('kbd', { class: 't-kbd' }, key))), make('dd', {}, text));
  const box = make('dialog', { class: 't-dialog', 'data-light': '', 'aria-label': word('keys', 'Keys') }, make('div', { class: 't-dialog-in' }, make('h2', {}, word('keys', 'Keys')), list));
  document.body.append(box);
  box.addEventListener('close', () => box.remove());
  box.showModal();
}

onElement('[data-key]', (element) => element.setAttribute('aria-keyshortcuts', element.dataset.key));
