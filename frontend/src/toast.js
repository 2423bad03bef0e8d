// Short messages in the corner, with undo where the act can be undone.
//
//   HX-Trigger: {"toast": {"text": "Deal moved to Proposal", "kind": "good", "undo_url": "/work/crm/deals/7/undo/"}}
//   import { toast } from './toast.js'; toast({ text: 'Saved' })
//
// The undo address is POSTed; then `undone` is triggered on the body and the page re-reads what listens to it, or reloads.
import { icon, make, onElement, send, word } from './dom.js';

const STAY = 6000;
const STAY_WITH_UNDO = 12_000;
const ICONS = { good: 'circle-check', bad: 'alert-circle', warn: 'alert-triangle' };

export function toast({ text, kind = 'good', undo_url: undoUrl, href, link, new_tab: newTab }) {
  const box = document.querySelector('.t-toasts');
  if (!box || !text) return;
  const element = make('div', { class: `t-toast is-${kind}`, role: kind === 'bad' ? 'alert' : 'status' }, icon(ICONS[kind] ?? 'info-circle'), make('span', { class: 't-toast-text' }, text));
  if (href) element.append(make('a', { class: 'btn btn-sm t-undo', href, ...(newTab && { target: '_blank' }) }, link || word('open', 'Open')));
  if (undoUrl) {
    const undo = make('button', { class: 'btn btn-sm t-undo', type: 'button' }, word('undo', 'Undo'));
    undo.addEventListener('click', () => undoAct(undoUrl, element), { once: true });
    element.append(undo);
  }
  addClose(element);
  box.append(element);
  // The top layer: a toast must be seen above an open drawer or dialog.
  if (box.showPopover) { box.hidePopover?.(); box.showPopover(); }
  leaveLater(element, undoUrl || href ? STAY_WITH_UNDO : STAY);
}

function addClose(element) {
  const close = make('button', { class: 'btn btn-icon btn-sm', type: 'button', 'aria-label': word('close', 'Close') }, icon('x'));
  close.addEventListener('click', () => element.remove());
  element.append(close);
}

function leaveLater(element, time) {
  let timer = setTimeout(() => element.remove(), time);
  element.addEventListener('pointerenter', () => clearTimeout(timer));
  element.addEventListener('focusin', () => clearTimeout(timer));
  element.addEventListener('pointerleave', () => { timer = setTimeout(() => element.remove(), STAY); });
}

async function undoAct(url, element) {
  const answer = await send(url);
  element.remove();
  if (!answer.ok) return toast({ text: word('undoFailed', 'It is too late to undo this.'), kind: 'bad' });
  toast({ text: word('undone', 'Undone') });
  if (!document.body.dispatchEvent(new CustomEvent('undone', { cancelable: true }))) return;
  location.reload();
}

document.addEventListener('toast', (event) => toast(typeof event.detail === 'string' ? { text: event.detail } : event.detail.value && typeof event.detail.value === 'string' ? { text: event.detail.value } : event.detail));

// Messages the server put into the page (Django messages) behave the same way.
onElement('.t-toasts > .t-toast[data-stay]', (element) => {
  addClose(element);
  leaveLater(element, element.classList.contains('is-bad') ? STAY_WITH_UNDO : STAY);
});
