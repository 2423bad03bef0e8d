// Cards between columns by mouse, finger and keyboard. The server decides: a refusal returns the card and says why.
//
//   <div class="t-board" data-board>
//     <section class="t-column" data-column="proposal"> <div class="t-column-cards" data-column-cards> <article data-card data-move-url="/…/move/">
//   A drop POSTs {to: "proposal", before: "<id of the card below>"}; answer 2xx = moved (JSON {"message"} is shown), 4xx = JSON {"message"} or text says why.
//   Keyboard: each card's menu holds <button data-move-to="proposal">Move to Proposal</button>.
import { onElement, send, word } from './dom.js';
import { toast } from './toast.js';

async function reasonOf(answer) {
  const text = await answer.text();
  try {
    const told = JSON.parse(text);
    return told.message || told.detail || '';
  } catch {
    return answer.headers.get('content-type')?.includes('text/plain') ? text : '';
  }
}

async function move(card, to, goBack) {
  card.setAttribute('aria-busy', 'true');
  const before = card.nextElementSibling?.dataset.card ?? '';
  let answer;
  try {
    answer = await send(card.dataset.moveUrl, { to, before });
  } catch {
    goBack();
    toast({ text: word('noNetwork', 'No connection. Please try again.'), kind: 'bad' });
    return;
  } finally {
    card.removeAttribute('aria-busy');
  }
  const reason = await reasonOf(answer);
  if (answer.ok) {
    if (reason) toast({ text: reason });
    count(card.closest('[data-board]'));
    card.dispatchEvent(new CustomEvent('card:moved', { bubbles: true, detail: { to } }));
    return;
  }
  goBack();
  toast({ text: reason || word('cannotMove', 'This card cannot go there now.'), kind: 'warn' });
}

function count(board) {
  for (const column of board?.querySelectorAll('[data-column]') ?? []) {
    const place = column.querySelector('.t-column-count');
    if (place && !place.dataset.fixed) place.textContent = column.querySelectorAll('[data-card]').length;
  }
}

onElement('[data-board]', async (board) => {
  const { default: Sortable } = await import('sortablejs');
  for (const list of board.querySelectorAll('[data-column-cards]')) {
    Sortable.create(list, {
      group: board.dataset.board || 'board', draggable: '[data-card]', filter: '[aria-disabled=true]', animation: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 140,
      delay: 160, delayOnTouchOnly: true, touchStartThreshold: 6, scrollSensitivity: 60, emptyInsertThreshold: 24,
      onMove: ({ to }) => { for (const column of board.querySelectorAll('[data-column]')) column.classList.toggle('is-target', column.contains(to)); },
      onEnd: ({ item, from, to, oldDraggableIndex }) => {
        for (const column of board.querySelectorAll('.is-target')) column.classList.remove('is-target');
        if (from === to && board.dataset.order === undefined) return;
        move(item, to.closest('[data-column]').dataset.column, () => {
          const cards = from.querySelectorAll(':scope > [data-card]');
          from.insertBefore(item, cards[oldDraggableIndex] ?? null);
        });
      },
    });
  }
});

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-move-to]');
  const card = button?.closest('[data-card]');
  if (!card) return;
  event.preventDefault();
  const from = card.parentElement;
  const next = card.nextElementSibling;
  const target = card.closest('[data-board]').querySelector(`[data-column="${CSS.escape(button.dataset.moveTo)}"] [data-column-cards]`);
  target?.prepend(card);
  card.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  card.querySelector('a, summary')?.focus();
  move(card, button.dataset.moveTo, () => from.insertBefore(card, next));
});
