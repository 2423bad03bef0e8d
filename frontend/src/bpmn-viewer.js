// A diagram to read: where the tokens stand, whose lane it is, what went wrong. The bpmn.io mark stays fully visible.
//
//   <div class="t-diagram" data-diagram data-xml-url="/work/processes/3/xml/" data-state-url="/work/processes/i/9/state/"><div class="t-diagram-canvas"></div></div>
//   state: {"here": [{"element": "Task_1", "count": 2, "note": "$ 12,000", "url": "…"}], "past": ["Start_1"], "incidents": [{"element": "Task_2", "message": "…", "url": "…"}],
//           "lanes": {"Lane_1": "customer"}}       (lanes may be left out: tandem:audience of the diagram is used)
//   "times": {"Task_1": "2 hours"} are written at the foot of their steps;
//   "heat": 1 to 5 on one of "here" colours the step instead of marking it; a click on a step with a "url" goes there.
//   A `live` event re-reads the state. Buttons inside with data-zoom="in|out|here|fit". A click on an element sends `diagram:element` with its id.
//   It opens whole where that is readable, else readable where work stands now (or at the start). The wheel scrolls the page, Ctrl + wheel
//   zooms, dragging moves; a finger moves, two zoom.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn-embedded.css';
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import { make, onElement, word } from './dom.js';

const AUDIENCES = new Set(['internal', 'partner', 'customer']);
const READABLE = 0.72;
const LIMITS = [0.1, 3];
const MARKS = ['is-here', 'is-past', 'has-incident', ...[1, 2, 3, 4, 5].map((level) => `heat-${level}`)];
const OVERLAY = { min: 0.7, max: 1.2 };

function colourLanes(viewer, told = {}) {
  const canvas = viewer.get('canvas');
  for (const element of viewer.get('elementRegistry').filter((one) => one.type === 'bpmn:Lane')) {
    const attributes = element.businessObject.$attrs ?? {};
    const audience = told[element.id] || attributes['tandem:audience'] || attributes['urn:tandem:bpmn:1:audience'];
    if (AUDIENCES.has(audience)) canvas.addMarker(element, `lane-${audience}`);
  }
}

function token(text, note, url, bad) {
  const dot = make(url ? 'a' : 'span', { class: `t-token${bad ? ' is-bad' : ''}`, href: url || null, title: note || null }, String(text));
  const box = make('div', {}, dot);
  if (note) box.append(make('span', { class: 't-token-note' }, note));
  return box;
}

function paint(viewer, state) {
  const canvas = viewer.get('canvas');
  const overlays = viewer.get('overlays');
  const registry = viewer.get('elementRegistry');
  overlays.clear();
  for (const element of registry.getAll()) for (const mark of MARKS) canvas.removeMarker(element, mark);
  for (const id of state.past ?? []) if (registry.get(id)) canvas.addMarker(id, 'is-past');
  for (const one of state.here ?? []) {
    if (!registry.get(one.element)) continue;
    canvas.addMarker(one.element, one.heat ? `heat-${one.heat}` : 'is-here');
    overlays.add(one.element, { position: { top: -12, right: 14 }, scale: OVERLAY, html: token(one.count ?? '●', one.note, one.url, false) });
  }
  for (const [id, words] of Object.entries(state.times ?? {})) {
    if (registry.get(id)) overlays.add(id, { position: { bottom: 10, left: 4 }, scale: OVERLAY, html: make('span', { class: 't-token-note t-token-time' }, words) });
  }
  for (const one of state.incidents ?? []) {
    if (!registry.get(one.element)) continue;
    canvas.addMarker(one.element, 'has-incident');
    overlays.add(one.element, { position: { top: -12, left: -10 }, scale: OVERLAY, html: token(one.count ? `! ${one.count}` : '!', one.message, one.url, true) });
  }
}

const between = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));
const zoomBy = (canvas, factor, at) => canvas.zoom(between(canvas.zoom() * factor, ...LIMITS), at);

// The box around where work stands: all tokens where they fit the view, else the place with most; the start where nothing stands.
function placeOf(viewer, state, width, height) {
  const registry = viewer.get('elementRegistry');
  const here = state.here ?? [];
  const isMap = here.some((one) => one.heat); // its counts are words such as “4 h”: the heat says which step is first, before any incident
  const ranked = here.toSorted((one, other) => (isMap ? (other.heat ?? 0) - (one.heat ?? 0) || (other.stands ?? 0) - (one.stands ?? 0) : (other.count ?? 0) - (one.count ?? 0)));
  const boxes = (isMap ? [...ranked, ...(state.incidents ?? [])] : [...(state.incidents ?? []), ...ranked]).map((one) => registry.get(one.element)).filter((one) => one?.width);
  if (!boxes.length) boxes.push(...registry.filter((one) => one.type === 'bpmn:StartEvent').slice(0, 1));
  if (!boxes.length) return null;
  const around = (some) => {
    const [left, top] = [Math.min(...some.map((one) => one.x)), Math.min(...some.map((one) => one.y))];
    return { x: left, y: top, width: Math.max(...some.map((one) => one.x + one.width)) - left, height: Math.max(...some.map((one) => one.y + one.height)) - top };
  };
  const all = around(boxes);
  return all.width < width * 0.9 && all.height < height * 0.9 ? all : around(boxes.slice(0, 1));
}

