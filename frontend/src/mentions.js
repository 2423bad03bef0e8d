// @ in a text box offers people; choosing one writes @[Name](user:7), which the server turns into a mention.
//
//   <textarea data-mentions="/work/feed/people/">   GET ?q=an → {"results": [{"id": 7, "title": "Ann", "subtitle": "Sales"}]}
import { make, onElement } from './dom.js';

onElement('textarea[data-mentions]', (box) => {
  const list = make('div', { class: 't-suggest', role: 'listbox', hidden: true });
  box.after(list);
  box.setAttribute('autocomplete', 'off');
  let people = [];
  let place = 0;
  let timer = null;

  const typed = () => box.value.slice(0, box.selectionStart).match(/(?:^|\s)@([\p{L}\d .'-]{0,30})$/u);
  const hide = () => { list.hidden = true; people = []; };
  const choose = (person) => {
    const match = typed();
    const start = box.selectionStart - (match?.[1].length ?? 0) - 1;
    box.setRangeText(`@[${person.title}](user:${person.id}) `, start, box.selectionStart, 'end');
    hide();
    box.focus();
    box.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const show = () => {
    list.replaceChildren(...people.map((person, number) => {
      const option = make('button', { type: 'button', class: 't-menu-item', role: 'option', 'aria-selected': number === place }, make('span', {}, person.title), make('small', { class: 't-faint' }, person.subtitle || ''));
      if (number === place) option.classList.add('is-selected');
      option.addEventListener('mousedown', (event) => { event.preventDefault(); choose(person); });
      return option;
    }));
    list.hidden = !people.length;
  };

  box.addEventListener('input', () => {
    clearTimeout(timer);
    const match = typed();
    if (!match) return hide();
    timer = setTimeout(async () => {
      const address = new URL(box.dataset.mentions, location.href);
      address.searchParams.set('q', match[1]);
      const answer = await fetch(address, { headers: { Accept: 'application/json' } });
      if (!answer.ok) return;
      people = (await answer.json()).results.slice(0, 8);
      place = 0;
      show();
    }, 120);
  });
  box.addEventListener('keydown', (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); place = (place + step + people.length) % people.length; show(); }
    if (event.key === 'Enter' || event.key === 'Tab') { event.preventDefault(); choose(people[place]); }
    if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); hide(); }
  });
  box.addEventListener('blur', () => setTimeout(hide, 150));
});

// Ctrl+Enter sends the form a text box stands in.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.matches('textarea')) event.target.form?.requestSubmit();
});
