// Sign with a finger, a pen or the mouse; or type the name, which counts the same.
//
//   <div data-signature><canvas></canvas><input type="hidden" name="signature"><button type="button" data-clear>Clear</button></div>
import { onElement } from './dom.js';

onElement('[data-signature]', (pad) => {
  const canvas = pad.querySelector('canvas');
  const field = pad.querySelector('input[type=hidden]');
  const pen = canvas.getContext('2d');
  const fit = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    pen.scale(devicePixelRatio, devicePixelRatio);
    Object.assign(pen, { lineWidth: 2.2, lineCap: 'round', lineJoin: 'round', strokeStyle: '#1f1c18' });
    field.value = '';
  };
  let drawing = false;
  canvas.addEventListener('pointerdown', (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(event.offsetX, event.offsetY);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!drawing) return;
    pen.lineTo(event.offsetX, event.offsetY);
    pen.stroke();
  });
  const stop = () => {
    if (!drawing) return;
    drawing = false;
    field.value = canvas.toDataURL('image/png');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  canvas.addEventListener('pointerup', stop);
  canvas.addEventListener('pointercancel', stop);
  pad.querySelector('[data-clear]')?.addEventListener('click', fit);
  new ResizeObserver(() => { if (!field.value) fit(); }).observe(canvas);
});
