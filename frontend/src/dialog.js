// Native dialogs, and a confirmation that names the object.
//
//   <button data-dialog="invite">Invite…</button> <c-dialog id="invite" title="Invite a colleague">…</c-dialog>
//   <button hx-post="…" hx-confirm="Delete “Acme Bikes”?" data-confirm-note="Its 3 deals stay." data-confirm-word="Delete">   asks before htmx sends
//   <form method="post" data-confirm="Cancel the request “New bikes”?">                                              asks before a plain form is sent
//   <button data-close>Close</button>                                                                             closes the dialog around it
import { word } from './dom.js';

export function ask(question, { note = '', yes = '', danger = true } = {}) {
  const box = document.getElementById('confirm');
  if (!box) return Promise.resolve(window.confirm(question));
  box.querySelector('[data-confirm-question]').textContent = question;
  box.querySelector('[data-confirm-more]').textContent = note;
  const button = box.querySelector('[data-confirm-yes]');
  button.textContent = yes || word('confirm', 'Yes, go on');
  button.className = danger ? 'btn btn-danger' : 'btn btn-primary';
  box.returnValue = '';
  box.showModal();
  return new Promise((resolve) => box.addEventListener('close', () => resolve(box.returnValue === 'yes'), { once: true }));
}

const manner = (element) => ({ note: element.dataset.confirmNote, yes: element.dataset.confirmWord, danger: element.dataset.confirmCalm === undefined });

document.addEventListener('htmx:confirm', (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question, manner(event.detail.elt)).then((yes) => { if (yes) event.detail.issueRequest(true); });
});

document.addEventListener('submit', (event) => {
  const source = event.submitter?.dataset.confirm !== undefined ? event.submitter : event.target;
  if (source.dataset.confirm === undefined || event.target.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(source.dataset.confirm, manner(source)).then((yes) => {
    if (!yes) return;
    event.target.dataset.confirmed = 'yes';
    event.target.requestSubmit(event.submitter);
    delete event.target.dataset.confirmed;
  });
}, true);

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-dialog]');
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  const closer = event.target.closest('[data-close]');
  if (closer) closer.closest('dialog')?.close();
  if (event.target.matches?.('dialog.t-drawer, dialog.t-dialog[data-light], dialog.t-palette') && outside(event)) event.target.close();
});

function outside(event) {
  const box = event.target.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
