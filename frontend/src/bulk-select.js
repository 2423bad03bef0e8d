// Choose rows, see exactly how many, act on them all.
//
//   <form data-bulk> <input type="checkbox" data-bulk-all> … <input type="checkbox" name="id" value="7">
//     <div class="t-bulk" hidden> <strong data-bulk-count></strong> <button name="action" value="close">Close</button> </div> </form>
//
// Shift-click chooses a range. `data-bulk-total="312"` on the form offers “choose all 312” (sends everything=yes).
// A list that re-reads itself keeps what is chosen in it; one that the reader filters or turns over begins anew.
import { onElement, word } from './dom.js';

const named = (box) => `${box.name}=${box.value}`;
let ticked = new Set();
document.addEventListener('htmx:beforeSwap', ({ detail }) => {
  const boxes = [...detail.target.querySelectorAll('[data-bulk] input[type=checkbox]')];
  if (!boxes.length) return;
  const cause = detail.requestConfig.triggeringEvent;
  ticked = new Set(!cause || ['live', 'refresh'].includes(cause.type) ? boxes.filter((box) => box.checked).map(named) : []);
});

onElement('[data-bulk]', (form) => {
  const boxes = () => [...form.querySelectorAll('tbody input[type=checkbox], [data-bulk-row] input[type=checkbox]')];
  const all = form.querySelector('[data-bulk-all]');
  const bar = form.querySelector('.t-bulk');
  const everything = form.querySelector('[data-bulk-everything]');
  let last = null;

  const show = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    const total = boxes().length;
    if (all) {
      all.checked = chosen > 0 && chosen === total;
      all.indeterminate = chosen > 0 && chosen < total;
    }
    if (bar) bar.hidden = !chosen;
    const count = everything?.checked ? form.dataset.bulkTotal : chosen;
    for (const place of form.querySelectorAll('[data-bulk-count]')) place.textContent = word('chosen', '{n} chosen').replace('{n}', count);
    if (everything) everything.closest('label').hidden = !(chosen === total && Number(form.dataset.bulkTotal) > total);
  };

  form.addEventListener('click', (event) => {
    const rows = boxes();
    const place = rows.indexOf(event.target);
    if (place < 0) return;
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(last, place), Math.max(last, place)];
      for (const box of rows.slice(from, to + 1)) box.checked = event.target.checked;
    }
    last = place;
    show();
  });
  form.addEventListener('change', (event) => {
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    show();
  });
  form.addEventListener('click', (event) => {
    if (!event.target.closest('[data-bulk-none]')) return;
    for (const box of boxes()) box.checked = false;
    if (everything) everything.checked = false;
    show();
  });
  form.addEventListener('htmx:afterSettle', show);
  for (const box of [...boxes(), everything]) if (box && ticked.has(named(box))) box.checked = true;
  show();
});
