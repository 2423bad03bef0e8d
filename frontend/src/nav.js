// The side bar on a narrow screen: a drawer that closes by Escape, by its veil and by going somewhere.
//
//   <button data-side-open aria-controls="side" aria-expanded="false">Menu</button> <aside id="side" class="t-side">
import { make, onElement, word } from './dom.js';

onElement('[data-side-open]', (button) => {
  const side = document.getElementById(button.getAttribute('aria-controls'));
  const veil = make('button', { class: 't-side-veil', type: 'button', 'aria-label': word('close', 'Close'), hidden: true });
  side.before(veil);
  const set = (open) => {
    side.classList.toggle('is-open', open);
    veil.hidden = !open;
    button.setAttribute('aria-expanded', open);
    if (open) side.querySelector('a[href], button')?.focus();
    else button.focus();
  };
  button.addEventListener('click', () => set(true));
  veil.addEventListener('click', () => set(false));
  side.addEventListener('keydown', (event) => { if (event.key === 'Escape') set(false); });
});
