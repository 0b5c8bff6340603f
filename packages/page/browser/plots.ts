import { drawPlot } from '../src/plot/draw.ts';
import { readout } from '../src/plot/readout.ts';
import type { Plot } from '../src/plot/spec.ts';

/** Draws each plot at the width of its place, again when that changes or when the page was renewed. */
export function plots(): void {
  const drawn = new WeakMap<Element, string>();
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) draw(target);
  });

  function draw(box: Element): void {
    const text = box.closest<HTMLElement>('[data-plot]')?.dataset.plot ?? '';
    const width = Math.floor(box.clientWidth);
    if (width === 0 || drawn.get(box) === width + text) return;
    drawn.set(box, width + text);
    // What `drawPlot` answers holds only escaped texts. The plot comes from this server.
    box.innerHTML = drawPlot(JSON.parse(text) as Plot, Math.max(200, width));
  }

  function find(): void {
    for (const box of document.querySelectorAll('.plot-box')) {
      sizes.observe(box);
      draw(box);
    }
  }

  find();
  document.addEventListener('serin:renewed', find);
  document.addEventListener('pointermove', read);
  document.addEventListener('pointerdown', read);
}

/** Says what a plot shows where the pointer is. Without a pointer, people read its numbers. */
function read({ target, clientX }: PointerEvent): void {
  const svg = target instanceof Element ? target.closest<SVGSVGElement>('.plot-box svg') : null;
  const figure = svg?.closest<HTMLElement>('[data-plot]');
  const place = figure?.querySelector('.readout');
  if (!svg || !figure || !place) return;
  const plot = JSON.parse(figure.dataset.plot ?? '') as Plot;
  const { left = 0, right = 1 } = svg.dataset;
  const share = (clientX - svg.getBoundingClientRect().left - Number(left)) / (Number(right) - Number(left));
  if (plot.kind !== 'spans') place.textContent = readout(plot, share);
}
