// What is typed into a form is also kept on the server, a moment after the last key, so that another device can go on with it.
// Beside data-keep, which keeps it in this tab; files, keys and tokens stay out.
//
//   <form data-keep="request-new-3" data-keep-server="/cabinet/catalogue/3/draft/">…<span data-keep-note></span></form>
import { onElement, send, word } from './dom.js';

const PAUSE = 800;
const SKIP = new Set(['file', 'hidden', 'password', 'submit', 'button']);

onElement('form[data-keep-server]', (form) => {
  const note = form.querySelector('[data-keep-note]');
  let timer = null;
  const keep = async () => {
    const fields = [...form.elements].filter((field) => field.name && !field.disabled && !SKIP.has(field.type));
    const given = fields.filter((field) => !['checkbox', 'radio'].includes(field.type) || field.checked);
    const answer = await send(form.dataset.keepServer, given.map((field) => [field.name, field.value])).catch(() => null);
    if (answer?.ok && note) note.textContent = word('draftOnServer', 'Draft kept: go on with it on any device');
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(keep, PAUSE); };
  form.addEventListener('input', later);
  form.addEventListener('draft:restored', later);
  form.addEventListener('submit', () => clearTimeout(timer));
});
