// Small things every behaviour needs.
//
//   onElement('[data-signature]', (element) => { … })   runs once for each, now and after every htmx swap
//   word('undo', 'Undo')                                the page's translation of a word
//   await send('/work/crm/deals/7/move/', { stage: 'won' })   POST with the CSRF token; gives the Response

const seen = new WeakMap();

export function onElement(selector, setUp) {
  const visit = (root) => {
    const found = [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
    for (const element of found) {
      const done = seen.get(element) ?? new Set();
      if (done.has(setUp)) continue;
      seen.set(element, done.add(setUp));
      setUp(element);
    }
  };
  document.addEventListener('htmx:load', (event) => visit(event.detail.elt));
  whenReady(() => visit(document));
}

export function whenReady(run) {
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', run, { once: true });
  else run();
}

export function word(key, fallback) {
  return document.getElementById('words')?.dataset[key] || fallback;
}

export function csrfToken() {
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1]
    ?? document.querySelector('[name=csrfmiddlewaretoken]')?.value
    ?? JSON.parse(document.body.getAttribute('hx-headers') || '{}')['X-CSRFToken'] ?? '';
}

export async function send(url, fields = {}, headers = {}) {
  const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
  return fetch(url, {
    method: 'POST', body, credentials: 'same-origin',
    headers: { 'X-CSRFToken': csrfToken(), 'X-Requested-With': 'XMLHttpRequest', Accept: 'application/json, text/html', ...headers },
  });
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  const sprite = document.getElementById('words')?.dataset.icons ?? '';
  svg.setAttribute('class', 't-icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

export function isTyping(target) {
  return target instanceof Element && Boolean(target.closest('input, textarea, select, [contenteditable=true], .ts-wrapper'));
}
