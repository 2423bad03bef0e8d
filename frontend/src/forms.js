// Small manners of forms.
//
//   <form data-auto>                  sends itself when a choice changes and, after a pause, when text does (filters)
//   <c-field>…aria-invalid="true"      the first wrong field of a page or fragment gets the focus
//   <button data-copy="https://…">     copies and says so
//   <form data-warn-unsaved>          warns before a changed form is left
import { onElement, word } from './dom.js';
import { toast } from './toast.js';

onElement('form[data-auto]', (form) => {
  let timer;
  form.addEventListener('change', (event) => { if (event.target.type !== 'search' && event.target.type !== 'text') form.requestSubmit(); });
  if (!form.matches('[hx-get]')) return;
  form.addEventListener('input', (event) => {
    if (event.target.type !== 'search') return;
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), 250);
  });
});

onElement('form', (form) => form.querySelector('[aria-invalid=true]:not([type=hidden])')?.focus({ preventScroll: false }));

onElement('form[data-warn-unsaved]', (form) => {
  let changed = false;
  form.addEventListener('input', () => { changed = true; });
  form.addEventListener('submit', () => { changed = false; });
  addEventListener('beforeunload', (event) => { if (changed && form.isConnected) event.preventDefault(); });
});

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  toast({ text: word('copied', 'Copied') });
});