function showHere(viewer, state) {
  const canvas = viewer.get('canvas');
  const { inner } = canvas.viewbox();
  const { clientWidth, clientHeight } = canvas.getContainer();
  const [width, height] = [clientWidth / READABLE, clientHeight / READABLE];
  const place = placeOf(viewer, state, width, height);
  if (!place) return;
  const edge = 24 / READABLE;
  const along = (middle, room, from, length) => (room > length + 2 * edge ? from + (length - room) / 2 : between(middle - room / 2, from - edge, from + length + edge - room));
  canvas.viewbox({ x: along(place.x + place.width / 2, width, inner.x, inner.width), y: along(place.y + place.height / 2, height, inner.y, inner.height), width, height });
}

function showFirst(viewer, state) {
  const canvas = viewer.get('canvas');
  canvas.zoom('fit-viewport', 'auto');
  if (canvas.zoom() < READABLE) showHere(viewer, state);
  else if (canvas.zoom() > 1) canvas.zoom(1, 'auto');
}

// bpmn-js moves by mouse alone: fingers move the drawing and pinch it.
function byTouch(viewer, frame) {
  const canvas = viewer.get('canvas');
  const fingers = new Map();
  const middle = () => [...fingers.values()].reduce((sum, one) => ({ x: sum.x + one.x / fingers.size, y: sum.y + one.y / fingers.size }), { x: 0, y: 0 });
  const spread = () => { const [a, b] = [...fingers.values()]; return b ? Math.hypot(a.x - b.x, a.y - b.y) : 0; };
  const box = canvas.getContainer();
  box.addEventListener('pointerdown', (event) => { if (event.pointerType === 'touch') fingers.set(event.pointerId, { x: event.clientX, y: event.clientY }); });
  frame.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const [before, apart] = [middle(), spread()];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = middle();
    canvas.scroll({ dx: now.x - before.x, dy: now.y - before.y });
    const { left, top } = box.getBoundingClientRect();
    if (apart && spread()) zoomBy(canvas, spread() / apart, { x: now.x - left, y: now.y - top });
  });
  for (const kind of ['pointerup', 'pointercancel']) addEventListener(kind, (event) => fingers.delete(event.pointerId));
}

onElement('[data-diagram]', async (frame) => {
  const viewer = new NavigatedViewer({ container: frame.querySelector('.t-diagram-canvas') ?? frame });
  let state = {};
  const readState = async () => {
    if (!frame.dataset.stateUrl) return colourLanes(viewer);
    const answer = await fetch(frame.dataset.stateUrl, { headers: { Accept: 'application/json' } });
    state = answer.ok ? await answer.json() : {};
    colourLanes(viewer, state.lanes);
    paint(viewer, state);
  };
  frame.addEventListener('wheel', (event) => { if (!event.ctrlKey && !event.metaKey) event.stopPropagation(); }, { capture: true });
  try {
    const answer = await fetch(frame.dataset.xmlUrl);
    if (!answer.ok) throw new Error(String(answer.status));
    await viewer.importXML(await answer.text());
    await readState();
    showFirst(viewer, state);
    byTouch(viewer, frame);
  } catch {
    frame.append(make('p', { class: 't-empty' }, word('noDiagram', 'This diagram cannot be shown.')));
    return;
  }
  frame.addEventListener('live', readState);
  viewer.on('element.click', ({ element }) => {
    const there = (state.here ?? []).find((one) => one.element === element.id && one.heat && one.url);
    if (there) location.assign(there.url);
  });
  viewer.on('element.click', ({ element }) => frame.dispatchEvent(new CustomEvent('diagram:element', { bubbles: true, detail: { id: element.id } })));
  frame.addEventListener('click', (event) => {
    const button = event.target.closest('[data-zoom]');
    if (!button) return;
    const canvas = viewer.get('canvas');
    if (button.dataset.zoom === 'fit') canvas.zoom('fit-viewport', 'auto');
    else if (button.dataset.zoom === 'here') showHere(viewer, state);
    else zoomBy(canvas, button.dataset.zoom === 'in' ? 1.25 : 0.8);
  });
});
