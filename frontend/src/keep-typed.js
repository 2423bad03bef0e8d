// What was typed into a long form outlives a reload, a lost connection and an ended session. Kept in this tab alone,
// under the reader's own id, and thrown away once the form was accepted.
//
//   <form data-keep="crm.deal:12:edit">…<span data-keep-note class="t-draft-note"></span></form>
//
// A step may be done or ended by somebody else while it is being filled in: where a live re-reading takes its form away, the page says
// so and shows what was typed, to copy.
import { icon, make, onElement, whenReady, word } from './dom.js';

const SKIP = new Set(['password', 'file', 'hidden', 'submit', 'button']);
const person = () => document.body.dataset.user || 'nobody';
const keyOf = (form) => `draft:${person()}:${form.dataset.keep}`;

function read(form) {
  const kept = {};
  for (const field of form.elements) {
    if (!field.name || SKIP.has(field.type) || field.dataset.noKeep !== undefined) continue;
    if (field.type === 'checkbox' || field.type === 'radio') {
      (kept[field.name] ??= []).push(...(field.checked ? [field.value] : []));
    } else if (field.multiple) kept[field.name] = [...field.selectedOptions].map((option) => option.value);
    else kept[field.name] = [field.value];
  }
  return kept;
}

function write(form, kept) {
  let changed = false;
  for (const field of form.elements) {
    const values = kept[field.name];
    if (!values || SKIP.has(field.type) || field.dataset.noKeep !== undefined) continue;
    if (field.type === 'checkbox' || field.type === 'radio') {
      changed ||= field.checked !== values.includes(field.value);
      field.checked = values.includes(field.value);
    } else if (field.multiple) for (const option of field.options) option.selected = values.includes(option.value);
    else {
      changed ||= field.value !== values[0];
      field.value = values[0];
    }
  }
  return changed;
}

// A form that was sent leaves its words under `:sent`; the next page tells what became of them. They are kept again when it says
// that nothing was done (sign in first, an error), or when no page came at all and the reader came back; else thrown away.
function settleSent(cameBack) {
  const again = cameBack || !document.referrer || document.querySelector('[data-nothing-done]');
  for (const name of Object.keys(sessionStorage).filter((one) => /^draft:.*:sent$/.test(one))) {
    if (again) sessionStorage.setItem(name.slice(0, -':sent'.length), sessionStorage.getItem(name));
    sessionStorage.removeItem(name);
  }
}
whenReady(() => settleSent(performance.getEntriesByType('navigation')[0]?.type === 'back_forward'));
addEventListener('pageshow', ({ persisted }) => { if (persisted) settleSent(true); });

onElement('form[data-keep]', (form) => {
  const key = keyOf(form);
  const note = form.querySelector('[data-keep-note]');
  const kept = sessionStorage.getItem(key);
  if (kept && write(form, JSON.parse(kept))) {
    if (note) note.textContent = word('draftBack', 'We kept what you typed.');
    form.dispatchEvent(new CustomEvent('draft:restored', { bubbles: true }));
  }
  form.addEventListener('input', () => {
    sessionStorage.setItem(key, JSON.stringify(read(form)));
    if (note) note.textContent = word('draftKept', 'Draft kept');
  });
  // Before the answer is put into the page: a fresh form in it must not be filled with what was just sent.
  form.addEventListener('htmx:beforeOnLoad', ({ detail }) => { if (detail.xhr.status < 300 && detail.elt === form && detail.requestConfig?.verb !== 'get') sessionStorage.removeItem(key); });
  form.addEventListener('submit', (event) => {
    if (event.defaultPrevented || form.matches('[hx-post], [data-hx-post]')) return;
    sessionStorage.setItem(`${key}:sent`, JSON.stringify(read(form)));
    sessionStorage.removeItem(key);
  });
});

// Label and words of every field that holds any.
function typedIn(form) {
  const found = [];
  for (const field of form.elements) {
    if (SKIP.has(field.type) || field.dataset.noKeep !== undefined || ['checkbox', 'radio'].includes(field.type) || !field.value?.trim()) continue;
    const label = field.labels?.[0]?.firstChild?.textContent.trim() || field.getAttribute('aria-label') || '';
    found.push([label, field.tagName === 'SELECT' ? field.selectedOptions[0].text : field.value]);
  }
  return found;
}

document.addEventListener('htmx:beforeSwap', ({ detail }) => {
  if (detail.requestConfig?.triggeringEvent?.type !== 'live' || !detail.shouldSwap) return;
  for (const form of detail.target.querySelectorAll('form[data-keep]')) {
    const isSent = form.classList.contains('htmx-request') || !sessionStorage.getItem(keyOf(form));
    if (isSent || detail.serverResponse.includes(`data-keep="${form.dataset.keep}"`)) continue;
    const typed = typedIn(form);
    sessionStorage.removeItem(keyOf(form));
    if (!typed.length) continue;
    detail.target.before(make('div', { class: 't-notice is-warn', role: 'alert' }, icon('alert-triangle'), make('div', { class: 't-notice-text' },
      make('strong', {}, word('formGone', 'This step is over: somebody did it or ended it meanwhile. Nothing of yours was sent.')),
      make('p', {}, word('formTyped', 'What you typed, to copy:')),
      make('dl', { class: 't-facts' }, ...typed.map(([label, words]) => make('div', { class: 't-fact' }, make('dt', {}, label), make('dd', { class: 't-message-body' }, words))))),
    ));
  }
});
