// A place to drop files: shows what was chosen, says when one is too big, and keeps the plain input underneath.
//
//   <div class="t-drop" data-drop data-max="26214400"><input type="file" name="files" multiple>…<ul class="t-drop-files"></ul></div>
//   data-drop-send   sends the form around it as soon as files were chosen
import { icon, make, onElement, word } from './dom.js';

const size = (bytes) => (bytes < 1_048_576 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`);

onElement('[data-drop]', (zone) => {
  const input = zone.querySelector('input[type=file]');
  const list = zone.parentElement.querySelector('.t-drop-files') ?? zone.querySelector('.t-drop-files');
  for (const name of ['dragenter', 'dragover']) zone.addEventListener(name, () => zone.classList.add('is-over'));
  for (const name of ['dragleave', 'drop']) zone.addEventListener(name, () => zone.classList.remove('is-over'));
  input.addEventListener('change', () => {
    const limit = Number(zone.dataset.max || 0);
    const files = [...input.files];
    const tooBig = files.filter((file) => limit && file.size > limit);
    input.setCustomValidity(tooBig.length ? word('tooBig', 'The file is too big.') : '');
    list?.replaceChildren(...files.map((file) => make('li', { class: 't-file' }, icon('file'), make('span', { class: 't-clip' }, file.name), make('small', { class: tooBig.includes(file) ? 't-error' : 't-faint' }, tooBig.includes(file) ? word('tooBig', 'The file is too big.') : size(file.size)))));
    if (zone.dataset.dropSend !== undefined && files.length && !tooBig.length) input.form.requestSubmit();
    if (tooBig.length) input.reportValidity();
  });
});
