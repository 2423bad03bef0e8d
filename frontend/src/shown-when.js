// A field that is asked for only when others say so. The rule is judged here as on the server (bpmn/conditions.py), which also
// enforces it: what isn't shown isn't sent, isn't required and isn't kept.
//
//   <div data-shown-when='["==", ["name", "roof"], ["value", "other"]]' data-prefix="">…<input name="roof_words"></div>
import { onElement } from './dom.js';
import { judge, truth } from './rule.js';

// What stands in a field: a box is yes or no, several boxes of one name a list; a field that isn't shown holds nothing.
const readIn = (form, prefix) => (name) => {
  const fields = [...form.elements].filter((field) => field.name === prefix + name && !field.closest('[data-shown-when][hidden]'));
  if (!fields.length) return '';
  if (fields[0].type === 'checkbox') {
    const several = fields[0].closest('fieldset') && fields[0].value !== 'on';
    return several ? fields.filter((field) => field.checked).map((field) => field.value) : fields[0].checked;
  }
  if (fields[0].type === 'radio') return fields.find((field) => field.checked)?.value ?? '';
  return fields[0].value;
};

onElement('form', (form) => {
  const places = [...form.querySelectorAll('[data-shown-when]')];
  if (!places.length) return;
  const look = () => {
    for (const place of places) {
      const shown = truth(judge(JSON.parse(place.dataset.shownWhen), readIn(form, place.dataset.prefix ?? '')));
      place.hidden = !shown;
      for (const field of place.querySelectorAll('input, select, textarea')) field.disabled = !shown;
    }
  };
  for (const event of ['input', 'change', 'draft:restored']) form.addEventListener(event, look);
  look();
});
