// Choose a person or a record by typing. A plain <select> underneath: it works, and is sent, as any other.
//
//   <select name="owner" class="form-select" data-picker>…few options…</select>
//   <select name="account" class="form-select" data-picker data-url="/work/crm/pick/accounts/">   GET ?q= → {"results": [{"id", "title", "subtitle"}]}
//   data-create   what was typed may be added as a new value
import { make, onElement, word } from './dom.js';

function row(item, escape) {
  const box = make('div', { class: 't-picker-row' }, make('span', {}, item.text || item.title || ''));
  if (item.subtitle) box.append(make('small', { class: 't-faint' }, item.subtitle));
  return box;
}

onElement('select[data-picker]', async (select) => {
  const [{ default: TomSelect }] = await Promise.all([import('tom-select/dist/esm/tom-select.complete.js'), import('./styles/picker.css')]);
  const { url } = select.dataset;
  const picker = new TomSelect(select, {
    plugins: select.multiple ? ['remove_button'] : [],
    create: select.dataset.create !== undefined,
    maxOptions: 200,
    placeholder: select.dataset.placeholder || undefined,
    valueField: url ? 'id' : 'value', labelField: url ? 'title' : 'text', searchField: url ? [] : ['text'],
    preload: url ? 'focus' : false,
    loadThrottle: 150,
    load: url ? (text, done) => {
      const address = new URL(url, location.href);
      address.searchParams.set('q', text);
      fetch(address, { headers: { Accept: 'application/json' } })
        .then((answer) => answer.json()).then((told) => done(told.results)).catch(() => done());
    } : undefined,
    render: { option: row, no_results: () => make('div', { class: 'no-results' }, word('nothing', 'Nothing found')) },
  });
  picker.on('dropdown_open', () => { if (!picker.isFocused) picker.close(false); }); // typed and left at once: the list came too late
  const name = picker.control_input.getAttribute('aria-label') || document.querySelector(`label[for="${picker.control_input.id}"]`)?.firstChild?.textContent.trim();
  if (name) select.setAttribute('aria-label', name);
  if (select.getAttribute('aria-describedby')) picker.control_input.setAttribute('aria-describedby', select.getAttribute('aria-describedby'));
});
