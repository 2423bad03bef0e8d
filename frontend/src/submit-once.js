// A form is sent once, however often the button is pressed. The hidden idempotency_key stays the same until the page is
// read anew, so that even two requests that slip through are one act on the server.
//
//   <form method="post">…<button class="btn btn-primary">Send</button></form>        nothing to write
//   <form data-many>                                                                opts out (searches, filters)

function busy(form, submitter, on) {
  const buttons = form.querySelectorAll('button:not([type=button]), input[type=submit]');
  for (const button of buttons) button.toggleAttribute('aria-disabled', on);
  submitter?.setAttribute('aria-busy', on);
  if (on) form.dataset.sent = 'yes';
  else delete form.dataset.sent;
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method === 'get' || form.method === 'dialog' || form.dataset.many !== undefined || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  const { submitter } = event;
  // After this turn, so that the pressed button's own name and value are still sent.
  setTimeout(() => busy(form, submitter, true));
  const release = () => busy(form, submitter, false);
  form.addEventListener('htmx:afterRequest', release, { once: true });
  setTimeout(release, 15_000);
}, true);

addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll('form[data-sent]')) busy(form, form.querySelector('[aria-busy=true]'), false);
});
