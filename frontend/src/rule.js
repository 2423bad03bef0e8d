// A rule of “shown when”, judged as bpmn/conditions.py judges it: tests/bpmn/test_conditions.py asks both the same.
//
//   truth(judge(['==', ['name', 'roof'], ['value', 'other']], (name) => …what stands in the field…))
const number = (value) => {
  if (typeof value === 'boolean' || Array.isArray(value) || value === '' || value === null) return null;
  const text = String(value).trim().replace(',', '.');
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : null;
};
export const truth = (value) => !(value === '' || value === null || value === false || value === 0 || (Array.isArray(value) && !value.length));
const plain = (value) => (value === null || value === undefined ? '' : typeof value === 'string' ? value.trim() : value);

function same(left, right) {
  if (typeof left === 'boolean' || typeof right === 'boolean') return truth(left) === truth(right);
  if (typeof left === 'number' || typeof right === 'number') return number(left) !== null && number(left) === number(right);
  return Array.isArray(left) || Array.isArray(right) ? JSON.stringify(left) === JSON.stringify(right) : left === right;
}

export function judge([kind, ...parts], read) {
  switch (kind) {
    case 'value': return parts[0];
    case 'name': return plain(read(parts[0]));
    case 'and': return parts.every((part) => truth(judge(part, read)));
    case 'or': return parts.some((part) => truth(judge(part, read)));
    case 'not': return !truth(judge(parts[0], read));
    default:
  }
  const [left, right] = parts.map((part) => plain(judge(part, read)));
  if (kind === '==' || kind === '!=') return same(left, right) === (kind === '==');
  if (kind === 'in' || kind === 'not in') {
    const among = Array.isArray(right) ? right.some((one) => same(left, one)) : left !== '' && String(right).includes(String(left));
    return among === (kind === 'in');
  }
  const [one, other] = [number(left), number(right)];
  if (one === null || other === null) return false;
  return { '<': one < other, '<=': one <= other, '>': one > other, '>=': one >= other }[kind];
}
