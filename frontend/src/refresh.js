// What no ping tells of (time alone makes it late) is re-read now and then, while nobody chooses in it.
//
//   <div data-refresh="30" hx-get="…" hx-trigger="refresh" hx-swap="outerHTML">
import { onElement } from './dom.js';

onElement('[data-refresh]', (place) => {
  const timer = setInterval(() => {
    if (!place.isConnected) clearInterval(timer);
    else if (!document.hidden && !place.querySelector(':checked, :focus')) place.dispatchEvent(new CustomEvent('refresh'));
  }, Number(place.dataset.refresh) * 1000);
});
