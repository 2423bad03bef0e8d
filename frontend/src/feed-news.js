// New posts come in by themselves where the reader is at the top of the feed; who reads further down gets a button instead,
// so that nothing moves under their eyes.
//
//   <div id="feed-news" data-live="feed:all" hx-get="…/news/?after=12">
document.addEventListener('htmx:configRequest', ({ detail }) => {
  const list = document.getElementById('feed-posts');
  if (detail.elt.id === 'feed-news' && list && list.getBoundingClientRect().top >= 0 && !list.contains(document.activeElement)) detail.parameters.take = '1';
});
