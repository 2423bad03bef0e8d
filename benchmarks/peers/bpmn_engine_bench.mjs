// bpmn-engine on the same work: start, three user tasks, end; the state is stored after the start and after each task, in a transaction
// of its own, and every step begins from what is stored. Run by Node in the folder that holds its packages.
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const load = createRequire(join(process.cwd(), 'package.json'));
const { Engine } = load('bpmn-engine');
const Database = load('better-sqlite3');

const database = new Database(join(mkdtempSync(join(tmpdir(), 'bpmn-engine-')), 'engine.sqlite3'));
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');
database.exec('CREATE TABLE instance (id INTEGER PRIMARY KEY, state TEXT)');
const insert = database.prepare('INSERT INTO instance (state) VALUES (?)');
const read = database.prepare('SELECT state FROM instance WHERE id = ?');
const write = database.prepare('UPDATE instance SET state = ? WHERE id = ?');

const tasks = [0, 1, 2];
const source = `<?xml version="1.0" encoding="UTF-8"?>
<definitions id="d" targetNamespace="t" xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="row" isExecutable="true">
<startEvent id="start"/>${tasks.map((n) => `<userTask id="t${n}"/>`).join('')}<endEvent id="end"/>
${['start', 't0', 't1', 't2'].map((from, n) => `<sequenceFlow id="f${n}" sourceRef="${from}" targetRef="${['t0', 't1', 't2', 'end'][n]}"/>`).join('')}
</process></definitions>`;
const deal = { items: Array.from({ length: 27 }, (_, i) => ({ sku: `SKU-${String(i).padStart(5, '0')}`, name: `Product number ${i}`, qty: i, price: 19.99 })) };

async function begin() {
  const engine = new Engine({ source });
  const execution = await engine.execute({ variables: { deal } });
  const { lastInsertRowid } = insert.run(JSON.stringify(await execution.getState()));
  execution.stop();
  return lastInsertRowid;
}

async function step(id, number) {
  const engine = new Engine().recover(JSON.parse(read.get(id).state));
  const execution = await engine.resume();
  execution.environment.variables[`f${number}`] = 'x'.repeat(50);
  execution.signal({ id: `t${number}` });
  const state = await execution.getState();
  write.run(JSON.stringify(state), id);
  execution.stop();
  return state.state === 'idle';
}

async function one() {
  const id = await begin();
  let done = false;
  for (const number of tasks) done = await step(id, number);
  if (!done) throw new Error('the instance did not end');
}

for (let warm = 0; warm < 20; warm += 1) await one();
const times = 100;
const used = process.cpuUsage();
const began = performance.now();
for (let n = 0; n < times; n += 1) await one();
const { user, system } = process.cpuUsage(used);
console.log(JSON.stringify({ cpu_ms: +((user + system) / 1000 / times).toFixed(2), wall_ms: +((performance.now() - began) / times).toFixed(2) }));
