// Charts read their numbers from an address of their own and open the records behind a number.
//
//   <div class="t-chart" data-chart="bar" data-src="/work/sales/by-month.json" role="img" aria-label="Won by month"></div>
//   {"categories": ["Jan", …], "series": [{"name": "Won", "data": [1, 2], "urls": ["/work/crm/deals/?…", …]}], "unit": "money|count|percent", "currency": "USD"}
//   kinds: bar, rows (bars that lie, for names), stack, line, area, funnel, donut, heat.   A table with the same numbers belongs beside it for screen readers.
import { BarChart, FunnelChart, HeatmapChart, LineChart, PieChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { onElement, word } from './dom.js';

echarts.use([BarChart, LineChart, FunnelChart, PieChart, HeatmapChart, GridComponent, TooltipComponent, LegendComponent, MarkLineComponent, AriaComponent, VisualMapComponent, SVGRenderer]);

const language = document.documentElement.lang || 'en';

// Colours are read as the browser computed them, so that light-dark() and the chosen theme hold.
function palette() {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const found = { ink: colour('ink'), soft: colour('ink-2'), line: colour('line'), surface: colour('raised'), onAccent: colour('accent-ink'), series: [1, 2, 3, 4, 5, 6].map((number) => colour(`chart-${number}`)), heat: [colour('accent-soft'), colour('accent')] };
  probe.remove();
  return found;
}

function writer({ unit, currency }) {
  if (unit === 'money') {
    const money = new Intl.NumberFormat(language, { style: 'currency', currency: currency || 'USD', notation: 'compact', maximumFractionDigits: 1 });
    return (value) => money.format(value);
  }
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return (value) => (value === null || value === undefined || value === '-' ? '–' : number.format(value) + (unit === 'percent' ? ' %' : ''));
}

function options(kind, told) {
  const look = palette();
  const write = writer(told);
  const text = { fontFamily: 'Inter Variable, system-ui, sans-serif', color: look.soft, fontSize: 12 };
  const base = {
    color: look.series, textStyle: text, aria: { enabled: true }, animationDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 180,
    tooltip: { trigger: kind === 'funnel' || kind === 'donut' || kind === 'heat' ? 'item' : 'axis', backgroundColor: look.surface, borderColor: look.line, textStyle: { color: look.ink, fontSize: 12 }, valueFormatter: write, confine: true },
    legend: told.series.length > 1 || kind === 'donut' ? { bottom: 0, icon: 'roundRect', itemWidth: 10, itemHeight: 10, textStyle: text } : undefined,
  };
  if (kind === 'funnel' || kind === 'donut') {
    const [first] = told.series;
    const data = told.categories.map((name, place) => ({ name, value: first.data[place], url: first.urls?.[place] }));
    const series = kind === 'funnel'
      ? { type: 'funnel', left: 8, right: 8, top: 8, bottom: 8, sort: 'none', gap: 3, minSize: '12%', label: { position: 'inside', color: look.onAccent, fontWeight: 600, formatter: (item) => `${item.name}  ${write(item.value)}` }, itemStyle: { borderWidth: 0, color: look.series[0] }, data: data.map((item, place) => ({ ...item, itemStyle: { opacity: 1 - 0.55 * (place / Math.max(1, data.length)) } })) }
      : { type: 'pie', radius: ['54%', '78%'], center: ['50%', '44%'], label: { show: false }, itemStyle: { borderColor: look.surface, borderWidth: 2 }, data };
    return { ...base, legend: kind === 'donut' ? base.legend : undefined, series: [series] };
  }
  const axis = { type: 'category', data: told.categories, axisLine: { lineStyle: { color: look.line } }, axisTick: { show: false }, axisLabel: { ...text, hideOverlap: true } };
  if (kind === 'heat') {
    return { ...base, grid: { left: 8, right: 8, top: 8, bottom: 40, containLabel: true }, xAxis: axis, yAxis: { ...axis, data: told.rows }, visualMap: { min: 0, max: Math.max(1, ...told.series[0].data.map((cell) => cell[2] || 0)), orient: 'horizontal', left: 'center', bottom: 0, inRange: { color: look.heat }, textStyle: text, itemHeight: 90, itemWidth: 10 }, series: [{ type: 'heatmap', data: told.series[0].data, label: { show: true, formatter: (item) => write(item.value[2]) } }] };
  }
  const lines = kind === 'line' || kind === 'area';
  const lying = kind === 'rows';
  const values = { type: 'value', splitLine: { show: !lying, lineStyle: { color: look.line } }, axisLabel: { ...text, show: !lying, formatter: write } };
  return {
    ...base,
    grid: { left: 4, right: lying ? 64 : 12, top: lying ? 4 : 16, bottom: told.series.length > 1 ? 34 : 4, containLabel: true },
    xAxis: lying ? values : axis,
    yAxis: lying ? { ...axis, inverse: true, axisLine: { show: false }, axisLabel: { ...text, width: 130, overflow: 'truncate' } } : values,
    series: told.series.map((one) => ({
      name: one.name, type: one.kind || (lines ? 'line' : 'bar'), stack: kind === 'stack' ? 'all' : undefined, smooth: 0.2, symbolSize: 6, barMaxWidth: 36,
      label: lying ? { show: true, position: 'right', color: look.ink, fontSize: 12, formatter: (item) => write(item.value) } : undefined, itemStyle: { borderRadius: lines || kind === 'stack' ? 0 : lying ? [0, 4, 4, 0] : [4, 4, 0, 0] }, lineStyle: { width: 2, type: one.dashed ? 'dashed' : 'solid' }, areaStyle: kind === 'area' ? { opacity: 0.12 } : undefined,
      data: one.data.map((value, place) => ({ value, url: one.urls?.[place] })),
    })),
  };
}

onElement('[data-chart]', (element) => {
  const chart = echarts.init(element, null, { renderer: 'svg' });
  let told = null;
  const draw = () => { if (told) chart.setOption(options(element.dataset.chart, told), true); };
  const read = async () => {
    try {
      const answer = await fetch(element.dataset.src, { headers: { Accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      told = await answer.json();
      draw();
    } catch {
      element.textContent = word('failed', 'Something went wrong on our side. Nothing was changed; please try again.');
    }
  };
  chart.on('click', (event) => { if (event.data?.url) location.href = event.data.url; });
  new ResizeObserver(() => chart.resize()).observe(element);
  element.addEventListener('live', read);
  document.addEventListener('theme', () => setTimeout(draw));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  read();
});
